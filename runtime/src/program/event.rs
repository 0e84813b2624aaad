//! What a typed stream tells: the parser's events, and at the end the whole prediction.

use crate::parse::FieldEvent;
use crate::signature::{FieldValue, Str, Value, ValueError};

use super::Predicted;

/// What a typed stream tells.
///
/// For each field in the reply `Started`, then `Text` or `Element` as they come, then `Done`; at last `Finished`. Or an error, as
/// of [`super::Predict::call`], from which no `Done` before it is safe.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum StreamEvent<O> {
    /// A field has begun.
    Started {
        /// Its name.
        field: Str,
    },
    /// More of the text of a `String` or `Option<String>`: certain, without marker or outer white space. All of them, joined,
    /// are the field's value.
    Text {
        /// The field's name.
        field: Str,
        /// What is new.
        delta: String,
    },
    /// The next element of a list that is no set.
    Element {
        /// The field's name.
        field: Str,
        /// Its place in the list.
        index: usize,
        /// The element.
        value: Value,
    },
    /// A field's value.
    Done {
        /// The field's name.
        field: Str,
        /// The value.
        value: Value,
    },
    /// What was told of the field came from a draft: nothing of it holds. Its value follows. Only a reply that is not held
    /// to a grammar does so, and rarely: `docs/streaming.md`.
    Retracted {
        /// The field's name.
        field: Str,
    },
    /// The whole prediction: the last event.
    Finished(Box<Predicted<O>>),
}

impl<O> StreamEvent<O> {
    /// The value of this field, if the event is that it is done.
    ///
    /// # Errors
    /// If `T` is not the field's type.
    pub fn field<T: FieldValue>(&self, name: &str) -> Result<Option<T>, ValueError> {
        match self {
            StreamEvent::Done { field, value } if field == name => {
                T::from_value(value.clone()).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// The element of this list, with its place, if the event is one.
    ///
    /// # Errors
    /// If `T` is not the element's type.
    pub fn element<T: FieldValue>(&self, name: &str) -> Result<Option<(usize, T)>, ValueError> {
        match self {
            StreamEvent::Element {
                field,
                index,
                value,
            } if field == name => T::from_value(value.clone()).map(|value| Some((*index, value))),
            _ => Ok(None),
        }
    }

    /// The new text of this field, if the event is some.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        match self {
            StreamEvent::Text { field, delta } if field == name => Some(delta),
            _ => None,
        }
    }

    /// The field that the event is about.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        match self {
            StreamEvent::Started { field }
            | StreamEvent::Text { field, .. }
            | StreamEvent::Element { field, .. }
            | StreamEvent::Done { field, .. }
            | StreamEvent::Retracted { field } => Some(field),
            StreamEvent::Finished(_) => None,
        }
    }
}

impl<O> From<FieldEvent> for StreamEvent<O> {
    fn from(event: FieldEvent) -> Self {
        match event {
            FieldEvent::Started { field } => StreamEvent::Started { field },
            FieldEvent::Text { field, delta } => StreamEvent::Text { field, delta },
            FieldEvent::Element {
                field,
                index,
                value,
            } => StreamEvent::Element {
                field,
                index,
                value,
            },
            FieldEvent::Done { field, value } => StreamEvent::Done { field, value },
            FieldEvent::Retracted { field } => StreamEvent::Retracted { field },
        }
    }
}

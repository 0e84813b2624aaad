//! What was told of each field so far, and what has to be told once its value is certain.

use super::super::constraint;
use super::FieldEvent;
use crate::signature::{FieldSpec, FieldType, ListKind, Value};

/// What was told of one field.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub started: bool,
    text: String,
    elements: Vec<Value>,
    done: Option<Value>,
    /// Whether a section with something in it has ended: others can only agree with it, or be an error.
    settled: bool,
}

impl Told {
    pub fn start(&mut self, field: &FieldSpec, events: &mut Vec<FieldEvent>) {
        if !std::mem::replace(&mut self.started, true) {
            let field = field.name.clone();
            events.push(FieldEvent::Started { field });
        }
    }

    pub fn text(&mut self, field: &FieldSpec, delta: String, events: &mut Vec<FieldEvent>) {
        if !delta.is_empty() {
            self.text.push_str(&delta);
            let field = field.name.clone();
            events.push(FieldEvent::Text { field, delta });
        }
    }

    pub fn element(&mut self, field: &FieldSpec, value: Value, events: &mut Vec<FieldEvent>) {
        let (field, index) = (field.name.clone(), self.elements.len());
        self.elements.push(value.clone());
        events.push(FieldEvent::Element {
            field,
            index,
            value,
        });
    }

    pub fn is_settled(&self) -> bool {
        self.settled
    }

    pub fn set_settled(&mut self) {
        self.settled = true;
    }

    /// Tells the rest of a field whose value is this.
    pub fn settle(&mut self, field: &FieldSpec, value: Value, events: &mut Vec<FieldEvent>) {
        if self.done.as_ref().is_some_and(|done| same(done, &value)) {
            return;
        }
        if self.done.is_some() || !self.fits(&value) {
            *self = Told {
                started: self.started,
                ..Told::default()
            };
            let field = field.name.clone();
            events.push(FieldEvent::Retracted { field });
        }
        self.start(field, events);
        match &value {
            Value::String(text) if is_text(&field.ty) => {
                let rest = text.get(self.text.len()..).unwrap_or_default();
                self.text(field, rest.to_owned(), events);
            }
            Value::List(items) if item_type(&field.ty).is_some() => {
                for item in items.get(self.elements.len()..).unwrap_or_default() {
                    self.element(field, item.clone(), events);
                }
            }
            _ => {}
        }
        self.done = Some(value.clone());
        let field = field.name.clone();
        events.push(FieldEvent::Done { field, value });
    }

    /// Whether what was told is the beginning of this value.
    fn fits(&self, value: &Value) -> bool {
        let text = match value {
            Value::String(text) => text.starts_with(&self.text),
            _ => self.text.is_empty(),
        };
        let elements = match value {
            Value::List(items) => {
                items.len() >= self.elements.len()
                    && items.iter().zip(&self.elements).all(|(a, b)| same(a, b))
            }
            _ => self.elements.is_empty(),
        };
        text && elements
    }
}

/// Whether the text of the field is told as it comes.
pub(super) fn is_text(ty: &FieldType) -> bool {
    match ty {
        FieldType::String => true,
        FieldType::Option(inner) => matches!(**inner, FieldType::String),
        _ => false,
    }
}

/// The type of the elements that are told one by one. A set's are not: only its end shows which are repeated.
pub(super) fn item_type(ty: &FieldType) -> Option<&FieldType> {
    let list = match ty {
        FieldType::List(list) => list,
        FieldType::Option(inner) => match &**inner {
            FieldType::List(list) => list,
            _ => return None,
        },
        _ => return None,
    };
    (list.kind != ListKind::Set).then_some(&*list.item)
}

/// Equality in which NaN equals itself. The parser has bounded how deep values are.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::List(a), Value::List(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Map(a), Value::Map(b)) => {
            let alike =
                |((k, a), (l, b)): (&(String, Value), &(String, Value))| k == l && same(a, b);
            a.len() == b.len() && a.iter().zip(b).all(alike)
        }
        _ => constraint::same(one, other),
    }
}

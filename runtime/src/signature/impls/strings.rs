//! Text, characters, and any JSON value.

use std::borrow::Cow;
use std::sync::Arc;

use super::super::{FieldType, FieldValue, Known, Value, ValueError};

macro_rules! texts {
    ($($text:ty),*) => {$(
        #[diagnostic::do_not_recommend]
        impl FieldValue for $text {
            const TYPE: &'static FieldType = &FieldType::String;
            const KNOWN: Known = Known::of::<Self>();

            fn from_value(value: Value) -> Result<Self, ValueError> {
                match value {
                    Value::String(text) => Ok(text.into()),
                    other => Err(ValueError::expected("a string", &other)),
                }
            }

            fn into_value(self) -> Value {
                Value::String(self.into_text())
            }
        }
    )*};
}

texts!(String, Cow<'static, str>, Box<str>, Arc<str>);

/// What the text types have in common. A key of a map must be one of them.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be the key of a map in a signature",
    label = "not a string",
    note = "keys are strings in a prompt: use `String`, `Cow<'static, str>`, `Box<str>` or `Arc<str>`"
)]
pub trait TextValue: FieldValue + From<String> {
    /// The text.
    fn into_text(self) -> String;
}

impl TextValue for String {
    fn into_text(self) -> String {
        self
    }
}

impl TextValue for Cow<'static, str> {
    fn into_text(self) -> String {
        self.into_owned()
    }
}

impl TextValue for Box<str> {
    fn into_text(self) -> String {
        self.into_string()
    }
}

impl TextValue for Arc<str> {
    fn into_text(self) -> String {
        String::from(&*self)
    }
}

impl FieldValue for char {
    const TYPE: &'static FieldType = &FieldType::Char;
    const KNOWN: Known = Known::of::<Self>();

    fn from_value(value: Value) -> Result<Self, ValueError> {
        let Value::String(text) = &value else {
            return Err(ValueError::expected("a single character", &value));
        };
        let mut chars = text.chars();
        match (chars.next(), chars.next()) {
            (Some(c), None) => Ok(c),
            _ => Err(ValueError::new(format!(
                "expected a single character, found {} of them",
                text.chars().count()
            ))),
        }
    }

    fn into_value(self) -> Value {
        Value::String(self.into())
    }
}

impl FieldValue for serde_json::Value {
    const TYPE: &'static FieldType = &FieldType::Json;

    fn from_value(value: Value) -> Result<Self, ValueError> {
        serde_json::to_value(&value).map_err(|error| ValueError::new(error.to_string()))
    }

    fn into_value(self) -> Value {
        Value::from(self)
    }
}

//! An untyped value: what the parser makes of a reply before it becomes a Rust type.

use std::fmt;

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

/// An untyped value. Unlike JSON it holds every 128-bit integer, NaN and infinities.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `null`, and a missing `Option`.
    Null,
    /// A boolean.
    Bool(bool),
    /// An integer that fits 128 signed bits. Every integer that can be an `Int` is one.
    Int(i128),
    /// An integer above `i128::MAX`.
    UInt(u128),
    /// A floating-point number.
    Float(f64),
    /// Text, a character, or the name of a unit variant.
    String(String),
    /// A list, set, array or tuple.
    List(Vec<Value>),
    /// A struct, map or variant with data, in order. Keys are distinct.
    Map(Vec<(String, Value)>),
}

impl Value {
    /// The entry of a map by its key; `None` if there is none or this is no map.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        match self {
            Value::Map(entries) => entries.iter().find(|(k, _)| k == key).map(|(_, v)| v),
            _ => None,
        }
    }

    /// What kind of value this is, with its article, for messages.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Int(_) | Value::UInt(_) => "an integer",
            Value::Float(_) => "a float",
            Value::String(_) => "a string",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
        }
    }
}

impl From<serde_json::Value> for Value {
    fn from(json: serde_json::Value) -> Self {
        match json {
            serde_json::Value::Null => Value::Null,
            serde_json::Value::Bool(b) => Value::Bool(b),
            serde_json::Value::Number(n) => match (n.as_i128(), n.as_u128()) {
                (Some(int), _) => Value::Int(int),
                (None, Some(uint)) => Value::UInt(uint),
                (None, None) => Value::Float(n.as_f64().unwrap_or(f64::NAN)),
            },
            serde_json::Value::String(s) => Value::String(s),
            serde_json::Value::Array(items) => {
                Value::List(items.into_iter().map(Value::from).collect())
            }
            serde_json::Value::Object(entries) => Value::Map(
                entries
                    .into_iter()
                    .map(|(k, v)| (k, Value::from(v)))
                    .collect(),
            ),
        }
    }
}

/// As JSON. NaN and infinities, which JSON lacks, become `{"$float": "NaN" | "inf" | "-inf"}`.
impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Null => serializer.serialize_unit(),
            Value::Bool(b) => serializer.serialize_bool(*b),
            Value::Int(n) => match (i64::try_from(*n), u64::try_from(*n)) {
                (Ok(n), _) => serializer.serialize_i64(n),
                (_, Ok(n)) => serializer.serialize_u64(n),
                _ => serializer.serialize_i128(*n),
            },
            Value::UInt(n) => serializer.serialize_u128(*n),
            Value::Float(x) if x.is_finite() => serializer.serialize_f64(*x),
            Value::Float(x) => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry("$float", &x.to_string())?;
                map.end()
            }
            Value::String(s) => serializer.serialize_str(s),
            Value::List(items) => {
                let mut seq = serializer.serialize_seq(Some(items.len()))?;
                for item in items {
                    seq.serialize_element(item)?;
                }
                seq.end()
            }
            Value::Map(entries) => {
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                for (key, value) in entries {
                    map.serialize_entry(key, value)?;
                }
                map.end()
            }
        }
    }
}

/// A [`Value`] that is not of the wanted type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueError {
    path: Vec<String>,
    message: String,
}

impl ValueError {
    /// An error with a message of its own.
    pub fn new(message: impl Into<String>) -> Self {
        ValueError {
            path: Vec::new(),
            message: message.into(),
        }
    }

    /// `expected` (with its article) was wanted, `found` was there.
    #[must_use]
    pub fn expected(expected: &str, found: &Value) -> Self {
        Self::new(format!("expected {expected}, found {}", found.kind()))
    }

    /// The required key or field `name` is not there.
    #[must_use]
    pub fn missing(name: &str) -> Self {
        Self::new(format!("missing field `{name}`"))
    }

    /// The same error, seen from one level up: `step` is a field name or an index.
    #[must_use]
    pub fn at(mut self, step: impl fmt::Display) -> Self {
        self.path.insert(0, step.to_string());
        self
    }

    /// The way from the value to the fault: field names and indices, outermost first.
    #[must_use]
    pub fn path(&self) -> &[String] {
        &self.path
    }

    /// What is wrong, without the path.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for ValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "`{}`: ", self.path.join("."))?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for ValueError {}

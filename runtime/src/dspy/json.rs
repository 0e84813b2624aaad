//! Untyped values to JSON and back without loss: what JSON can't hold is written as an object with one key.

use serde_json::{Map, Value as Json, json};

use crate::signature::Value;

const FLOAT: &str = "$float";
const INT: &str = "$int";
/// Around an object that would otherwise be read as one of these three.
const PLAIN: &str = "$plain";

/// A value as the JSON that dspy-rs carries.
///
/// NaN and infinities become `{"$float": "NaN" | "inf" | "-inf"}`, integers beyond 64 bits `{"$int": "..."}`. A map that
/// looks like one of these is put into `{"$plain": ...}`, so that [`value_of`] gives back every value exactly.
#[must_use]
pub fn json_of(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(b) => (*b).into(),
        Value::Int(n) => match (i64::try_from(*n), u64::try_from(*n)) {
            (Ok(n), _) => n.into(),
            (_, Ok(n)) => n.into(),
            _ => json!({ INT: n.to_string() }),
        },
        Value::UInt(n) => json!({ INT: n.to_string() }),
        Value::Float(x) if x.is_finite() => (*x).into(),
        Value::Float(x) => json!({ FLOAT: x.to_string() }),
        Value::String(text) => text.as_str().into(),
        Value::List(items) => items.iter().map(json_of).collect(),
        Value::Map(entries) => {
            let object: Map<String, Json> = entries
                .iter()
                .map(|(key, value)| (key.clone(), json_of(value)))
                .collect();
            if means_more(&object) {
                json!({ PLAIN: object })
            } else {
                object.into()
            }
        }
    }
}

/// The value that the JSON means: the inverse of [`json_of`].
#[must_use]
pub fn value_of(json: &Json) -> Value {
    match json {
        Json::Array(items) => Value::List(items.iter().map(value_of).collect()),
        Json::Object(object) => number(object).unwrap_or_else(|| entries(object)),
        other => Value::from(other.clone()),
    }
}

fn entries(object: &Map<String, Json>) -> Value {
    let plain = match object.get(PLAIN) {
        Some(Json::Object(inner)) if means_more(object) => inner,
        _ => object,
    };
    let entry = |(key, value): (&String, &Json)| (key.clone(), value_of(value));
    Value::Map(plain.iter().map(entry).collect())
}

/// Whether an object is read as something else than a map of its entries.
fn means_more(object: &Map<String, Json>) -> bool {
    let wraps = |inner: &Json| matches!(inner, Json::Object(inner) if means_more(inner));
    number(object).is_some() || (object.len() == 1 && object.get(PLAIN).is_some_and(wraps))
}

/// The number that JSON can't hold, written as [`json_of`] writes it and in no other way.
fn number(object: &Map<String, Json>) -> Option<Value> {
    let mut entries = object.iter();
    let (Some((key, Json::String(text))), None) = (entries.next(), entries.next()) else {
        return None;
    };
    match (key.as_str(), text.as_str()) {
        (FLOAT, "NaN") => Some(Value::Float(f64::NAN)),
        (FLOAT, "inf") => Some(Value::Float(f64::INFINITY)),
        (FLOAT, "-inf") => Some(Value::Float(f64::NEG_INFINITY)),
        (INT, digits) => beyond_64_bits(digits),
        _ => None,
    }
}

fn beyond_64_bits(digits: &str) -> Option<Value> {
    if let Ok(n) = digits.parse::<i128>() {
        let fits = i64::try_from(n).is_ok() || u64::try_from(n).is_ok();
        return (!fits && n.to_string() == digits).then_some(Value::Int(n));
    }
    let n = digits.parse::<u128>().ok()?;
    (n.to_string() == digits).then_some(Value::UInt(n))
}

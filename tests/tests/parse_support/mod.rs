//! A reply of one section for a field `x`, and tables of what it must give.

#![allow(dead_code, reason = "each test binary uses its part")]

pub mod replies;

use candle_signature::parse::{ParseError, Parsed, parse_reply};
use candle_signature::signature::{SignatureSpec, Value};
use serde_json::{Value as Json, json};

/// What a text must give.
pub enum Wanted {
    Value(Json),
    Kind(&'static str),
}

pub fn spec(fields: &[(&str, &str)]) -> SignatureSpec {
    let fields: Vec<Json> = fields
        .iter()
        .map(|(name, ty)| json!({ "name": name, "type": ty }))
        .collect();
    SignatureSpec::from_json(&json!({ "outputs": fields })).expect("a spec")
}

pub fn section(text: &str) -> String {
    format!("[[ ## x ## ]]\n{text}\n\n[[ ## completed ## ]]\n")
}

pub fn reply(ty: &str, text: &str) -> Result<Parsed, ParseError> {
    parse_reply(&spec(&[("x", ty)]), &section(text))
}

pub fn one(ty: &str, text: &str) -> Option<Value> {
    reply(ty, text).ok()?.values.take("x")
}

pub fn kind(ty: &str, text: &str) -> &'static str {
    reply(ty, text).map_or_else(|error| error.errors[0].kind.name(), |_| "no error")
}

pub fn check(cases: &[(&str, &str, Wanted)]) {
    let mut wrong = Vec::new();
    for (ty, text, wanted) in cases {
        let found = match reply(ty, text) {
            Ok(parsed) => Ok(json!(parsed.values)["x"].clone()),
            Err(error) => Err((error.errors[0].kind.name(), error.to_string())),
        };
        let right = match (wanted, &found) {
            (Wanted::Value(wanted), Ok(found)) => wanted == found,
            (Wanted::Kind(wanted), Err((found, _))) => wanted == found,
            _ => false,
        };
        if !right {
            let wanted = match wanted {
                Wanted::Value(value) => value.to_string(),
                Wanted::Kind(kind) => format!("error `{kind}`"),
            };
            let text: String = text.chars().take(200).collect();
            wrong.push(format!("{ty} {text:?}: wanted {wanted}, found {found:?}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {} wrong:\n{}",
        wrong.len(),
        cases.len(),
        wrong.join("\n")
    );
}

/// `n` lists, each in the next.
pub fn nested(n: usize) -> Json {
    (1..n).fold(json!([]), |inner, _| json!([inner]))
}

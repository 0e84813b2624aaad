//! Whole replies, and tables of what must come of them.

use candle_signature::parse::parse_reply;
use serde_json::{Value, json};

use super::spec;

pub const CITY: &[(&str, &str)] = &[("city", "String"), ("rank", "i64")];

/// Values, or the errors as `field kind` and the values that did parse.
pub fn outcome(fields: &[(&str, &str)], reply: &str) -> Value {
    match parse_reply(&spec(fields), reply) {
        Ok(parsed) => json!(parsed.values),
        Err(error) => {
            let errors = error
                .errors
                .iter()
                .map(|e| format!("{} {}", e.field, e.kind.name()));
            json!([errors.collect::<Vec<_>>(), error.partial])
        }
    }
}

/// Fields with their types, a reply, and what comes of it.
pub type Case<'c> = (&'c [(&'c str, &'c str)], &'c str, Value);

pub fn check(cases: &[Case<'_>]) {
    let mut wrong = Vec::new();
    for (fields, reply, wanted) in cases {
        let found = outcome(fields, reply);
        if found != *wanted {
            wrong.push(format!("{reply:?}:\n  wanted {wanted}\n  found  {found}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

pub fn oslo() -> Value {
    json!({"city": "Oslo", "rank": 3})
}

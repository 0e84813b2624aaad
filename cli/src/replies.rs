//! The JSON of predictions and parsed replies.

use candle_signature::adapter::Finish;
use candle_signature::parse::{ParseError, Repair};
use candle_signature::program::Predicted;
use candle_signature::signature::FieldValues;
use serde_json::{Value as Json, json};

/// `{"field", "kind", "message"}` of each field that can't be read.
pub fn field_errors(error: &ParseError) -> Json {
    let errors = error.errors.iter();
    errors
        .map(|error| {
            json!({
                "field": error.field,
                "kind": error.kind.class(),
                "message": error.message,
            })
        })
        .collect()
}

/// What had to be mended: `{"field", "kind", "at"}`.
pub fn repairs(repairs: &[Repair]) -> Json {
    let repairs = repairs.iter();
    repairs
        .map(|repair| {
            json!({
                "field": repair.field,
                "kind": repair.kind.name(),
                "at": repair.at,
            })
        })
        .collect()
}

/// What is known of how a prediction came about.
pub fn meta(predicted: &Predicted<FieldValues>, seconds: f64) -> Json {
    let usage = predicted.usage();
    json!({
        "prompt_tokens": usage.prompt_tokens,
        "cached_tokens": usage.cached_tokens,
        "completion_tokens": usage.completion_tokens,
        "forced_tokens": predicted.forced_tokens(),
        "finish": finish(predicted.finish()),
        "truncated": predicted.truncated(),
        "attempts": predicted.attempts().len() + 1,
        "repairs": repairs(predicted.repairs()),
        "seconds": (seconds * 1e4).round() / 1e4,
    })
}

fn finish(finish: Finish) -> &'static str {
    match finish {
        Finish::Stop => "stop",
        Finish::Length => "length",
    }
}

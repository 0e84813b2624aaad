//! The JSON format: inputs as sections, the reply one JSON object, after DSPy's `JSONAdapter`.
//!
//! One line a field; values that are lists or objects stay on their line, which saves a small model many tokens.

use serde_json::json;

use crate::signature::{FieldSpec, FieldValues, SignatureSpec, Value};

use super::types::{type_name, value_note};
use super::value::to_json;

/// What the system message says of inputs and outputs.
pub(super) fn structure(inputs: &str, placeholders: &[(&str, String)]) -> String {
    let fields = placeholders
        .iter()
        .map(|(name, text)| line(name, &to_json(&json!(text))));
    format!(
        "Inputs will have the following structure:\n\n{inputs}\n\n\
         Outputs will be a JSON object with the following fields.\n\n{}",
        object(fields)
    )
}

/// The reply that holds these outputs; `missing` stands for those that are not there.
pub(super) fn reply(spec: &SignatureSpec, outputs: &FieldValues, missing: &str) -> String {
    object(
        spec.outputs
            .iter()
            .map(|field| match outputs.get(&field.name) {
                Some(value) => line(&field.name, &to_json(value)),
                None => line(&field.name, &to_json(&Value::String(missing.to_owned()))),
            }),
    )
}

/// What the request says at its end.
pub(super) fn reminder(outputs: &[FieldSpec]) -> String {
    let fields: Vec<_> = outputs
        .iter()
        .map(|field| match value_note(&field.ty) {
            Some(_) => {
                format!(
                    "`{}` (must be formatted as a valid {})",
                    field.name,
                    type_name(&field.ty)
                )
            }
            None => format!("`{}`", field.name),
        })
        .collect();
    format!(
        "Respond with a JSON object in the following order of fields: {}.",
        fields.join(", then ")
    )
}

fn line(name: &str, json: &str) -> String {
    format!("  {}: {json}", to_json(&json!(name)))
}

fn object(lines: impl Iterator<Item = String>) -> String {
    format!("{{\n{}\n}}", lines.collect::<Vec<_>>().join(",\n"))
}

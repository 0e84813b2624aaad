//! A question with its right answer, and the held-out ones of the repository.

use std::collections::HashMap;
use std::io::Read as _;
use std::path::Path;

use anyhow::Context as _;
use candle_signature::signature::{FieldValues, PartialDemo, SignatureSpec, Value};
use flate2::read::GzDecoder;
use serde_json::Value as Json;

/// A question with its right answers.
pub struct Record {
    pub family: String,
    pub spec: SignatureSpec,
    pub demos: Vec<PartialDemo>,
    pub inputs: FieldValues,
    pub accepted: Accepted,
}

/// When outputs count as right.
pub enum Accepted {
    /// Each field equals this.
    Exactly(FieldValues),
    /// A tool call: its name, and for each argument the values that count (`""`: may be left out).
    Call {
        tool: String,
        arguments: Vec<(String, Vec<Value>)>,
    },
}

impl Record {
    pub fn accepts(&self, outputs: &FieldValues) -> bool {
        match &self.accepted {
            Accepted::Exactly(expected) => expected
                .iter()
                .all(|(name, value)| outputs.get(name) == Some(value)),
            Accepted::Call { tool, arguments } => {
                let given = outputs.get("next_tool_args");
                outputs.get("next_tool_name") == Some(&Value::String(tool.clone()))
                    && given.is_some_and(|given| call_fits(given, arguments))
            }
        }
    }

    /// The inputs and what was expected, for a look at failures.
    pub fn shown(&self) -> String {
        let expected = match &self.accepted {
            Accepted::Exactly(values) => format!("{values:?}"),
            Accepted::Call { tool, arguments } => format!("{tool} {arguments:?}"),
        };
        format!(
            "{}\n{:?}\nexpected: {expected}",
            self.spec.instruction, self.inputs
        )
    }
}

fn call_fits(given: &Value, accepted: &[(String, Vec<Value>)]) -> bool {
    let Value::Map(entries) = given else {
        return false;
    };
    let known = entries
        .iter()
        .all(|(name, _)| accepted.iter().any(|(known, _)| known == name));
    let omitted = Value::String(String::new());
    known
        && accepted.iter().all(|(name, values)| match given.get(name) {
            Some(value) => values.iter().any(|right| equal_as_json(right, value)),
            None => values.contains(&omitted),
        })
}

/// 5 and 5.0 are one number in JSON.
fn equal_as_json(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Int(int), Value::Float(float)) | (Value::Float(float), Value::Int(int)) => {
            *int as f64 == *float
        }
        _ => a == b,
    }
}

/// The records beside the embedded model's weights.
pub fn held_out() -> anyhow::Result<Vec<Record>> {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../runtime/models/embedded/heldout.jsonl.gz");
    let file = std::fs::File::open(&path).with_context(|| path.display().to_string())?;
    let mut lines = String::new();
    GzDecoder::new(file).read_to_string(&mut lines)?;
    lines.lines().map(held_out_record).collect()
}

fn held_out_record(line: &str) -> anyhow::Result<Record> {
    let json: Json = serde_json::from_str(line)?;
    let demos = json["demos"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    Ok(Record {
        family: json["family"].as_str().context("no family")?.to_owned(),
        spec: SignatureSpec::from_json(&json["spec"])?,
        demos: demos
            .iter()
            .map(|demo| PartialDemo {
                inputs: values(&demo["inputs"]),
                outputs: values(&demo["outputs"]),
            })
            .collect(),
        inputs: values(&json["inputs"]),
        accepted: Accepted::Exactly(values(&json["outputs"])),
    })
}

pub fn values(json: &Json) -> FieldValues {
    let entries = json.as_object().into_iter().flatten();
    entries
        .map(|(name, value)| (name.clone(), Value::from(value.clone())))
        .collect()
}

/// The first `limit` records of each family.
pub fn at_most(records: Vec<Record>, limit: usize) -> Vec<Record> {
    let mut seen = HashMap::<String, usize>::new();
    records
        .into_iter()
        .filter(|record| {
            let count = seen.entry(record.family.clone()).or_default();
            *count += 1;
            *count <= limit
        })
        .collect()
}

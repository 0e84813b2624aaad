//! Real data in the families of the embedded model. It was never trained on.

use std::path::Path;

use anyhow::Context as _;
use candle_signature::signature::{SignatureSpec, Value};
use serde_json::{Value as Json, json};

use crate::record::{Accepted, Record, values};

/// Reads one row of a set.
type Reader = fn(&Json) -> anyhow::Result<Record>;

/// The sets of a folder that fit the model's families.
pub fn read(folder: &Path) -> anyhow::Result<Vec<Record>> {
    let sets: [(&str, Reader); 4] = [
        ("extractive_qa", extractive_qa),
        ("intent", intent),
        ("sentiment", sentiment),
        ("function_call", function_call),
    ];
    let mut records = Vec::new();
    for (name, read) in sets {
        let path = folder.join(name).with_extension("jsonl");
        let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        for line in text.lines() {
            records.push(read(&serde_json::from_str(line)?)?);
        }
    }
    Ok(records)
}

fn record(family: &str, spec: Json, inputs: Json, accepted: Accepted) -> anyhow::Result<Record> {
    Ok(Record {
        family: family.into(),
        spec: SignatureSpec::from_json(&spec)?,
        demos: Vec::new(),
        inputs: values(&inputs),
        accepted,
    })
}

fn extractive_qa(row: &Json) -> anyhow::Result<Record> {
    let spec = json!({
        "instruction": "Answer the question from the passage. If the passage does not say, answer null.",
        "inputs": [{"name": "passage", "type": "String"}, {"name": "question", "type": "String"}],
        "outputs": [{"name": "answer", "type": "Option<String>"}],
    });
    let inputs = json!({"passage": row["passage"], "question": row["question"]});
    let expected = values(&json!({"answer": row["answer"]}));
    record(
        "extractive QA (Disfl-QA)",
        spec,
        inputs,
        Accepted::Exactly(expected),
    )
}

fn intent(row: &Json) -> anyhow::Result<Record> {
    let spec = json!({
        "instruction": "Classify the intent of the utterance.",
        "inputs": [{"name": "utterance", "type": "String"}],
        "outputs": [{"name": "intent", "type": "enum:add_to_playlist|book_restaurant|get_weather|play_music|rate_book|search_creative_work|search_screening_event"}],
    });
    let expected = values(&json!({"intent": row["intent"]}));
    record(
        "intent, 7 classes (Snips)",
        spec,
        json!({"utterance": row["utterance"]}),
        Accepted::Exactly(expected),
    )
}

fn sentiment(row: &Json) -> anyhow::Result<Record> {
    let spec = json!({
        "instruction": "Classify the sentiment of the review.",
        "inputs": [{"name": "review", "type": "String"}],
        "outputs": [{"name": "sentiment", "type": "enum:positive|negative"}],
    });
    let score = row["score"].as_f64().context("no score")?;
    let label = if score > 0.0 { "positive" } else { "negative" };
    let expected = values(&json!({"sentiment": label}));
    record(
        "sentiment, 2 classes (Amazon)",
        spec,
        json!({"review": row["text"]}),
        Accepted::Exactly(expected),
    )
}

fn function_call(row: &Json) -> anyhow::Result<Record> {
    let function = &row["function"];
    let name = function["name"].as_str().context("no function name")?;
    let parameters = function["parameters"]["properties"]
        .as_object()
        .context("no parameters")?;
    let parameters: Vec<String> = parameters
        .iter()
        .map(|(name, schema)| format!("{name}: {}", python_type(&schema["type"])))
        .collect();
    let description = function["description"].as_str().unwrap_or_default();
    let instruction = format!(
        "Answer the request.\n\n\
         Use the tools to collect what you need to produce `answer`. At each step give your next thought, the next tool and its \
         arguments as a JSON object; what the tool returns is added to `trajectory`.\nThe tools are:\n\
         - {name}({}): {description}\n- finish(): Call this when `answer` can be produced.",
        parameters.join(", ")
    );
    let spec = json!({
        "instruction": instruction,
        "inputs": [{"name": "request", "type": "String"}, {"name": "trajectory", "type": "Vec<struct Step:{\"thought\":\"String\",\"tool\":\"String\",\"args\":\"HashMap<String,Json>\",\"observation\":\"String\"}>"}],
        "outputs": [
            {"name": "next_thought", "type": "String"},
            {"name": "next_tool_name", "type": format!("enum:{name}|finish")},
            {"name": "next_tool_args", "type": "HashMap<String,Json>"},
        ],
    });
    let accepted = row["accepted"].as_object().context("no accepted values")?;
    let arguments = accepted
        .iter()
        .map(|(name, right)| {
            let right = right.as_array().map(Vec::as_slice).unwrap_or_default();
            (
                name.clone(),
                right.iter().cloned().map(Value::from).collect(),
            )
        })
        .collect();
    let inputs = json!({"request": row["request"], "trajectory": []});
    record(
        "tool call, 1 tool (BFCL simple)",
        spec,
        inputs,
        Accepted::Call {
            tool: name.into(),
            arguments,
        },
    )
}

/// A type of the function-calling leaderboard as the prompt writes it.
fn python_type(name: &Json) -> &'static str {
    match name.as_str() {
        Some("integer") => "int",
        Some("float") => "float",
        Some("boolean") => "bool",
        Some("array") => "list[Any]",
        Some("dict") => "dict[str, Any]",
        _ => "str",
    }
}

//! The chat format against what DSPy writes, and against the records that the embedded model was trained on.

use candle_signature::prompt::{Role, assistant_content, chat_messages};
use candle_signature::signature::{FieldValues, PartialDemo, SignatureSpec, Value};
use serde_json::Value as Json;

fn values(json: &Json) -> FieldValues {
    let entries = json.as_object().expect("an object of values");
    entries
        .iter()
        .map(|(name, value)| (name.clone(), Value::from(value.clone())))
        .collect()
}

fn demos(json: &Json) -> Vec<PartialDemo> {
    let demos = json.as_array().map(Vec::as_slice).unwrap_or_default();
    demos
        .iter()
        .map(|demo| PartialDemo {
            inputs: values(&demo["inputs"]),
            outputs: values(&demo["outputs"]),
        })
        .collect()
}

/// The messages of a record, as (role, content).
fn expected(record: &Json) -> Vec<(String, String)> {
    let messages = record["messages"].as_array().expect("messages");
    messages
        .iter()
        .map(|message| {
            let text = |key: &str| message[key].as_str().expect("a string").to_owned();
            (text("role"), text("content"))
        })
        .collect()
}

fn written(record: &Json) -> Vec<(String, String)> {
    let spec = SignatureSpec::from_json(&record["spec"]).expect("a sound spec");
    chat_messages(&spec, &demos(&record["demos"]), &values(&record["inputs"]))
        .into_iter()
        .map(|message| (message.role.to_string(), message.content))
        .collect()
}

fn records(jsonl: &str) -> impl Iterator<Item = Json> {
    jsonl
        .lines()
        .map(|line| serde_json::from_str(line).expect("a line of JSON"))
}

#[test]
fn prompts_are_those_of_dspy() {
    let mut count = 0;
    for record in records(include_str!("../data/dspy_prompts.jsonl")) {
        let theirs: Vec<_> = expected(&record)
            .into_iter()
            // The two ways in which ours differ on purpose: no "Python", and no line break at a reply's end.
            .map(|(role, content)| {
                let content = content.replace("a valid Python ", "a valid ");
                let is_reply = role == Role::Assistant.as_str();
                (
                    role,
                    if is_reply {
                        content.trim_end().to_owned()
                    } else {
                        content
                    },
                )
            })
            .collect();
        assert_eq!(written(&record), theirs, "{}", record["spec"]);
        count += 1;
    }
    assert_eq!(count, 9);
}

#[test]
fn prompts_are_those_of_the_training_data() {
    let mut count = 0;
    for record in records(include_str!("../../training/prompt_goldens.jsonl")) {
        assert_eq!(written(&record), expected(&record), "{}", record["spec"]);
        let spec = SignatureSpec::from_json(&record["spec"]).expect("a sound spec");
        let reply = assistant_content(&spec, &values(&record["outputs"]));
        assert_eq!(Some(reply.as_str()), record["reply"].as_str());
        count += 1;
    }
    assert!(count >= 40, "only {count} records");
}

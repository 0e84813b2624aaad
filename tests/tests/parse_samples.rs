//! The shared sample replies: the typed values or the errors that each must give.

use candle_signature::parse::parse_reply;
use candle_signature::signature::SignatureSpec;
use serde_json::{Value, json};

#[test]
fn every_sample_gives_its_values_or_its_errors() {
    let samples = include_str!("../data/parser_samples.jsonl");
    let mut wrong = Vec::new();
    let mut count = 0;
    for line in samples.lines() {
        let sample: Value = serde_json::from_str(line).expect("a sample is JSON");
        let spec = SignatureSpec::from_json(&json!({ "outputs": sample["fields"] }))
            .expect("a sample's fields");
        let completion = sample["completion"].as_str().expect("a completion");
        let found = match parse_reply(&spec, completion) {
            Ok(parsed) => json!({ "ok": true, "values": parsed.values }),
            Err(error) => {
                let errors: Vec<Value> = (error.errors.iter())
                    .map(|e| json!({ "field": e.field, "kind": e.kind.class() }))
                    .collect();
                json!({ "ok": false, "errors": errors, "partial": error.partial })
            }
        };
        if found != sample["expect"] {
            wrong.push(format!(
                "{}: found {found}, expected {}",
                sample["id"], sample["expect"]
            ));
        }
        count += 1;
    }
    assert_eq!(count, 24);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

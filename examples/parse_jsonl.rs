//! Reads one JSON object a line, `{"id", "fields": [{"name", "type"}], "completion"}`, and writes what the parser makes of the
//! completion: `{"id", "ok": true, "values"}` or `{"id", "ok": false, "errors": [{"field", "kind"}], "partial"}`.
//!
//! `cargo run --release --example parse_jsonl < replies.jsonl`

use std::io::{self, BufRead, BufWriter, Write};

use anyhow::{Context, Result, bail};
use candle_signature::parse::parse_reply;
use candle_signature::signature::SignatureSpec;
use serde_json::{Value, json};

fn main() -> Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    for (number, line) in io::stdin().lock().lines().enumerate() {
        let line = line?;
        if line.trim().is_empty() {
            continue;
        }
        let answer = answer(&line).with_context(|| format!("line {}", number + 1))?;
        serde_json::to_writer(&mut out, &answer)?;
        out.write_all(b"\n")?;
    }
    Ok(out.flush()?)
}

fn answer(line: &str) -> Result<Value> {
    let case: Value = serde_json::from_str(line)?;
    let spec = SignatureSpec::from_json(&json!({ "outputs": case["fields"] }))?;
    let Some(completion) = case["completion"].as_str() else {
        bail!("`completion` must be a string");
    };
    let id = &case["id"];
    Ok(match parse_reply(&spec, completion) {
        Ok(parsed) => json!({ "id": id, "ok": true, "values": parsed.values }),
        Err(error) => {
            let errors: Vec<Value> = (error.errors.iter())
                .map(|e| json!({ "field": e.field, "kind": e.kind.class() }))
                .collect();
            json!({ "id": id, "ok": false, "errors": errors, "partial": error.partial })
        }
    })
}

//! Qwen2.5's vocabulary as GGUF files hold it, for peers that read no `tokenizer.json`.

use std::collections::HashMap;
use std::error::Error;
use std::path::Path;

use candle_core::quantized::gguf_file::Value as Meta;
use serde_json::Value;

/// Tokens of these kinds are told apart by llama.cpp.
const NORMAL: i32 = 1;
const CONTROL: i32 = 3;
const UNUSED: i32 = 5;

/// The tokens and merges of a `tokenizer.json`.
pub fn vocabulary(path: &Path, size: usize) -> Result<Vec<(&'static str, Meta)>, Box<dyn Error>> {
    let json: Value = serde_json::from_slice(&std::fs::read(path)?)?;
    let mut tokens: HashMap<u64, (String, i32)> = HashMap::new();
    for (text, id) in json["model"]["vocab"].as_object().into_iter().flatten() {
        tokens.insert(
            id.as_u64().ok_or("an id is no number")?,
            (text.clone(), NORMAL),
        );
    }
    for added in json["added_tokens"].as_array().into_iter().flatten() {
        let id = added["id"].as_u64().ok_or("an id is no number")?;
        let text = added["content"].as_str().unwrap_or_default();
        tokens.insert(id, (text.to_owned(), CONTROL));
    }
    let end = tokens
        .iter()
        .find(|(_, (text, _))| text == "<|im_end|>")
        .map_or(0, |(id, _)| *id as u32);
    let (texts, kinds): (Vec<_>, Vec<_>) = (0..size as u64)
        .map(|id| {
            let unused = || (format!("[PAD{id}]"), UNUSED);
            let (text, kind) = tokens.get(&id).cloned().unwrap_or_else(unused);
            (Meta::String(text), Meta::I32(kind))
        })
        .unzip();
    let merges = json["model"]["merges"].as_array().into_iter().flatten();
    let merges = merges.map(|merge| match merge {
        Value::Array(pair) => {
            let part = |at: usize| pair.get(at).and_then(Value::as_str).unwrap_or_default();
            Meta::String(format!("{} {}", part(0), part(1)))
        }
        other => Meta::String(other.as_str().unwrap_or_default().to_owned()),
    });
    Ok(vec![
        ("tokenizer.ggml.model", Meta::String("gpt2".into())),
        ("tokenizer.ggml.pre", Meta::String("qwen2".into())),
        ("tokenizer.ggml.tokens", Meta::Array(texts)),
        ("tokenizer.ggml.token_type", Meta::Array(kinds)),
        ("tokenizer.ggml.merges", Meta::Array(merges.collect())),
        ("tokenizer.ggml.eos_token_id", Meta::U32(end)),
        ("tokenizer.ggml.add_bos_token", Meta::Bool(false)),
    ])
}

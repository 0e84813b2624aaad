//! The tokenizer in a GGUF file's metadata, as the tokenizer.json that it was made of: llama.cpp's `gpt2` kind with
//! Qwen2's way to split text, or the whole file where it was stored as it is.

use super::gguf::Gguf;
use crate::engine::EngineError;
use serde_json::{Map, Value, json};

/// How Qwen2 splits text before byte pairs are merged, as its tokenizer.json says.
pub(crate) const QWEN2_SPLIT: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

/// The key that the GGUF specification gives to a whole tokenizer.json.
pub(crate) const WHOLE: &str = "tokenizer.huggingface.json";

/// llama.cpp's kinds of tokens (`llama_token_type`).
pub(crate) mod kind {
    pub(crate) const NORMAL: i64 = 1;
    pub(crate) const CONTROL: i64 = 3;
    pub(crate) const USER_DEFINED: i64 = 4;
    /// Padding of the vocabulary.
    pub(crate) const UNUSED: i64 = 5;
}

/// The tokenizer.json. `place` names the file in errors.
pub(crate) fn tokenizer_json(gguf: &Gguf<'_>, place: &str) -> Result<Vec<u8>, EngineError> {
    if let Some(Value::String(whole)) = gguf.metadata.get(WHOLE) {
        return Ok(whole.clone().into_bytes());
    }
    let bad = |problem: String| EngineError::Tokenizer {
        place: place.to_owned(),
        problem: format!("{problem}; put the model's tokenizer.json beside the file"),
    };
    let text = |key: &str| gguf.metadata.get(key).and_then(Value::as_str);
    match text("tokenizer.ggml.model") {
        Some("gpt2") => {}
        Some(other) => {
            return Err(bad(format!(
                "its tokenizer is of the kind `{other}`, only `gpt2` is read"
            )));
        }
        None => return Err(bad("it holds no tokenizer".to_owned())),
    }
    match text("tokenizer.ggml.pre") {
        // The distilled models split as the Qwen2 models that they were made of.
        Some("qwen2" | "deepseek-r1-qwen") => {}
        other => {
            return Err(bad(format!(
                "its tokenizer splits text the way of `{}`, only that of `qwen2` is known",
                other.unwrap_or("default")
            )));
        }
    }
    let list = |key: &str| {
        gguf.array(key)?
            .ok_or_else(|| bad(format!("it has no list `{key}`")))
    };
    let tokens = list("tokenizer.ggml.tokens")?;
    let kinds = list("tokenizer.ggml.token_type")?;
    if tokens.len() != kinds.len() {
        return Err(bad(format!(
            "it has {} tokens and {} token types",
            tokens.len(),
            kinds.len()
        )));
    }
    let (mut vocabulary, mut added) = (Map::new(), Vec::new());
    for (id, (token, kind)) in tokens.into_iter().zip(kinds).enumerate() {
        let Value::String(content) = token else {
            return Err(bad(format!("token {id} is no text")));
        };
        match kind.as_i64() {
            Some(kind::UNUSED) => {}
            Some(kind @ (kind::CONTROL | kind::USER_DEFINED)) => added.push(json!({
                "id": id, "content": content, "special": kind == kind::CONTROL,
                "single_word": false, "lstrip": false, "rstrip": false, "normalized": false,
            })),
            _ => {
                if let Some(first) = vocabulary.insert(content, id.into()) {
                    return Err(bad(format!("tokens {first} and {id} are the same")));
                }
            }
        }
    }
    let byte_level = json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false, "use_regex": false});
    let whole = json!({
        "version": "1.0",
        "added_tokens": added,
        "normalizer": {"type": "NFC"},
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
            {"type": "Split", "pattern": {"Regex": QWEN2_SPLIT}, "behavior": "Isolated", "invert": false},
            byte_level,
        ]},
        "decoder": byte_level,
        "model": {"type": "BPE", "vocab": vocabulary, "merges": list("tokenizer.ggml.merges")?},
    });
    Ok(whole.to_string().into_bytes())
}

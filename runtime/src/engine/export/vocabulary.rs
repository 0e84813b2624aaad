//! A tokenizer.json as llama.cpp wants it: every id's text and kind, the merges, and how it splits text.

use super::near::come_near;
use crate::engine::load::gguf_tokenizer::{QWEN2_SPLIT, kind};
use crate::engine::{EngineError, Tokenizer};
use serde_json::Value;

pub(super) struct Vocabulary {
    /// By id; padding has invented names.
    pub tokens: Vec<String>,
    pub kinds: Vec<i32>,
    pub merges: Vec<String>,
    /// llama.cpp's name of the way in which text is split.
    pub split: &'static str,
    /// Whether llama.cpp gives the same tokens.
    pub is_exact: bool,
}

impl Vocabulary {
    /// Reads a tokenizer.json for a model with so many embeddings. `place` names it in errors.
    pub(super) fn read(json: &[u8], size: usize, place: &str) -> Result<Self, EngineError> {
        let bad = |problem: String| EngineError::Tokenizer {
            place: place.to_owned(),
            problem,
        };
        let file: Value = serde_json::from_slice(json)
            .map_err(|e| bad(format!("not a tokenizer.json: {e}; fetch the file again")))?;
        let model = &file["model"];
        let vocabulary = match (model["type"].as_str(), model["vocab"].as_object()) {
            (None | Some("BPE"), Some(vocabulary)) => vocabulary,
            _ => {
                return Err(bad(
                    "its model is no byte-level BPE, the only kind that is exported".to_owned(),
                ));
            }
        };
        let mut tokens = vec![None; size];
        let mut put = |id: Option<u64>, text: &str, kind: i64| {
            let place = id.and_then(|id| tokens.get_mut(usize::try_from(id).ok()?));
            match place {
                Some(place) => {
                    *place = Some((text.to_owned(), kind as i32));
                    Ok(())
                }
                None => Err(bad(format!(
                    "token `{text}` has an id that the model's vocabulary of {size} has not"
                ))),
            }
        };
        for (text, id) in vocabulary {
            put(id.as_u64(), text, kind::NORMAL)?;
        }
        // An added token may be listed in the vocabulary too: what it is as an added one counts.
        for added in file["added_tokens"].as_array().into_iter().flatten() {
            let kind = match added["special"].as_bool() {
                Some(true) => kind::CONTROL,
                _ => kind::USER_DEFINED,
            };
            put(
                added["id"].as_u64(),
                added["content"].as_str().unwrap_or_default(),
                kind,
            )?;
        }
        let merges = model["merges"].as_array().into_iter().flatten().map(merge);
        let merges = merges
            .collect::<Option<_>>()
            .ok_or_else(|| bad("its merges are neither texts nor pairs of texts".to_owned()))?;
        let named = tokens.into_iter().enumerate().map(|(id, token)| {
            token.unwrap_or_else(|| (format!("[PAD{id}]"), kind::UNUSED as i32))
        });
        let (tokens, kinds) = named.unzip();
        let mut vocabulary = Vocabulary {
            tokens,
            kinds,
            merges,
            split: "qwen2",
            is_exact: splits_as_qwen2(&file),
        };
        if !vocabulary.is_exact {
            come_near(&mut vocabulary, &Tokenizer::from_bytes(json, place)?)?;
        }
        Ok(vocabulary)
    }

    /// The id of a text.
    pub(super) fn id(&self, text: &str) -> Option<u32> {
        let id = self.tokens.iter().position(|token| token == text)?;
        u32::try_from(id).ok()
    }
}

/// Older files write a merge as one text, newer ones as a pair.
fn merge(merge: &Value) -> Option<String> {
    match merge {
        Value::String(merge) => Some(merge.clone()),
        Value::Array(pair) => match pair.as_slice() {
            [a, b] => Some(format!("{} {}", a.as_str()?, b.as_str()?)),
            _ => None,
        },
        _ => None,
    }
}

fn splits_as_qwen2(file: &Value) -> bool {
    let steps = &file["pre_tokenizer"]["pretokenizers"];
    file["normalizer"]["type"] == "NFC"
        && steps.as_array().is_some_and(|steps| steps.len() == 2)
        && steps[0]["pattern"]["Regex"] == QWEN2_SPLIT
        && steps[0]["behavior"] == "Isolated"
        && steps[1]["type"] == "ByteLevel"
}

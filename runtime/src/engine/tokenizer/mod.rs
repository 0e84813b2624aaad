//! Text to ids and back for byte-level BPE tokenizers (`tokenizer.json`).
//! Control tokens never come out of plain text: the inner tokenizer does not know them.

mod bytes;
mod stream;

use super::{EngineError, TokenId};
use bytes::ByteChars;
use regex::Regex;
use serde::Deserialize;
use std::collections::HashMap;
use std::sync::Arc;
use tokenizers::models::ModelWrapper;
use tokenizers::normalizers::NormalizerWrapper;
use tokenizers::pre_tokenizers::PreTokenizerWrapper;

pub use stream::DecodeStream;

/// A tokenizer whose control tokens are reachable by id only.
pub struct Tokenizer {
    /// Without added tokens: see [`Self::encode_text`].
    inner: tokenizers::Tokenizer,
    controls: HashMap<TokenId, Control>,
    control_ids: HashMap<String, TokenId>,
    /// Matches any control token; none where there are none.
    control_pattern: Option<Regex>,
    byte_chars: ByteChars,
    largest_id: Option<TokenId>,
}

/// A piece of a prompt: a control token, or text in which control strings mean nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Segment<'a> {
    /// A control token by its id.
    Control(TokenId),
    /// Plain text.
    Text(&'a str),
}

/// An added token as decoding sees it.
struct Control {
    content: String,
    /// Marked special: left out of decoded text.
    hidden: bool,
}

/// The parts of tokenizer.json that matter here. Truncation, padding and post-processing are left out on
/// purpose: a prompt is encoded as it is.
#[derive(Deserialize)]
struct Parts {
    #[serde(default)]
    added_tokens: Vec<AddedToken>,
    normalizer: Option<NormalizerWrapper>,
    pre_tokenizer: Option<PreTokenizerWrapper>,
    decoder: Option<serde_json::Value>,
    model: ModelWrapper,
}

#[derive(Deserialize)]
struct AddedToken {
    id: u32,
    content: String,
    #[serde(default)]
    special: bool,
}

impl Tokenizer {
    /// Reads the contents of a tokenizer.json. `place` names it in errors.
    pub fn from_bytes(json: &[u8], place: &str) -> Result<Self, EngineError> {
        let bad = |problem: String| EngineError::Tokenizer {
            place: place.to_owned(),
            problem,
        };
        let parts: Parts = serde_json::from_slice(json)
            .map_err(|e| bad(format!("not a tokenizer.json: {e}; fetch the file again")))?;
        let decoder = parts
            .decoder
            .as_ref()
            .and_then(|decoder| decoder["type"].as_str());
        if decoder != Some("ByteLevel") {
            return Err(bad(format!(
                "its decoder is {}, only byte-level BPE tokenizers (Qwen2's kind) are supported",
                decoder.unwrap_or("missing")
            )));
        }
        let mut inner = tokenizers::Tokenizer::new(parts.model);
        inner
            .with_normalizer(parts.normalizer)
            .map_err(|e| bad(e.to_string()))?;
        inner.with_pre_tokenizer(parts.pre_tokenizer);
        let vocabulary = inner.get_vocab(false);
        let largest_id = vocabulary
            .values()
            .copied()
            .chain(parts.added_tokens.iter().map(|token| token.id))
            .max()
            .map(TokenId);
        let mut controls = HashMap::new();
        let mut control_ids = HashMap::new();
        for token in parts.added_tokens {
            if token.content.is_empty() {
                return Err(bad(format!("added token {} is empty", token.id)));
            }
            if control_ids
                .insert(token.content.clone(), TokenId(token.id))
                .is_some()
            {
                return Err(bad(format!("added token `{}` occurs twice", token.content)));
            }
            let control = Control {
                content: token.content,
                hidden: token.special,
            };
            if let Some(other) = controls.insert(TokenId(token.id), control) {
                return Err(bad(format!(
                    "id {} is given to two added tokens, one is `{}`",
                    token.id, other.content
                )));
            }
        }
        Ok(Self {
            control_pattern: control_pattern(&control_ids).map_err(|e| bad(e.to_string()))?,
            inner,
            controls,
            control_ids,
            byte_chars: ByteChars::new(),
            largest_id,
        })
    }

    /// The ids of plain text. Whatever the text says, no control token is among them.
    pub fn encode_text(&self, text: &str) -> Result<Vec<TokenId>, EngineError> {
        let mut ids = Vec::new();
        self.append_text(text, &mut ids)?;
        Ok(ids)
    }

    /// The ids of text and control tokens, each segment encoded by itself.
    pub fn encode_segments(&self, segments: &[Segment<'_>]) -> Result<Vec<TokenId>, EngineError> {
        let mut ids = Vec::new();
        for segment in segments {
            match segment {
                Segment::Control(id) => ids.push(*id),
                Segment::Text(text) => self.append_text(text, &mut ids)?,
            }
        }
        Ok(ids)
    }

    /// The ids of text in which control strings *are* control tokens. Only for text that no stranger wrote.
    pub fn encode_with_control(&self, trusted: &str) -> Result<Vec<TokenId>, EngineError> {
        let mut ids = Vec::new();
        let mut done = 0;
        for found in self
            .control_pattern
            .iter()
            .flat_map(|pattern| pattern.find_iter(trusted))
        {
            self.append_text(&trusted[done..found.start()], &mut ids)?;
            ids.extend(self.control_token(found.as_str()));
            done = found.end();
        }
        self.append_text(&trusted[done..], &mut ids)?;
        Ok(ids)
    }

    /// The id of a control token, special or not, by its exact text.
    #[must_use]
    pub fn control_token(&self, text: &str) -> Option<TokenId> {
        self.control_ids.get(text).copied()
    }

    /// All control tokens, special or not: text and id, by id.
    pub fn control_tokens(&self) -> impl Iterator<Item = (&str, TokenId)> {
        let mut tokens: Vec<_> = self
            .control_ids
            .iter()
            .map(|(text, id)| (text.as_str(), *id))
            .collect();
        tokens.sort_unstable_by_key(|(_, id)| *id);
        tokens.into_iter()
    }

    /// Whether an id is a control token's.
    #[must_use]
    pub fn is_control(&self, token: TokenId) -> bool {
        self.controls.contains_key(&token)
    }

    /// The text of ids. Tokens marked special are left out, bytes that are no UTF-8 become U+FFFD.
    #[must_use]
    pub fn decode(&self, tokens: &[TokenId]) -> String {
        let mut bytes = Vec::new();
        for token in tokens {
            self.append_visible_bytes(*token, &mut bytes);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Decodes tokens as they come.
    #[must_use]
    pub fn decode_stream(self: &Arc<Self>) -> DecodeStream {
        DecodeStream::new(Arc::clone(self))
    }

    /// The bytes a token stands for, a control token's own text included; none for an id without a token.
    #[must_use]
    pub fn token_bytes(&self, token: TokenId) -> Option<Vec<u8>> {
        match self.controls.get(&token) {
            Some(control) => Some(control.content.as_bytes().to_vec()),
            None => self
                .inner
                .id_to_token(token.0)
                .map(|text| self.byte_chars.bytes(&text)),
        }
    }

    /// The largest id that stands for a token. A model's vocabulary may be padded beyond it.
    #[must_use]
    pub fn largest_id(&self) -> Option<TokenId> {
        self.largest_id
    }

    /// For each id up to the largest, whether it stands for a token. The caller has checked that the largest is sane.
    pub(crate) fn known_ids(&self) -> Vec<bool> {
        let mut known = vec![false; self.largest_id.map_or(0, |id| id.0 as usize + 1)];
        for id in self
            .inner
            .get_vocab(false)
            .into_values()
            .chain(self.controls.keys().map(|id| id.0))
        {
            known[id as usize] = true;
        }
        known
    }

    /// What [`Self::decode`] shows of a token.
    fn append_visible_bytes(&self, token: TokenId, bytes: &mut Vec<u8>) {
        let hidden = self
            .controls
            .get(&token)
            .is_some_and(|control| control.hidden);
        if !hidden && let Some(more) = self.token_bytes(token) {
            bytes.extend(more);
        }
    }

    fn append_text(&self, text: &str, ids: &mut Vec<TokenId>) -> Result<(), EngineError> {
        if text.is_empty() {
            return Ok(());
        }
        let encoding = self
            .inner
            .encode_fast(text, false)
            .map_err(|e| EngineError::Encode {
                problem: e.to_string(),
            })?;
        ids.extend(encoding.get_ids().iter().copied().map(TokenId));
        Ok(())
    }
}

impl std::fmt::Debug for Tokenizer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokenizer")
            .field("largest_id", &self.largest_id)
            .field("control_tokens", &self.control_ids)
            .finish_non_exhaustive()
    }
}

/// Longest first: a regex takes the first alternative that matches.
fn control_pattern(ids: &HashMap<String, TokenId>) -> Result<Option<Regex>, regex::Error> {
    if ids.is_empty() {
        return Ok(None);
    }
    let mut contents: Vec<&str> = ids.keys().map(String::as_str).collect();
    contents.sort_unstable_by_key(|content| (std::cmp::Reverse(content.len()), *content));
    let alternatives: Vec<String> = contents.into_iter().map(regex::escape).collect();
    Regex::new(&alternatives.join("|")).map(Some)
}

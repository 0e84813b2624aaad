//! Which networks run here, and in what they differ.

use super::keys::Keys;
use crate::engine::EngineError;
use serde_json::Value;

/// A family of networks. Both are the same but for what attention does to queries and keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Architecture {
    /// Qwen2 and Qwen2.5: queries, keys and values have biases.
    Qwen2,
    /// Qwen3, the dense ones: no biases; the queries and keys of each head are normed.
    Qwen3,
}

impl Architecture {
    pub(crate) const ALL: [Self; 2] = [Self::Qwen2, Self::Qwen3];

    /// Its name in a GGUF file, and `model_type` in config.json.
    #[must_use]
    pub fn gguf_name(self) -> &'static str {
        match self {
            Self::Qwen2 => "qwen2",
            Self::Qwen3 => "qwen3",
        }
    }

    /// Its name in `architectures` of config.json.
    fn class(self) -> &'static str {
        match self {
            Self::Qwen2 => "Qwen2ForCausalLM",
            Self::Qwen3 => "Qwen3ForCausalLM",
        }
    }

    /// Whether queries, keys and values have biases.
    #[must_use]
    pub fn has_biases(self) -> bool {
        self == Self::Qwen2
    }

    /// Whether the queries and keys of each head are normed.
    #[must_use]
    pub fn norms_heads(self) -> bool {
        self == Self::Qwen3
    }
}

/// The architecture that a config.json names; by name refused if it is another.
pub(super) fn of_json(keys: &Keys<'_>) -> Result<Architecture, EngineError> {
    let class = keys
        .get("architectures")
        .and_then(|list| list.get(0))
        .and_then(Value::as_str);
    let kind = keys.get("model_type").and_then(Value::as_str);
    if (kind, class) == (None, None) {
        return Err(keys.error(
            "model_type",
            "is missing; it must be \"qwen2\" or \"qwen3\"",
        ));
    }
    let known = Architecture::ALL.into_iter().find(|known| {
        kind.is_none_or(|kind| kind == known.gguf_name())
            && class.is_none_or(|class| class == known.class())
    });
    known.ok_or_else(|| {
        let is_known = |kind: &&str| {
            Architecture::ALL
                .iter()
                .any(|known| known.gguf_name() == *kind)
        };
        // A reward model is of the same type and another class.
        let found = kind.filter(|kind| !is_known(kind)).or(class).or(kind);
        EngineError::UnsupportedArchitecture {
            place: keys.place.to_owned(),
            found: found.unwrap_or_default().to_owned(),
        }
    })
}

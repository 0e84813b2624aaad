//! The shape of a Qwen2 or Qwen3 model, read from config.json or GGUF metadata and checked before a single weight is touched.

mod architecture;
mod from_gguf;
mod keys;

use super::{EngineError, KvFormat};
pub use architecture::Architecture;
use keys::{Keys, object, parse};
use serde_json::Value;

/// The shape of a Qwen2 or Qwen3 model. Exists only checked: see [`ModelConfig::from_json`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ModelConfig {
    /// The family of networks.
    pub architecture: Architecture,
    /// Width of the residual stream.
    pub hidden_size: usize,
    /// Width of the MLP.
    pub intermediate_size: usize,
    /// Number of layers.
    pub layers: usize,
    /// Query heads.
    pub heads: usize,
    /// Key and value heads, shared by groups of query heads.
    pub kv_heads: usize,
    /// Width of one head.
    pub head_dim: usize,
    /// Number of embeddings, padding included.
    pub vocab_size: usize,
    /// Longest sequence the model was made for.
    pub max_positions: usize,
    /// Added to the mean square in RMSNorm.
    pub rms_norm_eps: f64,
    /// Base of the rotary frequencies.
    pub rope_theta: f64,
    /// Whether the embedding matrix is also the output head.
    pub tie_word_embeddings: bool,
    /// Tokens that end a generation, as config.json or generation_config.json name them.
    pub eos_token_ids: Vec<u32>,
    /// How keys and values are kept: f32, until a model is loaded whose options say otherwise.
    pub kv_format: KvFormat,
}

impl ModelConfig {
    /// Reads a Hugging Face `config.json` of a Qwen2 or Qwen3 model. `place` names the file in errors.
    ///
    /// Where a sliding window is in use, the context ends with the window: up to there it sees everything.
    pub fn from_json(json: &[u8], place: &str) -> Result<Self, EngineError> {
        let value: Value = parse(json, place)?;
        let keys = object(&value, place)?;
        let architecture = architecture::of_json(&keys)?;
        if let Some(activation) = keys.get("hidden_act")
            && activation != "silu"
        {
            return Err(keys.error(
                "hidden_act",
                format!("is {activation}; only \"silu\" is supported"),
            ));
        }
        refuse_scaled_positions(&keys)?;
        if architecture == Architecture::Qwen3 && keys.flag("attention_bias", false)? {
            return Err(keys.error(
                "attention_bias",
                "is true; Qwen3 models with biases are not supported, the published ones have none",
            ));
        }
        let heads = keys.size("num_attention_heads")?;
        let hidden_size = keys.size("hidden_size")?;
        let layers = keys.size("num_hidden_layers")?;
        let config = Self {
            architecture,
            hidden_size,
            intermediate_size: keys.size("intermediate_size")?,
            layers,
            heads,
            kv_heads: match keys.get("num_key_value_heads") {
                None => heads,
                Some(_) => keys.size("num_key_value_heads")?,
            },
            head_dim: match keys.get("head_dim") {
                // The default of transformers' `Qwen3Config`.
                None if architecture == Architecture::Qwen3 => 128,
                None => hidden_size / heads,
                Some(_) => keys.size("head_dim")?,
            },
            vocab_size: keys.size("vocab_size")?,
            max_positions: max_positions(&keys, layers)?,
            rms_norm_eps: keys.positive("rms_norm_eps", Some(1e-6))?,
            rope_theta: rope_theta(&keys)?,
            tie_word_embeddings: keys.flag("tie_word_embeddings", false)?,
            eos_token_ids: keys.token_ids("eos_token_id")?,
            kv_format: KvFormat::default(),
        };
        config.check(place, &HF_KEYS)?;
        Ok(config)
    }

    /// Replaces the end tokens by those of a `generation_config.json`, where it names any.
    pub(crate) fn with_generation_config(
        mut self,
        json: &[u8],
        place: &str,
    ) -> Result<Self, EngineError> {
        let value: Value = parse(json, place)?;
        let ids = object(&value, place)?.token_ids("eos_token_id")?;
        if !ids.is_empty() {
            self.eos_token_ids = ids;
        }
        self.check(place, &HF_KEYS)?;
        Ok(self)
    }

    /// The relations between the keys, under the names they have where they came from.
    pub(crate) fn check(&self, place: &str, names: &KeyNames<'_>) -> Result<(), EngineError> {
        let error = |key: &str, problem: String| EngineError::Config {
            place: place.to_owned(),
            key: key.to_owned(),
            problem,
        };
        // Qwen3's heads are as wide as they like.
        if self.architecture == Architecture::Qwen2
            && self.heads * self.head_dim != self.hidden_size
        {
            return Err(error(
                names.heads,
                format!(
                    "is {}, and {} heads of width {} do not make the hidden size of {}",
                    self.heads, self.heads, self.head_dim, self.hidden_size
                ),
            ));
        }
        if !self.heads.is_multiple_of(self.kv_heads) {
            return Err(error(
                names.kv_heads,
                format!(
                    "is {}, which does not divide the {} attention heads",
                    self.kv_heads, self.heads
                ),
            ));
        }
        if !self.head_dim.is_multiple_of(2) {
            return Err(error(
                names.heads,
                format!(
                    "gives heads of width {}; rotary positions need an even width",
                    self.head_dim
                ),
            ));
        }
        match self
            .eos_token_ids
            .iter()
            .find(|id| **id as usize >= self.vocab_size)
        {
            Some(id) => Err(error(
                names.eos,
                format!("holds {id}, outside the vocabulary of {}", self.vocab_size),
            )),
            None => Ok(()),
        }
    }

    /// Query heads that share one key and value head.
    pub fn group(&self) -> usize {
        self.heads / self.kv_heads
    }
}

/// What the keys are called at the source, for messages about relations between them.
pub(crate) struct KeyNames<'a> {
    pub heads: &'a str,
    pub kv_heads: &'a str,
    pub eos: &'a str,
}

const HF_KEYS: KeyNames<'_> = KeyNames {
    heads: "num_attention_heads",
    kv_heads: "num_key_value_heads",
    eos: "eos_token_id",
};

/// Positions beyond those that the model was trained with are another network's.
fn refuse_scaled_positions(keys: &Keys<'_>) -> Result<(), EngineError> {
    for key in ["rope_scaling", "rope_parameters"] {
        let Some(value) = keys.get(key) else {
            continue;
        };
        // The older key for the kind is `type`. transformers 5 keeps the base in the same object.
        let kind = value.get("rope_type").or_else(|| value.get("type"));
        let plain = value.is_object() && kind.is_none_or(|kind| kind == "default");
        if !plain || (key == "rope_scaling" && kind.is_none()) {
            let what = kind.unwrap_or(value);
            return Err(keys.error(
                key,
                format!(
                    "asks for {what} rotary positions; only \"default\" is supported, remove the key to run the model at its original context length"
                ),
            ));
        }
    }
    Ok(())
}

/// The context: all positions, or those that a sliding window, where one is in use, still sees.
fn max_positions(keys: &Keys<'_>, layers: usize) -> Result<usize, EngineError> {
    let positions = keys.size("max_position_embeddings")?;
    if !keys.flag("use_sliding_window", false)? || keys.get("sliding_window").is_none() {
        return Ok(positions);
    }
    let window = keys.size("sliding_window")?;
    // Layers from this one on have the window.
    let full = match keys.get("max_window_layers").and_then(Value::as_u64) {
        Some(first) => usize::try_from(first).is_ok_and(|first| first >= layers),
        None => false,
    };
    if full || window >= positions {
        return Ok(positions);
    }
    tracing::warn!(
        "{}: a sliding window of {window} is in use: the context is {window} tokens and not {positions}",
        keys.place
    );
    Ok(window)
}

/// transformers 5 moved the base into `rope_parameters`.
fn rope_theta(keys: &Keys<'_>) -> Result<f64, EngineError> {
    match keys.get("rope_parameters") {
        Some(Value::Object(map)) if keys.get("rope_theta").is_none() => {
            let inner = Keys {
                place: keys.place,
                map,
            };
            inner.positive("rope_theta", Some(10_000.0))
        }
        _ => keys.positive("rope_theta", Some(10_000.0)),
    }
}

//! The shape of a Qwen2 model, read from config.json or GGUF metadata and checked before a single weight is touched.

use super::load::gguf::Gguf;
use super::{EngineError, KvFormat};
use serde_json::{Map, Value};

/// Upper bound of every size: large enough for any Qwen2, small enough that products of three fit in 64 bits.
const SANE_SIZE: usize = 1 << 20;

/// The shape of a Qwen2 model. Exists only checked: see [`ModelConfig::from_json`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ModelConfig {
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

/// A JSON object with the name it has in error messages.
struct Keys<'a> {
    place: &'a str,
    map: &'a Map<String, Value>,
}

impl Keys<'_> {
    fn error(&self, key: &str, problem: impl Into<String>) -> EngineError {
        EngineError::Config {
            place: self.place.to_owned(),
            key: key.to_owned(),
            problem: problem.into(),
        }
    }

    /// `null` counts as absent: published configurations use it so.
    fn get(&self, key: &str) -> Option<&Value> {
        self.map.get(key).filter(|value| !value.is_null())
    }

    fn size(&self, key: &str) -> Result<usize, EngineError> {
        let value = self
            .get(key)
            .ok_or_else(|| self.error(key, "is missing; it must be a positive integer"))?;
        value
            .as_u64()
            .and_then(|n| usize::try_from(n).ok())
            .filter(|n| (1..=SANE_SIZE).contains(n))
            .ok_or_else(|| {
                self.error(
                    key,
                    format!("is {value}; it must be an integer from 1 to {SANE_SIZE}"),
                )
            })
    }

    fn positive(&self, key: &str, default: Option<f64>) -> Result<f64, EngineError> {
        let Some(value) = self.get(key) else {
            return default
                .ok_or_else(|| self.error(key, "is missing; it must be a positive number"));
        };
        value
            .as_f64()
            .filter(|n| n.is_finite() && *n > 0.0)
            .ok_or_else(|| self.error(key, format!("is {value}; it must be a positive number")))
    }

    fn flag(&self, key: &str, default: bool) -> Result<bool, EngineError> {
        match self.get(key) {
            None => Ok(default),
            Some(value) => value
                .as_bool()
                .ok_or_else(|| self.error(key, format!("is {value}; it must be true or false"))),
        }
    }

    /// `eos_token_id` is one id or a list of them.
    fn token_ids(&self, key: &str) -> Result<Vec<u32>, EngineError> {
        let values = match self.get(key) {
            None => return Ok(Vec::new()),
            Some(Value::Array(values)) => values.as_slice(),
            Some(value) => std::slice::from_ref(value),
        };
        values
            .iter()
            .map(|value| {
                value
                    .as_u64()
                    .and_then(|id| u32::try_from(id).ok())
                    .ok_or_else(|| {
                        self.error(
                            key,
                            format!("holds {value}; it must be a token id or a list of them"),
                        )
                    })
            })
            .collect()
    }
}

impl ModelConfig {
    /// Reads a Hugging Face `config.json` of a Qwen2 model. `place` names the file in errors.
    ///
    /// A sliding window is ignored: published Qwen2 models that ask for one do so beyond the
    /// context they are used with, and full attention is what they were trained with below it.
    pub fn from_json(json: &[u8], place: &str) -> Result<Self, EngineError> {
        let value: Value = parse(json, place)?;
        let keys = object(&value, place)?;
        refuse_other_architectures(&keys)?;
        if let Some(activation) = keys.get("hidden_act")
            && activation != "silu"
        {
            return Err(keys.error(
                "hidden_act",
                format!("is {activation}; only \"silu\" is supported"),
            ));
        }
        if let Some(scaling) = keys.get("rope_scaling") {
            return Err(keys.error(
                "rope_scaling",
                format!("is {scaling}; scaled rotary positions are not supported, remove the key to run the model at its original context length"),
            ));
        }
        if keys.flag("use_sliding_window", false)? {
            tracing::warn!(
                "{place}: `use_sliding_window` is ignored, attention reads the whole context"
            );
        }
        let heads = keys.size("num_attention_heads")?;
        let hidden_size = keys.size("hidden_size")?;
        let config = Self {
            hidden_size,
            intermediate_size: keys.size("intermediate_size")?,
            layers: keys.size("num_hidden_layers")?,
            heads,
            kv_heads: match keys.get("num_key_value_heads") {
                None => heads,
                Some(_) => keys.size("num_key_value_heads")?,
            },
            head_dim: match keys.get("head_dim") {
                None => hidden_size / heads,
                Some(_) => keys.size("head_dim")?,
            },
            vocab_size: keys.size("vocab_size")?,
            max_positions: keys.size("max_position_embeddings")?,
            rms_norm_eps: keys.positive("rms_norm_eps", Some(1e-6))?,
            rope_theta: rope_theta(&keys)?,
            tie_word_embeddings: keys.flag("tie_word_embeddings", false)?,
            eos_token_ids: keys.token_ids("eos_token_id")?,
            kv_format: KvFormat::default(),
        };
        config.check(place, &HF_KEYS)?;
        Ok(config)
    }

    /// Reads the metadata of a GGUF file with the embedding matrix' shape beside it.
    pub(crate) fn from_gguf(gguf: &Gguf<'_>, place: &str) -> Result<Self, EngineError> {
        let keys = Keys {
            place,
            map: &gguf.metadata,
        };
        match keys.get("general.architecture").and_then(Value::as_str) {
            Some("qwen2") => {}
            Some(other) => {
                return Err(EngineError::UnsupportedArchitecture {
                    place: place.to_owned(),
                    found: other.to_owned(),
                });
            }
            None => {
                return Err(keys.error("general.architecture", "is missing; it must be \"qwen2\""));
            }
        }
        if let Some(scaling) = keys.get("qwen2.rope.scaling.type")
            && scaling != "none"
        {
            return Err(keys.error(
                "qwen2.rope.scaling.type",
                format!("is {scaling}; scaled rotary positions are not supported"),
            ));
        }
        let embeddings = gguf.weights.shape("model.embed_tokens.weight");
        let vocab_size = match embeddings {
            Some([vocab_size, _]) if (1..=SANE_SIZE).contains(vocab_size) => *vocab_size,
            _ => {
                return Err(EngineError::MissingTensor {
                    place: place.to_owned(),
                    name: "token_embd.weight".to_owned(),
                });
            }
        };
        let heads = keys.size("qwen2.attention.head_count")?;
        let hidden_size = keys.size("qwen2.embedding_length")?;
        let config = Self {
            hidden_size,
            intermediate_size: keys.size("qwen2.feed_forward_length")?,
            layers: keys.size("qwen2.block_count")?,
            heads,
            kv_heads: match keys.get("qwen2.attention.head_count_kv") {
                None => heads,
                Some(_) => keys.size("qwen2.attention.head_count_kv")?,
            },
            head_dim: hidden_size / heads,
            vocab_size,
            max_positions: keys.size("qwen2.context_length")?,
            rms_norm_eps: keys.positive("qwen2.attention.layer_norm_rms_epsilon", None)?,
            rope_theta: keys.positive("qwen2.rope.freq_base", Some(10_000.0))?,
            tie_word_embeddings: !gguf.weights.contains("lm_head.weight"),
            eos_token_ids: keys.token_ids(GGUF_KEYS.eos)?,
            kv_format: KvFormat::default(),
        };
        config.check(place, &GGUF_KEYS)?;
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
    pub(crate) fn check(&self, place: &str, names: &KeyNames) -> Result<(), EngineError> {
        let error = |key: &str, problem: String| EngineError::Config {
            place: place.to_owned(),
            key: key.to_owned(),
            problem,
        };
        if self.heads * self.head_dim != self.hidden_size {
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
pub(crate) struct KeyNames {
    pub heads: &'static str,
    pub kv_heads: &'static str,
    pub eos: &'static str,
}

const HF_KEYS: KeyNames = KeyNames {
    heads: "num_attention_heads",
    kv_heads: "num_key_value_heads",
    eos: "eos_token_id",
};

const GGUF_KEYS: KeyNames = KeyNames {
    heads: "qwen2.attention.head_count",
    kv_heads: "qwen2.attention.head_count_kv",
    eos: "tokenizer.ggml.eos_token_id",
};

fn parse(json: &[u8], place: &str) -> Result<Value, EngineError> {
    serde_json::from_slice(json).map_err(|source| EngineError::Json {
        place: place.to_owned(),
        source,
    })
}

fn object<'a>(value: &'a Value, place: &'a str) -> Result<Keys<'a>, EngineError> {
    match value {
        Value::Object(map) => Ok(Keys { place, map }),
        _ => Err(EngineError::Config {
            place: place.to_owned(),
            key: String::new(),
            problem: "cannot be read: the file must hold a JSON object".to_owned(),
        }),
    }
}

fn refuse_other_architectures(keys: &Keys<'_>) -> Result<(), EngineError> {
    let architecture = keys
        .get("architectures")
        .and_then(|list| list.get(0))
        .and_then(Value::as_str);
    let model_type = keys.get("model_type").and_then(Value::as_str);
    let found = match (model_type, architecture) {
        (None, None) => {
            return Err(keys.error("model_type", "is missing; it must be \"qwen2\""));
        }
        (Some("qwen2"), None | Some("Qwen2ForCausalLM")) | (None, Some("Qwen2ForCausalLM")) => {
            return Ok(());
        }
        (Some("qwen2") | None, Some(other)) | (Some(other), _) => other,
    };
    Err(EngineError::UnsupportedArchitecture {
        place: keys.place.to_owned(),
        found: found.to_owned(),
    })
}

/// transformers 5 moved the base into `rope_parameters`.
fn rope_theta(keys: &Keys<'_>) -> Result<f64, EngineError> {
    match keys.get("rope_parameters") {
        Some(Value::Object(map)) if keys.get("rope_theta").is_none() => {
            let inner = Keys {
                place: keys.place,
                map,
            };
            if let Some(kind) = inner.get("rope_type")
                && kind != "default"
            {
                return Err(keys.error(
                    "rope_parameters",
                    format!("asks for {kind} rotary positions; only \"default\" is supported"),
                ));
            }
            inner.positive("rope_theta", Some(10_000.0))
        }
        _ => keys.positive("rope_theta", Some(10_000.0)),
    }
}

//! A model's shape out of a GGUF file's metadata.

use super::keys::{Keys, SANE_SIZE};
use super::{Architecture, KeyNames, ModelConfig};
use crate::engine::load::gguf::Gguf;
use crate::engine::{EngineError, KvFormat};
use serde_json::Value;

const EOS: &str = "tokenizer.ggml.eos_token_id";

impl ModelConfig {
    /// Reads the metadata of a GGUF file with the embedding matrix' shape beside it.
    pub(crate) fn from_gguf(gguf: &Gguf<'_>, place: &str) -> Result<Self, EngineError> {
        let keys = Keys {
            place,
            map: &gguf.metadata,
        };
        let architecture = architecture(&keys)?;
        if let Some(parts) = keys.get("split.count").filter(|parts| **parts != 1) {
            return Err(keys.error(
                "split.count",
                format!(
                    "is {parts}: the file is one of several; join them with `llama-gguf-split --merge`, or take one in one piece"
                ),
            ));
        }
        // Every key of the network begins with its architecture.
        let key = |name: &str| format!("{}.{name}", architecture.gguf_name());
        let scaling = key("rope.scaling.type");
        if let Some(kind) = keys.get(&scaling)
            && kind != "none"
        {
            return Err(keys.error(
                &scaling,
                format!("is {kind}; scaled rotary positions are not supported"),
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
        let (heads_key, kv_heads_key) =
            (key("attention.head_count"), key("attention.head_count_kv"));
        let width_key = key("attention.key_length");
        let heads = keys.size(&heads_key)?;
        let hidden_size = keys.size(&key("embedding_length"))?;
        let config = Self {
            architecture,
            hidden_size,
            intermediate_size: keys.size(&key("feed_forward_length"))?,
            layers: keys.size(&key("block_count"))?,
            heads,
            kv_heads: match keys.get(&kv_heads_key) {
                None => heads,
                Some(_) => keys.size(&kv_heads_key)?,
            },
            head_dim: match keys.get(&width_key) {
                None => hidden_size / heads,
                Some(_) => keys.size(&width_key)?,
            },
            vocab_size,
            max_positions: keys.size(&key("context_length"))?,
            rms_norm_eps: keys.positive(&key("attention.layer_norm_rms_epsilon"), None)?,
            rope_theta: keys.positive(&key("rope.freq_base"), Some(10_000.0))?,
            tie_word_embeddings: !gguf.weights.contains("lm_head.weight"),
            eos_token_ids: keys.token_ids(EOS)?,
            kv_format: KvFormat::default(),
        };
        let names = KeyNames {
            heads: &heads_key,
            kv_heads: &kv_heads_key,
            eos: EOS,
        };
        config.check(place, &names)?;
        Ok(config)
    }
}

fn architecture(keys: &Keys<'_>) -> Result<Architecture, EngineError> {
    const KEY: &str = "general.architecture";
    let Some(name) = keys.get(KEY).and_then(Value::as_str) else {
        return Err(keys.error(KEY, "is missing; it must be \"qwen2\" or \"qwen3\""));
    };
    Architecture::ALL
        .into_iter()
        .find(|known| known.gguf_name() == name)
        .ok_or_else(|| EngineError::UnsupportedArchitecture {
            place: keys.place.to_owned(),
            found: name.to_owned(),
        })
}

//! Networks of random weights in the shape of real models, with a tokenizer that has a token a byte: the speed of a forward
//! pass does not depend on what the numbers are.

use std::path::Path;

use candle_signature::engine::{ModelConfig, write_random_weights};
use serde_json::{Map, Value as Json, json};

use crate::error::CliError;

/// A real model's shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Shape {
    /// Qwen2.5-0.5B: 24 layers of 896
    #[value(name = "qwen2.5-0.5b")]
    Half,
    /// Qwen2.5-1.5B: 28 layers of 1,536
    #[value(name = "qwen2.5-1.5b")]
    OneAndAHalf,
    /// Two layers of 64, to try the command
    #[value(name = "tiny")]
    Tiny,
}

impl Shape {
    pub fn name(self) -> &'static str {
        match self {
            Shape::Half => "qwen2.5-0.5b",
            Shape::OneAndAHalf => "qwen2.5-1.5b",
            Shape::Tiny => "tiny",
        }
    }

    /// The published `config.json`, of what the engine reads.
    fn config(self) -> Json {
        let (hidden, mlp, layers, heads, kv_heads, vocabulary) = match self {
            Shape::Half => (896, 4864, 24, 14, 2, 151_936),
            Shape::OneAndAHalf => (1536, 8960, 28, 12, 2, 151_936),
            Shape::Tiny => (64, 128, 2, 4, 2, 512),
        };
        json!({
            "architectures": ["Qwen2ForCausalLM"],
            "model_type": "qwen2",
            "hidden_act": "silu",
            "hidden_size": hidden,
            "intermediate_size": mlp,
            "num_hidden_layers": layers,
            "num_attention_heads": heads,
            "num_key_value_heads": kv_heads,
            "vocab_size": vocabulary,
            "max_position_embeddings": 32_768,
            "rms_norm_eps": 1e-6,
            "rope_theta": 1e6,
            "tie_word_embeddings": true,
        })
    }

    /// Writes a model folder.
    pub fn write(self, folder: &Path) -> Result<(), CliError> {
        let config = self.config().to_string();
        let checked = ModelConfig::from_json(config.as_bytes(), "config.json");
        let checked = checked.map_err(|error| CliError::Model(error.to_string()))?;
        let write = |name: &str, text: &str| {
            let path = folder.join(name);
            std::fs::write(&path, text).map_err(|error| CliError::writing(&path, &error))
        };
        std::fs::create_dir_all(folder).map_err(|error| CliError::writing(folder, &error))?;
        write("config.json", &config)?;
        write("tokenizer.json", &tokenizer().to_string())?;
        let weights = folder.join("model.safetensors");
        write_random_weights(&checked, 1, &weights, |_, _| {})
            .map_err(|error| CliError::System(std::io::Error::other(error)))
    }
}

/// Byte-level BPE without merges, and ChatML's control tokens.
fn tokenizer() -> Json {
    let vocabulary: Map<String, Json> = (0..=255u8)
        .map(|byte| (shown(byte).to_string(), u32::from(byte).into()))
        .collect();
    let control = |(id, content): (u32, &str)| {
        json!({
            "id": id, "content": content, "special": true, "single_word": false,
            "lstrip": false, "rstrip": false, "normalized": false,
        })
    };
    let names = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"];
    let added: Json = (256..).zip(names).map(control).collect();
    let bytes = json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false, "use_regex": false});
    json!({
        "version": "1.0",
        "added_tokens": added,
        "normalizer": null,
        "pre_tokenizer": bytes,
        "post_processor": null,
        "decoder": bytes,
        "model": {"type": "BPE", "vocab": vocabulary, "merges": []},
    })
}

/// The character that stands for a byte in byte-level BPE (GPT-2's `bytes_to_unicode`).
fn shown(byte: u8) -> char {
    let printable = |byte: u8| matches!(byte, b'!'..=b'~' | 0xa1..=0xac | 0xae..=0xff);
    if printable(byte) {
        return char::from(byte);
    }
    let before = (0..byte).filter(|other| !printable(*other)).count() as u32;
    char::from_u32(256 + before).unwrap_or(char::REPLACEMENT_CHARACTER)
}

#[cfg(test)]
mod tests {
    use candle_signature::engine::Tokenizer;

    #[test]
    fn every_byte_is_a_token() {
        let json = super::tokenizer().to_string();
        let tokenizer = Tokenizer::from_bytes(json.as_bytes(), "here").expect("a tokenizer");
        let text = "aé\n\u{0}🙂";
        let tokens = tokenizer.encode_text(text).expect("tokens");
        assert_eq!(tokens.len(), text.len());
        assert_eq!(tokenizer.decode(&tokens), text);
    }
}

//! What the engine's tests share: fixtures, a byte-level tokenizer for models without one, tiny random models.
#![allow(
    dead_code,
    reason = "each test binary compiles its own copy and uses a part of it"
)]

use candle_core::{Device, Tensor};
use candle_signature::engine::{
    KvCache, Model, ModelConfig, Qwen2, Row, TokenId, Tokenizer, Weights,
};
use flate2::read::GzDecoder;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};

/// A file or folder of `tests/data`.
pub fn data(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("data")
        .join(path)
}

pub fn json_file(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// The lines of a JSONL file.
pub fn json_lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

pub fn ids(value: &Value) -> Vec<TokenId> {
    let ids = value.as_array().unwrap().iter();
    ids.map(|id| TokenId(id.as_u64().unwrap() as u32)).collect()
}

pub fn floats(value: &Value) -> Vec<f32> {
    let values = value.as_array().unwrap().iter();
    values.map(|value| value.as_f64().unwrap() as f32).collect()
}

/// Qwen2.5's tokenizer.json.
pub fn qwen_tokenizer_json() -> Vec<u8> {
    let file = std::fs::File::open(data("qwen2.5/tokenizer.json.gz")).unwrap();
    let mut json = Vec::new();
    GzDecoder::new(file).read_to_end(&mut json).unwrap();
    json
}

pub fn load_network(folder: &Path) -> Qwen2 {
    let config = std::fs::read(folder.join("config.json")).unwrap();
    let config = ModelConfig::from_json(&config, "config.json").unwrap();
    let weights = Weights::open_safetensors(folder).unwrap();
    Qwen2::load(config, &weights, &Device::Cpu).unwrap()
}

/// A tokenizer.json of the 256 bytes as ids 0 to 255, then `<|im_start|>`, `<|im_end|>` and more up to `size`.
pub fn byte_tokenizer_json(size: u32) -> Vec<u8> {
    let printable = |byte: &u8| matches!(byte, b'!'..=b'~' | 0xA1..=0xAC | 0xAE..=0xFF);
    let mut next = 0x100;
    let mut vocab = serde_json::Map::new();
    for byte in 0..=255u8 {
        let code = if printable(&byte) {
            u32::from(byte)
        } else {
            next += 1;
            next - 1
        };
        vocab.insert(char::from_u32(code).unwrap().to_string(), byte.into());
    }
    let control = |id: u32| match id {
        256 => "<|im_start|>".to_owned(),
        257 => "<|im_end|>".to_owned(),
        258 => "<tool_call>".to_owned(),
        id => format!("<|control_{id}|>"),
    };
    let added: Vec<Value> = (256..size)
        .map(|id| {
            json!({"id": id, "content": control(id), "special": id != 258, "normalized": false,
                   "single_word": false, "lstrip": false, "rstrip": false})
        })
        .collect();
    let byte_level = json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false, "use_regex": false});
    serde_json::to_vec(&json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": added,
        "normalizer": null, "pre_tokenizer": byte_level, "post_processor": null, "decoder": byte_level,
        "model": {"type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": "",
                  "end_of_word_suffix": "", "fuse_unk": false, "byte_fallback": false,
                  "vocab": vocab, "merges": []}
    }))
    .unwrap()
}

/// The tiny model of the fixtures with a byte tokenizer that knows `size` of its 320 ids.
pub fn tiny_model(size: u32) -> Model {
    let tokenizer = Tokenizer::from_bytes(&byte_tokenizer_json(size), "test tokenizer").unwrap();
    Model::new(load_network(&data("tiny-random-qwen2")), tokenizer).unwrap()
}

/// Logits after the last of `tokens`, which follow what the cache holds.
pub fn last_logits(network: &Qwen2, tokens: &[TokenId], cache: &mut KvCache) -> Vec<f32> {
    let row = Row {
        tokens,
        cache,
        logits: true,
    };
    network
        .forward(&mut [row])
        .unwrap()
        .get(0)
        .unwrap()
        .to_vec1()
        .unwrap()
}

pub fn cache(network: &Qwen2, capacity: usize) -> KvCache {
    KvCache::new(network.config(), capacity, &Device::Cpu).unwrap()
}

pub fn max_difference(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter()
        .zip(b)
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f32::max)
}

pub fn argmax(logits: &[f32]) -> TokenId {
    let (id, _) = logits
        .iter()
        .enumerate()
        .max_by(|a, b| a.1.total_cmp(b.1))
        .unwrap();
    TokenId(id as u32)
}

/// A configuration of a model small enough to make in a test.
pub fn random_config() -> Value {
    json!({"architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2", "hidden_act": "silu",
           "hidden_size": 48, "intermediate_size": 80, "num_hidden_layers": 2, "num_attention_heads": 6,
           "num_key_value_heads": 2, "vocab_size": 300, "max_position_embeddings": 128, "rms_norm_eps": 1e-6,
           "rope_theta": 10000.0, "tie_word_embeddings": true, "sliding_window": 128, "max_window_layers": 2,
           "use_sliding_window": false, "eos_token_id": 257})
}

/// Random weights in a configuration's shape; reproducible.
pub fn random_weights(config: &Value) -> HashMap<String, Tensor> {
    let size = |key: &str| config[key].as_u64().unwrap() as usize;
    let (hidden, mlp, vocab) = (
        size("hidden_size"),
        size("intermediate_size"),
        size("vocab_size"),
    );
    let (heads, kv_heads) = (size("num_attention_heads"), size("num_key_value_heads"));
    let kv = hidden / heads * kv_heads;
    let mut state = 7u64;
    let mut uniform = move || {
        state = state
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (state >> 40) as f32 / (1u64 << 24) as f32 - 0.5
    };
    let mut weights = HashMap::new();
    let mut add = |name: String, shape: &[usize], scale: f32, middle: f32| {
        let values = (0..shape.iter().product())
            .map(|_| uniform() * scale + middle)
            .collect();
        weights.insert(name, Tensor::from_vec(values, shape, &Device::Cpu).unwrap());
    };
    add(
        "model.embed_tokens.weight".to_owned(),
        &[vocab, hidden],
        1.0,
        0.0,
    );
    add("model.norm.weight".to_owned(), &[hidden], 0.5, 1.0);
    if config["tie_word_embeddings"] == false {
        add("lm_head.weight".to_owned(), &[vocab, hidden], 0.5, 0.0);
    }
    for layer in 0..size("num_hidden_layers") {
        let name = |part: &str| format!("model.layers.{layer}.{part}");
        add(name("input_layernorm.weight"), &[hidden], 0.5, 1.0);
        add(name("post_attention_layernorm.weight"), &[hidden], 0.5, 1.0);
        for (part, rows) in [("q", hidden), ("k", kv), ("v", kv)] {
            add(
                name(&format!("self_attn.{part}_proj.weight")),
                &[rows, hidden],
                0.5,
                0.0,
            );
            add(
                name(&format!("self_attn.{part}_proj.bias")),
                &[rows],
                0.5,
                0.0,
            );
        }
        add(name("self_attn.o_proj.weight"), &[hidden, hidden], 0.5, 0.0);
        add(name("mlp.gate_proj.weight"), &[mlp, hidden], 0.5, 0.0);
        add(name("mlp.up_proj.weight"), &[mlp, hidden], 0.5, 0.0);
        add(name("mlp.down_proj.weight"), &[hidden, mlp], 0.5, 0.0);
    }
    weights
}

/// Writes a whole model folder.
pub fn write_model(folder: &Path, config: &Value, weights: &HashMap<String, Tensor>) {
    std::fs::write(folder.join("config.json"), config.to_string()).unwrap();
    std::fs::write(folder.join("tokenizer.json"), byte_tokenizer_json(290)).unwrap();
    candle_core::safetensors::save(weights, folder.join("model.safetensors")).unwrap();
}

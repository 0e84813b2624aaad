//! The random model of [`super::write_model`] as a Q8_0 GGUF file with the real vocabulary, which llama.cpp reads too.

use std::collections::HashMap;
use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use candle_core::quantized::gguf_file::{self, Value as Meta};
use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::safetensors::MmapedSafetensors;
use candle_core::{DType, Device};
use candle_signature::engine::ModelConfig;
use serde_json::Value;

/// Tokens of these kinds are told apart by llama.cpp.
const NORMAL: i32 = 1;
const CONTROL: i32 = 3;
const UNUSED: i32 = 5;

/// Writes `model.gguf` (about 0.5 GB) beside the model's `tokenizer.json` into `to`, and gives its path.
pub fn write_gguf(from: &Path, to: &Path) -> Result<PathBuf, Box<dyn Error>> {
    std::fs::create_dir_all(to)?;
    std::fs::copy(from.join("tokenizer.json"), to.join("tokenizer.json"))?;
    let config = ModelConfig::from_json(&std::fs::read(from.join("config.json"))?, "config.json")?;
    let mut metadata = shape(&config);
    metadata.extend(vocabulary(&from.join("tokenizer.json"), config.vocab_size)?);

    // SAFETY: the file was written by this run, and nobody changes it.
    let weights = unsafe { MmapedSafetensors::new(from.join("model.safetensors"))? };
    let mut tensors = Vec::new();
    for (name, view) in weights.tensors() {
        let tensor = weights.load(&name, &Device::Cpu)?.to_dtype(DType::F32)?;
        let dtype = match view.shape().len() {
            1 => GgmlDType::F32,
            _ => GgmlDType::Q8_0,
        };
        tensors.push((gguf_name(&name), QTensor::quantize(&tensor, dtype)?));
    }
    let path = to.join("model.gguf");
    let mut file = BufWriter::new(File::create(&path)?);
    let metadata: Vec<_> = metadata.iter().map(|(key, value)| (*key, value)).collect();
    let tensors: Vec<_> = tensors
        .iter()
        .map(|(name, tensor)| (name.as_str(), tensor))
        .collect();
    gguf_file::write(&mut file, &metadata, &tensors)?;
    file.flush()?;
    Ok(path)
}

fn gguf_name(name: &str) -> String {
    let pairs = [
        ("model.layers.", "blk."),
        ("self_attn.o_proj", "attn_output"),
        ("self_attn.", "attn_"),
        ("mlp.", "ffn_"),
        ("_proj", ""),
        ("input_layernorm", "attn_norm"),
        ("post_attention_layernorm", "ffn_norm"),
        ("model.embed_tokens", "token_embd"),
        ("model.norm", "output_norm"),
    ];
    pairs
        .iter()
        .fold(name.to_owned(), |name, (hf, gguf)| name.replace(hf, gguf))
}

fn shape(config: &ModelConfig) -> Vec<(&'static str, Meta)> {
    let size = |n: usize| Meta::U32(n as u32);
    vec![
        ("general.architecture", Meta::String("qwen2".into())),
        ("general.file_type", Meta::U32(7)),
        ("qwen2.embedding_length", size(config.hidden_size)),
        ("qwen2.block_count", size(config.layers)),
        ("qwen2.feed_forward_length", size(config.intermediate_size)),
        ("qwen2.attention.head_count", size(config.heads)),
        ("qwen2.attention.head_count_kv", size(config.kv_heads)),
        (
            "qwen2.attention.layer_norm_rms_epsilon",
            Meta::F32(config.rms_norm_eps as f32),
        ),
        ("qwen2.rope.freq_base", Meta::F32(config.rope_theta as f32)),
        ("qwen2.context_length", size(config.max_positions)),
    ]
}

/// The tokens and merges of a `tokenizer.json`.
fn vocabulary(path: &Path, size: usize) -> Result<Vec<(&'static str, Meta)>, Box<dyn Error>> {
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

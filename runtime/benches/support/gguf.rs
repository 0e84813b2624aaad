//! A GGUF file of random weights in the Qwen2.5-0.5B shape, which this crate, llama.cpp and candle-transformers all read.

use candle_core::quantized::gguf_file::{Value, write};
use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{Device, Result, Tensor};
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

const HIDDEN: usize = 896;
const MLP: usize = 4864;
const LAYERS: u32 = 24;
const HEADS: u32 = 14;
const KV_HEADS: u32 = 2;
const KV: usize = 128;
const VOCABULARY: usize = 151_936;
const CONTEXT: u32 = 32_768;
const END: u32 = 151_645;
const PAD: u32 = 151_643;

/// Writes the file with every matrix in one format.
pub fn write_gguf(path: &Path, format: GgmlDType) -> Result<()> {
    let mut tensors = vec![
        matrix("token_embd.weight", VOCABULARY, HIDDEN, format)?,
        vector("output_norm.weight", HIDDEN, true)?,
    ];
    for layer in 0..LAYERS {
        let name = |part: &str| format!("blk.{layer}.{part}");
        for (part, rows, columns) in [
            ("attn_q", HIDDEN, HIDDEN),
            ("attn_k", KV, HIDDEN),
            ("attn_v", KV, HIDDEN),
            ("attn_output", HIDDEN, HIDDEN),
            ("ffn_gate", MLP, HIDDEN),
            ("ffn_up", MLP, HIDDEN),
            ("ffn_down", HIDDEN, MLP),
        ] {
            tensors.push(matrix(
                &name(&format!("{part}.weight")),
                rows,
                columns,
                format,
            )?);
        }
        for (part, length) in [("attn_q", HIDDEN), ("attn_k", KV), ("attn_v", KV)] {
            tensors.push(vector(&name(&format!("{part}.bias")), length, false)?);
        }
        for part in ["attn_norm", "ffn_norm"] {
            tensors.push(vector(&name(&format!("{part}.weight")), HIDDEN, true)?);
        }
    }
    let metadata = metadata();
    let metadata: Vec<_> = metadata.iter().map(|(key, value)| (*key, value)).collect();
    let tensors: Vec<_> = tensors
        .iter()
        .map(|(key, tensor)| (key.as_str(), tensor))
        .collect();
    write(
        &mut BufWriter::new(File::create(path)?),
        &metadata,
        &tensors,
    )
}

/// The shape, and as much of a tokenizer as llama.cpp insists on: its speed does not depend on it.
fn metadata() -> Vec<(&'static str, Value)> {
    let text = |text: &str| Value::String(text.to_owned());
    let token = |id: u32| match id {
        END => "<|im_end|>".to_owned(),
        PAD => "<|endoftext|>".to_owned(),
        byte @ 0..=255 => printable(byte as u8).to_string(),
        id => format!("tok{id}"),
    };
    let kind = |id: u32| Value::I32(if id == END || id == PAD { 3 } else { 1 });
    let ids = 0..VOCABULARY as u32;
    vec![
        ("general.architecture", text("qwen2")),
        (
            "general.name",
            text("random weights in the shape of Qwen2.5-0.5B"),
        ),
        ("qwen2.context_length", Value::U32(CONTEXT)),
        ("qwen2.embedding_length", Value::U32(HIDDEN as u32)),
        ("qwen2.block_count", Value::U32(LAYERS)),
        ("qwen2.feed_forward_length", Value::U32(MLP as u32)),
        ("qwen2.attention.head_count", Value::U32(HEADS)),
        ("qwen2.attention.head_count_kv", Value::U32(KV_HEADS)),
        ("qwen2.attention.layer_norm_rms_epsilon", Value::F32(1e-6)),
        ("qwen2.rope.freq_base", Value::F32(1e6)),
        ("tokenizer.ggml.model", text("gpt2")),
        ("tokenizer.ggml.pre", text("qwen2")),
        (
            "tokenizer.ggml.tokens",
            Value::Array(ids.clone().map(|id| text(&token(id))).collect()),
        ),
        (
            "tokenizer.ggml.token_type",
            Value::Array(ids.map(kind).collect()),
        ),
        ("tokenizer.ggml.merges", Value::Array(vec![text("t o")])),
        ("tokenizer.ggml.eos_token_id", Value::U32(END)),
        ("tokenizer.ggml.padding_token_id", Value::U32(PAD)),
    ]
}

/// The character that stands for a byte in byte-level vocabularies (GPT-2).
fn printable(byte: u8) -> char {
    match byte {
        b'!'..=b'~' | 0xA1..=0xAC | 0xAE..=0xFF => char::from(byte),
        0..=b' ' => char::from_u32(0x100 + u32::from(byte)).unwrap_or(' '),
        0x7F..=0xA0 => char::from_u32(0x100 + 33 + u32::from(byte) - 0x7F).unwrap_or(' '),
        0xAD => '\u{143}',
    }
}

fn matrix(name: &str, rows: usize, columns: usize, format: GgmlDType) -> Result<(String, QTensor)> {
    let values = Tensor::randn(0f32, 0.02, (rows, columns), &Device::Cpu)?;
    Ok((name.to_owned(), QTensor::quantize(&values, format)?))
}

fn vector(name: &str, length: usize, ones: bool) -> Result<(String, QTensor)> {
    let values = match ones {
        true => Tensor::ones(length, candle_core::DType::F32, &Device::Cpu)?,
        false => Tensor::randn(0f32, 0.02, length, &Device::Cpu)?,
    };
    Ok((name.to_owned(), QTensor::quantize(&values, GgmlDType::F32)?))
}

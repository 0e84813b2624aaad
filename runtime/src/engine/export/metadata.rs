//! The metadata of an exported model, under the keys that llama.cpp reads (`convert_hf_to_gguf.py`, `llama-arch.cpp`).

use super::ExportFormat;
use super::header::Meta;
use super::vocabulary::Vocabulary;
use crate::engine::load::gguf_tokenizer::WHOLE;
use crate::engine::model::source::Source;
use crate::engine::{EngineError, ModelConfig};

const TURN_END: &str = "<|im_end|>";
const TEXT_END: &str = "<|endoftext|>";

pub(super) fn metadata(
    source: &Source<'_>,
    name: &str,
    format: ExportFormat,
    notes: &mut Vec<String>,
) -> Result<Vec<(String, Meta)>, EngineError> {
    let vocabulary = Vocabulary::read(
        &source.tokenizer,
        source.config.vocab_size,
        &source.tokenizer_place,
    )?;
    let mut entries = network(&source.config, name, format);
    let mut add = |key: &str, value: Meta| entries.push((key.to_owned(), value));
    add("tokenizer.ggml.model", Meta::Text("gpt2".to_owned()));
    add(
        "tokenizer.ggml.pre",
        Meta::Text(vocabulary.split.to_owned()),
    );
    for (key, id) in [
        (
            "tokenizer.ggml.eos_token_id",
            end_token(&source.config, &vocabulary),
        ),
        ("tokenizer.ggml.bos_token_id", vocabulary.id(TEXT_END)),
        ("tokenizer.ggml.padding_token_id", vocabulary.id(TEXT_END)),
    ] {
        if let Some(id) = id {
            add(key, Meta::U32(id));
        }
    }
    add("tokenizer.ggml.add_bos_token", Meta::Bool(false));
    match &source.chat_template {
        Some(template) => add("tokenizer.chat_template", Meta::Text(template.clone())),
        None => {
            notes.push("the model brings no chat template: a server has to be told one".to_owned())
        }
    }
    if !vocabulary.is_exact {
        // Our reader takes this one; llama.cpp passes over it.
        let whole = String::from_utf8_lossy(&source.tokenizer).into_owned();
        add(WHOLE, Meta::Text(whole));
        notes.push(
            "the tokenizer splits text in a way of its own: here the file gives the model's tokens, llama.cpp comes near to them, and some of its replies to text differ"
                .to_owned(),
        );
    }
    add("tokenizer.ggml.tokens", Meta::Texts(vocabulary.tokens));
    add("tokenizer.ggml.token_type", Meta::I32s(vocabulary.kinds));
    add("tokenizer.ggml.merges", Meta::Texts(vocabulary.merges));
    Ok(entries)
}

fn network(config: &ModelConfig, name: &str, format: ExportFormat) -> Vec<(String, Meta)> {
    let architecture = config.architecture.gguf_name();
    let mut entries = vec![
        (
            "general.architecture".to_owned(),
            Meta::Text(architecture.to_owned()),
        ),
        ("general.type".to_owned(), Meta::Text("model".to_owned())),
        ("general.name".to_owned(), Meta::Text(name.to_owned())),
        ("general.quantization_version".to_owned(), Meta::U32(2)),
    ];
    // llama.cpp's `llama_ftype`; it guesses where there is none.
    let file_type = match format {
        ExportFormat::F32 => Some(0),
        ExportFormat::F16 => Some(1),
        ExportFormat::Q4 => Some(2),
        ExportFormat::Q8 => Some(7),
        ExportFormat::AsStored => None,
    };
    entries.extend(file_type.map(|kind| ("general.file_type".to_owned(), Meta::U32(kind))));
    // Every size was checked to be below 2^20 when it was read.
    let size = |value: usize| Meta::U32(value as u32);
    let mut add = |key: &str, value: Meta| entries.push((format!("{architecture}.{key}"), value));
    add("context_length", size(config.max_positions));
    add("embedding_length", size(config.hidden_size));
    add("block_count", size(config.layers));
    add("feed_forward_length", size(config.intermediate_size));
    add("attention.head_count", size(config.heads));
    add("attention.head_count_kv", size(config.kv_heads));
    if config.heads * config.head_dim != config.hidden_size {
        add("attention.key_length", size(config.head_dim));
        add("attention.value_length", size(config.head_dim));
    }
    add(
        "attention.layer_norm_rms_epsilon",
        Meta::F32(config.rms_norm_eps as f32),
    );
    add("rope.freq_base", Meta::F32(config.rope_theta as f32));
    add("vocab_size", size(config.vocab_size));
    entries
}

/// The token that ends a turn, where the model has one; else the first that ends a text.
fn end_token(config: &ModelConfig, vocabulary: &Vocabulary) -> Option<u32> {
    let turn = vocabulary.id(TURN_END);
    let ids = &config.eos_token_ids;
    turn.filter(|id| ids.contains(id))
        .or(ids.first().copied())
        .or(turn)
        .or(vocabulary.id(TEXT_END))
}

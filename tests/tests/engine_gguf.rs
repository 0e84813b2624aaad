//! GGUF files: the same model as from safetensors in every number format, and no crash on a broken one.

mod engine_support;

use candle_core::quantized::gguf_file::{self, Value as Meta};
use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{Device, Tensor};
use candle_signature::engine::{EngineError, LoadOptions, Model, Quantization, TokenId};
use engine_support::*;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::io::Cursor;

/// Rows of 256 values, as the K formats need.
fn config() -> Value {
    let mut config = random_config();
    for (key, value) in [
        ("hidden_size", 256),
        ("intermediate_size", 256),
        ("num_attention_heads", 4),
        ("num_hidden_layers", 1),
    ] {
        config[key] = json!(value);
    }
    config
}

fn gguf_name(name: &str) -> String {
    let name = name
        .replace("model.layers.", "blk.")
        .replace("self_attn.o_proj", "attn_output");
    let name = name
        .replace("self_attn.", "attn_")
        .replace("mlp.", "ffn_")
        .replace("_proj", "");
    let name = name
        .replace("input_layernorm", "attn_norm")
        .replace("post_attention_layernorm", "ffn_norm");
    name.replace("model.embed_tokens", "token_embd")
        .replace("model.norm", "output_norm")
        .replace("lm_head", "output")
}

fn metadata(config: &Value) -> Vec<(&'static str, Meta)> {
    let size = |key: &str| Meta::U32(config[key].as_u64().unwrap() as u32);
    vec![
        ("general.architecture", Meta::String("qwen2".to_owned())),
        (
            "general.tags",
            Meta::Array(vec![
                Meta::String("random".to_owned()),
                Meta::String("test".to_owned()),
            ]),
        ),
        ("qwen2.embedding_length", size("hidden_size")),
        ("qwen2.block_count", size("num_hidden_layers")),
        ("qwen2.feed_forward_length", size("intermediate_size")),
        ("qwen2.attention.head_count", size("num_attention_heads")),
        ("qwen2.attention.head_count_kv", size("num_key_value_heads")),
        ("qwen2.attention.layer_norm_rms_epsilon", Meta::F32(1e-6)),
        ("qwen2.rope.freq_base", Meta::F32(10000.0)),
        ("qwen2.context_length", size("max_position_embeddings")),
        ("tokenizer.ggml.eos_token_id", Meta::U32(270)),
    ]
}

/// A GGUF file with its matrices in one format, and the weights that it stands for.
fn gguf(config: &Value, dtype: GgmlDType) -> (Vec<u8>, HashMap<String, Tensor>) {
    let mut stored = HashMap::new();
    let mut tensors = Vec::new();
    for (name, tensor) in random_weights(config) {
        let dtype = if tensor.rank() == 1 {
            GgmlDType::F32
        } else {
            dtype
        };
        let quantized = QTensor::quantize(&tensor, dtype).unwrap();
        stored.insert(name.clone(), quantized.dequantize(&Device::Cpu).unwrap());
        tensors.push((gguf_name(&name), quantized));
    }
    (write(&metadata(config), &tensors), stored)
}

fn write(metadata: &[(&str, Meta)], tensors: &[(String, QTensor)]) -> Vec<u8> {
    let metadata: Vec<(&str, &Meta)> = metadata.iter().map(|(key, value)| (*key, value)).collect();
    let tensors: Vec<(&str, &QTensor)> = tensors
        .iter()
        .map(|(name, tensor)| (name.as_str(), tensor))
        .collect();
    let mut file = Cursor::new(Vec::new());
    gguf_file::write(&mut file, &metadata, &tensors).unwrap();
    file.into_inner()
}

fn load(bytes: &[u8]) -> Result<Model, EngineError> {
    Model::from_gguf_bytes(bytes, &byte_tokenizer_json(290), &Device::Cpu)
}

fn logits(model: &Model) -> Vec<f32> {
    let tokens: Vec<TokenId> = (0..9).map(|i| TokenId(i * 31)).collect();
    last_logits(model.network(), &tokens, &mut cache(model.network(), 9))
}

#[test]
fn every_format_gives_the_logits_of_the_weights_it_stands_for() {
    let folder = tempfile::tempdir().unwrap();
    for tied in [true, false] {
        let mut config = config();
        config["tie_word_embeddings"] = json!(tied);
        for dtype in [
            GgmlDType::F32,
            GgmlDType::F16,
            GgmlDType::BF16,
            GgmlDType::Q8_0,
            GgmlDType::Q4_0,
            GgmlDType::Q4_1,
            GgmlDType::Q5_0,
            GgmlDType::Q5_1,
            GgmlDType::Q4K,
            GgmlDType::Q5K,
            GgmlDType::Q6K,
        ] {
            let (bytes, stored) = gguf(&config, dtype);
            write_model(folder.path(), &config, &stored);
            let expected = logits(&Model::load_dir(folder.path(), &Device::Cpu).unwrap());
            let difference = max_difference(&logits(&load(&bytes).unwrap()), &expected);
            assert!(difference <= 1e-4, "{dtype:?}: {difference}");
        }
    }
}

#[test]
fn packed_formats_keep_the_files_own_blocks() {
    for (dtype, quantization, most) in [
        (GgmlDType::Q8_0, Quantization::Q8, 0.05),
        (GgmlDType::Q4_0, Quantization::AsStored, 0.05),
        (GgmlDType::F16, Quantization::AsStored, 0.08),
        (GgmlDType::Q6K, Quantization::AsStored, 0.08),
    ] {
        let (bytes, _) = gguf(&config(), dtype);
        let options = LoadOptions {
            quantization,
            ..LoadOptions::default()
        };
        let tokenizer = byte_tokenizer_json(290);
        let packed =
            Model::from_gguf_bytes_with(&bytes, &tokenizer, &Device::Cpu, &options).unwrap();
        let exact = logits(&load(&bytes).unwrap());
        let scale = exact.iter().fold(0f32, |most, logit| most.max(logit.abs()));
        let error = max_difference(&logits(&packed), &exact) / scale;
        assert!(error < most, "{dtype:?}: {error}");
        let bits = packed.network().weight_bytes() as f64 * 8.0;
        let weights = random_weights(&config())
            .values()
            .filter(|w| w.rank() == 2)
            .map(|w| w.elem_count())
            .sum::<usize>();
        let expected = if dtype == GgmlDType::Q4_0 { 4.5 } else { 8.5 };
        // 300 rows of the embedding are padded to 304.
        assert!(
            (bits / weights as f64 / expected - 1.0).abs() < 0.01,
            "{dtype:?}"
        );
    }
}

#[test]
fn a_folder_with_a_gguf_file_needs_no_config_json() {
    let folder = tempfile::tempdir().unwrap();
    let (bytes, _) = gguf(&config(), GgmlDType::Q8_0);
    std::fs::write(folder.path().join("weights.gguf"), &bytes).unwrap();
    std::fs::write(
        folder.path().join("tokenizer.json"),
        byte_tokenizer_json(290),
    )
    .unwrap();
    let model = Model::load_dir(folder.path(), &Device::Cpu).unwrap();
    assert_eq!(model.config(), load(&bytes).unwrap().config());
    assert_eq!(model.config().rms_norm_eps, 1e-6);
    assert_eq!(
        model.end_tokens(),
        [TokenId(257), TokenId(270)],
        "the metadata's and ChatML's"
    );
    std::fs::write(folder.path().join("other.gguf"), &bytes).unwrap();
    let error = Model::load_dir(folder.path(), &Device::Cpu).unwrap_err();
    assert!(
        matches!(error, EngineError::AmbiguousWeights { .. }),
        "{error}"
    );
}

#[test]
fn wrong_metadata_is_refused_by_its_key() {
    let weights = random_weights(&config());
    let tensors: Vec<_> = weights
        .iter()
        .map(|(name, tensor)| {
            (
                gguf_name(name),
                QTensor::quantize(tensor, GgmlDType::F32).unwrap(),
            )
        })
        .collect();
    let refusal = |key: &'static str, value: Option<Meta>| {
        let mut metadata = metadata(&config());
        metadata.retain(|(name, _)| *name != key);
        metadata.extend(value.map(|value| (key, value)));
        load(&write(&metadata, &tensors)).unwrap_err().to_string()
    };
    for key in [
        "general.architecture",
        "qwen2.embedding_length",
        "qwen2.block_count",
        "qwen2.context_length",
        "qwen2.attention.head_count",
        "qwen2.feed_forward_length",
        "qwen2.attention.layer_norm_rms_epsilon",
    ] {
        let message = refusal(key, None);
        assert!(
            message.contains(&format!("key `{key}` is missing")),
            "{message}"
        );
    }
    let message = refusal(
        "general.architecture",
        Some(Meta::String("llama".to_owned())),
    );
    assert!(message.contains("`llama` model"), "{message}");
    let message = refusal("qwen2.embedding_length", Some(Meta::U32(0)));
    assert!(
        message.contains("`qwen2.embedding_length` is 0"),
        "{message}"
    );
    let message = refusal("qwen2.block_count", Some(Meta::U32(2)));
    assert!(
        message.contains("model.layers.1.") && message.contains("missing"),
        "{message}"
    );
    let message = refusal(
        "qwen2.rope.scaling.type",
        Some(Meta::String("yarn".to_owned())),
    );
    assert!(message.contains("scaled rotary"), "{message}");
    let message = refusal("split.count", Some(Meta::U16(3)));
    assert!(message.contains("llama-gguf-split --merge"), "{message}");
}

#[test]
fn truncated_files_are_refused_at_every_length() {
    let (bytes, _) = gguf(&config(), GgmlDType::Q8_0);
    let lengths = (0..2000)
        .step_by(7)
        .chain([bytes.len() / 2, bytes.len() - 1]);
    for length in lengths {
        let error = load(&bytes[..length]).unwrap_err();
        assert!(
            matches!(error, EngineError::Gguf { .. }),
            "{length}: {error}"
        );
    }
}

#[test]
fn hostile_counts_and_lengths_are_refused_without_allocating() {
    let (bytes, _) = gguf(&config(), GgmlDType::Q8_0);
    for (at, what) in [
        (0, "magic"),
        (4, "version"),
        (8, "tensor count"),
        (16, "key count"),
        (24, "key length"),
    ] {
        let mut hostile = bytes.clone();
        hostile[at..at + 4].fill(0xFF);
        assert!(load(&hostile).is_err(), "{what}");
        hostile[at..at + 8].fill(0x7F);
        assert!(load(&hostile).is_err(), "{what}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_change_to_a_header_is_a_panic(changes in prop::collection::vec((0usize..1500, any::<u8>()), 1..6)) {
        use std::sync::LazyLock;
        static SOUND: LazyLock<Vec<u8>> = LazyLock::new(|| gguf(&config(), GgmlDType::Q4_0).0);
        let mut bytes = SOUND.clone();
        for (at, byte) in changes {
            bytes[at] = byte;
        }
        drop(load(&bytes));
    }
}

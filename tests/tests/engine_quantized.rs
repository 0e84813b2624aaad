//! Quantized weights: close to f32, equal to the file's own blocks, and the same bits in every batch and chunk.

mod engine_support;

use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{DType, Device, Tensor};
use candle_signature::engine::{
    EngineError, KvCache, KvFormat, LoadOptions, Model, ModelConfig, Quantization, Qwen2, Row,
    TokenId, Weights,
};
use engine_support::*;
use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::path::Path;

fn options(quantization: Quantization) -> LoadOptions {
    LoadOptions {
        quantization,
        threads: NonZeroUsize::new(2),
        ..LoadOptions::default()
    }
}

fn quantized(folder: &Path, options: &LoadOptions) -> Qwen2 {
    let config = std::fs::read(folder.join("config.json")).unwrap();
    let config = ModelConfig::from_json(&config, "config.json").unwrap();
    let weights = Weights::open_safetensors(folder).unwrap();
    Qwen2::load_with(config, &weights, &Device::Cpu, options).unwrap()
}

fn tokens(count: u32) -> Vec<TokenId> {
    (0..count).map(|i| TokenId(i * 53 % 320)).collect()
}

/// The part of the variance of `exact` that `rough` misses.
fn relative_error(rough: &[f32], exact: &[f32]) -> f32 {
    let mean = exact.iter().sum::<f32>() / exact.len() as f32;
    let missed: f32 = rough.iter().zip(exact).map(|(a, b)| (a - b).powi(2)).sum();
    let all: f32 = exact.iter().map(|value| (value - mean).powi(2)).sum();
    (missed / all).sqrt()
}

/// The matrices of a fixture as their blocks stand for them, in f32.
fn write_dequantized(name: &str, dtype: GgmlDType, folder: &Path) {
    let weights =
        candle_core::safetensors::load(data(name).join("model.safetensors"), &Device::Cpu).unwrap();
    let weights: HashMap<String, Tensor> = weights
        .into_iter()
        .map(|(name, tensor)| {
            let dtype = if name.contains("embed") {
                GgmlDType::Q8_0
            } else {
                dtype
            };
            let tensor = tensor.to_dtype(DType::F32).unwrap();
            match tensor.rank() {
                2 => (
                    name,
                    QTensor::quantize(&tensor, dtype)
                        .unwrap()
                        .dequantize(&Device::Cpu)
                        .unwrap(),
                ),
                _ => (name, tensor),
            }
        })
        .collect();
    candle_core::safetensors::save(&weights, folder.join("model.safetensors")).unwrap();
    std::fs::copy(data(name).join("config.json"), folder.join("config.json")).unwrap();
}

#[test]
fn logits_are_those_of_the_blocks_values_but_for_8_bit_activations() {
    let tokens = tokens(7);
    for name in [
        "tiny-random-qwen2",
        "small-random-qwen2",
        "tiny-random-qwen3",
    ] {
        for (quantization, dtype) in [
            (Quantization::Q8, GgmlDType::Q8_0),
            (Quantization::Q4, GgmlDType::Q4_0),
        ] {
            let folder = tempfile::tempdir().unwrap();
            write_dequantized(name, dtype, folder.path());
            let exact = load_network(folder.path());
            let expected = last_logits(&exact, &tokens, &mut cache(&exact, 7));
            let rough = quantized(&data(name), &options(quantization));
            let found = last_logits(&rough, &tokens, &mut cache(&rough, 7));
            let error = relative_error(&found, &expected);
            assert!(error < 0.08, "{name} {quantization:?}: {error}");
        }
    }
}

#[test]
fn as_stored_is_8_bits_for_safetensors() {
    let [stored, q8] = [Quantization::AsStored, Quantization::Q8].map(|quantization| {
        let network = quantized(&data("tiny-random-qwen2"), &options(quantization));
        last_logits(&network, &tokens(9), &mut cache(&network, 9))
    });
    assert_eq!(stored, q8);
}

#[test]
fn packed_weights_take_the_bytes_they_promise() {
    let bytes = |quantization| {
        quantized(&data("small-random-qwen2"), &options(quantization)).weight_bytes() as f64
    };
    let exact = bytes(Quantization::None);
    assert!((exact / bytes(Quantization::Q8) / (32.0 / 8.5) - 1.0).abs() < 0.02);
    assert!(bytes(Quantization::Q4) < 0.8 * bytes(Quantization::Q8));
}

#[test]
fn a_row_has_the_same_bits_alone_in_a_batch_in_chunks_and_on_any_number_of_threads() {
    let network = quantized(&data("tiny-random-qwen2"), &options(Quantization::Q8));
    let all = tokens(60);
    let whole = last_logits(&network, &all, &mut cache(&network, 60));
    for chunk in [1, 7, 31, 33] {
        let mut kept = cache(&network, 60);
        let last = all
            .chunks(chunk)
            .map(|piece| last_logits(&network, piece, &mut kept))
            .last();
        assert_eq!(last.as_ref(), Some(&whole), "chunks of {chunk}");
    }
    let prompts = [&all[..1], &all[..], &all[10..17], &all[5..40]];
    let mut caches: Vec<KvCache> = prompts.iter().map(|_| cache(&network, 60)).collect();
    let mut rows: Vec<Row> = prompts
        .iter()
        .zip(&mut caches)
        .map(|(tokens, cache)| Row {
            tokens,
            cache,
            logits: true,
        })
        .collect();
    let logits = network.forward(&mut rows).unwrap();
    for (index, prompt) in prompts.iter().enumerate() {
        let alone = last_logits(&network, prompt, &mut cache(&network, 60));
        assert_eq!(logits.get(index).unwrap().to_vec1::<f32>().unwrap(), alone);
    }
    for threads in [1, 3] {
        let options = LoadOptions {
            threads: NonZeroUsize::new(threads),
            ..options(Quantization::Q8)
        };
        let other = quantized(&data("tiny-random-qwen2"), &options);
        assert_eq!(other.threads(), threads);
        assert_eq!(last_logits(&other, &all, &mut cache(&other, 60)), whole);
    }
}

#[test]
fn widths_that_are_no_multiple_of_a_block_are_padded() {
    let config = random_config();
    let folder = tempfile::tempdir().unwrap();
    write_model(folder.path(), &config, &random_weights(&config));
    let exact = load_network(folder.path());
    let rough = quantized(folder.path(), &options(Quantization::Q8));
    let tokens: Vec<TokenId> = tokens(20)
        .iter()
        .map(|token| TokenId(token.0 % 300))
        .collect();
    let expected = last_logits(&exact, &tokens, &mut cache(&exact, 20));
    let found = last_logits(&rough, &tokens, &mut cache(&rough, 20));
    let error = relative_error(&found, &expected);
    assert!(error < 0.06, "{error}");
}

#[test]
fn a_weight_that_is_not_finite_is_named_while_packing() {
    let (config, folder) = (random_config(), tempfile::tempdir().unwrap());
    for name in [
        "model.layers.1.self_attn.v_proj.weight",
        "model.layers.0.mlp.up_proj.weight",
    ] {
        let mut weights = random_weights(&config);
        let shape = weights[name].dims().to_vec();
        let mut values: Vec<f32> = weights[name].flatten_all().unwrap().to_vec1().unwrap();
        values[101] = f32::NAN;
        weights.insert(
            name.to_owned(),
            Tensor::from_vec(values, shape, &Device::Cpu).unwrap(),
        );
        write_model(folder.path(), &config, &weights);
        let error = Model::load_dir_with(folder.path(), &Device::Cpu, &options(Quantization::Q4))
            .unwrap_err();
        match error {
            EngineError::WeightNotFinite {
                name: found,
                index: 101,
                ..
            } => assert_eq!(found, name),
            other => panic!("{other}"),
        }
    }
}

#[test]
fn a_files_own_blocks_are_taken_over_exactly() {
    // Values that are their own blocks' dequantization come back unchanged through packing.
    let config = random_config();
    let folder = tempfile::tempdir().unwrap();
    let mut weights = random_weights(&config);
    for tensor in weights.values_mut().filter(|tensor| tensor.rank() == 2) {
        let padded = tensor.pad_with_zeros(
            1,
            0,
            tensor.dim(1).unwrap().next_multiple_of(32) - tensor.dim(1).unwrap(),
        );
        let stored = QTensor::quantize(&padded.unwrap(), GgmlDType::Q8_0)
            .unwrap()
            .dequantize(&Device::Cpu)
            .unwrap();
        *tensor = stored
            .narrow(1, 0, tensor.dim(1).unwrap())
            .unwrap()
            .contiguous()
            .unwrap();
    }
    write_model(folder.path(), &config, &weights);
    let rough = quantized(folder.path(), &options(Quantization::Q8));
    let mut kept = cache(&rough, 1);
    let row = Row {
        tokens: &[TokenId(7)],
        cache: &mut kept,
        logits: false,
    };
    let embedding = rough.trace(&mut [row]).unwrap().remove(0);
    let expected = weights["model.embed_tokens.weight"].get(7).unwrap();
    let difference = (embedding.get(0).unwrap() - expected)
        .unwrap()
        .abs()
        .unwrap()
        .max_all()
        .unwrap();
    let difference: f32 = difference
        .to_dtype(DType::F32)
        .unwrap()
        .to_scalar()
        .unwrap();
    assert!(difference < 1e-6, "{difference}");
}

#[test]
fn keys_and_values_in_f16_cost_little_and_are_the_same_by_every_route() {
    let mut results = Vec::new();
    for (format, bytes) in [(KvFormat::F32, 4), (KvFormat::F16, 2)] {
        for quantization in [Quantization::None, Quantization::Q8] {
            let options = LoadOptions {
                kv_format: Some(format),
                ..options(quantization)
            };
            let network = quantized(&data("tiny-random-qwen2"), &options);
            let config = network.config();
            let values = 2 * config.layers * config.kv_heads * config.head_dim;
            assert_eq!(KvCache::bytes(config, 16), 16 * values * bytes);
            let tokens = tokens(45);
            let whole = last_logits(&network, &tokens, &mut cache(&network, 64));
            for chunk in [1, 7, 16] {
                let mut kept = cache(&network, 64);
                let mut last = Vec::new();
                for tokens in tokens.chunks(chunk) {
                    last = last_logits(&network, tokens, &mut kept);
                }
                assert_eq!(last, whole, "{format:?} {quantization:?} in {chunk}s");
            }
            results.push(whole);
        }
    }
    let [exact, exact_q8, rounded, rounded_q8] = results.as_slice() else {
        panic!("four results");
    };
    let error = relative_error(rounded, exact);
    assert!((1e-6..5e-3).contains(&error), "{error}");
    // Activations in 8 bits round differently where their values differ a little, so this is their error rather than
    // that of f16.
    let error = relative_error(rounded_q8, exact_q8);
    assert!((1e-6..0.1).contains(&error), "{error}");
    // What is not asked for: f16 beside quantized weights only.
    for (quantization, format) in [
        (Quantization::None, KvFormat::F32),
        (Quantization::Q8, KvFormat::F16),
        (Quantization::Q4, KvFormat::F16),
    ] {
        let network = quantized(&data("tiny-random-qwen2"), &options(quantization));
        assert_eq!(network.config().kv_format, format);
    }
}

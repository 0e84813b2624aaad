//! The network on a GPU against the network on the CPU in f32, within what bf16 costs. Needs a GPU when it runs:
//! `scripts/cuda/run_on_gpu.sh`.
#![cfg(feature = "cuda")]

#[path = "cuda_parts/batches.rs"]
mod batches;
#[path = "cuda_parts/choosing.rs"]
mod choosing;
mod engine_support;

use candle_core::{DType, Device, Tensor};
use candle_signature::engine::{
    Engine, EngineError, EngineOptions, GenerateRequest, KvCache, LoadOptions, Logits, Model,
    ModelConfig, Quantization, Qwen2, Row, TokenId, Tokenizer, Weights,
};
use engine_support::*;
use futures::executor::block_on;
use futures::future::join_all;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

fn gpu() -> Device {
    Device::new_cuda(0).expect("a GPU")
}

/// `|a - b| / |b|` over whole vectors.
fn relative_error(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    let norm = |values: &mut dyn Iterator<Item = f32>| values.map(|v| v * v).sum::<f32>().sqrt();
    norm(&mut a.iter().zip(b).map(|(a, b)| a - b)) / norm(&mut b.iter().copied())
}

/// bf16 has 8 bits: what a few roundings of it make of a sum.
const TOLERANCE: f32 = 2e-2;

fn load(folder: &Path, device: &Device) -> Qwen2 {
    load_in(Quantization::None, folder, device)
}

fn load_in(quantization: Quantization, folder: &Path, device: &Device) -> Qwen2 {
    let config = std::fs::read(folder.join("config.json")).unwrap();
    let config = ModelConfig::from_json(&config, "config.json").unwrap();
    let weights = Weights::open_safetensors(folder).unwrap();
    let options = LoadOptions {
        quantization,
        ..LoadOptions::default()
    };
    Qwen2::load_with(config, &weights, device, &options).unwrap()
}

/// The same network on the CPU and on the GPU, with weights that bf16 holds exactly.
fn both(config: &Value) -> (Qwen2, Qwen2) {
    both_in(Quantization::None, config)
}

/// A matrix of whole numbers times a power of two a row, one of which is 127: 8 bits and a scale hold it exactly, and so does
/// bf16.
fn whole_numbers(matrix: &Tensor) -> Tensor {
    let rows: Vec<Vec<f32>> = matrix.to_vec2().unwrap();
    let exact = |row: &Vec<f32>| -> Vec<f32> {
        let most = row.iter().fold(0f32, |most, value| most.max(value.abs()));
        let scale = (most / 127.0).log2().ceil().exp2();
        let mut row: Vec<f32> = row.iter().map(|v| (v / scale).round() * scale).collect();
        row[0] = 127.0 * scale;
        row
    };
    let rows: Vec<Vec<f32>> = rows.iter().map(exact).collect();
    Tensor::new(rows, &Device::Cpu).unwrap()
}

/// The f32 network on the CPU and one in this form on the GPU, with weights that the form holds exactly.
fn both_in(form: Quantization, config: &Value) -> (Qwen2, Qwen2) {
    let rounded: HashMap<String, Tensor> = random_weights(config)
        .into_iter()
        .map(|(name, weight)| {
            let scale = if config["hidden_size"].as_u64().unwrap() > 500 && weight.rank() == 2 {
                0.15
            } else {
                1.0
            };
            let weight = (weight * scale).unwrap();
            let rounded = match form {
                Quantization::Q8 if weight.rank() == 2 => whole_numbers(&weight),
                _ => weight.to_dtype(DType::BF16).unwrap(),
            };
            (name, rounded.to_dtype(DType::F32).unwrap())
        })
        .collect();
    let folder = tempfile::tempdir().unwrap();
    write_model(folder.path(), config, &rounded);
    (
        load(folder.path(), &Device::Cpu),
        load_in(form, folder.path(), &gpu()),
    )
}

/// The shape that the decode kernel is made for, with fewer layers and words.
fn wide_config(layers: usize, vocab: usize, tied: bool) -> Value {
    let mut config = random_config();
    let changes = json!({"hidden_size": 896, "intermediate_size": 4864, "num_hidden_layers": layers,
        "num_attention_heads": 14, "num_key_value_heads": 2, "vocab_size": vocab,
        "max_position_embeddings": 4096, "rope_theta": 1e6, "tie_word_embeddings": tied});
    for (key, value) in changes.as_object().unwrap() {
        config[key] = value.clone();
    }
    config
}

fn some_tokens(count: usize, vocab: u32, seed: u32) -> Vec<TokenId> {
    (0..count as u32)
        .map(|i| TokenId((i * 7919 + seed * 104_729 + i * i % 31) % vocab))
        .collect()
}

/// The logits of each row that wants them.
fn all_logits(network: &Qwen2, rows: &mut [Row<'_>]) -> Vec<Vec<f32>> {
    let mut logits = Logits::default();
    network
        .forward_into(rows, &[], |_| None, &mut logits)
        .unwrap();
    let all = (0..logits.rows()).map(|row| logits.row(row).to_vec());
    all.filter(|logits| !logits.is_empty()).collect()
}

fn cache_on(network: &Qwen2, capacity: usize) -> KvCache {
    KvCache::new(network.config(), capacity, network.device()).unwrap()
}

#[test]
fn goldens_hold_within_bf16() {
    for name in ["tiny-random-qwen2", "small-random-qwen2"] {
        let network = load(&data(name), &gpu());
        let goldens = json_file(&data(name).join("goldens.json"));
        for case in goldens["cases"].as_array().unwrap() {
            let (tokens, expected) = (ids(&case["tokens"]), floats(&case["logits"]));
            for first in [tokens.len(), 1, tokens.len() / 2] {
                let mut cache = cache_on(&network, tokens.len());
                let mut logits = Vec::new();
                for part in [&tokens[..first], &tokens[first..]] {
                    if !part.is_empty() {
                        logits = last_logits(&network, part, &mut cache);
                    }
                }
                let error = relative_error(&logits, &expected);
                assert!(
                    error < TOLERANCE,
                    "{name}, {} tokens: {error}",
                    tokens.len()
                );
            }
        }
    }
}

#[test]
fn ragged_rows_and_all_positions_equal_the_cpus() {
    for (heads, kv_heads, tied) in [(6, 2, true), (6, 6, false), (12, 1, true)] {
        let mut config = random_config();
        config["num_attention_heads"] = heads.into();
        config["num_key_value_heads"] = kv_heads.into();
        config["tie_word_embeddings"] = tied.into();
        let (cpu, cuda) = both(&config);
        let steps = [[1, 30, 17], [5, 1, 40], [1, 1, 1]];
        let mut caches: [Vec<KvCache>; 2] =
            [&cpu, &cuda].map(|network| (0..3).map(|_| cache_on(network, 128)).collect());
        for (number, lengths) in steps.iter().enumerate() {
            let tokens: Vec<_> = lengths
                .iter()
                .zip(0..)
                .map(|(length, row)| some_tokens(*length, 300, row + 10 * number as u32))
                .collect();
            let mut logits = [&cpu, &cuda]
                .into_iter()
                .zip(&mut caches)
                .map(|(network, caches)| {
                    let mut rows: Vec<Row<'_>> = caches
                        .iter_mut()
                        .zip(&tokens)
                        .enumerate()
                        .map(|(index, (cache, tokens))| Row {
                            tokens,
                            cache,
                            logits: index != 1,
                        })
                        .collect();
                    all_logits(network, &mut rows)
                });
            let (expected, found) = (logits.next().unwrap(), logits.next().unwrap());
            assert_eq!((expected.len(), found.len()), (2, 2));
            for (expected, found) in expected.iter().zip(&found) {
                let error = relative_error(found, expected);
                assert!(error < TOLERANCE, "{heads} heads, step {number}: {error}");
            }
        }
        let tokens = some_tokens(50, 300, 9);
        let [expected, found] = [&cpu, &cuda].map(|network| {
            let row = Row {
                tokens: &tokens,
                cache: &mut cache_on(network, 50),
                logits: false,
            };
            let logits = network.forward_all_positions(&mut [row]).unwrap();
            assert_eq!(logits.dims(), [50, 300]);
            logits.flatten_all().unwrap().to_vec1::<f32>().unwrap()
        });
        let error = relative_error(&found, &expected);
        assert!(error < TOLERANCE, "{heads} heads: {error}");
    }
}

#[test]
fn the_decode_kernel_equals_the_cpu_at_any_depth() {
    for (tied, form) in [(true, FORMS[0]), (false, FORMS[0]), (true, FORMS[1])] {
        let (cpu, cuda) = both_in(form, &wide_config(3, 1003, tied));
        assert!(
            cuda.cuda().unwrap().has_decode_kernel(),
            "run this on a Hopper GPU"
        );
        for depth in [1, 15, 16, 255, 256, 700, 2400] {
            let prompt = some_tokens(depth, 1003, depth as u32);
            let mut caches = [&cpu, &cuda].map(|network| cache_on(network, depth + 8));
            let [first, second] = &mut caches;
            last_logits(&cpu, &prompt, first);
            last_logits(&cuda, &prompt, second);
            for token in some_tokens(5, 1003, 77) {
                let expected = last_logits(&cpu, &[token], first);
                let found = last_logits(&cuda, &[token], second);
                let error = relative_error(&found, &expected);
                assert!(
                    error < TOLERANCE,
                    "tied {tied}, {form:?}, depth {depth}: {error}"
                );
            }
            // What the kernel stored is what the general pass would have: two tokens at once go through that one.
            let two = some_tokens(2, 1003, 5);
            let expected = last_logits(&cpu, &two, first);
            let error = relative_error(&last_logits(&cuda, &two, second), &expected);
            assert!(error < TOLERANCE, "after depth {depth}: {error}");
        }
    }
}

#[test]
fn replays_of_the_graph_are_launches_are_single_steps() {
    for form in FORMS {
        replays_are_launches_are_steps(form);
    }
}

fn replays_are_launches_are_steps(form: Quantization) {
    let (cpu, cuda) = both_in(form, &wide_config(3, 1003, true));
    let prompt = some_tokens(100, 1003, 3);
    let start = TokenId(17);
    let mut cache = cache_on(&cuda, 300);
    last_logits(&cuda, &prompt, &mut cache);
    let gpu = cuda.cuda().unwrap();
    let replayed = gpu.decode_greedy(&mut cache, start, 150, true).unwrap();
    assert_eq!(cache.len(), 250);
    cache.truncate(100);
    let launched = gpu.decode_greedy(&mut cache, start, 150, false).unwrap();
    assert_eq!(replayed, launched);
    cache.truncate(100);
    let mut token = start;
    let mut reference = cache_on(&cpu, 300);
    last_logits(&cpu, &prompt, &mut reference);
    for (step, expected) in replayed.iter().enumerate() {
        let logits = last_logits(&cuda, &[token], &mut cache);
        assert_eq!(argmax_first(&logits), *expected, "step {step}");
        // Greedy by the reference too, up to what bf16 cannot tell apart.
        let exact = last_logits(&cpu, &[token], &mut reference);
        let best = exact.iter().copied().fold(f32::MIN, f32::max);
        let margin = best - exact[expected.0 as usize];
        let spread = exact.iter().map(|v| v * v).sum::<f32>().sqrt() / (exact.len() as f32).sqrt();
        assert!(
            margin < 0.1 * spread,
            "step {step}: behind by {margin}, spread {spread}"
        );
        token = *expected;
    }
}

/// What the decode kernel's weights are kept in.
const FORMS: [Quantization; 2] = [Quantization::None, Quantization::Q8];

#[test]
fn what_8_bits_hold_is_half_of_what_a_step_reads() {
    let config = wide_config(2, 1003, false);
    let [sixteen, eight] = FORMS.map(|form| both_in(form, &config).1);
    let [sixteen, eight] = [&sixteen, &eight].map(|network| network.cuda().unwrap());
    let numbers = sixteen.step_bytes() / 2;
    let scales = eight.step_bytes() - numbers;
    assert!(
        scales > 0 && scales < numbers / 100,
        "{scales} of {numbers}"
    );
    let both = sixteen.weight_bytes() + eight.step_bytes();
    assert_eq!(eight.weight_bytes(), both);
    // A shape without a kernel has no use for them.
    let [sixteen, eight] = FORMS.map(|form| both_in(form, &random_config()).1);
    assert_eq!(eight.weight_bytes(), sixteen.weight_bytes());
}

/// The first of the largest, as the kernel chooses.
fn argmax_first(logits: &[f32]) -> TokenId {
    let mut best = 0;
    for (id, logit) in logits.iter().enumerate() {
        if *logit > logits[best] {
            best = id;
        }
    }
    TokenId(best as u32)
}

#[test]
fn what_does_not_fit_is_an_error_and_leaves_the_cache_as_it_was() {
    let (_, cuda) = both(&wide_config(1, 1003, true));
    let gpu = cuda.cuda().unwrap();
    let mut cache = cache_on(&cuda, 20);
    last_logits(&cuda, &some_tokens(10, 1003, 1), &mut cache);
    let error = gpu
        .decode_greedy(&mut cache, TokenId(1), 11, true)
        .unwrap_err();
    assert!(
        matches!(
            error,
            EngineError::CacheTooSmall {
                actual: 21,
                max: 20
            }
        ),
        "{error}"
    );
    let error = gpu
        .decode_greedy(&mut cache, TokenId(1003), 1, true)
        .unwrap_err();
    assert!(
        matches!(error, EngineError::TokenOutOfRange { id: 1003, .. }),
        "{error}"
    );
    assert_eq!(cache.len(), 10);
    assert_eq!(
        gpu.decode_greedy(&mut cache, TokenId(1), 10, true)
            .unwrap()
            .len(),
        10
    );
}

#[test]
fn the_engine_runs_on_the_gpu_with_batches_chunks_and_shared_beginnings() {
    let name = "tiny-random-qwen2";
    let reference = load(&data(name), &Device::Cpu);
    let tokenizer = Tokenizer::from_bytes(&byte_tokenizer_json(320), "test tokenizer").unwrap();
    let model = Arc::new(Model::new(load(&data(name), &gpu()), tokenizer).unwrap());
    let options = EngineOptions {
        max_rows: 4,
        prefill_chunk: 32,
        ..EngineOptions::default()
    };
    let engine = Engine::start(model, options).unwrap();
    let prompts: Vec<Vec<TokenId>> = (0..10)
        .map(|i| {
            let mut prompt = some_tokens(40, 320, 1);
            prompt.extend(some_tokens(1 + 9 * i as usize, 320, 2 + i));
            prompt
        })
        .collect();
    let requests = prompts
        .iter()
        .map(|prompt| engine.generate(GenerateRequest::greedy(prompt.clone(), 24)));
    let generations = block_on(join_all(requests));
    assert!(
        engine.stats().cache.reused_tokens > 0,
        "the first blocks are shared"
    );
    for (prompt, generation) in prompts.iter().zip(generations) {
        let tokens = generation.unwrap().tokens;
        assert_eq!(tokens.len(), 24);
        let mut cache = cache_on(&reference, prompt.len() + 24);
        let mut next = prompt.clone();
        for token in tokens {
            let exact = last_logits(&reference, &next, &mut cache);
            let best = exact.iter().copied().fold(f32::MIN, f32::max);
            let spread =
                exact.iter().map(|v| v * v).sum::<f32>().sqrt() / (exact.len() as f32).sqrt();
            let margin = best - exact[token.0 as usize];
            assert!(margin < 0.1 * spread, "behind by {margin}, spread {spread}");
            next = vec![token];
        }
    }
}

//! Decoding with and without the KV cache on random weights in the Qwen2.5-0.5B shape, interleaved.
//! `cargo bench -p candle-signature --bench kv_cache`

mod support;

use candle_core::Device;
use candle_signature::engine::{
    KvCache, ModelConfig, Qwen2, Row, TokenId, Weights, write_random_weights,
};
use std::error::Error;
use std::time::{Duration, Instant};
use support::{cpu, median, spread};

/// Qwen2.5-0.5B-Instruct's configuration, as far as its shape goes.
const CONFIG: &str = r#"{
    "architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2", "hidden_act": "silu", "hidden_size": 896,
    "intermediate_size": 4864, "num_hidden_layers": 24, "num_attention_heads": 14, "num_key_value_heads": 2,
    "vocab_size": 151936, "max_position_embeddings": 32768, "rms_norm_eps": 1e-6, "rope_theta": 1000000.0,
    "tie_word_embeddings": true
}"#;
const PROMPT: usize = 100;
/// Tokens decoded a round with the cache.
const WITH: usize = 20;
/// Tokens decoded a round without: each recomputes the whole sequence.
const WITHOUT: usize = 2;
const ROUNDS: usize = 5;

fn main() -> Result<(), Box<dyn Error>> {
    let network = load()?;
    let mut with = Vec::new();
    let mut without = Vec::new();
    for round in 0..ROUNDS {
        let (tokens, first) = decode_with_cache(&network)?;
        let (again, second) = decode_without_cache(&network)?;
        if tokens[..WITHOUT] != again {
            return Err("tokens with and without the cache differ".into());
        }
        println!(
            "round {}: {first:.2} tok/s with the cache, {second:.3} without",
            round + 1
        );
        with.push(first);
        without.push(second);
    }
    println!("{} threads, {}", network.threads(), cpu());
    println!("decode after {PROMPT} tokens, f32, median of {ROUNDS} rounds (least to most):");
    println!("  with the KV cache    {} tok/s", spread(&with, 2));
    println!("  without              {} tok/s", spread(&without, 3));
    println!(
        "  ratio                {:.1}",
        median(&with) / median(&without)
    );
    Ok(())
}

fn load() -> Result<Qwen2, Box<dyn Error>> {
    let config = ModelConfig::from_json(CONFIG.as_bytes(), "the bench's configuration")?;
    let folder = tempfile::tempdir()?;
    println!("writing random weights");
    write_random_weights(
        &config,
        1,
        &folder.path().join("model.safetensors"),
        |_, _| (),
    )?;
    let start = Instant::now();
    let network = Qwen2::load(
        config,
        &Weights::open_safetensors(folder.path())?,
        &Device::Cpu,
    )?;
    println!("loaded in {:.2?}", start.elapsed());
    Ok(network)
}

fn prompt() -> Vec<TokenId> {
    (0..PROMPT as u32)
        .map(|i| TokenId(i * 7919 % 151_643))
        .collect()
}

/// The tokens after the prompt and the rate at which they came; the prompt itself is not timed.
fn decode_with_cache(network: &Qwen2) -> Result<(Vec<TokenId>, f64), Box<dyn Error>> {
    let mut cache = KvCache::new(network.config(), PROMPT + WITH, &Device::Cpu)?;
    let mut next = step(network, &prompt(), &mut cache)?;
    let mut tokens = Vec::new();
    let start = Instant::now();
    for _ in 0..WITH {
        next = step(network, &[next], &mut cache)?;
        tokens.push(next);
    }
    Ok((tokens, rate(WITH, start.elapsed())))
}

fn decode_without_cache(network: &Qwen2) -> Result<(Vec<TokenId>, f64), Box<dyn Error>> {
    let mut cache = KvCache::new(network.config(), PROMPT + WITHOUT, &Device::Cpu)?;
    let mut sequence = prompt();
    sequence.push(step(network, &sequence, &mut cache)?);
    let start = Instant::now();
    for _ in 0..WITHOUT {
        cache.truncate(0);
        sequence.push(step(network, &sequence, &mut cache)?);
    }
    Ok((
        sequence.split_off(PROMPT + 1),
        rate(WITHOUT, start.elapsed()),
    ))
}

/// The likeliest token after these.
fn step(
    network: &Qwen2,
    tokens: &[TokenId],
    cache: &mut KvCache,
) -> Result<TokenId, Box<dyn Error>> {
    let row = Row {
        tokens,
        cache,
        logits: true,
    };
    let best = network
        .forward(&mut [row])?
        .argmax(1)?
        .get(0)?
        .to_scalar()?;
    Ok(TokenId(best))
}

fn rate(tokens: usize, time: Duration) -> f64 {
    tokens as f64 / time.as_secs_f64()
}

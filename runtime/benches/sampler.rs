//! What choosing a token out of 151,936 takes, as a share of a decode step of the Qwen2.5-0.5B shape at Q8, measured in
//! turn. `cargo bench -p candle-signature --bench sampler`

mod support;

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use candle_core::Device;
use candle_signature::engine::{
    KvCache, LoadOptions, ModelConfig, Quantization, Qwen2, Row, Sampler, SamplingParams, TokenId,
    Weights, log_sum_exp,
};
use support::{median, spread};

const ROUNDS: usize = 5;
/// Decode steps of a round.
const STEPS: usize = 24;
/// Choices of a round.
const CHOICES: usize = 40;
const DEPTH: usize = 100;
/// Tokens that the penalties know.
const SEEN: u32 = 600;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    support::write_model(folder.path())?;
    let network = load(folder.path())?;
    println!("{}, {} threads", support::cpu(), network.threads());
    let logits = logits(network.config().vocab_size);
    let mut steps = Vec::new();
    let mut times = vec![Vec::new(); kinds().len()];
    let mut totals = Vec::new();
    for _ in 0..ROUNDS {
        steps.push(decode(&network)?);
        for ((_, params), times) in kinds().into_iter().zip(&mut times) {
            times.push(choose(&params, &logits)?);
        }
        let start = Instant::now();
        for _ in 0..CHOICES {
            std::hint::black_box(log_sum_exp(std::hint::black_box(&logits)));
        }
        totals.push(micros(start, CHOICES));
    }
    println!("a decode step takes {} µs; of it", spread(&steps, 0));
    let step = median(&steps);
    for ((name, _), times) in kinds().into_iter().zip(&times) {
        let share = 100.0 * median(times) / step;
        println!("  {name:34} {} µs, {share:.2} %", spread(times, 1));
    }
    let share = 100.0 * median(&totals) / step;
    println!(
        "  {:34} {} µs, {share:.2} %",
        "log-probability, beside any of them",
        spread(&totals, 1)
    );
    Ok(())
}

fn load(folder: &Path) -> Result<Qwen2, Box<dyn Error>> {
    let config = std::fs::read(folder.join("config.json"))?;
    let config = ModelConfig::from_json(&config, "config.json")?;
    let options = LoadOptions {
        quantization: Quantization::Q8,
        ..LoadOptions::default()
    };
    let weights = Weights::open_safetensors(folder)?;
    Ok(Qwen2::load_with(config, &weights, &Device::Cpu, &options)?)
}

/// Bell-shaped, as logits are: the sum of four uniform numbers.
fn logits(vocabulary: usize) -> Vec<f32> {
    let mut state = 1u64;
    let mut uniform = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1u64 << 24) as f32
    };
    (0..vocabulary)
        .map(|_| (0..4).map(|_| uniform()).sum::<f32>() * 5.0)
        .collect()
}

fn kinds() -> Vec<(&'static str, SamplingParams)> {
    let greedy = SamplingParams::default();
    let sampled = SamplingParams {
        temperature: 0.8,
        seed: Some(1),
        ..greedy.clone()
    };
    let with_top_k = SamplingParams {
        top_k: Some(40),
        ..sampled.clone()
    };
    let with_top_p = SamplingParams {
        top_p: 0.95,
        ..sampled.clone()
    };
    let with_min_p = SamplingParams {
        min_p: 0.05,
        ..sampled.clone()
    };
    let penalties = SamplingParams {
        repetition_penalty: 1.1,
        presence_penalty: 0.5,
        frequency_penalty: 0.5,
        ..greedy.clone()
    };
    vec![
        ("greedy", greedy),
        ("top-k 40", with_top_k),
        ("top-p 0.95", with_top_p),
        ("min-p 0.05", with_min_p),
        ("temperature alone", sampled),
        ("all penalties over 600 tokens", penalties),
    ]
}

/// Microseconds of a choice.
fn choose(params: &SamplingParams, logits: &[f32]) -> Result<f64, Box<dyn Error>> {
    let seen: Vec<TokenId> = (0..SEEN).map(|id| TokenId(id * 251)).collect();
    let mut sampler = Sampler::new(params.clone(), &seen)?;
    seen.iter().for_each(|token| sampler.observe(*token));
    let mut took = 0.0;
    for _ in 0..CHOICES {
        let mut copy = logits.to_vec();
        let start = Instant::now();
        sampler.sample(&mut copy, 0)?;
        took += micros(start, 1);
    }
    Ok(took / CHOICES as f64)
}

/// Microseconds of a step at a depth of some hundred tokens.
fn decode(network: &Qwen2) -> Result<f64, Box<dyn Error>> {
    let mut cache = KvCache::new(network.config(), DEPTH + STEPS + 1, &Device::Cpu)?;
    let prompt: Vec<TokenId> = (0..DEPTH as u32)
        .map(|i| TokenId(i * 7919 % 151_643))
        .collect();
    let mut step = |tokens: &[TokenId], logits| {
        let cache = &mut cache;
        network.forward(&mut [Row {
            tokens,
            cache,
            logits,
        }])
    };
    step(&prompt, false)?;
    let start = Instant::now();
    for at in 0..STEPS as u32 {
        step(&[TokenId(at)], true)?;
    }
    Ok(micros(start, STEPS))
}

fn micros(start: Instant, count: usize) -> f64 {
    start.elapsed().as_secs_f64() * 1e6 / count as f64
}

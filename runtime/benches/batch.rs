//! Tokens a second of 1 to 32 requests that decode side by side in the engine, on random weights in the Qwen2.5-0.5B
//! shape at Q8, and the share of the arithmetic that prefill reaches on this machine.
//! `cargo bench -p candle-signature --bench batch`

mod support;

use std::error::Error;
use std::time::{Duration, Instant};

use candle_signature::adapter::{LoadOptions, LoadedModel, ModelPool, Quantization};
use candle_signature::engine::{EngineOptions, GenerateRequest, TokenId};
use futures_util::future::join_all;
use support::{median, spread};

const BATCHES: [usize; 6] = [1, 2, 4, 8, 16, 32];
const PROMPT: usize = 16;
const NEW: usize = 17;
const PREFILL: usize = 256;
const ROUNDS: usize = 3;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    support::write_model(&folder.path().join("random"))?;
    let options = LoadOptions {
        quantization: Quantization::Q8,
        ..LoadOptions::default()
    };
    // All prompts of a batch are read in one pass, so that its rows begin to decode together: rows that decode while others
    // are still read share their passes with those prompts.
    let engine = EngineOptions {
        prefill_chunk: PROMPT * BATCHES.into_iter().max().unwrap_or(1),
        ..EngineOptions::default()
    };
    let pool = ModelPool::new(folder.path())
        .with_options(options)
        .with_engine(engine);
    let model = pool.load_model("random").await?;
    let network = model.engine().model().network();
    println!("{}, {} threads", support::cpu(), network.threads());
    let mut rates = vec![Vec::new(); BATCHES.len()];
    let mut prefills = Vec::new();
    for round in 0..ROUNDS {
        prefills.push(prefill(&model, round).await?);
        for (size, rates) in BATCHES.into_iter().zip(&mut rates) {
            rates.push(decode(&model, size, round).await?);
        }
    }
    let config = network.config();
    // Multiplications a token: those of the layers, and in decoding those of the output head.
    let kv = 2 * config.kv_heads * config.head_dim;
    let attention = config.hidden_size * (2 * config.hidden_size + kv);
    let mlp = 3 * config.hidden_size * config.intermediate_size;
    let layers = (config.layers * (attention + mlp)) as f64;
    let head = (config.hidden_size * config.vocab_size) as f64;
    let limit = median(&prefills) * layers / (layers + head);
    println!(
        "prefill of {PREFILL} tokens: {} tok/s, which is the arithmetic of {limit:.0} decoded tok/s",
        spread(&prefills, 1)
    );
    let single = median(&rates[0]);
    let mut before = 0.0;
    for (size, rates) in BATCHES.into_iter().zip(&rates) {
        let rate = median(rates);
        println!(
            "{size:2} rows: {} tok/s in all, {:.2} times one row, {:.0} % of that arithmetic{}",
            spread(rates, 1),
            rate / single,
            100.0 * rate / limit,
            if rate < before {
                ", less than the batch before"
            } else {
                ""
            }
        );
        before = rate;
    }
    Ok(())
}

fn prompt(seed: usize, length: usize) -> Vec<TokenId> {
    (0..length)
        .map(|at| TokenId(((at * 7919 + seed * 104_729) % 151_643) as u32))
        .collect()
}

/// Tokens a second after the first token of each row.
async fn decode(model: &LoadedModel, size: usize, round: usize) -> Result<f64, Box<dyn Error>> {
    let requests = (0..size).map(|row| {
        model.engine().generate(GenerateRequest {
            batch_size: Some(size),
            batch_wait: Duration::from_secs(10),
            ..GenerateRequest::greedy(prompt(round * 1000 + size * 40 + row, PROMPT), NEW)
        })
    });
    let mut slowest = Duration::ZERO;
    for generation in join_all(requests).await {
        let generation = generation?;
        if generation.tokens.len() != NEW {
            return Err("a generation ended early".into());
        }
        slowest = slowest.max(generation.timings.decode);
    }
    Ok((size * (NEW - 1)) as f64 / slowest.as_secs_f64())
}

async fn prefill(model: &LoadedModel, round: usize) -> Result<f64, Box<dyn Error>> {
    let start = Instant::now();
    let request = GenerateRequest::greedy(prompt(90_000 + round, PREFILL), 1);
    model.engine().generate(request).await?;
    Ok(PREFILL as f64 / start.elapsed().as_secs_f64())
}

//! Prefill and decode of one sequence in the Qwen2.5-0.5B shape, against llama.cpp and candle-transformers on the same
//! file with the same threads, and as a share of what this machine's memory can deliver.
//!
//! `cargo bench -p candle-signature --bench engine`, with `-- q8 2` for one format on two threads only, with
//! `-- sampler` or `-- batches` for what choosing a token takes and for many rows at once.
//! llama.cpp is built by `scripts/bench/build_llama.sh`.

#[path = "support/gguf.rs"]
mod gguf;
#[path = "support/machine.rs"]
mod machine;
#[path = "support/peers.rs"]
mod peers;

use candle_core::Device;
use candle_core::quantized::GgmlDType;
use candle_signature::engine::{
    KvCache, LoadOptions, Quantization, Qwen2, Row, Sampler, SamplingParams, TokenId,
};
use machine::{Source, cpu, spread};
use peers::{LlamaBench, candle_rates};
use std::error::Error;
use std::num::NonZeroUsize;
use std::path::Path;
use std::time::Instant;

const FORMATS: [(&str, GgmlDType); 2] = [("q8", GgmlDType::Q8_0), ("q4", GgmlDType::Q4_0)];
const PREFILL: usize = 512;
const CHUNK: usize = 256;
const DEPTHS: [usize; 3] = [0, 512, 4096];
const DECODE: usize = 32;
const BATCHES: [usize; 6] = [1, 2, 4, 8, 16, 32];
const BATCH_DEPTH: usize = 64;
const BATCH_STEPS: u32 = 8;
/// Rounds in which all take their turns.
const ROUNDS: usize = 3;

fn main() -> Result<(), Box<dyn Error>> {
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| !arg.starts_with('-'))
        .collect();
    if let [peer, file] = wanted.as_slice()
        && peer == peers::CANDLE
    {
        return peers::run_candle(file.as_ref());
    }
    let named = |name: &str| wanted.iter().any(|word| word == name);
    println!("{}", cpu());
    if named("sampler") {
        return measure_sampler(151_936);
    }
    let llama = LlamaBench::find();
    if llama.is_none() {
        println!(
            "llama.cpp is not built, its figures are left out: run scripts/bench/build_llama.sh, or name a llama-bench in $LLAMA_BENCH"
        );
    }
    let format = FORMATS.iter().any(|(name, _)| named(name));
    let count = wanted.iter().find_map(|word| word.parse().ok());
    let most = std::thread::available_parallelism()?;
    let counts = count.map_or_else(|| vec![NonZeroUsize::MIN, most], |count| vec![count]);
    let (folder, source) = (tempfile::tempdir()?, Source::new()?);
    for (name, format) in FORMATS.iter().filter(|(name, _)| !format || named(name)) {
        let file = folder.path().join(format!("{name}.gguf"));
        gguf::write_gguf(&file, *format)?;
        let networks = counts
            .iter()
            .map(|threads| load(&file, *threads))
            .collect::<Result<Vec<_>, _>>()?;
        let bytes = networks[0].weight_bytes();
        println!("\n{name}: {:.0} MB of weights", bytes as f64 / 1e6);
        if named("batches") {
            networks
                .iter()
                .try_for_each(|network| measure_batches(network, name))?;
            continue;
        }
        let mut caches = Vec::new();
        for depth in DEPTHS {
            let network = &networks[networks.len() - 1];
            let mut cache = KvCache::new(network.config(), depth + DECODE + 1, &Device::Cpu)?;
            prefill_to(network, &mut cache, depth)?;
            caches.push(cache);
        }
        for network in &networks {
            measure(network, &mut caches, &file, &source, llama.as_ref())?;
        }
        std::fs::remove_file(&file)?;
    }
    Ok(())
}

fn load(file: &Path, threads: NonZeroUsize) -> Result<Qwen2, Box<dyn Error>> {
    let options = LoadOptions {
        quantization: Quantization::AsStored,
        threads: Some(threads),
        ..LoadOptions::default()
    };
    Ok(Qwen2::load_gguf(file, &Device::Cpu, &options)?)
}

/// Tokens a second of each round.
#[derive(Default)]
struct Rates {
    prefill: Vec<f64>,
    decode: [Vec<f64>; DEPTHS.len()],
}

fn measure(
    network: &Qwen2,
    caches: &mut [KvCache],
    file: &Path,
    source: &Source,
    llama: Option<&LlamaBench>,
) -> Result<(), Box<dyn Error>> {
    let threads = network.threads();
    let (mut ours, mut theirs, mut bandwidth) = (Rates::default(), Rates::default(), Vec::new());
    for round in 0..ROUNDS {
        bandwidth.push(source.rate(threads) / 1e9);
        let mut cache = KvCache::new(network.config(), PREFILL, &Device::Cpu)?;
        let start = Instant::now();
        prefill_to(network, &mut cache, PREFILL)?;
        ours.prefill
            .push(PREFILL as f64 / start.elapsed().as_secs_f64());
        if let Some(llama) = llama {
            theirs
                .prefill
                .extend(llama.rates(file, threads, (PREFILL, 0, 0), 1)?);
        }
        for (index, (depth, cache)) in DEPTHS.into_iter().zip(&mut *caches).enumerate() {
            cache.truncate(depth);
            let mut next = step(network, &[TokenId(1)], cache)?;
            let start = Instant::now();
            for _ in 0..DECODE {
                next = step(network, &[next], cache)?;
            }
            ours.decode[index].push(DECODE as f64 / start.elapsed().as_secs_f64());
            // At the greatest depth llama.cpp fills its cache once for all of its rounds: it takes most of a minute.
            let (deepest, last) = (index + 1 == DEPTHS.len(), round + 1 == ROUNDS);
            if let Some(llama) = llama
                && (!deepest || last)
            {
                let rounds = if deepest { ROUNDS } else { 1 };
                let rates = llama.rates(file, threads, (0, DECODE, depth), rounds)?;
                theirs.decode[index].extend(rates);
            }
        }
    }
    let candle = candle_rates(file, threads)?;
    println!(
        "  {threads} threads; memory reads at {} GB/s",
        spread(&mut bandwidth)
    );
    let limit = bandwidth[ROUNDS / 2] * 1e9 / network.weight_bytes() as f64;
    report(
        &format!("prefill {PREFILL}"),
        &mut ours.prefill,
        &mut theirs.prefill,
        candle.0,
        None,
    );
    for (index, depth) in DEPTHS.into_iter().enumerate() {
        let name = format!("decode at depth {depth}");
        let (ours, theirs) = (&mut ours.decode[index], &mut theirs.decode[index]);
        report(&name, ours, theirs, candle.1, Some(limit));
    }
    Ok(())
}

/// `limit` is the tokens a second at which the weights alone take all of the memory's bandwidth.
fn report(name: &str, ours: &mut [f64], llama: &mut [f64], candle: f64, limit: Option<f64>) {
    let text = spread(ours);
    let ours = ours[ours.len() / 2];
    println!("    {name}: {text} tok/s");
    if let Some(limit) = limit {
        println!(
            "      {:.0} % of the memory's limit of {limit:.1}",
            ours / limit * 100.0
        );
    }
    if !llama.is_empty() {
        let text = spread(llama);
        println!(
            "      {:.2} times llama.cpp's {text}",
            ours / llama[llama.len() / 2]
        );
    }
    println!(
        "      {:.2} times candle-transformers' {candle:.1} (depth 256)",
        ours / candle
    );
}

/// What choosing a token out of the whole vocabulary takes.
fn measure_sampler(vocabulary: usize) -> Result<(), Box<dyn Error>> {
    // Bell-shaped, as logits are: the sum of four uniform numbers.
    let mut state = 1u64;
    let mut uniform = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1u64 << 24) as f32
    };
    let logits: Vec<f32> = (0..vocabulary)
        .map(|_| (0..4).map(|_| uniform()).sum::<f32>() * 5.0)
        .collect();
    let sampled = SamplingParams {
        temperature: 0.7,
        seed: Some(1),
        ..SamplingParams::default()
    };
    let (top_k, top_p) = (Some(20), 0.8);
    println!("\nchoosing one of {vocabulary} tokens, median of 200:");
    for (name, params) in [
        ("greedy", SamplingParams::default()),
        (
            "top-k 20, top-p 0.8",
            SamplingParams {
                top_k,
                top_p,
                ..sampled.clone()
            },
        ),
        (
            "top-p 0.8",
            SamplingParams {
                top_p,
                ..sampled.clone()
            },
        ),
        ("temperature only", sampled),
    ] {
        let mut sampler = Sampler::new(params, &[])?;
        let mut copy = logits.clone();
        let mut times = Vec::new();
        for _ in 0..200 {
            let start = Instant::now();
            sampler.sample(&mut copy, 0)?;
            times.push(start.elapsed().as_secs_f64() * 1e6);
        }
        println!("  {name}: {} µs", spread(&mut times));
    }
    Ok(())
}

/// Tokens a second of all rows together, by the number of rows that decode side by side.
fn measure_batches(network: &Qwen2, name: &str) -> Result<(), Box<dyn Error>> {
    let mut single = 0.0;
    for rows in BATCHES {
        let new_cache = || KvCache::new(network.config(), BATCH_DEPTH + DECODE + 1, &Device::Cpu);
        let mut caches = (0..rows)
            .map(|_| new_cache())
            .collect::<Result<Vec<_>, _>>()?;
        for cache in &mut caches {
            prefill_to(network, cache, BATCH_DEPTH)?;
        }
        let mut rates = Vec::new();
        for _ in 0..ROUNDS {
            let start = Instant::now();
            for step in 0..BATCH_STEPS {
                let tokens = [TokenId(step)];
                let row = |cache| Row {
                    tokens: &tokens,
                    cache,
                    logits: true,
                };
                network.forward(&mut caches.iter_mut().map(row).collect::<Vec<_>>())?;
            }
            rates.push((rows * BATCH_STEPS as usize) as f64 / start.elapsed().as_secs_f64());
            caches
                .iter_mut()
                .for_each(|cache| cache.truncate(BATCH_DEPTH));
        }
        let text = spread(&mut rates);
        if rows == 1 {
            single = rates[ROUNDS / 2];
        }
        println!(
            "  {name} {rows} rows: {text} tok/s in all, {:.1} times one row",
            rates[ROUNDS / 2] / single
        );
    }
    Ok(())
}

fn prefill_to(network: &Qwen2, cache: &mut KvCache, length: usize) -> Result<(), Box<dyn Error>> {
    let tokens: Vec<TokenId> = (0..length as u32)
        .map(|i| TokenId(i * 7919 % 151_643))
        .collect();
    for chunk in tokens.chunks(CHUNK) {
        let row = Row {
            tokens: chunk,
            cache,
            logits: false,
        };
        network.forward(&mut [row])?;
    }
    Ok(())
}

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

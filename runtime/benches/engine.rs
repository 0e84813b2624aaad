//! Prefill and decode of one sequence in the Qwen2.5-0.5B shape, against llama.cpp and candle-transformers on the same
//! file with the same threads, and as a share of what this machine's memory can deliver.
//!
//! `cargo bench -p candle-signature --bench engine`, with `-- q8 2` for one format on two threads only, with `-- shallow`
//! without the greatest depth, whose prompt takes llama.cpp most of a minute.
//! llama.cpp is built by `scripts/bench/build_llama.sh`.

#[path = "support/gguf.rs"]
mod gguf;
#[path = "support/machine.rs"]
mod machine;
#[path = "support/peers.rs"]
mod peers;
mod support;

use candle_core::Device;
use candle_core::quantized::GgmlDType;
use candle_signature::engine::{KvCache, LoadOptions, Quantization, Qwen2, Row, TokenId};
use machine::Source;
use peers::{LlamaBench, candle_rates};
use std::error::Error;
use std::num::NonZeroUsize;
use std::path::Path;
use std::time::Instant;
use support::{cpu, median, spread};

const FORMATS: [(&str, GgmlDType); 2] = [("q8", GgmlDType::Q8_0), ("q4", GgmlDType::Q4_0)];
const PREFILL: usize = 512;
const CHUNK: usize = 256;
const DEPTHS: [usize; 3] = [0, 512, 4096];
const DECODE: usize = 32;
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
    let depths = &DEPTHS[..DEPTHS.len() - usize::from(named("shallow"))];
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
        let mut caches = Vec::new();
        for depth in depths {
            let network = &networks[networks.len() - 1];
            let mut cache = KvCache::new(network.config(), depth + DECODE + 1, &Device::Cpu)?;
            prefill_to(network, &mut cache, *depth)?;
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
        spread(&bandwidth, 1)
    );
    let limit = median(&bandwidth) * 1e9 / network.weight_bytes() as f64;
    report(
        &format!("prefill {PREFILL}"),
        &ours.prefill,
        &theirs.prefill,
        candle.0,
        None,
    );
    for (index, depth) in DEPTHS.into_iter().enumerate().take(caches.len()) {
        let name = format!("decode at depth {depth}");
        let (ours, theirs) = (&ours.decode[index], &theirs.decode[index]);
        report(&name, ours, theirs, candle.1, Some(limit));
    }
    Ok(())
}

/// `limit` is the tokens a second at which the weights alone take all of the memory's bandwidth.
fn report(name: &str, ours: &[f64], llama: &[f64], candle: f64, limit: Option<f64>) {
    println!("    {name}: {} tok/s", spread(ours, 1));
    let ours = median(ours);
    if let Some(limit) = limit {
        let share = ours / limit * 100.0;
        println!("      {share:.0} % of the memory's limit of {limit:.1}");
    }
    if !llama.is_empty() {
        let ratio = ours / median(llama);
        println!("      {ratio:.2} times llama.cpp's {}", spread(llama, 1));
    }
    let ratio = ours / candle;
    println!(
        "      {ratio:.2} times candle-transformers' {candle:.1} (at depth {})",
        peers::PROMPT
    );
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

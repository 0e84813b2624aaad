//! Prefill and decode of one sequence in the Qwen2.5-0.5B shape, by weight format and depth, as a share of what this
//! machine's memory can deliver. `cargo bench -p candle-signature --bench engine`, with `-- q8 2` for one format on
//! two threads only.

use candle_core::Device;
use candle_signature::engine::{
    KvCache, LoadOptions, ModelConfig, Quantization, Qwen2, Row, Sampler, SamplingParams, TokenId,
    Weights, write_random_weights,
};
use std::error::Error;
use std::num::NonZeroUsize;
use std::time::Instant;

/// Qwen2.5-0.5B-Instruct's configuration, as far as its shape goes.
const CONFIG: &str = r#"{
    "architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2", "hidden_act": "silu", "hidden_size": 896,
    "intermediate_size": 4864, "num_hidden_layers": 24, "num_attention_heads": 14, "num_key_value_heads": 2,
    "vocab_size": 151936, "max_position_embeddings": 32768, "rms_norm_eps": 1e-6, "rope_theta": 1000000.0,
    "tie_word_embeddings": true
}"#;
const FORMATS: [(&str, Quantization); 2] = [("q8", Quantization::Q8), ("q4", Quantization::Q4)];
const PREFILL: usize = 512;
const CHUNK: usize = 256;
const DEPTHS: [usize; 3] = [0, 512, 4096];
const DECODE: usize = 32;
const BATCHES: [usize; 6] = [1, 2, 4, 8, 16, 32];
const BATCH_DEPTH: usize = 64;
const BATCH_STEPS: u32 = 8;
const ROUNDS: usize = 5;

fn main() -> Result<(), Box<dyn Error>> {
    let config = ModelConfig::from_json(CONFIG.as_bytes(), "the bench's configuration")?;
    let folder = tempfile::tempdir()?;
    write_random_weights(
        &config,
        1,
        &folder.path().join("model.safetensors"),
        |_, _| (),
    )?;
    let weights = Weights::open_safetensors(folder.path())?;
    println!("{}", cpu());
    measure_sampler(config.vocab_size)?;
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| !arg.starts_with('-'))
        .collect();
    let named = |name: &str| wanted.iter().any(|word| word == name);
    let format = FORMATS.iter().any(|(name, _)| named(name));
    let count = wanted.iter().find_map(|word| word.parse().ok());
    let most = std::thread::available_parallelism()?;
    let counts = count.map_or_else(|| vec![NonZeroUsize::MIN, most], |count| vec![count]);
    for threads in counts {
        let bandwidth = read_bandwidth(threads.get());
        println!(
            "\n{threads} threads; memory reads at {:.1} GB/s",
            bandwidth / 1e9
        );
        for (name, quantization) in FORMATS {
            if format && !named(name) {
                continue;
            }
            let options = LoadOptions {
                quantization,
                threads: Some(threads),
            };
            // Begins the peak anew.
            drop(std::fs::write("/proc/self/clear_refs", "5"));
            let before = memory("VmRSS");
            let start = Instant::now();
            let network = Qwen2::load_with(config.clone(), &weights, &Device::Cpu, &options)?;
            let bytes = network.weight_bytes();
            let (size, time) = (bytes as f64 / 1e6, start.elapsed());
            let peak = memory("VmHWM") - before;
            println!("{name}: {size:.0} MB packed in {time:.2?}, with {peak:.0} MB at most");
            measure(&network, name, bandwidth / bytes as f64)?;
            measure_batches(&network, name)?;
        }
    }
    Ok(())
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

/// `limit` is the tokens a second at which the weights alone take all of the memory's bandwidth.
fn measure(network: &Qwen2, name: &str, limit: f64) -> Result<(), Box<dyn Error>> {
    let mut prefill = Vec::new();
    let mut decode = vec![Vec::new(); DEPTHS.len()];
    let mut caches = Vec::new();
    for depth in DEPTHS {
        let mut cache = KvCache::new(network.config(), depth + DECODE + 1, &Device::Cpu)?;
        prefill_to(network, &mut cache, depth)?;
        caches.push(cache);
    }
    for _ in 0..ROUNDS {
        let mut cache = KvCache::new(network.config(), PREFILL, &Device::Cpu)?;
        let start = Instant::now();
        prefill_to(network, &mut cache, PREFILL)?;
        prefill.push(PREFILL as f64 / start.elapsed().as_secs_f64());
        for ((depth, cache), rates) in DEPTHS.iter().zip(&mut caches).zip(&mut decode) {
            cache.truncate(*depth);
            let mut next = step(network, &[TokenId(1)], cache)?;
            let start = Instant::now();
            for _ in 0..DECODE {
                next = step(network, &[next], cache)?;
            }
            rates.push(DECODE as f64 / start.elapsed().as_secs_f64());
        }
    }
    println!("  {name} prefill {PREFILL}: {} tok/s", spread(&mut prefill));
    for (depth, rates) in DEPTHS.iter().zip(&mut decode) {
        let text = spread(rates);
        let share = rates[ROUNDS / 2] / limit * 100.0;
        println!(
            "  {name} decode at depth {depth}: {text} tok/s, {share:.0} % of the limit of {limit:.0}"
        );
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

/// Sorts the figures; the median is then in the middle.
fn spread(figures: &mut [f64]) -> String {
    figures.sort_by(f64::total_cmp);
    let (least, median, most) = (
        figures[0],
        figures[figures.len() / 2],
        figures[figures.len() - 1],
    );
    format!("{median:.1} ({least:.1} to {most:.1})")
}

/// Bytes a second that these many threads read from a gigabyte, the median of several passes.
fn read_bandwidth(threads: usize) -> f64 {
    let data = vec![1u64; 1 << 27];
    let mut rates: Vec<f64> = (0..7)
        .map(|_| {
            let start = Instant::now();
            let sum: u64 = std::thread::scope(|scope| {
                let parts: Vec<_> = data
                    .chunks(data.len() / threads)
                    .map(|part| scope.spawn(move || sum(part)))
                    .collect();
                parts
                    .into_iter()
                    .map(|part| part.join().unwrap_or_default())
                    .fold(0, u64::wrapping_add)
            });
            std::hint::black_box(sum);
            (data.len() * 8) as f64 / start.elapsed().as_secs_f64()
        })
        .collect();
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}

fn sum(part: &[u64]) -> u64 {
    let mut sums = [0u64; 32];
    for chunk in part.as_chunks::<32>().0 {
        for (sum, value) in sums.iter_mut().zip(chunk) {
            *sum = sum.wrapping_add(*value);
        }
    }
    sums.into_iter().fold(0, u64::wrapping_add)
}

/// A figure of this process in megabytes; 0 where the system does not say.
fn memory(figure: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(figure));
    let kibibytes = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok());
    kibibytes.unwrap_or_default() * 1.024e-3
}

fn cpu() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = info
        .lines()
        .find_map(|line| line.strip_prefix("model name"));
    name.map_or("unknown processor".to_owned(), |name| {
        name.trim_start_matches(['\t', ':', ' ']).to_owned()
    })
}

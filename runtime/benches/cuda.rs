//! Decoding, prefill and batches of random weights in the Qwen2.5-0.5B shape on a GPU, against the memory's own speed and
//! against the figures of `scripts/cuda/torch_reference.py` from the same GPU, if a file of them is given.
//!
//! `cargo bench --features cuda --bench cuda -- [reference.json]`; `-- --rows 64` runs nothing but so many sequences side by
//! side, for a profiler.

mod support;

use candle_core::cuda_backend::cudarc::driver::{CudaStream, sys};
use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use candle_signature::adapter::{Constraint, ModelPool};
use candle_signature::engine::{
    Engine, EngineOptions, GenerateRequest, KvCache, LoadOptions, Logits, Model, Quantization,
    Qwen2, Row, TokenId,
};
use candle_transformers::models::qwen2::{Config, ModelForCausalLM};
use futures_util::future::join_all;
use serde_json::json;
use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

type Outcome<T> = Result<T, Box<dyn Error>>;

const DEPTH: usize = 512;
const NEW: usize = 128;
const RUNS: usize = 7;

fn main() -> Outcome<()> {
    let reference: Option<serde_json::Value> =
        match std::env::args().skip(1).find(|a| a.ends_with(".json")) {
            Some(path) => Some(serde_json::from_slice(&std::fs::read(path)?)?),
            None => None,
        };
    let device = Device::new_cuda(0)?;
    let stream = device.as_cuda_device()?.cuda_stream();
    println!("device: {}", stream.context().name()?);
    let before = stream.context().mem_get_info()?.0;
    let bandwidth = copy_bandwidth(&device, &stream)?;
    println!(
        "copy bandwidth: {:.0} GB/s (read and written)",
        bandwidth / 1e9
    );

    let folder = tempfile::tempdir()?;
    support::write_model(folder.path())?;
    let begin = Instant::now();
    let model = Arc::new(Model::load_dir(folder.path(), &device)?);
    let network = model.network();
    let bytes = network.weight_bytes();
    println!(
        "loaded in {:.1} s, {:.0} MB of weights",
        begin.elapsed().as_secs_f64(),
        bytes as f64 / 1e6
    );
    if let Some(rows) = std::env::args().skip_while(|a| a != "--rows").nth(1) {
        let rows = rows.parse()?;
        println!(
            "engine, {rows} sequences: {:.0} tok/s",
            engine_rate(&model, rows)?
        );
        return Ok(());
    }
    let limit = bandwidth / bytes as f64;
    println!("limit by bandwidth: {limit:.0} tok/s for one sequence");

    let mut cache = KvCache::new(network.config(), DEPTH + NEW, &device)?;
    let prompt = prompt(1);
    let ttft = median(RUNS, || {
        cache.truncate(0);
        forward(network, &prompt, &mut cache)
    })?;
    println!(
        "prefill of {DEPTH} tokens: {:.2} ms",
        ttft.as_secs_f64() * 1e3
    );

    let gpu = network.cuda().ok_or("the network is not on the GPU")?;
    let mut single = 0.0;
    for (name, graph) in [("graph", true), ("launches", false)] {
        let time = median(RUNS, || {
            cache.truncate(DEPTH);
            gpu.decode_greedy(&mut cache, TokenId(5), NEW, graph)
                .map(drop)
        })?;
        let rate = NEW as f64 / time.as_secs_f64();
        single = f64::max(single, rate);
        println!(
            "one sequence, {NEW} tokens at depth {DEPTH}, {name}: {rate:.0} tok/s, {:.1} us a token, {:.1} % of the limit",
            1e6 / rate,
            100.0 * rate / limit
        );
    }
    let time = median(RUNS, || {
        cache.truncate(DEPTH);
        (0..NEW).try_for_each(|_| forward(network, &[TokenId(5)], &mut cache))
    })?;
    println!(
        "one sequence, logits on the host each step: {:.0} tok/s",
        NEW as f64 / time.as_secs_f64()
    );
    let used = before.saturating_sub(stream.context().mem_get_info()?.0);
    println!(
        "GPU memory over weights and KV: {:.0} MB",
        (used as f64 - bytes as f64 - KvCache::bytes(network.config(), DEPTH + NEW) as f64) / 1e6
    );

    let mut engine = Vec::new();
    for rows in [1, 2, 8, 64, 256] {
        let rate = engine_rate(&model, rows)?;
        println!(
            "engine, {rows} sequences side by side: {rate:.0} tok/s, {:.2} ms a step",
            1e3 * rows as f64 / rate
        );
        engine.push((rows, rate));
    }
    first_tokens(&model)?;
    drop(cache);
    drop(model);
    eight_bits(folder.path(), &device, bandwidth, single)?;
    constrained(folder.path())?;
    let stock = stock_candle(folder.path(), &device)?;
    println!(
        "one sequence, ratio to candle-transformers' qwen2 in bf16 ({stock:.0} tok/s): {:.2}",
        single / stock
    );
    if let Some(reference) = reference {
        for (key, name) in [
            ("compiled_graph_b1", "compiled torch in a graph"),
            ("graph_b1", "torch in a graph"),
            ("transformers_eager", "transformers, eager"),
        ] {
            if let Some(theirs) = reference[key].as_f64() {
                println!(
                    "one sequence, ratio to {name} ({theirs:.0} tok/s): {:.2} (graph), {:.2} (engine)",
                    single / theirs,
                    engine[0].1 / theirs
                );
            }
        }
        for (rows, rate) in engine {
            for (kind, name) in [("graph", "torch"), ("compiled_graph", "compiled torch")] {
                if let Some(theirs) = reference[format!("{kind}_b{rows}")].as_f64() {
                    println!(
                        "engine, {rows} sequences, ratio to {name} in a graph ({theirs:.0} tok/s): {:.2}",
                        rate / theirs
                    );
                }
            }
        }
    }
    Ok(())
}

/// The same weights in 8 bits, for one sequence.
fn eight_bits(folder: &Path, device: &Device, bandwidth: f64, sixteen: f64) -> Outcome<()> {
    let options = LoadOptions {
        quantization: Quantization::Q8,
        ..LoadOptions::default()
    };
    let model = Arc::new(Model::load_dir_with(folder, device, &options)?);
    let network = model.network();
    let gpu = network.cuda().ok_or("the network is not on the GPU")?;
    let bytes = gpu.step_bytes();
    let limit = bandwidth / bytes as f64;
    let mut cache = KvCache::new(network.config(), DEPTH + NEW, device)?;
    forward(network, &prompt(1), &mut cache)?;
    let time = median(RUNS, || {
        cache.truncate(DEPTH);
        gpu.decode_greedy(&mut cache, TokenId(5), NEW, true)
            .map(drop)
    })?;
    let rate = NEW as f64 / time.as_secs_f64();
    let engine = engine_rate(&model, 1)?;
    println!(
        "8 bits ({:.0} MB a step, limit {limit:.0} tok/s): {rate:.0} tok/s by the graph, {:.1} us a token, {:.1} % of the limit, {:.2} times 16 bits; engine {engine:.0} tok/s",
        bytes as f64 / 1e6,
        1e6 / rate,
        100.0 * rate / limit,
        rate / sixteen
    );
    Ok(())
}

/// Tokens a second of candle-transformers' network with the same weights.
fn stock_candle(folder: &Path, device: &Device) -> Outcome<f64> {
    let config: Config = serde_json::from_slice(&std::fs::read(folder.join("config.json"))?)?;
    let weights = candle_core::safetensors::load(folder.join("model.safetensors"), device)?;
    let weights = VarBuilder::from_tensors(weights, DType::BF16, device);
    let mut model = ModelForCausalLM::new(&config, weights)?;
    let mut next = |ids: &[u32], at: usize| -> Outcome<u32> {
        let logits = model.forward(&Tensor::new(ids, device)?.unsqueeze(0)?, at)?;
        Ok(logits.flatten_all()?.argmax(0)?.to_scalar()?)
    };
    let ids: Vec<u32> = prompt(1).iter().map(|token| token.0).collect();
    let mut token = next(&ids, 0)?;
    token = next(&[token], DEPTH)?;
    let begin = Instant::now();
    for at in DEPTH + 1..DEPTH + 1 + NEW {
        token = next(&[token], at)?;
    }
    Ok(NEW as f64 / begin.elapsed().as_secs_f64())
}

fn prompt(seed: u32) -> Vec<TokenId> {
    (0..DEPTH as u32)
        .map(|i| TokenId((i * 7919 + seed * 104_729) % 151_000))
        .collect()
}

fn forward(
    network: &Qwen2,
    tokens: &[TokenId],
    cache: &mut KvCache,
) -> Result<(), candle_signature::engine::EngineError> {
    let row = Row {
        tokens,
        cache,
        logits: true,
    };
    network.forward_into(&mut [row], &[], |_| None, &mut Logits::default())
}

/// The middle one of some runs, after one that does not count.
fn median<E: Error + 'static>(
    runs: usize,
    mut run: impl FnMut() -> Result<(), E>,
) -> Outcome<Duration> {
    run()?;
    let mut times = Vec::with_capacity(runs);
    for _ in 0..runs {
        let begin = Instant::now();
        run()?;
        times.push(begin.elapsed());
    }
    times.sort_unstable();
    Ok(times[runs / 2])
}

/// Bytes a second that a large copy reads and writes.
fn copy_bandwidth(device: &Device, stream: &Arc<CudaStream>) -> Outcome<f64> {
    let bytes = 2usize << 30;
    let source = Tensor::rand(0f32, 1f32, bytes / DType::F32.size_in_bytes(), device)?;
    let mut times = Vec::new();
    for _ in 0..12 {
        let flags = Some(sys::CUevent_flags::CU_EVENT_DEFAULT);
        let begin = stream.record_event(flags)?;
        let copy = source.copy()?;
        let end = stream.record_event(flags)?;
        times.push(begin.elapsed_ms(&end)?);
        drop(copy);
    }
    times.sort_unstable_by(f32::total_cmp);
    Ok(2.0 * bytes as f64 / f64::from(times[times.len() / 2]) * 1e3)
}

/// Tokens a second of sequences that decode together: from when all have begun, for so many tokens as they have `NEW` of.
fn engine_rate(model: &Arc<Model>, rows: usize) -> Outcome<f64> {
    // Those that begin first must not end before those that begin last have had theirs.
    let most = NEW * 5 / 2;
    let options = EngineOptions {
        max_rows: rows,
        prefill_chunk: 8192,
        cache_tokens: Some(rows * (DEPTH + most)),
        ..EngineOptions::default()
    };
    let engine = Engine::start(model.clone(), options)?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let run = |seed: u32| -> Outcome<f64> {
        let before = engine.stats();
        let requests: Vec<_> = (0..rows as u32)
            .map(|row| engine.generate(GenerateRequest::greedy(prompt(seed + row), most)))
            .collect();
        let started = Instant::now();
        let reached = |prefilled: u64, decoded: u64| loop {
            let now = engine.stats();
            if now.prefilled_tokens >= prefilled && now.decoded_tokens >= decoded {
                return Ok((Instant::now(), now));
            }
            if started.elapsed() > Duration::from_secs(60) {
                return Outcome::Err("the engine does not get as far as expected".into());
            }
            std::thread::sleep(Duration::from_micros(50));
        };
        let prefilled = before.prefilled_tokens + (rows * DEPTH) as u64;
        let (begin, first) = reached(prefilled, before.decoded_tokens + rows as u64)?;
        let (end, last) = reached(0, first.decoded_tokens + (rows * NEW) as u64)?;
        if last.finished > before.finished {
            return Err("sequences ended while their rate was measured".into());
        }
        runtime
            .block_on(join_all(requests))
            .into_iter()
            .collect::<Result<Vec<_>, _>>()?;
        let tokens = last.decoded_tokens - first.decoded_tokens;
        Ok(tokens as f64 / (end - begin).as_secs_f64())
    };
    run(0)?;
    let rates = [run(1000)?, run(5000)?, run(9000)?];
    Ok(support::median(&rates))
}

/// The time to the first token of a request, with nothing of its prompt in the cache and with all but its last block.
fn first_tokens(model: &Arc<Model>) -> Outcome<()> {
    let options = EngineOptions {
        prefill_chunk: 2048,
        cache_tokens: Some(64 * DEPTH),
        ..EngineOptions::default()
    };
    let engine = Engine::start(model.clone(), options)?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let ask = |seed: u32| {
        let request = GenerateRequest::greedy(prompt(seed), 1);
        runtime.block_on(engine.generate(request)).map(drop)
    };
    let mut seed = 100;
    let fresh = median(RUNS, || {
        seed += 1;
        ask(seed)
    })?;
    let cached = median(RUNS, || ask(seed))?;
    println!(
        "engine, first token after {DEPTH}: {:.2} ms, {:.2} ms where the prompt is in the cache",
        fresh.as_secs_f64() * 1e3,
        cached.as_secs_f64() * 1e3
    );
    Ok(())
}

/// Sampled tokens with and without a grammar, alone and in a batch, from a model that a pool has loaded for the GPU.
fn constrained(folder: &Path) -> Outcome<()> {
    let (Some(parent), Some(name)) = (folder.parent(), folder.file_name()) else {
        return Err("the model's folder has no parent".into());
    };
    let name = name.to_string_lossy().into_owned();
    let options = LoadOptions {
        gpu: Some(0),
        ..LoadOptions::default()
    };
    let engine = EngineOptions {
        max_rows: 64,
        prefill_chunk: 2048,
        ..EngineOptions::default()
    };
    let pool = ModelPool::new(parent)
        .with_options(options)
        .with_engine(engine);
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let model = runtime.block_on(pool.load_model(&name))?;
    println!(
        "KV cache by free memory: {} tokens",
        model.engine().stats().cache.blocks_total * 16
    );
    let schema = json!({"type": "object", "properties": {"name": {"type": "string"}, "text": {"type": "string"}},
        "required": ["name", "text"], "additionalProperties": false});
    let grammar = model.grammars().compile(&Constraint::JsonSchema(schema))?;
    for rows in [1, 64] {
        let mut rates = [Vec::new(), Vec::new()];
        for round in 0..RUNS as u64 {
            for (kind, rates) in rates.iter_mut().enumerate() {
                let requests: Vec<_> = (0..rows as u64)
                    .map(|row| {
                        let mut request = GenerateRequest::greedy(prompt(row as u32), NEW);
                        request.sampling.temperature = 1.0;
                        request.sampling.seed = Some(round * 1000 + row);
                        request.mask = (kind == 1).then(|| grammar.mask());
                        model.engine().generate(request)
                    })
                    .collect();
                let done = runtime.block_on(join_all(requests));
                let done = done.into_iter().collect::<Result<Vec<_>, _>>()?;
                let tokens: usize = done.iter().map(|one| one.completion_tokens - 1).sum();
                let longest = done.iter().map(|one| one.timings.decode).max();
                let time = longest.unwrap_or_default().as_secs_f64();
                if round > 0 {
                    rates.push(tokens as f64 / time);
                }
            }
        }
        let [free, masked] = rates.map(|rates| support::median(&rates));
        println!(
            "engine, {rows} sampled sequences: {free:.0} tok/s free, {masked:.0} tok/s in a JSON schema, ratio {:.3}",
            masked / free
        );
    }
    Ok(())
}

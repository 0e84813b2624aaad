//! Decoding, prefill and batches of random weights in the Qwen2.5-0.5B shape on a GPU, against the memory's own speed and
//! against the figures of `scripts/cuda/torch_reference.py` from the same GPU, if a file of them is given.
//!
//! `cargo bench --features cuda --bench cuda -- [reference.json]`

mod support;

use candle_core::cuda_backend::cudarc::driver::{CudaStream, sys};
use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use candle_signature::engine::{
    Engine, EngineOptions, GenerateRequest, KvCache, Model, Qwen2, Row, TokenId,
};
use candle_transformers::models::qwen2::{Config, ModelForCausalLM};
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

    for rows in [1, 64] {
        let rate = engine_rate(&model, rows)?;
        println!("engine, {rows} sequences side by side: {rate:.0} tok/s");
    }
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
                    "one sequence, ratio to {name} ({theirs:.0} tok/s): {:.2}",
                    single / theirs
                );
            }
        }
    }
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
    network.forward_for(&mut [row], |_| None).map(drop)
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

/// Tokens a second of whole generations that start together, after their prompts.
fn engine_rate(model: &Arc<Model>, rows: usize) -> Outcome<f64> {
    let options = EngineOptions {
        max_rows: rows,
        prefill_chunk: 2048,
        cache_tokens: Some(rows * (DEPTH + NEW)),
        ..EngineOptions::default()
    };
    let engine = Engine::start(model.clone(), options)?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let time = |new: usize, seed: u32| -> Outcome<Duration> {
        let begin = Instant::now();
        let requests: Vec<_> = (0..rows as u32)
            .map(|row| engine.generate(GenerateRequest::greedy(prompt(seed + row), new)))
            .collect();
        runtime.block_on(async {
            for request in requests {
                request.await?;
            }
            Outcome::Ok(())
        })?;
        Ok(begin.elapsed())
    };
    time(1, 0)?;
    let (long, short) = (time(NEW, 1000)?, time(1, 5000)?);
    Ok((rows * (NEW - 1)) as f64 / (long.saturating_sub(short)).as_secs_f64())
}

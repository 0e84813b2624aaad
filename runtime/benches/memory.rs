//! What a model takes in memory, and what loading it a second time costs.
//! `cargo bench -p candle-signature --bench memory`
//!
//! Random weights in the Qwen2.5-0.5B shape with the real tokenizer, at the default configuration of an adapter.

#[path = "support/gguf.rs"]
mod gguf;
#[path = "support/machine.rs"]
mod machine;
mod support;

use candle_core::quantized::GgmlDType;
use candle_signature::adapter::{
    Backend as _, CandleAdapter, CandleConfig, CompletionRequest, LoadOptions, ModelPool,
    Quantization,
};
use candle_signature::prompt::Message;
use machine::{cpu, forget_peak, memory};
use std::error::Error;
use std::sync::Arc;
use std::time::Instant;

/// Words of the prompt, and tokens of the reply.
const WORDS: usize = 600;
const REPLY: usize = 64;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    println!("{}", cpu());
    for (name, format) in [("Q8_0", GgmlDType::Q8_0), ("Q4_0", GgmlDType::Q4_0)] {
        measure(name, format).await?;
    }
    Ok(())
}

async fn measure(name: &str, format: GgmlDType) -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let model = folder.path().join("model");
    std::fs::create_dir(&model)?;
    gguf::write_gguf(&model.join("model.gguf"), format)?;
    support::write_tokenizer(&model)?;
    let pool = ModelPool::new(folder.path()).with_options(LoadOptions {
        quantization: Quantization::AsStored,
        ..Default::default()
    });
    forget_peak();
    let before = memory("VmRSS");
    let start = Instant::now();
    let loaded = pool.load_model("model").await?;
    let first = start.elapsed();
    let peak = memory("VmHWM") - before;
    let weights = loaded.engine().model().network().weight_bytes() as f64 / 1e6;
    let start = Instant::now();
    let again = pool.load_model("model").await?;
    let second = start.elapsed();
    if !Arc::ptr_eq(&loaded, &again) {
        return Err("the pool has loaded the same model twice".into());
    }
    println!("\n{name}: {weights:.0} MB of packed weights");
    println!(
        "  loading: {peak:.0} MB at most, the target is {:.0} (1.2 times the weights and 200 MB)",
        1.2 * weights + 200.0
    );
    println!(
        "  loaded in {first:.2?}, the second time in {second:.2?}: {:.0} times as fast",
        first.as_secs_f64() / second.as_secs_f64()
    );
    let config = CandleConfig {
        max_tokens: REPLY,
        ..Default::default()
    };
    let adapter = CandleAdapter::from_loaded_model(loaded, config)?;
    println!(
        "  over the weights, loaded: {:.0} MB",
        memory("VmRSS") - before - weights
    );
    forget_peak();
    let words: Vec<String> = (0..WORDS).map(|i| format!("word{}", i % 97)).collect();
    let reply = adapter
        .complete(CompletionRequest::new(vec![Message::user(words.join(" "))]))
        .await?;
    println!(
        "  over the weights, at most while answering {} tokens with {}: {:.0} MB, the target is 300",
        reply.usage.prompt_tokens,
        reply.usage.completion_tokens,
        memory("VmHWM") - before - weights
    );
    Ok(())
}

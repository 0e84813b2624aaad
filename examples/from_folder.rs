//! The same with a model of the hub, or of your own: a folder with config.json, tokenizer.json and safetensors, or GGUF.
//!
//! `cargo run --release --example from_folder -- ./models Qwen2.5-0.5B-Instruct "What is Rust?"`

use anyhow::{Context as _, bail};
use candle_signature::CandleSignature;
use candle_signature::adapter::{CandleAdapter, CandleConfig, ModelPool};

/// Answer the question in one sentence.
#[derive(CandleSignature)]
struct Ask {
    #[input]
    question: String,
    #[output]
    answer: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, name, question] = arguments.as_slice() else {
        bail!(
            "usage: from_folder FOLDER MODEL QUESTION, where FOLDER/MODEL holds config.json, tokenizer.json and the weights; \
             a MODEL that is not there comes from the hub"
        );
    };
    let start = std::time::Instant::now();
    let model = ModelPool::new(folder)
        .load_model(name)
        .await
        .context("loading the model")?;
    println!("loaded `{name}` in {:.1?}", start.elapsed());

    let config = CandleConfig {
        max_tokens: 128,
        ..Default::default()
    };
    let adapter = CandleAdapter::from_loaded_model(model, config)?;
    let start = std::time::Instant::now();
    let out = Ask::predict(
        &adapter,
        AskInput {
            question: question.clone(),
        },
    )
    .await?;
    println!(
        "{}\n({:.1?}, {:?})",
        out.answer,
        start.elapsed(),
        out.usage()
    );
    Ok(())
}

//! A typed answer from a passage, by the embedded model: no network, no files, no server.
//!
//! `cargo run --release --example qa`

use candle_signature::CandleSignature;
use candle_signature::adapter::{CandleAdapter, CandleConfig, ModelPool};

/// Answer the question from the passage.
#[derive(CandleSignature)]
struct QA {
    /// Text to read.
    #[input]
    passage: String,
    #[input]
    question: String,
    /// A short answer.
    #[output]
    answer: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let start = std::time::Instant::now();
    let model = ModelPool::embedded()
        .load_model(ModelPool::EMBEDDED)
        .await?;
    let adapter = CandleAdapter::from_loaded_model(model, CandleConfig::default())?;
    println!("model loaded in {:.0?}\n", start.elapsed());

    let passage = "Nora is a baker from Lisbon. Peter is a pilot from Oslo. Nora has two cats.";
    for question in ["What is the job of Peter?", "Where is Nora from?"] {
        let input = QAInput {
            passage: passage.into(),
            question: question.into(),
        };
        let start = std::time::Instant::now();
        let out = QA::predict(&adapter, input).await?;
        println!(
            "{question}\n  answer: {:?}   ({:.0?}, {:?})",
            out.answer,
            start.elapsed(),
            out.usage()
        );
    }
    Ok(())
}

//! A dspy-rs program on the embedded model: no key, no network. Only the line with `configure` is not dspy-rs's own.
//!
//! `cargo run --release -p candle-signature-tests-dspy --example dspy_configure`

use candle_signature::adapter::{CandleAdapter, CandleConfig, ModelPool};
use candle_signature::dspy::local_lm;
use dspy_rs::{Predict, Predictor, Signature, example};

#[Signature]
struct QA {
    /// Answer the question from the passage.
    #[input(desc = "Text to read.")]
    passage: String,
    #[input]
    question: String,
    #[output(desc = "A short answer.")]
    answer: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let model = ModelPool::embedded()
        .load_model(ModelPool::EMBEDDED)
        .await?;
    let adapter = CandleAdapter::from_loaded_model(model, CandleConfig::default())?;
    dspy_rs::configure(local_lm(&adapter).await?, adapter);

    let predict = Predict::new(QA::new());
    let passage = "Nora is a baker from Lisbon. Peter is a pilot from Oslo. Nora has two cats.";
    let questions = ["What is the job of Peter?", "Where is Nora from?"];
    let ask = |question: &str| {
        example! { "passage": "input" => passage, "question": "input" => question }
    };
    let predictions = predict.batch(questions.map(ask).to_vec()).await?;
    for (question, prediction) in questions.iter().zip(predictions) {
        println!(
            "{question}\n  answer: {}   ({:?})",
            prediction.get("answer", None),
            prediction.lm_usage
        );
    }
    Ok(())
}

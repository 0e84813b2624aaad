//! Demos and checks
//! A demo shows the model what is meant; rustc checks its names and types. A check is a function of the output: a reply that fails it is asked for again, with the message, and what
//! still fails is told.

use std::fmt::Write as _;
use std::sync::Arc;

use candle_signature::adapter::{CandleAdapter, CandleConfig, LoadedModel};
use candle_signature::program::Predict;
use candle_signature::{CandleSignature, example};

/// Answer the question from the passage.
#[derive(CandleSignature)]
struct QA {
    #[input]
    passage: String,
    #[input]
    question: String,
    #[output(check(|answer| !answer.contains(' '), "one word"))]
    answer: String,
}

pub async fn run(model: Arc<LoadedModel>, out: &mut String) -> anyhow::Result<()> {
    let adapter = CandleAdapter::from_loaded_model(model, CandleConfig::default())?;
    let program = Predict::<QA>::new()
        .with_demo(example!(QA {
            passage: "Ivo lives in Graz.",
            question: "Where does Ivo live?",
            answer: "Graz",
        }))
        .with_retries(1);
    let input = QAInput {
        passage: "Nora is a baker from Lisbon.".into(),
        question: "What is the job of Nora?".into(),
    };
    writeln!(out, "{} messages are sent", program.messages(input.clone()).len())?;
    let found = program.call(&adapter, input).await?;
    writeln!(
        out,
        "{:?}, with {} attempts before it; checks that it fails: {:?}",
        found.answer,
        found.attempts().len(),
        found.failed_checks()
    )?;
    Ok(())
}

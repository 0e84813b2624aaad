//! Measured, made better, saved
//! A dataset is a file of records, a metric a function. An optimizer tries candidates and keeps what is best on data that it is not shown in the prompt. What it finds is
//! data, and is saved as JSON.

use std::fmt::Write as _;
use std::sync::Arc;

use candle_signature::CandleSignature;
use candle_signature::adapter::{CandleAdapter, CandleConfig, LoadedModel};
use candle_signature::program::optimize::InstructionSearch;
use candle_signature::program::{Batch, Predict, evaluate, exact_match, parse_dataset, to_json};

#[derive(CandleSignature)]
struct Bare {
    #[input]
    passage: String,
    #[input]
    question: String,
    #[output]
    answer: String,
}

pub async fn run(model: Arc<LoadedModel>, out: &mut String) -> anyhow::Result<()> {
    let adapter = CandleAdapter::from_loaded_model(model, CandleConfig::default())?;
    let dev = parse_dataset::<Bare>(
        r#"{"passage": "Ana lives in Rome.", "question": "What does Ana drink?", "answer": "n/a"}
           {"passage": "Ben is a judge.", "question": "What does Ben work as?", "answer": "judge"}"#,
    )?;
    let (bare, batch) = (Predict::<Bare>::new(), Batch::new());
    let before = evaluate(&bare, &adapter, &dev, &exact_match, &batch).await;
    let search = InstructionSearch::new().with_candidates([
        "Answer the question from the passage. If the text does not say, answer \"n/a\".",
    ]);
    let found = search
        .compile(&bare, &adapter, &adapter, &dev, &dev, &exact_match, &batch)
        .await;
    writeln!(out, "right before: {:.0} %, after: {:.0} %", before.score() * 100.0, found.score * 100.0)?;
    writeln!(out, "{}", to_json(&found.program)?)?;
    Ok(())
}

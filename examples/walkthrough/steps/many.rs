//! Many at once
//! Calls that run side by side share forward passes, and prompts that begin alike are computed once. Results come in the order of the inputs, each with its own error.

use std::fmt::Write as _;
use std::sync::Arc;

use candle_signature::CandleSignature;
use candle_signature::adapter::{CandleAdapter, CandleConfig, LoadedModel};

/// Answer the question from the passage.
#[derive(CandleSignature)]
struct QA {
    #[input]
    passage: String,
    #[input]
    question: String,
    #[output]
    answer: String,
}

pub async fn run(model: Arc<LoadedModel>, out: &mut String) -> anyhow::Result<()> {
    let adapter = CandleAdapter::from_loaded_model(model, CandleConfig::default())?;
    let people = [("Ana", "Rome"), ("Ben", "Oslo"), ("Eva", "Graz"), ("Max", "Bern")];
    let inputs = people.map(|(name, city)| QAInput {
        passage: format!("{name} lives in {city}."),
        question: format!("Where does {name} live?"),
    });
    let too_long = QAInput {
        passage: "Ana lives in Rome. ".repeat(500),
        question: "Where does Ana live?".into(),
    };
    let (before, mut tokens) = (adapter.model().engine().stats().steps, 0);
    for result in QA::predict_all(&adapter, inputs.into_iter().chain([too_long])).await {
        match result {
            Ok(found) => {
                tokens += found.usage().completion_tokens;
                writeln!(out, "{}", found.answer)?;
            }
            Err(error) => writeln!(out, "error: {error}")?,
        }
    }
    let passes = adapter.model().engine().stats().steps - before;
    writeln!(out, "fewer forward passes than tokens: {}", passes < tokens as u64)?;
    Ok(())
}

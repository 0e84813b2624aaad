//! A prediction
//! A model is loaded once and shared; an adapter is a model with a configuration. The result reads as the output struct, and knows what it cost: tokens of the prompt, those of
//! them that the cache held already, tokens of the reply, and how many of these the grammar gave without asking the model.

use std::fmt::Write as _;
use std::sync::Arc;

use candle_signature::CandleSignature;
use candle_signature::adapter::{CandleAdapter, CandleConfig, LoadedModel};

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

pub async fn run(model: Arc<LoadedModel>, out: &mut String) -> anyhow::Result<()> {
    let adapter = CandleAdapter::from_loaded_model(model, CandleConfig::default())?;
    let passage = "Nora is a baker from Lisbon. Peter is a pilot from Oslo. Nora has two cats.";
    for question in ["What is the job of Peter?", "Where is Nora from?"] {
        let input = QAInput {
            passage: passage.into(),
            question: question.into(),
        };
        let found = QA::predict(&adapter, input).await?;
        writeln!(out, "{question} {:?}", found.answer)?;
        writeln!(
            out,
            "  {:?}, {} of them forced",
            found.usage(),
            found.forced_tokens()
        )?;
    }
    Ok(())
}

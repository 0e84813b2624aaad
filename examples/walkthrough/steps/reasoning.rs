//! Room to think
//! `ChainOfThought` puts a text field in front of the outputs, which the model fills first. The output is the same struct, with `reasoning` beside.

use std::fmt::Write as _;
use std::sync::Arc;

use candle_signature::CandleSignature;
use candle_signature::adapter::{CandleAdapter, CandleConfig, LoadedModel};
use candle_signature::program::ChainOfThought;

/// Solve the problem.
#[derive(CandleSignature)]
struct Sum {
    #[input]
    problem: String,
    #[output]
    answer: i64,
}

pub async fn run(model: Arc<LoadedModel>, out: &mut String) -> anyhow::Result<()> {
    let adapter = CandleAdapter::from_loaded_model(model, CandleConfig::default())?;
    let input = SumInput {
        problem: "Nora has 71 coins. Nora gives away 36. How many coins are left?".into(),
    };
    let solved = ChainOfThought::<Sum>::new().call(&adapter, input).await?;
    writeln!(out, "{} So: {}", solved.reasoning, solved.answer)?;
    Ok(())
}

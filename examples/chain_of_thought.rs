//! A program that reasons before it answers, by the embedded model, and the same asked for the answer at once.
//!
//! `cargo run --release --example chain_of_thought`

use candle_signature::CandleSignature;
use candle_signature::adapter::{CandleAdapter, CandleConfig, ModelPool};
use candle_signature::program::{ChainOfThought, Predict};

/// Solve the word problem.
#[derive(CandleSignature)]
struct Sum {
    #[input]
    problem: String,
    /// The number.
    #[output]
    answer: i64,
}

const PROBLEMS: [(&str, i64); 3] = [
    (
        "Nora has 71 coins. Nora gives away 36. Later Nora collects 10 more. How many coins are there now?",
        45,
    ),
    (
        "Ivo buys 6 boxes with 12 pens each. Ivo loses 15. How many pens are left?",
        57,
    ),
    (
        "There are 123 keys in a box. 17 more arrive. Mia uses 89 of them. How many keys are there in the end?",
        51,
    ),
];

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let model = ModelPool::embedded()
        .load_model(ModelPool::EMBEDDED)
        .await?;
    let adapter = CandleAdapter::from_loaded_model(model, CandleConfig::default())?;
    for (problem, right) in PROBLEMS {
        let input = || SumInput {
            problem: problem.into(),
        };
        let thought = ChainOfThought::<Sum>::new().call(&adapter, input()).await?;
        let guessed = Predict::<Sum>::new().call(&adapter, input()).await?;
        println!("{problem}");
        println!("  it reasons: {}", thought.reasoning);
        println!(
            "  answer {}, at once {}; right is {right}",
            thought.answer, guessed.answer
        );
    }
    Ok(())
}

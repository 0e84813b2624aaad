//! A prediction that is shown while the embedded model writes it: text as it comes, lists element by element, values with
//! their types.
//!
//! `cargo run --release --example stream`

use std::io::Write as _;

use candle_signature::adapter::{CandleAdapter, CandleConfig, ModelPool};
use candle_signature::program::{ChainOfThought, StreamEvent};
use candle_signature::{CandleSignature, CandleValue};
use futures_util::StreamExt as _;

/// Sort the support ticket.
#[derive(CandleSignature)]
struct Triage {
    #[input]
    ticket: String,
    /// How soon someone must look at it.
    #[output]
    urgency: Urgency,
    /// What it is about.
    #[output]
    tags: Vec<String>,
    /// Who is named as responsible, if anyone.
    #[output]
    owner: Option<String>,
}

#[derive(CandleValue, Debug, Clone, PartialEq)]
#[value(rename_all = "kebab-case")]
enum Urgency {
    Low,
    High,
    OnFire,
}

/// Solve the problem.
#[derive(CandleSignature)]
struct Sum {
    #[input]
    problem: String,
    #[output]
    answer: i64,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let model = ModelPool::embedded()
        .load_model(ModelPool::EMBEDDED)
        .await?;
    let config = CandleConfig {
        enable_streaming: true,
        log_probabilities: true,
        ..CandleConfig::default()
    };
    let adapter = CandleAdapter::from_loaded_model(model, config)?;

    let ticket = "Please update the invoice template when you have time. Assigned to Omar.";
    println!("{ticket}");
    let input = TriageInput {
        ticket: ticket.into(),
    };
    let mut events = Triage::stream(&adapter, input);
    while let Some(event) = events.next().await {
        let event = event?;
        if let Some(urgency) = event.field::<Urgency>("urgency")? {
            println!("  urgency: {urgency:?}");
        } else if let Some((index, tag)) = event.element::<String>("tags")? {
            println!("  tag {index}: {tag}");
        } else if let StreamEvent::Finished(out) = event {
            let sure = out.meta("owner").mean_logprob.map_or(0.0, f32::exp);
            println!("  owner: {:?}, {:.0} % sure", out.owner, sure * 100.0);
            println!("  {:?}", out.usage());
        }
    }

    let problem = "Tom has 12 apples and buys 30 more. How many apples does Tom have?";
    println!("\n{problem}");
    let input = SumInput {
        problem: problem.into(),
    };
    let thinking = ChainOfThought::<Sum>::new();
    let mut events = thinking.stream(&adapter, input);
    while let Some(event) = events.next().await {
        let event = event?;
        if let Some(text) = event.text("reasoning") {
            print!("{text}");
            std::io::stdout().flush()?;
        } else if let Some(answer) = event.field::<i64>("answer")? {
            println!("\n  answer: {answer}");
        }
    }
    Ok(())
}

//! An enum, a list and an optional field, with a demonstration, by the embedded model.
//!
//! `cargo run --release --example triage`

use candle_signature::adapter::{CandleAdapter, CandleConfig, ModelPool};
use candle_signature::program::Predict;
use candle_signature::{CandleSignature, CandleValue, example};

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

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let model = ModelPool::embedded()
        .load_model(ModelPool::EMBEDDED)
        .await?;
    let adapter = CandleAdapter::from_loaded_model(model, CandleConfig::default())?;
    let triage = Predict::<Triage>::new().with_demo(example!(Triage {
        ticket: "The login page shows a typo. No rush. Assigned to Mia.",
        urgency: Urgency::Low,
        tags: ["login"],
        owner: Some("Mia"),
    }));
    for ticket in [
        "The payment server is down and customers are locked out right now!",
        "Please update the invoice template when you have time. Assigned to Omar.",
    ] {
        let out = triage
            .call(
                &adapter,
                TriageInput {
                    ticket: ticket.into(),
                },
            )
            .await?;
        println!(
            "{ticket}\n  urgency {:?}, tags {:?}, owner {:?}\n",
            out.urgency, out.tags, out.owner
        );
    }
    Ok(())
}

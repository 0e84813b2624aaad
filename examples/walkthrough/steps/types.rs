//! Types of your own
//! An enum is a choice among its names, an `Option` may be absent, a list has any number of items, and a struct is a field like any other. The raw reply is what the model wrote.

use std::fmt::Write as _;
use std::sync::Arc;

use candle_signature::adapter::{CandleAdapter, CandleConfig, LoadedModel};
use candle_signature::{CandleSignature, CandleValue};

#[derive(CandleValue, Debug, Clone, PartialEq)]
#[value(rename_all = "kebab-case")]
pub enum Urgency {
    Low,
    High,
    OnFire,
}

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

pub async fn run(model: Arc<LoadedModel>, out: &mut String) -> anyhow::Result<()> {
    let adapter = CandleAdapter::from_loaded_model(model, CandleConfig::default())?;
    let input = TriageInput {
        ticket: "Please update the invoice template when you have time. Assigned to Omar.".into(),
    };
    let sorted = Triage::predict(&adapter, input).await?;
    writeln!(out, "{:?}\n\n{}", *sorted, sorted.raw())?;
    Ok(())
}

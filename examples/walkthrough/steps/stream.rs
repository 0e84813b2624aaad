//! While it is written
//! A stream tells what is certain: that a field has begun, more of a text, the next element of a list, a whole value. Its last event is the prediction.

use std::fmt::Write as _;
use std::sync::Arc;

use candle_signature::adapter::{CandleAdapter, CandleConfig, LoadedModel};
use candle_signature::program::StreamEvent;
use futures_util::StreamExt as _;

use super::types::Urgency;
use candle_signature::CandleSignature;

/// Sort the support ticket.
#[derive(CandleSignature)]
struct Triage {
    #[input]
    ticket: String,
    #[output]
    urgency: Urgency,
    #[output]
    tags: Vec<String>,
    #[output]
    owner: Option<String>,
}

pub async fn run(model: Arc<LoadedModel>, out: &mut String) -> anyhow::Result<()> {
    let config = CandleConfig {
        enable_streaming: true,
        ..Default::default()
    };
    let adapter = CandleAdapter::from_loaded_model(model, config)?;
    let input = TriageInput {
        ticket: "The login page of the shop is down right now! Assigned to Mia.".into(),
    };
    let mut events = Triage::stream(&adapter, input);
    while let Some(event) = events.next().await {
        let event = event?;
        if let Some(urgency) = event.field::<Urgency>("urgency")? {
            writeln!(out, "urgency: {urgency:?}")?;
        } else if let Some((index, tag)) = event.element::<String>("tags")? {
            writeln!(out, "tag {index}: {tag}")?;
        } else if let StreamEvent::Finished(sorted) = event {
            writeln!(out, "at the end: {:?}", **sorted)?;
        }
    }
    Ok(())
}

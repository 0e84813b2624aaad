//! One prediction: told while it is generated, or whole.

use std::time::Instant;

use candle_signature::program::{Predicted, StreamEvent};
use candle_signature::prompt::Message;
use candle_signature::signature::FieldValues;
use futures_util::StreamExt as _;
use serde_json::{Value as Json, json};

use crate::error::CliError;
use crate::out::Out;
use crate::{replies, style};

use super::{Run, show};

pub async fn run(run: &Run<'_>, inputs: FieldValues, out: &mut Out) -> Result<(), CliError> {
    let messages = run
        .output
        .show_prompt
        .then(|| run.predict.messages(&inputs));
    if let Some(messages) = &messages {
        show_prompt(messages);
    }
    let streams = match (run.output.stream, run.output.no_stream) {
        (true, _) => true,
        (false, true) => false,
        (false, false) => out.is_terminal() && !out.is_json(),
    };
    let start = Instant::now();
    let predicted = match streams {
        true => told(run, &inputs, out).await?,
        false => run.predict.call(&run.backend, inputs).await?,
    };
    let seconds = start.elapsed().as_secs_f64();
    if out.is_json() {
        let mut json = json!({"ok": true, "values": predicted.values()});
        if streams {
            json["event"] = "finished".into();
        }
        if let Some(messages) = messages {
            json["prompt"] = json!(messages);
        }
        json["meta"] = replies::meta(&predicted, seconds);
        out.json(&json)?;
    } else if !streams {
        show::values(predicted.values(), out)?;
    }
    if run.output.stats && !out.is_json() {
        anstream::eprintln!("{}", show::stats(&predicted, seconds));
    }
    if let Some(field) = predicted.truncated() {
        out.remark(style::paint(
            style::WARN,
            format_args!("`{field}` was cut short: raise --max-tokens"),
        ));
    }
    out.commit()
}

async fn told(
    run: &Run<'_>,
    inputs: &FieldValues,
    out: &mut Out,
) -> Result<Predicted<FieldValues>, CliError> {
    let mut events = run.predict.stream(&run.backend, inputs)?;
    let mut telling = show::Telling::new(run.predict.spec().outputs.len());
    while let Some(event) = events.next().await {
        match event {
            Ok(StreamEvent::Finished(predicted)) => return Ok(*predicted),
            Ok(event) if out.is_json() => {
                if let Some(json) = event_json(&event) {
                    out.json(&json)?;
                }
            }
            Ok(event) => telling.show(&event, out)?,
            Err(error) => {
                if !out.is_json() {
                    out.line("")?;
                }
                return Err(error.into());
            }
        }
    }
    Err(CliError::Failed(
        "the stream ended without a reply: run it again".into(),
    ))
}

fn event_json<O>(event: &StreamEvent<O>) -> Option<Json> {
    Some(match event {
        StreamEvent::Started { field } => json!({"event": "started", "field": field}),
        StreamEvent::Text { field, delta } => {
            json!({"event": "text", "field": field, "delta": delta})
        }
        StreamEvent::Element {
            field,
            index,
            value,
        } => {
            json!({"event": "element", "field": field, "index": index, "value": value})
        }
        StreamEvent::Done { field, value } => {
            json!({"event": "done", "field": field, "value": value})
        }
        StreamEvent::Retracted { field } => json!({"event": "retracted", "field": field}),
        _ => return None,
    })
}

/// The messages on standard error, each below its role.
pub fn show_prompt(messages: &[Message]) {
    for message in messages {
        let role = style::paint(style::NAME, format_args!("--- {} ---", message.role));
        anstream::eprintln!("{role}\n{}\n", message.content);
    }
}

//! Outputs as text: the bare value where there is one field, else a line a field.

use std::borrow::Cow;

use candle_signature::program::{Predicted, StreamEvent};
use candle_signature::prompt::render_value;
use candle_signature::signature::{FieldValues, Value};

use crate::error::CliError;
use crate::out::Out;
use crate::style;

/// All outputs.
pub fn values(values: &FieldValues, out: &mut Out) -> Result<(), CliError> {
    let labelled = values.len() > 1;
    for (name, value) in values.iter() {
        if labelled {
            out.text(&label(name))?;
        }
        out.line(shown(value))?;
    }
    Ok(())
}

fn label(name: &str) -> String {
    format!("{} ", style::paint(style::NAME, format_args!("{name}:")))
}

/// Text as it is, all else as JSON.
fn shown(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(text) => Cow::Borrowed(text),
        other => render_value(other),
    }
}

/// What a prediction cost.
pub fn stats(predicted: &Predicted<FieldValues>, seconds: f64) -> String {
    let usage = predicted.usage();
    let line = format!(
        "{} prompt tokens ({} cached), {} reply tokens ({} forced), {seconds:.2} s",
        usage.prompt_tokens,
        usage.cached_tokens,
        usage.completion_tokens,
        predicted.forced_tokens(),
    );
    style::paint(style::DIM, line)
}

/// Where a told field stands.
#[derive(Default)]
pub struct Telling {
    labelled: bool,
    elements: usize,
    /// Whether text of the field stands on the line already.
    begun: bool,
}

impl Telling {
    pub fn new(outputs: usize) -> Self {
        Telling {
            labelled: outputs > 1,
            ..Telling::default()
        }
    }

    /// Shows an event, so that in the end all stands there as [`values`] shows it.
    pub fn show<O>(&mut self, event: &StreamEvent<O>, out: &mut Out) -> Result<(), CliError> {
        match event {
            StreamEvent::Started { field } => {
                (self.elements, self.begun) = (0, false);
                if self.labelled {
                    out.text(&label(field))
                } else {
                    Ok(())
                }
            }
            StreamEvent::Text { delta, .. } => {
                self.begun = true;
                out.text(delta)
            }
            StreamEvent::Element { value, .. } => {
                let before = if self.elements == 0 { "[" } else { ", " };
                self.elements += 1;
                // Within a list a text is in quotes.
                let list = Value::List(vec![value.clone()]);
                let element = render_value(&list);
                let element = element.get(1..element.len().saturating_sub(1));
                out.text(&format!("{before}{}", element.unwrap_or_default()))
            }
            StreamEvent::Done { value, .. } => match (self.elements, self.begun) {
                (0, false) => out.line(shown(value)),
                (0, true) => out.line(""),
                (_, _) => out.line("]"),
            },
            StreamEvent::Retracted { .. } => {
                (self.elements, self.begun) = (0, false);
                out.line(style::paint(style::DIM, " (a draft; it follows anew)"))
            }
            _ => Ok(()),
        }
    }
}

//! A record as text for a terminal.

use std::fmt::Write as _;
use std::io::IsTerminal as _;
use std::time::Duration;

use crate::prompt::{Role, plain_text};

use super::super::Finish;
use super::Record;

const BOLD: &str = "1";
const DIM: &str = "2";
const RED: &str = "31";
const GREEN: &str = "32";
const YELLOW: &str = "33";
const CYAN: &str = "36";

/// Whether standard output shows colours.
pub(super) fn wants_colours() -> bool {
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    !refused && std::io::stdout().is_terminal()
}

pub(super) fn record(record: &Record, colours: bool) -> String {
    let mut page = Page {
        text: String::new(),
        colours,
    };
    page.title(record);
    for message in &record.messages {
        let colour = match message.role {
            Role::System => DIM,
            Role::User => CYAN,
            Role::Assistant => GREEN,
        };
        page.part(message.role.as_str(), colour, &message.content);
    }
    if let Some(reply) = &record.reply {
        page.part("reply", GREEN, reply);
    }
    for (name, value) in record.fields.iter() {
        let value = shown(&plain_text(value)).replace('\n', "\n    ");
        let name = page.painted(BOLD, name);
        let _ = writeln!(page.text, "  {name} = {value}");
    }
    for repair in &record.repairs {
        page.line(YELLOW, &format!("repaired: {repair}"));
    }
    if let Some(error) = &record.error {
        page.line(RED, &format!("error: {error}"));
    }
    page.line(DIM, &costs(record));
    page.text.push('\n');
    page.text
}

/// Tokens and times in one line.
fn costs(record: &Record) -> String {
    let usage = record.usage;
    let mut line = format!(
        "{} prompt tokens ({} cached), {} completion tokens ({} forced)",
        usage.prompt_tokens, usage.cached_tokens, usage.completion_tokens, record.forced_tokens
    );
    if record.retries > 0 {
        let _ = write!(line, ", {} retries", record.retries);
    }
    let _ = write!(line, "; {}", milliseconds(record.took));
    if let Some(times) = record.timings {
        let [queue, prefill, decode] = [times.queue, times.prefill, times.decode].map(milliseconds);
        let _ = write!(line, " (queue {queue}, prefill {prefill}, decode {decode})");
    }
    match (&record.truncated, record.finish) {
        (Some(field), _) => {
            let _ = write!(line, "; cut short in `{field}`");
        }
        (None, Some(Finish::Length)) => line.push_str("; cut short"),
        _ => {}
    }
    line
}

fn milliseconds(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1e3)
}

/// The text without characters that would steer a terminal.
fn shown(text: &str) -> String {
    let show = |c: char| match c {
        '\n' | '\t' => c.to_string(),
        c if c.is_control() => c.escape_default().to_string(),
        c => c.to_string(),
    };
    text.chars().map(show).collect()
}

struct Page {
    text: String,
    colours: bool,
}

impl Page {
    fn painted(&self, colour: &str, text: &str) -> String {
        match self.colours {
            true => format!("\u{1b}[{colour}m{text}\u{1b}[0m"),
            false => text.to_owned(),
        }
    }

    fn title(&mut self, record: &Record) {
        let title = format!("── {} {} ", record.number, shown(&record.signature));
        let rest = "─".repeat(72usize.saturating_sub(title.chars().count()));
        self.line(BOLD, &format!("{title}{rest}"));
    }

    fn line(&mut self, colour: &str, text: &str) {
        let line = self.painted(colour, &shown(text));
        let _ = writeln!(self.text, "{line}");
    }

    fn part(&mut self, name: &str, colour: &str, text: &str) {
        self.line(colour, &format!("{name}:"));
        for line in shown(text).lines() {
            let _ = writeln!(self.text, "  {line}");
        }
    }
}

//! `doctor`: what this machine can do with a model, what is in the way, and what to do about it.

mod accelerator;
mod memory;
mod processor;
mod storage;

use clap::Args;
use serde::Serialize;
use serde_json::json;

use crate::error::CliError;
use crate::model::ModelsFolder;
use crate::out::Out;
use crate::style::{self, paint};

pub use memory::{read_rate, resident};
pub use processor::name as processor_name;

const EXAMPLES: &str = "\
Examples:
  candle-signature doctor
  candle-signature doctor --json | jq '.checks[] | select(.state != \"ok\")'

A check is `ok`, `slow` (it works, and could be faster), `bad` (it will not work) or `info`. The exit code is 0 unless one is `bad`.";

#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct DoctorArgs {
    #[command(flatten)]
    folder: ModelsFolder,
}

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    Ok,
    Info,
    Slow,
    Bad,
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
pub struct Check {
    name: &'static str,
    state: State,
    /// What is there.
    found: String,
    /// Why it matters and what to do; empty where all is well.
    advice: String,
}

impl Check {
    pub fn new(name: &'static str, state: State, found: impl Into<String>) -> Self {
        Check {
            name,
            state,
            found: found.into(),
            advice: String::new(),
        }
    }

    /// The same with what to do about it.
    pub fn advise(mut self, advice: impl Into<String>) -> Self {
        self.advice = advice.into();
        self
    }
}

pub async fn execute(args: DoctorArgs, out: &mut Out) -> Result<(), CliError> {
    let spinner = crate::out::spinner(out, "measuring how fast memory is read".to_owned());
    let checks = tokio::task::spawn_blocking(move || {
        let mut checks = processor::checks();
        checks.extend(memory::checks());
        checks.push(accelerator::check());
        checks.extend(storage::checks(&args.folder.models));
        checks
    });
    let checks = checks
        .await
        .map_err(|error| CliError::System(std::io::Error::other(error)))?;
    spinner.finish_and_clear();
    let bad = checks
        .iter()
        .filter(|check| check.state == State::Bad)
        .count();
    if out.is_json() {
        out.json(&json!({"ok": bad == 0, "checks": checks}))?;
    } else {
        for check in &checks {
            show(check, out)?;
        }
    }
    if bad > 0 {
        out.tell_failures();
        return Err(CliError::Failed(format!(
            "{bad} of {} checks are bad",
            checks.len()
        )));
    }
    Ok(())
}

fn show(check: &Check, out: &mut Out) -> Result<(), CliError> {
    let (style, word) = match check.state {
        State::Ok => (style::GOOD, "ok  "),
        State::Info => (style::DIM, "info"),
        State::Slow => (style::WARN, "slow"),
        State::Bad => (style::ERROR, "bad "),
    };
    let mut found = wrapped(&check.found, out.width()).into_iter();
    let first = found.next().unwrap_or_default();
    out.line(format!(
        "{}  {:14}  {first}",
        paint(style, word),
        check.name
    ))?;
    for line in found {
        out.line(format!("{:INDENT$}{line}", ""))?;
    }
    for line in wrapped(&check.advice, out.width()) {
        out.line(format!("{:INDENT$}{}", "", paint(style::DIM, line)))?;
    }
    Ok(())
}

/// Where the text of a check begins.
const INDENT: usize = 22;

/// The lines of a text beside the indent, none longer than the terminal is wide; one where there is no terminal.
fn wrapped(text: &str, width: Option<usize>) -> Vec<String> {
    let room = width.map_or(usize::MAX, |width| width.saturating_sub(INDENT).max(20));
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= room => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// A small file of the system as text, without white space around it; none where there is no such file.
fn system_file(path: &str) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    Some(text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::wrapped;

    #[test]
    fn words_stay_whole_and_lines_short() {
        assert_eq!(
            wrapped("one two three four five", Some(35)),
            ["one two three four", "five"]
        );
        assert_eq!(wrapped("one two", None), ["one two"]);
        assert_eq!(wrapped("", Some(80)), [""; 0]);
    }
}

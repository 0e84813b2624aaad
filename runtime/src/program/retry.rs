//! Replies that are not accepted are asked for again, with what was wrong in front of the model.

use tracing::Instrument as _;

use crate::adapter::{Backend, CandleAdapterError, Completion, Constraint, Usage};
use crate::parse::{ParseError, Parsed, parse_as};
use crate::prompt::Message;
use crate::signature::{FieldSet, FieldValues, Reasoned, ValueError};

use super::Predicted;
use super::call::Prompt;
use super::observe::Observed;

pub(super) use crate::signature::Check;

/// How often an output is asked for again where nothing is said: twice if its signature has checks, and as often as the backend
/// advises.
pub(super) fn usual_retries<B: Backend + ?Sized, O>(backend: &B, checks: &[Check<O>]) -> usize {
    let for_checks = if checks.is_empty() { 0 } else { 2 };
    for_checks.max(backend.preferences().parse_retries)
}

/// What is read of the values of a reply.
pub(super) trait Reading: Sized {
    fn from_values(values: FieldValues) -> Result<Self, Vec<ValueError>>;
}

impl<O: FieldSet> Reading for O {
    fn from_values(values: FieldValues) -> Result<Self, Vec<ValueError>> {
        FieldSet::from_values(values)
    }
}

impl<O: FieldSet> Reading for Reasoned<O> {
    fn from_values(values: FieldValues) -> Result<Self, Vec<ValueError>> {
        Reasoned::from_values(values)
    }
}

/// A reply that was not accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attempt {
    /// The reply as the model wrote it.
    pub reply: String,
    /// What was wrong with it, as the model was told.
    pub problems: Vec<String>,
    /// What it cost.
    pub usage: Usage,
}

/// What came of one reply.
enum Outcome<O> {
    /// All is well.
    Accepted(O, Parsed),
    /// It can be read, but fails checks; `demanded` ones among them make it no result.
    Failed {
        output: O,
        parsed: Parsed,
        problems: Vec<String>,
        demanded: bool,
    },
    Unreadable(Box<ParseError>),
}

/// Calls, and calls again up to `retries` times while the reply can't be read or fails a check.
pub(super) async fn call_checked<B: Backend + ?Sized, O: Reading>(
    backend: &B,
    prompt: &Prompt<'_>,
    inputs: &FieldValues,
    checks: &[Check<O>],
    retries: usize,
) -> Result<Predicted<O>, CandleAdapterError> {
    let mut observed = Observed::begin(backend, prompt);
    let span = observed.span().clone();
    let calls = call_observed(backend, prompt, inputs, checks, retries, &mut observed);
    calls.instrument(span).await
}

async fn call_observed<B: Backend + ?Sized, O: Reading>(
    backend: &B,
    prompt: &Prompt<'_>,
    inputs: &FieldValues,
    checks: &[Check<O>],
    retries: usize,
    observed: &mut Observed,
) -> Result<Predicted<O>, CandleAdapterError> {
    let mut messages = prompt.messages(inputs);
    let mut attempts: Vec<Attempt> = Vec::new();
    loop {
        observed.sends(&messages);
        let constraint = Constraint::Signature(prompt.spec.clone());
        let request = prompt.request(messages.clone(), constraint);
        let completion = match backend.complete(request).await {
            Ok(completion) => completion,
            Err(error) => {
                observed.failed(&error, None, &attempts);
                return Err(error);
            }
        };
        let is_last = attempts.len() == retries;
        let problems = match judge(prompt, &completion, checks) {
            Outcome::Accepted(output, parsed) => {
                let out = Predicted::new(output, completion, parsed).after(attempts, Vec::new());
                observed.accepted(&out);
                return Ok(out);
            }
            Outcome::Failed {
                problems,
                demanded: true,
                ..
            } if is_last => {
                let error = CandleAdapterError::CheckFailed {
                    problems,
                    completion: completion.text.clone(),
                };
                observed.failed(&error, Some(&completion), &attempts);
                return Err(error);
            }
            Outcome::Failed {
                output,
                parsed,
                problems,
                ..
            } if is_last => {
                let out = Predicted::new(output, completion, parsed).after(attempts, problems);
                observed.accepted(&out);
                return Ok(out);
            }
            Outcome::Unreadable(error) if is_last => {
                let error = CandleAdapterError::ParseError(error);
                observed.failed(&error, Some(&completion), &attempts);
                return Err(error);
            }
            Outcome::Failed { problems, .. } => problems,
            Outcome::Unreadable(error) => error.errors.iter().map(ToString::to_string).collect(),
        };
        messages.push(Message::assistant(completion.text.clone()));
        messages.push(Message::user(complaint(&problems)));
        attempts.push(Attempt {
            reply: completion.text,
            problems,
            usage: completion.usage,
        });
    }
}

fn judge<O: Reading>(
    prompt: &Prompt<'_>,
    completion: &Completion,
    checks: &[Check<O>],
) -> Outcome<O> {
    match parse_as(prompt.spec, &completion.text, O::from_values) {
        Ok((output, parsed)) => checked(output, parsed, checks),
        Err(error) => Outcome::Unreadable(Box::new(error)),
    }
}

/// What comes of a reply that is not asked for again.
pub(super) fn accept<O>(
    output: O,
    completion: Completion,
    parsed: Parsed,
    checks: &[Check<O>],
) -> Result<Predicted<O>, CandleAdapterError> {
    match checked(output, parsed, checks) {
        Outcome::Accepted(output, parsed) => Ok(Predicted::new(output, completion, parsed)),
        Outcome::Failed {
            problems,
            demanded: true,
            ..
        } => Err(CandleAdapterError::CheckFailed {
            problems,
            completion: completion.text,
        }),
        Outcome::Failed {
            output,
            parsed,
            problems,
            ..
        } => Ok(Predicted::new(output, completion, parsed).after(Vec::new(), problems)),
        Outcome::Unreadable(error) => Err(CandleAdapterError::ParseError(error)),
    }
}

fn checked<O>(output: O, parsed: Parsed, checks: &[Check<O>]) -> Outcome<O> {
    let failed: Vec<_> = checks
        .iter()
        .filter(|check| !(check.holds)(&output))
        .collect();
    if failed.is_empty() {
        return Outcome::Accepted(output, parsed);
    }
    let demanded = failed.iter().any(|check| check.demanded);
    let problems = failed
        .iter()
        .map(|check| check.message.to_string())
        .collect();
    Outcome::Failed {
        output,
        parsed,
        problems,
        demanded,
    }
}

/// What the model is told of a reply that is not accepted.
fn complaint(problems: &[String]) -> String {
    format!(
        "This reply is not accepted:\n- {}\n\nRespond again with all output fields, in the same format.",
        problems.join("\n- ")
    )
}

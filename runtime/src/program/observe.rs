//! What is told of a prediction while it runs and when it has ended: a span for `tracing`, a record for a history. Names and
//! meanings of the fields: `docs/observability.md`. Where nobody listens, neither is made.

use std::time::{Duration, Instant};

use tracing::Span;
use tracing::field::{Empty, display};

use crate::adapter::{
    Backend, CandleAdapterError, Completion, Finish, History, Record, Timings, Usage,
};
use crate::prompt::Message;
use crate::signature::FieldValues;

use super::call::Prompt;
use super::react_step::ReadStep;
use super::{Attempt, Predicted, Step};

/// A prediction under way. Dropped before its end it was given up.
#[derive(Debug)]
pub(super) struct Observed {
    span: Span,
    history: Option<History>,
    signature: String,
    messages: Vec<Message>,
    began: Instant,
    ended: bool,
}

impl Observed {
    /// Opens the span of a prediction.
    pub fn begin<B: Backend + ?Sized>(backend: &B, prompt: &Prompt<'_>) -> Self {
        let signature = &*prompt.spec.name;
        let span = tracing::info_span!(
            target: "candle_signature::prediction",
            "prediction",
            signature,
            outcome = Empty,
            error = Empty,
            prompt_tokens = Empty,
            cached_tokens = Empty,
            completion_tokens = Empty,
            forced_tokens = Empty,
            retries = Empty,
            resends = Empty,
            queue_ms = Empty,
            prefill_ms = Empty,
            decode_ms = Empty,
            total_ms = Empty,
            finish = Empty,
            truncated = Empty,
            constrained = Empty,
            repairs = Empty,
        );
        let history = backend.history().cloned();
        Observed {
            signature: if history.is_some() {
                signature.to_owned()
            } else {
                String::new()
            },
            messages: Vec::new(),
            began: Instant::now(),
            ended: span.is_disabled() && history.is_none(),
            span,
            history,
        }
    }

    /// The span, for what happens within it.
    pub fn span(&self) -> &Span {
        &self.span
    }

    /// Whether anybody wants to know how it ends.
    pub fn listens(&self) -> bool {
        !self.ended
    }

    /// These are sent.
    pub fn sends(&mut self, messages: &[Message]) {
        if self.history.is_some() {
            self.messages = messages.to_vec();
        }
    }

    /// It has come to a result.
    pub fn accepted<O>(&mut self, out: &Predicted<O>) {
        if self.ended {
            return;
        }
        let failed = out.failed_checks();
        let outcome = if failed.is_empty() {
            "ok"
        } else {
            "failed_checks"
        };
        self.end(Ending {
            usage: out.usage(),
            retries: out.attempts().len(),
            truncated: out.truncated(),
            fields: Some(out.values()),
            repairs: out.repairs().iter().map(ToString::to_string).collect(),
            error: (!failed.is_empty()).then(|| failed.join("; ")),
            ..Ending::of(outcome, Some(out.completion()))
        });
    }

    /// It is a step of a program with tools.
    pub fn step(&mut self, completion: &Completion, read: &ReadStep) {
        if self.ended {
            return;
        }
        let (outcome, step) = match read {
            ReadStep::Whole(step) => ("ok", Some(step)),
            ReadStep::Faulty(step) => ("error", Some(step)),
            ReadStep::Nothing => ("error", None),
        };
        let fields = step.map(Step::fields);
        let error = match read {
            ReadStep::Whole(_) => None,
            // What is wrong is told to the model as what it sees next.
            ReadStep::Faulty(step) => Some(step.observation.clone()),
            ReadStep::Nothing => Some("no step can be read in the reply".to_owned()),
        };
        self.end(Ending {
            usage: completion.usage,
            fields: fields.as_ref(),
            error,
            ..Ending::of(outcome, Some(completion))
        });
    }

    /// It has come to no result, after replies that cost this.
    pub fn failed(
        &mut self,
        error: &CandleAdapterError,
        reply: Option<&Completion>,
        attempts: &[Attempt],
    ) {
        if self.ended {
            return;
        }
        let last = reply.map_or(Usage::default(), |reply| reply.usage);
        self.end(Ending {
            usage: attempts
                .iter()
                .fold(last, |sum, attempt| sum + attempt.usage),
            retries: attempts.len(),
            error: Some(error.to_string()),
            ..Ending::of("error", reply)
        });
    }

    fn end(&mut self, ending: Ending<'_>) {
        self.ended = true;
        let took = self.began.elapsed();
        if !self.span.is_disabled() {
            ending.record(&self.span, took);
        }
        if let Some(history) = &self.history {
            let messages = std::mem::take(&mut self.messages);
            let mut record = Record::begun(&self.signature, messages);
            record.took = took;
            record.usage = ending.usage;
            record.retries = ending.retries;
            record.truncated = ending.truncated.map(str::to_owned);
            record.fields = ending.fields.cloned().unwrap_or_default();
            record.repairs = ending.repairs;
            record.error = ending.error;
            if let Some(reply) = ending.reply {
                record.reply = Some(reply.text.clone());
                record.finish = Some(reply.finish);
                record.forced_tokens = reply.forced_tokens;
                record.timings = reply.timings;
            }
            history.push(record);
        }
    }
}

impl Drop for Observed {
    fn drop(&mut self) {
        if !self.ended {
            let given_up = "given up before it ended";
            self.end(Ending {
                error: Some(given_up.into()),
                ..Ending::of("cancelled", None)
            });
        }
    }
}

/// How a prediction ended.
struct Ending<'e> {
    outcome: &'static str,
    reply: Option<&'e Completion>,
    usage: Usage,
    retries: usize,
    truncated: Option<&'e str>,
    fields: Option<&'e FieldValues>,
    repairs: Vec<String>,
    error: Option<String>,
}

impl<'e> Ending<'e> {
    fn of(outcome: &'static str, reply: Option<&'e Completion>) -> Self {
        Ending {
            outcome,
            reply,
            usage: Usage::default(),
            retries: 0,
            truncated: None,
            fields: None,
            repairs: Vec::new(),
            error: None,
        }
    }

    fn record(&self, span: &Span, took: Duration) {
        span.record("outcome", self.outcome);
        if let Some(error) = &self.error {
            span.record("error", display(error));
        }
        span.record("prompt_tokens", self.usage.prompt_tokens);
        span.record("cached_tokens", self.usage.cached_tokens);
        span.record("completion_tokens", self.usage.completion_tokens);
        span.record("retries", self.retries);
        span.record("total_ms", milliseconds(took));
        span.record("repairs", self.repairs.len());
        let Some(reply) = self.reply else {
            return;
        };
        span.record("forced_tokens", reply.forced_tokens);
        span.record("resends", reply.resends);
        span.record("constrained", reply.constrained);
        let finish = match reply.finish {
            Finish::Stop => "stop",
            Finish::Length => "length",
        };
        span.record("finish", finish);
        if let Some(field) = self.truncated {
            span.record("truncated", field);
        }
        if let Some(Timings {
            queue,
            prefill,
            decode,
        }) = reply.timings
        {
            span.record("queue_ms", milliseconds(queue));
            span.record("prefill_ms", milliseconds(prefill));
            span.record("decode_ms", milliseconds(decode));
        }
    }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

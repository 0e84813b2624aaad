//! A typed result, with what is known about how it came about.

use std::ops::{Deref, Range};

use crate::adapter::{Completion, Finish, Usage};
use crate::parse::{Parsed, Repair};
use crate::signature::{FieldValues, Str, marker_name};

use super::{Attempt, FieldMeta};

/// A typed result; reads as the output struct itself.
#[derive(Debug, Clone)]
pub struct Predicted<O> {
    output: O,
    completion: Completion,
    parsed: Parsed,
    attempts: Vec<Attempt>,
    failed_checks: Vec<String>,
    /// What came before it cost, beside attempts.
    before: Usage,
}

impl<O> Predicted<O> {
    pub(super) fn new(output: O, completion: Completion, parsed: Parsed) -> Self {
        Predicted {
            output,
            completion,
            parsed,
            attempts: Vec::new(),
            failed_checks: Vec::new(),
            before: Usage::default(),
        }
    }

    /// The same, with the replies before it that were not accepted, and the checks that it fails.
    pub(super) fn after(mut self, attempts: Vec<Attempt>, failed_checks: Vec<String>) -> Self {
        (self.attempts, self.failed_checks) = (attempts, failed_checks);
        self
    }

    /// The same with what the steps before it cost.
    pub(super) fn after_steps(mut self, cost: Usage) -> Self {
        self.before = cost;
        self
    }

    /// The same prediction of another output made of this one: what is known of the reply stays.
    #[must_use]
    pub fn map<T>(self, change: impl FnOnce(O) -> T) -> Predicted<T> {
        Predicted {
            output: change(self.output),
            completion: self.completion,
            parsed: self.parsed,
            attempts: self.attempts,
            failed_checks: self.failed_checks,
            before: self.before,
        }
    }

    /// The values that were read of the reply, by field; those beside the output's own (`reasoning`) included.
    #[must_use]
    pub fn values(&self) -> &FieldValues {
        &self.parsed.values
    }

    /// The bare output.
    #[must_use]
    pub fn into_inner(self) -> O {
        self.output
    }

    /// Tokens of prompt and reply, those of replies that were not accepted and of a program's steps included.
    #[must_use]
    pub fn usage(&self) -> Usage {
        let earlier = self.attempts.iter().map(|attempt| attempt.usage);
        earlier.fold(self.before + self.completion.usage, |sum, usage| {
            sum + usage
        })
    }

    /// The replies before this one that were not accepted.
    #[must_use]
    pub fn attempts(&self) -> &[Attempt] {
        &self.attempts
    }

    /// The messages of the checks that this output fails.
    #[must_use]
    pub fn failed_checks(&self) -> &[String] {
        &self.failed_checks
    }

    pub(super) fn completion(&self) -> &Completion {
        &self.completion
    }

    /// The reply as the model wrote it.
    #[must_use]
    pub fn raw(&self) -> &str {
        &self.completion.text
    }

    /// Why the reply ended.
    #[must_use]
    pub fn finish(&self) -> Finish {
        self.completion.finish
    }

    /// The text of a field as the model wrote it; `None` if it was left out.
    #[must_use]
    pub fn raw_field(&self, name: &str) -> Option<&str> {
        let (_, span) = self.parsed.spans.iter().find(|(field, _)| field == name)?;
        self.completion.text.get(span.clone())
    }

    /// How many of the reply's tokens the grammar forced, so that the model did not have to choose them.
    #[must_use]
    pub fn forced_tokens(&self) -> usize {
        self.completion.forced_tokens
    }

    /// The field in which the reply was cut short, because no more tokens were allowed: its value, and those
    /// after it, are the shortest valid ones.
    #[must_use]
    pub fn truncated(&self) -> Option<&str> {
        let written = self.completion.text.get(..self.completion.closed_at?)?;
        let by_marker = || written.lines().rev().find_map(marker_name);
        // A JSON reply has no markers.
        let ends_later = |(_, span): &&(Str, Range<usize>)| span.end >= written.len();
        let by_place = || self.parsed.spans.iter().find(ends_later);
        by_marker()
            .map(|(name, _)| name)
            .or_else(|| by_place().map(|(name, _)| &**name))
    }

    /// What is known of how a field came about. A field that was left out, or that the signature lacks, has no text.
    #[must_use]
    pub fn meta(&self, field: &str) -> FieldMeta<'_> {
        FieldMeta::of(field, &self.completion, &self.parsed, self.truncated())
    }

    /// What the parser had to mend, in order.
    #[must_use]
    pub fn repairs(&self) -> &[Repair] {
        &self.parsed.repairs
    }
}

impl<O> Deref for Predicted<O> {
    type Target = O;

    fn deref(&self) -> &O {
        &self.output
    }
}

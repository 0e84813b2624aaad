//! A typed result, with what is known about how it came about.

use std::ops::Deref;

use crate::adapter::{Completion, Finish, Usage};
use crate::parse::{Parsed, Repair};
use crate::signature::marker_name;

/// A typed result; reads as the output struct itself.
#[derive(Debug, Clone)]
pub struct Predicted<O> {
    output: O,
    completion: Completion,
    parsed: Parsed,
}

impl<O> Predicted<O> {
    pub(super) fn new(output: O, completion: Completion, parsed: Parsed) -> Self {
        Predicted {
            output,
            completion,
            parsed,
        }
    }

    /// The bare output.
    #[must_use]
    pub fn into_inner(self) -> O {
        self.output
    }

    /// Tokens of prompt and reply.
    #[must_use]
    pub fn usage(&self) -> Usage {
        self.completion.usage
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
        written
            .lines()
            .rev()
            .find_map(marker_name)
            .map(|(name, _)| name)
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

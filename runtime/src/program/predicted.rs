//! A typed result, with what is known about how it came about.

use std::ops::Deref;

use crate::adapter::{Completion, Finish, Usage};
use crate::parse::Repair;

/// A typed result; reads as the output struct itself.
#[derive(Debug, Clone)]
pub struct Predicted<O> {
    output: O,
    completion: Completion,
    repairs: Vec<Repair>,
}

impl<O> Predicted<O> {
    pub(super) fn new(output: O, completion: Completion, repairs: Vec<Repair>) -> Self {
        Predicted {
            output,
            completion,
            repairs,
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

    /// What the parser had to mend, in order.
    #[must_use]
    pub fn repairs(&self) -> &[Repair] {
        &self.repairs
    }
}

impl<O> Deref for Predicted<O> {
    type Target = O;

    fn deref(&self) -> &O {
        &self.output
    }
}

//! Checks: demands on an output that no type or constraint expresses.

use std::fmt;
use std::sync::Arc;

/// A demand on an output.
pub struct Check<O> {
    pub(crate) message: Arc<str>,
    pub(crate) holds: Arc<dyn Fn(&O) -> bool + Send + Sync>,
    /// Whether a reply that fails it is no result at all.
    pub(crate) demanded: bool,
}

impl<O> Check<O> {
    /// A check of the whole output; one that is `demanded` makes a reply that fails it no result at all.
    pub fn new(
        message: impl Into<String>,
        holds: impl Fn(&O) -> bool + Send + Sync + 'static,
        demanded: bool,
    ) -> Self {
        Check {
            message: message.into().into(),
            holds: Arc::new(holds),
            demanded,
        }
    }

    /// What a reply that fails it is told.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Whether a reply that fails it is no result at all.
    #[must_use]
    pub fn is_demanded(&self) -> bool {
        self.demanded
    }

    /// Whether the output satisfies it.
    #[must_use]
    pub fn holds(&self, output: &O) -> bool {
        (self.holds)(output)
    }

    /// The same check where the output is a part of something larger.
    #[must_use]
    pub fn within<W: 'static>(self, part: fn(&W) -> &O) -> Check<W>
    where
        O: 'static,
    {
        let holds = self.holds;
        Check {
            message: self.message,
            holds: Arc::new(move |whole| holds(part(whole))),
            demanded: self.demanded,
        }
    }
}

impl<O> Clone for Check<O> {
    fn clone(&self) -> Self {
        Check {
            message: self.message.clone(),
            holds: self.holds.clone(),
            demanded: self.demanded,
        }
    }
}

impl<O> fmt::Debug for Check<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Check")
            .field("message", &self.message)
            .finish_non_exhaustive()
    }
}

/// `check(holds, message)` of a field.
pub fn check<O: 'static, T: 'static>(
    field: fn(&O) -> &T,
    holds: impl Fn(&T) -> bool + Send + Sync + 'static,
    message: &str,
) -> Check<O> {
    Check::new(message, holds, false).within(field)
}

/// `assert(holds, message)` of a field.
pub fn assert<O: 'static, T: 'static>(
    field: fn(&O) -> &T,
    holds: impl Fn(&T) -> bool + Send + Sync + 'static,
    message: &str,
) -> Check<O> {
    Check::new(message, holds, true).within(field)
}

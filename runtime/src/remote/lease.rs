//! A place at an endpoint, from the sending of a request to the end of its reply.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::adapter::Usage;

use super::RemoteError;
use super::pool::Pool;
use super::slot::Slot;

/// Given back when it is dropped; without a word on how it went the request was given up by its caller.
pub(super) struct Lease {
    pool: Arc<Pool>,
    pub at: usize,
    began: Instant,
    /// Tokens that were taken for it beforehand.
    cost: f64,
    outcome: Outcome,
}

enum Outcome {
    Abandoned,
    /// Said already, or nothing to say.
    Settled,
}

impl Lease {
    pub fn new(pool: Arc<Pool>, at: usize, cost: f64) -> Self {
        Lease {
            pool,
            at,
            began: Instant::now(),
            cost,
            outcome: Outcome::Abandoned,
        }
    }

    pub fn slot(&self) -> &Slot {
        &self.pool.slots[self.at]
    }

    pub fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// The reply is there.
    pub fn succeed(&mut self, usage: Usage) {
        self.outcome = Outcome::Settled;
        let mut state = self.slot().state();
        state.breaker.succeeded();
        state.counters.took(self.began.elapsed());
        state.counters.usage = state.counters.usage + usage;
        // A server that tells no usage is taken to have used what was expected.
        if usage != Usage::default() {
            state.spend(usage.total_tokens() as f64 - self.cost);
        }
    }

    /// The server does not know a parameter that it is not sent again: it is well, and nothing was used.
    pub fn refused(&mut self) {
        self.outcome = Outcome::Settled;
        let mut state = self.slot().state();
        state.breaker.succeeded();
        state.spend(-self.cost);
    }

    /// There is none.
    pub fn fail(&mut self, error: &RemoteError) {
        self.outcome = Outcome::Settled;
        let now = Instant::now();
        let mut state = self.slot().state();
        state.counters.failures += 1;
        match error.is_failure() {
            true => state.breaker.failed(now),
            // It answers: it lives.
            false => state.breaker.succeeded(),
        }
        if let Some(wait) = error.retry_after() {
            state.pause(wait, now);
        }
        state.spend(-self.cost);
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let mut state = self.slot().state();
        state.outstanding = state.outstanding.saturating_sub(1);
        if let Outcome::Abandoned = self.outcome {
            state.counters.cancelled += 1;
            state.breaker.abandoned(Instant::now());
        }
        drop(state);
        self.pool.free();
    }
}

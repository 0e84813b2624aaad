//! Whether an engine takes requests, finishes those it has, or ends at once.

use std::sync::atomic::{AtomicU8, Ordering};

/// What becomes of the requests of an engine that is shut down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Shutdown {
    /// Those that run or wait are answered; new ones are refused.
    Drain,
    /// All fail with [`EngineError::Stopped`](crate::engine::EngineError::Stopped) after the current step.
    Cancel,
}

const OPEN: u8 = 0;
const DRAINING: u8 = 1;
const CANCELLED: u8 = 2;

/// How far an engine's life has come: it only ever goes on.
#[derive(Debug, Default)]
pub(super) struct Life(AtomicU8);

impl Life {
    /// Ends it in this way, unless it ends faster already.
    pub fn end(&self, how: Shutdown) {
        let stage = match how {
            Shutdown::Drain => DRAINING,
            Shutdown::Cancel => CANCELLED,
        };
        self.0.fetch_max(stage, Ordering::Relaxed);
    }

    /// Whether requests are taken.
    pub fn is_open(&self) -> bool {
        self.0.load(Ordering::Relaxed) == OPEN
    }

    /// Whether even those that run are let go.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed) == CANCELLED
    }
}

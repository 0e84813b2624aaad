//! What an engine counts about itself. The engine's thread writes a few numbers a step, anyone reads them at any time.

use std::sync::{Arc, Mutex, PoisonError};

/// What an engine has done so far, and what it has to do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct EngineStats {
    /// Requests that wait for a place among the running.
    pub queued: usize,
    /// Sequences that run, those that wait for a slow reader included.
    pub running: usize,
    /// Forward passes.
    pub steps: u64,
    /// Tokens that were computed because they were given: prompts, and text that a mask forced.
    pub prefilled_tokens: u64,
    /// Tokens that the model chose.
    pub decoded_tokens: u64,
    /// Tokens that were guessed by looking them up in the prompt and reply.
    pub drafted_tokens: u64,
    /// Those of them that were the right ones: so many steps were saved.
    pub accepted_tokens: u64,
    /// Requests that were answered.
    pub finished: u64,
    /// Requests that ended in an error of the engine; those that were refused are not counted.
    pub failed: u64,
    /// Requests whose caller went away before the answer.
    pub cancelled: u64,
    /// The KV cache.
    pub cache: CacheStats,
}

/// What the KV cache holds and has saved.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheStats {
    /// Sequences that found at least one block of their beginning.
    pub hits: u64,
    /// Sequences that looked for their beginning and found less than a block of it.
    pub misses: u64,
    /// Tokens of the prompts of both.
    pub prompt_tokens: u64,
    /// Those that did not have to be computed.
    pub reused_tokens: u64,
    /// Blocks of 16 tokens in all.
    pub blocks_total: usize,
    /// Blocks that running sequences hold, and pinned ones, as of the engine's last step: a pin that is dropped while the engine
    /// has nothing to do is counted until it has.
    pub blocks_in_use: usize,
    /// Blocks that nobody holds but that are kept for sequences with an equal beginning.
    pub blocks_kept: usize,
    /// Blocks that were given up for others.
    pub evictions: u64,
    /// Bytes of the blocks in use and kept.
    pub bytes: usize,
}

/// The statistics as the engine's thread and its handle share them.
#[derive(Debug, Clone, Default)]
pub(super) struct Stats(Arc<Mutex<EngineStats>>);

impl Stats {
    /// Changes some of the numbers.
    pub fn count(&self, change: impl FnOnce(&mut EngineStats)) {
        // Numbers are sound whoever panicked while holding them.
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// The numbers as they are.
    pub fn read(&self) -> EngineStats {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

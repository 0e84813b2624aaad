//! A beginning of prompts that is kept in the cache for as long as somebody holds on to it.

use crate::engine::kv::pool::{BLOCK_TOKENS, Block};
use std::sync::Arc;

/// Keeps the keys and values of a prompt's beginning in the cache: until the last clone is dropped no other request
/// can drive them out. They take room from the others all the while.
#[derive(Debug, Clone)]
#[must_use = "dropping it ends the pinning"]
pub struct PinnedPrefix {
    /// A block that somebody holds is never evicted.
    blocks: Arc<[Arc<Block>]>,
}

impl PinnedPrefix {
    pub(super) fn new(blocks: Vec<Arc<Block>>) -> Self {
        Self {
            blocks: blocks.into(),
        }
    }

    /// Tokens that are kept: the whole blocks of 16 at the beginning of what was asked for.
    #[must_use]
    pub fn tokens(&self) -> usize {
        self.blocks.len() * BLOCK_TOKENS
    }
}

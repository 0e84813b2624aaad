//! What a forward pass is handed of each sequence, and what must hold of it.

use crate::engine::{EngineError, KvCache, TokenId};

/// One sequence's share of a step: new tokens, and the cache of those before them.
#[derive(Debug)]
pub struct Row<'a> {
    /// The tokens that follow what the cache holds.
    pub tokens: &'a [TokenId],
    /// Receives the tokens' keys and values; its length is the first token's position.
    pub cache: &'a mut KvCache,
    /// Whether the logits after the last token are wanted.
    pub logits: bool,
}

/// Refuses rows that a forward pass cannot run.
pub(super) fn check(rows: &[Row<'_>], vocab_size: usize) -> Result<(), EngineError> {
    for row in rows {
        if row.tokens.is_empty() {
            return Err(EngineError::EmptyPrompt);
        }
        let needed = row.cache.len() + row.tokens.len();
        if needed > row.cache.capacity() {
            return Err(EngineError::CacheTooSmall {
                actual: needed,
                max: row.cache.capacity(),
            });
        }
        if let Some(token) = row
            .tokens
            .iter()
            .find(|token| token.0 as usize >= vocab_size)
        {
            return Err(EngineError::TokenOutOfRange {
                id: token.0,
                vocab_size,
            });
        }
    }
    Ok(())
}

/// Counts the rows' tokens as held.
pub(super) fn commit(rows: &mut [Row<'_>]) {
    for row in rows {
        row.cache.commit(row.tokens.len());
    }
}

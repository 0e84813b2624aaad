//! Decoding token by token: text comes out only when its characters are complete.

use std::sync::Arc;

use super::Tokenizer;
use crate::engine::TokenId;

/// Turns tokens into text as they arrive. The pieces, joined, are what [`Tokenizer::decode`] gives for all tokens.
pub struct DecodeStream {
    tokenizer: Arc<Tokenizer>,
    /// Bytes of a character that is not complete yet.
    pending: Vec<u8>,
}

impl DecodeStream {
    pub(super) fn new(tokenizer: Arc<Tokenizer>) -> Self {
        Self {
            tokenizer,
            pending: Vec::new(),
        }
    }

    /// The text that this token completes; empty while a character is incomplete.
    #[must_use = "the text is not given a second time"]
    pub fn push(&mut self, token: TokenId) -> String {
        self.tokenizer
            .append_visible_bytes(token, &mut self.pending);
        let complete = complete_prefix(&self.pending);
        let text = String::from_utf8_lossy(&self.pending[..complete]).into_owned();
        self.pending.drain(..complete);
        text
    }

    /// What is left when no token follows: U+FFFD for a character that was never completed.
    #[must_use = "the text is not given a second time"]
    pub fn finish(self) -> String {
        String::from_utf8_lossy(&self.pending).into_owned()
    }
}

impl std::fmt::Debug for DecodeStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DecodeStream")
            .field("pending", &self.pending)
            .finish_non_exhaustive()
    }
}

/// The length of `bytes` without an incomplete character at the end. Invalid bytes count as complete:
/// nothing that follows can mend them.
fn complete_prefix(bytes: &[u8]) -> usize {
    let mut at = 0;
    loop {
        match std::str::from_utf8(&bytes[at..]) {
            Ok(_) => return bytes.len(),
            Err(error) => {
                at += error.valid_up_to();
                match error.error_len() {
                    None => return at,
                    Some(invalid) => at += invalid,
                }
            }
        }
    }
}

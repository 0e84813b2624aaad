//! The tokens of a generation, as shares of its text.

use std::sync::Arc;

use crate::engine::{Generation, Tokenizer};

use super::CompletionToken;

/// One for each token: the bytes of all together are the text's.
pub(super) fn completion_tokens(
    tokenizer: &Arc<Tokenizer>,
    generation: &Generation,
) -> Vec<CompletionToken> {
    let mut decoder = tokenizer.decode_stream();
    let scored = generation.tokens.iter().zip(&generation.logprobs);
    let mut tokens: Vec<_> = scored
        .map(|(token, logprob)| CompletionToken::new(decoder.push(*token).len(), *logprob))
        .collect();
    // A character that was never completed is shown all the same.
    if let Some(last) = tokens.last_mut() {
        last.bytes += decoder.finish().len();
    }
    tokens
}

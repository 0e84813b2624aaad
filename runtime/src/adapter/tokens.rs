//! The tokens of a generation, as shares of its text.

use std::sync::Arc;

use crate::engine::{Generation, TokenId, Tokenizer};

use super::{CompletionToken, TopToken};

/// One for each token: the bytes of all together are the text's.
pub(super) fn completion_tokens(
    tokenizer: &Arc<Tokenizer>,
    generation: &Generation,
) -> Vec<CompletionToken> {
    let mut decoder = tokenizer.decode_stream();
    let scored = generation.tokens.iter().zip(&generation.logprobs);
    let mut tokens: Vec<_> = scored
        .zip(&generation.top_logprobs)
        .map(|((token, logprob), top)| {
            let text = decoder.push(*token);
            CompletionToken {
                top: top_tokens(tokenizer, top),
                ..CompletionToken::new(text.len(), *logprob)
            }
        })
        .collect();
    // A character that was never completed is shown all the same.
    if let Some(last) = tokens.last_mut() {
        last.bytes += decoder.finish().len();
    }
    tokens
}

/// The alternatives of a token, in bytes.
pub(super) fn top_tokens(tokenizer: &Tokenizer, top: &[(TokenId, f32)]) -> Vec<TopToken> {
    top.iter()
        .map(|(token, logprob)| TopToken {
            bytes: tokenizer.token_bytes(*token).unwrap_or_default(),
            logprob: *logprob,
        })
        .collect()
}

//! The shortest way to end a reply that is under way.

use llguidance::Matcher;
use toktrie::{TokEnv, TokenId};

/// Texts that end something, or are the least that must stand somewhere, most wanted first.
const ENDINGS: &[&str] = &[
    "\n\n", "\n", "[[", "\"", "]", "}", "\"]", "\"}", "]]", "}}", "[]", "{}", "\"\"", "null", "0",
    "1", "-1", "true", ", ", ",", ": ", ":", ".", "a", "A", "x",
];

/// No reply needs more tokens than this to end: a bound on the search, not on replies.
const FARTHEST: usize = 4096;

/// Knows which tokens tend to end a reply.
pub(super) struct Closer {
    endings: Vec<TokenId>,
}

impl Closer {
    pub(super) fn new(vocabulary: &TokEnv) -> Self {
        let mut endings = Vec::new();
        for text in ENDINGS {
            if let Some(token) = vocabulary.tok_trie().token_id_at_bytes(text.as_bytes()) {
                endings.push(token);
            }
        }
        Closer { endings }
    }

    /// Tokens that end the reply from here, at most `most`; `None` if there is no way so short.
    pub(super) fn close(&self, matcher: &Matcher, most: usize) -> Option<Vec<TokenId>> {
        let most = most.min(FARTHEST);
        let mut matcher = matcher.deep_clone();
        let mut tokens = Vec::new();
        while !is_complete(&mut matcher) {
            let mut forced = matcher.consume_ff_tokens();
            if forced.is_empty() {
                let token = self.next(&mut matcher)?;
                matcher.consume_token(token).ok()?;
                forced.push(token);
            }
            tokens.append(&mut forced);
            if tokens.len() > most {
                return None;
            }
        }
        Some(tokens)
    }

    /// The token that leads to the end the soonest, as far as one step shows.
    fn next(&self, matcher: &mut Matcher) -> Option<TokenId> {
        if let Some(token) = self.endings.iter().find(|token| {
            matcher
                .validate_tokens(&[**token])
                .is_ok_and(|valid| valid == 1)
        }) {
            return Some(*token);
        }
        // Somewhere inside a name or a pattern: the allowed token that carries on farthest.
        let environment = matcher.tok_env().ok()?;
        let trie = environment.tok_trie();
        let mask = matcher.compute_mask().ok()?;
        mask.iter().max_by_key(|token| trie.token_len(*token))
    }
}

/// Whether the reply may end here.
pub(super) fn is_complete(matcher: &mut Matcher) -> bool {
    matcher.is_stopped() || matcher.is_accepting().unwrap_or(false)
}

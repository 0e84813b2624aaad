//! A short way to end a reply that is under way.
//!
//! The shortest way is a search over all tokens; this is a walk that tries, at each choice, the texts that end things. It is
//! walked in two orders, since what ends a string is text inside of another, and the shorter way counts.

use llguidance::Matcher;
use toktrie::{TokEnv, TokenId};

/// In free text of the chat format, whatever the line holds, this leads to the next marker.
const NEXT_SECTION: &str = "\n\n[[ ##";

/// Texts that end something, or are the least that must stand somewhere: strings before brackets.
const STRINGS_FIRST: &[&str] = &[
    NEXT_SECTION,
    "\"",
    "]",
    "}",
    "\n}",
    ", ",
    ",",
    "0",
    "1",
    "true",
    "null",
    ": ",
    ":",
    "{",
    "[",
    "a",
    "x",
];

/// The same with brackets before strings: shorter where a list may be empty.
const BRACKETS_FIRST: &[&str] = &[
    NEXT_SECTION,
    "[]",
    "{}",
    "]",
    "}",
    "\"",
    "\n}",
    ", ",
    ",",
    "null",
    "0",
    "1",
    "true",
    ": ",
    ":",
    "{",
    "[",
    "a",
    "x",
];

/// No reply is followed farther than this.
const FARTHEST: usize = 4096;

/// Texts in the order in which they are tried, as tokens.
type Order = Vec<Vec<TokenId>>;

/// Knows which texts tend to end a reply.
pub(super) struct Closer {
    orders: [Order; 2],
}

impl Closer {
    pub(super) fn new(vocabulary: &TokEnv) -> Self {
        let order = |texts: &[&str]| texts.iter().map(|text| vocabulary.tokenize(text)).collect();
        Closer {
            orders: [order(STRINGS_FIRST), order(BRACKETS_FIRST)],
        }
    }

    /// Tokens that end the reply from here, at most `most`; `None` if no way so short is found.
    pub(super) fn close(&self, matcher: &Matcher, most: usize) -> Option<Vec<TokenId>> {
        let mut most = most.min(FARTHEST);
        let mut best: Option<Vec<TokenId>> = None;
        for order in &self.orders {
            if let Some(way) = walk(matcher.clone(), order, most) {
                most = way.len();
                best = Some(way);
            }
        }
        best
    }
}

fn walk(mut matcher: Matcher, order: &Order, most: usize) -> Option<Vec<TokenId>> {
    let mut way = Vec::new();
    while !is_complete(&mut matcher) {
        let mut step = matcher.consume_ff_tokens();
        if step.is_empty() {
            step = next(&mut matcher, order)?;
            matcher.consume_tokens(&step).ok()?;
        }
        way.append(&mut step);
        if way.len() > most {
            return None;
        }
    }
    Some(way)
}

/// The first of the texts that may stand here. Inside of a name or a pattern none may: then the longest token that may.
fn next(matcher: &mut Matcher, order: &Order) -> Option<Vec<TokenId>> {
    for tokens in order {
        if matcher
            .validate_tokens(tokens)
            .is_ok_and(|valid| valid == tokens.len())
        {
            return Some(tokens.clone());
        }
    }
    let environment = matcher.tok_env().ok()?;
    let trie = environment.tok_trie();
    let mask = matcher.compute_mask().ok()?;
    mask.iter()
        .max_by_key(|token| trie.token_len(*token))
        .map(|token| vec![token])
}

/// Whether the reply may end here.
fn is_complete(matcher: &mut Matcher) -> bool {
    matcher.is_stopped() || matcher.is_accepting().unwrap_or(false)
}

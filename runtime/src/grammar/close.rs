//! A short way to end a reply that is under way.
//!
//! The shortest way is a search over all tokens; this is a walk that tries, at each choice, the texts that end things. It is
//! walked in two orders, since what ends a string is text inside of another, and the shorter way counts.

use toktrie::{TokEnv, TokenId};

use super::guarded::Guarded;

/// In free text of the chat format, whatever the line holds, this leads to the next marker.
const NEXT_SECTION: &str = "\n\n[[ ##";

/// Texts that end something, or are the least that must stand somewhere: strings before brackets.
const STRINGS_FIRST: &[&str] = &[
    NEXT_SECTION,
    "\"",
    "]",
    "}",
    "\n}",
    " null",
    " []",
    " {}",
    " \"\"",
    " \"",
    " 1",
    " true",
    " [",
    " {",
    ", ",
    ",",
    "1",
    "0",
    "2",
    "3",
    "4",
    "5",
    "6",
    "7",
    "8",
    "9",
    "true",
    "false",
    "null",
    ": ",
    ":",
    " ",
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
    " []",
    " {}",
    " null",
    "\"",
    "\n}",
    " \"\"",
    " \"",
    " 1",
    " true",
    " [",
    " {",
    ", ",
    ",",
    "null",
    "1",
    "0",
    "2",
    "3",
    "4",
    "5",
    "6",
    "7",
    "8",
    "9",
    "true",
    "false",
    ": ",
    ":",
    " ",
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
    pub(super) fn close(&self, from: &Guarded, most: usize) -> Option<Vec<TokenId>> {
        let mut most = most.min(FARTHEST);
        let mut best: Option<Vec<TokenId>> = None;
        for order in &self.orders {
            if let Some(way) = walk(from.clone(), order, most, Otherwise::Longest) {
                most = way.len();
                best = Some(way);
            }
        }
        // A long token may begin ever new items: where that had no end, small steps may.
        best.or_else(|| walk(from.clone(), &self.orders[0], most, Otherwise::Shortest))
    }
}

/// The token to take where none of the texts may stand.
#[derive(Clone, Copy)]
enum Otherwise {
    Longest,
    Shortest,
}

fn walk(
    mut state: Guarded,
    order: &Order,
    most: usize,
    otherwise: Otherwise,
) -> Option<Vec<TokenId>> {
    let mut way = Vec::new();
    while !state.is_complete() {
        let mut step = state.take_forced().ok()?;
        if step.is_empty() {
            step = next(&mut state, order, otherwise)?;
        }
        way.append(&mut step);
        if way.len() > most {
            return None;
        }
    }
    Some(way)
}

/// Takes the first of the texts that may stand here. Inside of a name or a pattern none may.
fn next(state: &mut Guarded, order: &Order, otherwise: Otherwise) -> Option<Vec<TokenId>> {
    for tokens in order {
        if state.try_take(tokens) {
            return Some(tokens.clone());
        }
    }
    let mask = state.mask().ok()?;
    let trie = state.trie();
    let length = |token: &TokenId| trie.token_len(*token);
    let token = match otherwise {
        Otherwise::Longest => mask.iter().max_by_key(length),
        Otherwise::Shortest => mask.iter().min_by_key(length),
    }?;
    state.take(token).ok()?;
    Some(vec![token])
}

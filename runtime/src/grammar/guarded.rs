//! A grammar's automaton with the walker beside it: one state, which neither of them leaves.

use std::sync::Arc;

use llguidance::Matcher;
use toktrie::{SimpleVob, TokTrie, TokenId};

use super::vocabulary::Marks;
use super::walk::{Plan, Walker, Watch};

/// The state of a reply.
#[derive(Clone)]
pub(super) struct Guarded {
    matcher: Matcher,
    walker: Option<Walker>,
    plan: Option<Arc<Plan>>,
    marks: Marks,
}

impl Guarded {
    pub fn new(matcher: Matcher, plan: Option<Arc<Plan>>, marks: Marks) -> Self {
        let walker = plan.clone().filter(|plan| plan.is_needed());
        Guarded {
            matcher,
            walker: walker.map(Walker::new),
            plan,
            marks,
        }
    }

    /// Bytes that may be missing at the reply's end for what is open here. Grammars of the user's own say nothing of it.
    pub fn rest(&self) -> usize {
        match (&self.walker, &self.plan) {
            (Some(walker), _) => walker.rest(),
            (None, Some(plan)) => plan.rest(),
            (None, None) => 0,
        }
    }

    /// Bytes by which what is missing may grow with a token.
    pub fn growth(&self) -> usize {
        // A token opens three containers at most, as a rule.
        self.plan.as_ref().map_or(64, |plan| 3 * plan.growth() + 8)
    }

    /// A copy that shares no state with this one, for another reply.
    pub fn separate(&self) -> Self {
        Guarded {
            matcher: self.matcher.deep_clone(),
            walker: self.walker.clone(),
            plan: self.plan.clone(),
            marks: self.marks.clone(),
        }
    }

    /// Back at the start, with what was learned of the automaton on the way: its states are made as they are met. `None` if
    /// it has failed.
    pub fn rewound(mut self) -> Option<Self> {
        self.matcher.reset().ok()?;
        if let Some(walker) = &mut self.walker {
            *walker = Walker::new(Arc::clone(self.plan.as_ref()?));
        }
        Some(self)
    }

    pub fn error(&self) -> Option<String> {
        self.matcher.get_error()
    }

    /// Whether nothing can follow.
    pub fn is_stopped(&self) -> bool {
        self.matcher.is_stopped()
    }

    /// Whether the reply may end here.
    pub fn is_complete(&mut self) -> bool {
        self.matcher.is_stopped() || self.matcher.is_accepting().unwrap_or(false)
    }

    pub fn tokenize(&self, text: &str) -> Vec<TokenId> {
        self.marks.tokenize(text)
    }

    pub fn trie(&self) -> &TokTrie {
        self.marks.trie()
    }

    /// The tokens that may come next; where the reply may end, the one that ends it is among them.
    pub fn mask(&mut self) -> Result<SimpleVob, String> {
        let mut mask = self
            .matcher
            .compute_mask_or_eos()
            .map_err(|error| error.to_string())?;
        if let Some(walker) = &self.walker {
            restrict(&mut mask, walker, &self.marks);
        }
        Ok(mask)
    }

    /// Takes a token.
    pub fn take(&mut self, token: TokenId) -> Result<(), String> {
        self.matcher
            .consume_token(token)
            .map_err(|error| error.to_string())?;
        self.walk(&[token])
    }

    /// Takes what is forced, and gives it.
    pub fn take_forced(&mut self) -> Result<Vec<TokenId>, String> {
        let forced = self.matcher.consume_ff_tokens();
        self.walk(&forced)?;
        Ok(forced)
    }

    /// Takes all these tokens, or none of them.
    pub fn try_take(&mut self, tokens: &[TokenId]) -> bool {
        let valid = self
            .matcher
            .validate_tokens(tokens)
            .is_ok_and(|valid| valid == tokens.len());
        if !valid {
            return false;
        }
        let mut walker = self.walker.clone();
        let allowed = walker.as_mut().is_none_or(|walker| {
            tokens
                .iter()
                .all(|token| allows(walker, *token, &self.marks))
        });
        if allowed && self.matcher.consume_tokens(tokens).is_ok() {
            self.walker = walker;
            return true;
        }
        false
    }

    fn walk(&mut self, tokens: &[TokenId]) -> Result<(), String> {
        let Some(walker) = &mut self.walker else {
            return Ok(());
        };
        match tokens
            .iter()
            .all(|token| allows(walker, *token, &self.marks))
        {
            true => Ok(()),
            false => Err("the token repeats an item or a key, or nests too deep".into()),
        }
    }
}

fn allows(walker: &mut Walker, token: TokenId, marks: &Marks) -> bool {
    let trie = marks.trie();
    trie.is_special_token(token) || walker.take(trie.token(token))
}

/// Takes the tokens out of a mask after which no valid reply remains.
fn restrict(mask: &mut SimpleVob, walker: &Walker, marks: &Marks) {
    let candidates: Vec<TokenId> = match walker.watch() {
        Watch::None => return,
        Watch::Quotes => marks
            .quotes()
            .iter()
            .copied()
            .filter(|token| mask.is_allowed(*token))
            .collect(),
        Watch::All => mask.iter().collect(),
    };
    let mut trial = walker.clone();
    for token in candidates {
        trial.clone_from(walker);
        if !allows(&mut trial, token, marks) {
            mask.disallow_token(token);
        }
    }
}

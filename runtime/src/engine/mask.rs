//! What the engine knows of a grammar: which tokens may come next, and which must.

use super::TokenId;

/// Holds a reply to a grammar. The only way in which a grammar reaches the engine.
///
/// The engine calls [`start`](LogitsMask::start) once, then for each token [`apply`](LogitsMask::apply) and
/// [`accept`](LogitsMask::accept). Budgets count the tokens that the reply may still have, the one being accepted included.
pub trait LogitsMask: Send {
    /// What must come first.
    ///
    /// # Errors
    /// [`MaskError::BudgetTooSmall`] if no reply is that short.
    fn start(&mut self, budget: usize) -> Result<MaskStep, MaskError>;

    /// Sets the logits of tokens that may not come next to minus infinity.
    ///
    /// # Errors
    /// If the grammar's automaton fails: its limits are reached.
    fn apply(&mut self, logits: &mut [f32]) -> Result<(), MaskError>;

    /// What [`apply`](LogitsMask::apply) leaves, a bit for each of `vocabulary` tokens, the lowest of a word first, none
    /// where it leaves everything: how a mask reaches a GPU. Whoever has the bits gives them at less cost than this
    /// default does; tokens beyond the last word may not come next.
    ///
    /// # Errors
    /// As [`apply`](LogitsMask::apply).
    fn bits(&mut self, vocabulary: usize) -> Result<Option<Vec<u32>>, MaskError> {
        let mut logits = vec![0.0; vocabulary];
        self.apply(&mut logits)?;
        let word = |logits: &[f32]| {
            let bits = logits.iter().enumerate();
            bits.fold(0, |word, (bit, logit)| {
                word | u32::from(*logit > f32::NEG_INFINITY) << bit
            })
        };
        Ok(Some(logits.chunks(32).map(word).collect()))
    }

    /// The tokens that may come next, if they are known by now and no more than `most`. Never waits: the logits of other
    /// tokens are then not computed at all.
    fn few(&mut self, most: usize) -> Option<Vec<TokenId>> {
        let _ = most;
        None
    }

    /// Takes the chosen token and gives the tokens to append in its place: as a rule itself, and then what it forces;
    /// but where a way to end within the budget would be lost, the way to end.
    ///
    /// # Errors
    /// If the token may not come next.
    fn accept(&mut self, token: TokenId, budget: usize) -> Result<MaskStep, MaskError>;
}

/// Tokens to append to a reply.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MaskStep {
    /// The tokens, in order.
    pub tokens: Vec<TokenId>,
    /// Set if the reply ends after them.
    pub end: Option<MaskEnd>,
}

/// Why a mask ends a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MaskEnd {
    /// Nothing can follow.
    Complete,
    /// The budget leaves room for the shortest end only, and the tokens are that end.
    Closed,
}

/// Why a mask can't go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MaskError {
    /// The shortest reply is longer than the budget.
    #[error(
        "the shortest valid reply takes {needed} tokens and only {budget} may be generated: raise max_tokens or shorten the prompt"
    )]
    BudgetTooSmall {
        /// Tokens of the shortest reply.
        needed: usize,
        /// Tokens that may be generated.
        budget: usize,
    },
    /// The automaton failed.
    #[error("the grammar failed: {0}")]
    Failed(String),
}

//! What is asked of each row whose next token the GPU chooses, and what comes back.

use crate::engine::{EngineError, SamplingParams, TokenId};

/// How the next token of a row is chosen: what [`crate::engine::Sampler`] would do with its logits.
#[derive(Debug, Default)]
pub(crate) struct Question {
    /// The tokens that may come next, a bit each; all without it.
    pub mask: Option<Vec<u32>>,
    /// Of different tokens.
    pub changes: Vec<Change>,
    pub params: SamplingParams,
    pub random: u64,
    /// Likeliest tokens that are wanted beside it.
    pub top: usize,
    /// The tokens so far, for errors.
    pub position: usize,
}

/// What penalties and biases do to a token's logit.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Change {
    pub id: u32,
    /// Whether the repetition penalty meets it.
    pub is_repeated: u32,
    /// Taken off after that.
    pub penalty: f32,
    /// Added last.
    pub bias: f32,
}

/// A token that was chosen.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Chosen {
    pub token: TokenId,
    /// Its logit before any change.
    pub logit: f32,
    /// The logarithm of the sum of all exponentials before any change, which a logit less is a log-probability.
    pub scale: f32,
    /// The likeliest tokens and their logits before any change, the likeliest first.
    pub top: Vec<(TokenId, f32)>,
}

/// What a row of a pass came to.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// How many of its tokens were run: fewer than it has where others' next tokens were to be had at once.
    pub run: usize,
    /// Its next token; none where none was to be chosen, or not all of its tokens were run.
    pub chosen: Option<Result<Chosen, EngineError>>,
}

/// How a row's token after the next is chosen.
#[derive(Debug)]
pub(crate) enum Next {
    /// Like this, whatever the next one is.
    Known(Question),
    /// In a way that depends on the next one.
    Later,
    /// There will be none.
    Nothing,
}

/// What is asked about rows, by their numbers.
pub(crate) trait Asker {
    /// How a row's next token is chosen.
    fn ask(&mut self, row: usize) -> Result<Question, EngineError>;

    /// How the token after the one that was last asked about is chosen. Does not count as asked.
    fn ask_ahead(&mut self, row: usize) -> Next;
}

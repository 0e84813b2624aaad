//! What a generation is asked for with and what it answers.

use crate::engine::{EngineError, LogitsMask, ModelConfig, Sampler, SamplingParams, TokenId};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};

/// A prompt to continue, and how.
pub struct GenerateRequest {
    /// Tokens to continue; at least one.
    pub prompt: Vec<TokenId>,
    /// Most tokens to generate; fewer where the context ends. 0 gives an empty generation.
    pub max_tokens: usize,
    /// How each token is chosen.
    pub sampling: SamplingParams,
    /// Tokens that end the reply and are not part of it, usually [`crate::engine::Model::end_tokens`].
    pub stop_tokens: Vec<TokenId>,
    /// Most tokens of prompt and reply together; the model's own limit holds as well.
    pub context_length: usize,
    /// Without it every step recomputes the whole sequence: slow, and the same tokens.
    pub use_kv_cache: bool,
    /// Most tokens the KV cache may hold; the reply ends where it is full.
    pub max_cache_tokens: Option<usize>,
    /// Whether every step needs the logits of the whole vocabulary, as log-probabilities do. Else, where the mask admits
    /// few tokens, only theirs are computed.
    pub all_logits: bool,
    /// Restricts the reply.
    pub mask: Option<Box<dyn LogitsMask>>,
    /// Gets the reply's tokens as they are certain. While it is full the sequence waits, and no other does; what it has
    /// not taken when the generation ends is in [`Generation::tokens`] alone. Closing it cancels.
    pub stream: Option<mpsc::Sender<TokenId>>,
}

impl GenerateRequest {
    /// Greedy continuation of a prompt, up to `max_tokens` or the model's context, with a KV cache.
    #[must_use]
    pub fn greedy(prompt: Vec<TokenId>, max_tokens: usize) -> Self {
        Self {
            prompt,
            max_tokens,
            sampling: SamplingParams::default(),
            stop_tokens: Vec::new(),
            context_length: usize::MAX,
            use_kv_cache: true,
            max_cache_tokens: None,
            all_logits: false,
            mask: None,
            stream: None,
        }
    }

    /// The number of tokens that may be generated, or why none of this request can run.
    /// `cache_tokens` is what the engine's whole cache holds.
    pub(super) fn limit(
        &self,
        model: &ModelConfig,
        cache_tokens: usize,
    ) -> Result<usize, EngineError> {
        let actual = self.prompt.len();
        if actual == 0 {
            return Err(EngineError::EmptyPrompt);
        }
        let vocab_size = model.vocab_size;
        if let Some(token) = self
            .prompt
            .iter()
            .find(|token| token.0 as usize >= vocab_size)
        {
            return Err(EngineError::TokenOutOfRange {
                id: token.0,
                vocab_size,
            });
        }
        let context = self.context_length.min(model.max_positions);
        if actual > context {
            return Err(EngineError::ContextTooLong {
                actual,
                max: context,
            });
        }
        let cache = match self.max_cache_tokens {
            Some(max) if self.use_kv_cache => max.min(cache_tokens),
            _ => cache_tokens,
        };
        if actual > cache {
            return Err(EngineError::CacheTooSmall { actual, max: cache });
        }
        Ok(self.max_tokens.min(context.min(cache) - actual))
    }
}

impl std::fmt::Debug for GenerateRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GenerateRequest")
            .field("prompt_tokens", &self.prompt.len())
            .field("max_tokens", &self.max_tokens)
            .field("sampling", &self.sampling)
            .field("masked", &self.mask.is_some())
            .finish_non_exhaustive()
    }
}

/// Why a generation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FinishReason {
    /// A stop token was chosen.
    Stop,
    /// `max_tokens`, the context or the cache left no room.
    Length,
}

/// Where the time of a generation went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Timings {
    /// Waiting for a place among the running sequences.
    pub queue: Duration,
    /// From there to the first token.
    pub prefill: Duration,
    /// From the first token to the last.
    pub decode: Duration,
}

/// A finished generation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generation {
    /// The reply, without the stop token.
    pub tokens: Vec<TokenId>,
    /// Why it ended.
    pub finish: FinishReason,
    /// Tokens in the prompt.
    pub prompt_tokens: usize,
    /// Tokens of the reply, a stop token included.
    pub completion_tokens: usize,
    /// How many of them were forced by the mask, so that no forward pass chose them.
    pub forced_tokens: usize,
    /// Index of the token from which on the mask ended the reply for want of room.
    pub closed_at: Option<usize>,
    /// Where the time went.
    pub timings: Timings,
}

/// A request on its way to the engine's thread.
pub(super) struct Job {
    pub request: GenerateRequest,
    /// Checked number of tokens to generate.
    pub limit: usize,
    pub sampler: Sampler,
    pub queued: Instant,
    pub reply: oneshot::Sender<Result<Generation, EngineError>>,
    /// Given back when the request is admitted or gone.
    pub place: Option<Place>,
}

/// A place in the queue.
pub(super) struct Place(Arc<AtomicUsize>);

impl Place {
    /// A place among at most `max`.
    pub fn take(taken: &Arc<AtomicUsize>, max: usize) -> Result<Self, EngineError> {
        let place = Self(taken.clone());
        // Counted first and given back by the drop: two callers never take the last place both.
        let before = taken.fetch_add(1, Ordering::Relaxed);
        if before < max {
            Ok(place)
        } else {
            Err(EngineError::QueueFull { max })
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Job {
    /// Whether nobody waits for the answer any more.
    pub fn is_cancelled(&self) -> bool {
        self.reply.is_closed()
            || self
                .request
                .stream
                .as_ref()
                .is_some_and(mpsc::Sender::is_closed)
    }
}

//! What a generation is asked for with and what it answers.

use super::pin::PinnedPrefix;
use super::stats::Stats;
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
    /// For each chosen token the so many likeliest by the model alone, with their log-probabilities; at most
    /// [`GenerateRequest::MOST_TOP_LOGPROBS`]. Above 0 it implies `all_logits`.
    pub top_logprobs: usize,
    /// Most tokens that are guessed a step, from what followed the same tokens earlier in prompt and reply, and checked in
    /// one pass: fewer steps where a reply copies, and the same tokens. 0 is off, and it is off without a KV cache. The
    /// rows of a pass share the number.
    pub prompt_lookup: usize,
    /// Most rows of a forward pass that this request takes part in; at
    /// least 1. None is what the engine was started with.
    pub batch_size: Option<usize>,
    /// How long an engine that has nothing else to do waits for `batch_size` requests to come before it begins with this
    /// one. Without a `batch_size` it never waits.
    pub batch_wait: Duration,
    /// When to give up, running or waiting: with [`EngineError::DeadlinePassed`], before the first step after it.
    pub deadline: Option<Instant>,
    /// Restricts the reply.
    pub mask: Option<Box<dyn LogitsMask>>,
    /// Gets the reply's tokens as they are certain. While it is full the sequence waits, and no other does; what it has
    /// not taken when the generation ends is in [`Generation::tokens`] alone. Closing it cancels.
    pub stream: Option<mpsc::Sender<StreamedToken>>,
}

/// A token of a reply, as a stream delivers it.
#[derive(Debug, Clone, PartialEq)]
pub struct StreamedToken {
    /// The token.
    pub id: TokenId,
    /// As in [`Generation::logprobs`].
    pub logprob: Option<f32>,
    /// As in [`Generation::top_logprobs`].
    pub top: Vec<(TokenId, f32)>,
}

impl GenerateRequest {
    /// The most that [`Self::top_logprobs`] may be, as in OpenAI's API.
    pub const MOST_TOP_LOGPROBS: usize = 20;

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
            top_logprobs: 0,
            prompt_lookup: 0,
            batch_size: None,
            batch_wait: Duration::ZERO,
            deadline: None,
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
        if self.top_logprobs > Self::MOST_TOP_LOGPROBS {
            return Err(EngineError::Sampling {
                parameter: "top_logprobs",
                problem: format!(
                    "is {}; it must be at most {}",
                    self.top_logprobs,
                    Self::MOST_TOP_LOGPROBS
                ),
            });
        }
        let vocab_size = model.vocab_size;
        let biased = self.sampling.logit_bias.iter().map(|(token, _)| token);
        if let Some(token) = self
            .prompt
            .iter()
            .chain(biased)
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

impl GenerateRequest {
    /// Whether log-probabilities of every chosen token are wanted, under a mask too.
    pub(super) fn wants_all_logits(&self) -> bool {
        self.all_logits || self.top_logprobs > 0
    }

    pub(super) fn is_late(&self, now: Instant) -> bool {
        self.deadline.is_some_and(|deadline| deadline <= now)
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
#[non_exhaustive]
pub enum FinishReason {
    /// A stop token was chosen.
    Stop,
    /// `max_tokens`, the context or the cache left no room.
    Length,
}

/// Where the time of a generation went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timings {
    /// Waiting for a place among the running sequences.
    pub queue: Duration,
    /// From there to the first token.
    pub prefill: Duration,
    /// From the first token to the last.
    pub decode: Duration,
}

/// A finished generation.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Generation {
    /// The reply, without the stop token.
    pub tokens: Vec<TokenId>,
    /// For each token the natural logarithm of its probability by the model alone: over the whole vocabulary, before
    /// mask, penalty, temperature and filters. None for a token that was forced, and under a mask without
    /// [`GenerateRequest::all_logits`].
    pub logprobs: Vec<Option<f32>>,
    /// For each token the likeliest ones in its place, the likeliest first, with their log-probabilities: as many as
    /// [`GenerateRequest::top_logprobs`] asks for. Empty for a token that has no log-probability.
    pub top_logprobs: Vec<Vec<(TokenId, f32)>>,
    /// Why it ended.
    pub finish: FinishReason,
    /// Tokens in the prompt.
    pub prompt_tokens: usize,
    /// Those of them whose keys and values were in the cache already: they were not computed.
    pub cached_tokens: usize,
    /// Tokens of the reply, a stop token included.
    pub completion_tokens: usize,
    /// How many of them were forced by the mask, so that no forward pass chose them.
    pub forced_tokens: usize,
    /// Index of the token from which on the mask ended the reply for want of room.
    pub closed_at: Option<usize>,
    /// Where the time went.
    pub timings: Timings,
}

/// What the engine's thread is told.
pub(super) enum Message {
    /// Something to do.
    Job(Box<Job>),
    /// Look at what has changed beside the queue.
    Wake,
}

/// A request on its way to the engine's thread.
pub(super) struct Job {
    pub request: GenerateRequest,
    /// Checked number of tokens to generate.
    pub limit: usize,
    pub sampler: Sampler,
    pub queued: Instant,
    pub reply: Reply,
    /// Where the prompt's blocks go, once they are computed, of a request that wants them kept.
    pub pin: Option<oneshot::Sender<PinnedPrefix>>,
    /// Given back when the request is admitted or gone.
    pub place: Option<Place>,
}

/// Where the answer goes; counted once, whichever way it ends.
pub(super) struct Reply {
    sender: Option<oneshot::Sender<Result<Generation, EngineError>>>,
    stats: Stats,
}

impl Reply {
    pub fn new(sender: oneshot::Sender<Result<Generation, EngineError>>, stats: &Stats) -> Self {
        Self {
            sender: Some(sender),
            stats: stats.clone(),
        }
    }

    /// A receiver that is gone has cancelled: nobody misses the answer.
    pub fn send(mut self, result: Result<Generation, EngineError>) {
        let Some(sender) = self.sender.take() else {
            return;
        };
        // Counted before it is sent: who has the answer finds it in the statistics.
        self.stats.count(|stats| match result {
            _ if sender.is_closed() => stats.cancelled += 1,
            Ok(_) => stats.finished += 1,
            Err(_) => stats.failed += 1,
        });
        drop(sender.send(result));
    }

    fn is_closed(&self) -> bool {
        self.sender.as_ref().is_none_or(oneshot::Sender::is_closed)
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        if self.sender.is_some() {
            self.stats.count(|stats| stats.cancelled += 1);
        }
    }
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
    /// The error of a deadline that has passed after these tokens.
    pub fn late(&self, tokens: Vec<TokenId>) -> EngineError {
        EngineError::DeadlinePassed {
            waited: self.queued.elapsed(),
            tokens,
        }
    }

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

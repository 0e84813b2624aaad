//! The thread that owns generation and the handle by which async callers reach it.
//! Requests go in over a channel, each answer comes back over its own; nothing here blocks an executor.

mod advance;
mod draft;
mod forward;
mod life;
mod memory;
mod pin;
mod request;
mod rows;
mod run;
mod sequence;
mod shares;
mod stats;

use super::{EngineError, Model, Sampler, TokenId};
use life::Life;
use memory::Memory;
use request::{Job, Message, Place, Reply};
use stats::Stats;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Instant;
use tokio::sync::{oneshot, watch};

pub use life::Shutdown;
pub use pin::PinnedPrefix;
pub use request::{FinishReason, GenerateRequest, Generation, StreamedToken, Timings};
pub use stats::{CacheStats, EngineStats};

/// How an engine divides its work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineOptions {
    /// Sequences that run side by side in one forward pass, where requests say nothing else; at least 1.
    pub max_rows: usize,
    /// Most prompt tokens in one forward pass: bounds memory, and the time until a cancellation is seen.
    pub prefill_chunk: usize,
    /// Tokens that the KV cache holds for all sequences together, those kept for later included. Without a number it
    /// is a context for each row, a gigabyte at most, of which 200 MB are kept for later; on a GPU 85 % of the memory
    /// that is free, half a million tokens at most.
    pub cache_tokens: Option<usize>,
    /// Requests that may wait for a place among the rows; more are refused.
    pub max_waiting: usize,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self {
            max_rows: 1,
            prefill_chunk: 256,
            cache_tokens: None,
            max_waiting: 1024,
        }
    }
}

/// Runs generations of one model on a thread of its own. Dropping it fails what is still running with
/// [`EngineError::Stopped`] and ends the thread after its current step.
#[derive(Debug)]
pub struct Engine {
    model: Arc<Model>,
    jobs: mpsc::Sender<Message>,
    life: Arc<Life>,
    /// Closed when the thread has ended.
    ended: watch::Receiver<()>,
    /// Tokens that the KV cache holds.
    cache_tokens: usize,
    stats: Stats,
    /// Requests that have no place yet, and how many there may be.
    waiting: Arc<AtomicUsize>,
    max_waiting: usize,
}

impl Engine {
    /// Starts the thread.
    pub fn start(model: Arc<Model>, options: EngineOptions) -> Result<Self, EngineError> {
        let (sender, receiver) = mpsc::channel();
        let (alive, ended) = watch::channel(());
        let life = Arc::new(Life::default());
        let options = EngineOptions {
            max_rows: options.max_rows.max(1),
            prefill_chunk: options.prefill_chunk.max(1),
            ..options
        };
        let (tokens, rows) = (options.cache_tokens, options.max_rows);
        let stats = Stats::default();
        let device = model.network().device();
        let memory = Memory::new(model.config(), tokens, rows, device, stats.clone())?;
        let cache_tokens = memory.tokens();
        let max_waiting = options.max_waiting;
        let scheduler = run::Scheduler {
            model: model.clone(),
            options,
            jobs: receiver,
            life: life.clone(),
            waiting: VecDeque::new(),
            running: Vec::new(),
            memory,
            room: run::Room::default(),
            settled_for: None,
            stats: stats.clone(),
        };
        std::thread::Builder::new()
            .name("candle-signature-engine".to_owned())
            .spawn(move || {
                scheduler.run();
                drop(alive);
            })
            .map_err(|source| EngineError::Thread { source })?;
        Ok(Self {
            model,
            jobs: sender,
            life,
            ended,
            cache_tokens,
            stats,
            waiting: Arc::default(),
            max_waiting,
        })
    }

    /// The model this engine runs.
    #[must_use]
    pub fn model(&self) -> &Arc<Model> {
        &self.model
    }

    /// What it has done so far and has to do. Numbers of the KV cache are those after the last step.
    #[must_use]
    pub fn stats(&self) -> EngineStats {
        EngineStats {
            queued: self.waiting.load(Ordering::Relaxed),
            ..self.stats.read()
        }
    }

    /// Queues a request at once; the future waits for its result. Dropping the future cancels the
    /// generation before its next step. An impossible request is refused without being queued.
    pub fn generate(
        &self,
        request: GenerateRequest,
    ) -> impl Future<Output = Result<Generation, EngineError>> + Send + use<> {
        let submitted = self.submit(request, None);
        async move { submitted?.await.unwrap_or(Err(EngineError::Stopped)) }
    }

    /// Computes a beginning of prompts, where it is not in the cache already, and keeps it there for as long as what the
    /// future gives is held.
    ///
    /// # Errors
    /// As [`Self::generate`], whose queue it waits in.
    pub fn pin(
        &self,
        prefix: Vec<TokenId>,
    ) -> impl Future<Output = Result<PinnedPrefix, EngineError>> + Send + use<> {
        let (sender, pinned) = oneshot::channel();
        let actual = prefix.len();
        let max = self.model.config().max_positions;
        let submitted = self.submit(GenerateRequest::greedy(prefix, 1), Some(sender));
        async move {
            submitted?.await.unwrap_or(Err(EngineError::Stopped))?;
            // A prefix that leaves no room for a single token is not computed.
            pinned
                .await
                .map_err(|_| EngineError::ContextTooLong { actual, max })
        }
    }

    /// Takes no more requests, and ends the thread when those it has are answered or let go. The future waits for that;
    /// the shutdown is under way without it too. Cancelling after draining has begun ends the draining.
    pub fn shutdown(&self, how: Shutdown) -> impl Future<Output = ()> + Send + use<> {
        self.life.end(how);
        // A thread that is gone needs no waking.
        drop(self.jobs.send(Message::Wake));
        let mut ended = self.ended.clone();
        async move { while ended.changed().await.is_ok() {} }
    }

    fn submit(
        &self,
        request: GenerateRequest,
        pin: Option<oneshot::Sender<PinnedPrefix>>,
    ) -> Result<oneshot::Receiver<Result<Generation, EngineError>>, EngineError> {
        if !self.life.is_open() {
            return Err(EngineError::Stopped);
        }
        let limit = request.limit(self.model.config(), self.cache_tokens)?;
        let sampler = Sampler::new(request.sampling.clone(), &request.prompt)?;
        // Before the reply, which counts what becomes of requests that were taken.
        let place = Place::take(&self.waiting, self.max_waiting)?;
        let (reply, receiver) = oneshot::channel();
        let job = Job {
            request,
            limit,
            sampler,
            queued: Instant::now(),
            reply: Reply::new(reply, &self.stats),
            pin,
            place: Some(place),
        };
        let message = Message::Job(Box::new(job));
        self.jobs.send(message).map_err(|_| EngineError::Stopped)?;
        Ok(receiver)
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        drop(self.shutdown(Shutdown::Cancel));
    }
}

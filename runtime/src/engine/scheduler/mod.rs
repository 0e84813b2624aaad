//! The thread that owns generation and the handle by which async callers reach it.
//! Requests go in over a channel, each answer comes back over its own; nothing here blocks an executor.

mod memory;
mod request;
mod run;
mod sequence;
mod shares;
mod stats;

use super::{EngineError, Model, Sampler};
use memory::Memory;
use request::{Job, Place, Reply};
use stats::Stats;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;
use tokio::sync::{mpsc, oneshot};

pub use request::{FinishReason, GenerateRequest, Generation, StreamedToken, Timings};
pub use stats::{CacheStats, EngineStats};

/// How an engine divides its work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineOptions {
    /// Sequences that run side by side in one forward pass; at least 1.
    pub max_rows: usize,
    /// Most prompt tokens in one forward pass: bounds memory, and the time until a cancellation is seen.
    pub prefill_chunk: usize,
    /// Tokens that the KV cache holds for all sequences together, those kept for later included. Without a number it
    /// is a context for each row, a gigabyte at most, of which 200 MB are kept for later.
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
    jobs: mpsc::UnboundedSender<Job>,
    stop: Arc<AtomicBool>,
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
        let (sender, receiver) = mpsc::unbounded_channel();
        let stop = Arc::new(AtomicBool::new(false));
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
            stop: stop.clone(),
            waiting: VecDeque::new(),
            running: Vec::new(),
            memory,
            stats: stats.clone(),
        };
        std::thread::Builder::new()
            .name("candle-signature-engine".to_owned())
            .spawn(move || scheduler.run())
            .map_err(|source| EngineError::Thread { source })?;
        Ok(Self {
            model,
            jobs: sender,
            stop,
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
        let submitted = self.submit(request);
        async move { submitted?.await.unwrap_or(Err(EngineError::Stopped)) }
    }

    fn submit(
        &self,
        request: GenerateRequest,
    ) -> Result<oneshot::Receiver<Result<Generation, EngineError>>, EngineError> {
        let limit = request.limit(self.model.config(), self.cache_tokens)?;
        let sampler = Sampler::new(request.sampling.clone(), &request.prompt)?;
        let (reply, receiver) = oneshot::channel();
        let job = Job {
            request,
            limit,
            sampler,
            queued: Instant::now(),
            reply: Reply::new(reply, &self.stats),
            place: Some(Place::take(&self.waiting, self.max_waiting)?),
        };
        self.jobs.send(job).map_err(|_| EngineError::Stopped)?;
        Ok(receiver)
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

//! The thread that owns generation and the handle by which async callers reach it.
//! Requests go in over a channel, each answer comes back over its own; nothing here blocks an executor.

mod request;
mod run;

use super::{EngineError, Model, Sampler};
use request::Job;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;
use tokio::sync::{mpsc, oneshot};

pub use request::{FinishReason, GenerateRequest, Generation, Timings};

/// How an engine divides its work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineOptions {
    /// Sequences that run side by side in one forward pass; at least 1.
    pub max_rows: usize,
    /// Most prompt tokens in one forward pass: bounds memory, and the time until a cancellation is seen.
    pub prefill_chunk: usize,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self {
            max_rows: 1,
            prefill_chunk: 256,
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
}

impl Engine {
    /// Starts the thread.
    pub fn start(model: Arc<Model>, options: EngineOptions) -> Result<Self, EngineError> {
        let (sender, receiver) = mpsc::unbounded_channel();
        let stop = Arc::new(AtomicBool::new(false));
        let options = EngineOptions {
            max_rows: options.max_rows.max(1),
            prefill_chunk: options.prefill_chunk.max(1),
        };
        let scheduler = run::Scheduler::new(model.clone(), options, receiver, stop.clone());
        std::thread::Builder::new()
            .name("candle-signature-engine".to_owned())
            .spawn(move || scheduler.run())
            .map_err(|source| EngineError::Thread { source })?;
        Ok(Self {
            model,
            jobs: sender,
            stop,
        })
    }

    /// The model this engine runs.
    #[must_use]
    pub fn model(&self) -> &Arc<Model> {
        &self.model
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
        let limit = request.limit(self.model.config())?;
        let sampler = Sampler::new(request.sampling.clone(), &request.prompt)?;
        let (reply, receiver) = oneshot::channel();
        let job = Job {
            request,
            limit,
            sampler,
            queued: Instant::now(),
            reply,
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

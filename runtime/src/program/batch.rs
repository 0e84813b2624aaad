//! Many calls side by side: enough at once to fill the engine's batches, results in order, each its own.

use std::fmt;
use std::future::Future;
use std::pin::pin;

use futures_util::stream::{self, StreamExt as _};

/// So many calls are under way at once where nothing is said: enough to fill every batch.
const CONCURRENCY: usize = 32;

/// How many calls run side by side, and who hears of each that is done.
pub struct Batch<'p> {
    concurrency: usize,
    progress: Option<Box<dyn Fn(Progress) + Send + Sync + 'p>>,
}

/// How far a batch is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Calls that have a result, an error included.
    pub done: usize,
    /// Those of them that failed.
    pub failed: usize,
    /// All calls.
    pub total: usize,
}

impl<'p> Batch<'p> {
    /// 32 calls at once, and nobody hears of them.
    #[must_use]
    pub fn new() -> Self {
        Batch {
            concurrency: CONCURRENCY,
            progress: None,
        }
    }

    /// Bounds the calls that are under way at once; 0 counts as 1. As soon as one is done the next begins, in the order of the
    /// inputs.
    #[must_use]
    pub fn with_concurrency(mut self, concurrency: usize) -> Self {
        self.concurrency = concurrency.max(1);
        self
    }

    /// Calls this after every call that is done.
    #[must_use]
    pub fn on_progress(mut self, progress: impl Fn(Progress) + Send + Sync + 'p) -> Self {
        self.progress = Some(Box::new(progress));
        self
    }

    /// The results of all calls, in the order of the items.
    pub(super) async fn each<I, T, E, F: Future<Output = Result<T, E>>>(
        &self,
        items: impl IntoIterator<Item = I>,
        call: impl Fn(I) -> F,
    ) -> Vec<Result<T, E>> {
        let items: Vec<I> = items.into_iter().collect();
        let mut progress = Progress {
            done: 0,
            failed: 0,
            total: items.len(),
        };
        let mut results: Vec<Option<Result<T, E>>> = items.iter().map(|_| None).collect();
        let calls = items.into_iter().enumerate().map(|(at, item)| {
            let running = call(item);
            async move { (at, running.await) }
        });
        let mut running = pin!(stream::iter(calls).buffer_unordered(self.concurrency));
        while let Some((at, result)) = running.next().await {
            progress.done += 1;
            progress.failed += usize::from(result.is_err());
            results[at] = Some(result);
            if let Some(hear) = &self.progress {
                hear(progress);
            }
        }
        // Every item was called, so none is missing.
        results.into_iter().flatten().collect()
    }
}

impl Default for Batch<'_> {
    fn default() -> Self {
        Batch::new()
    }
}

impl fmt::Debug for Batch<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch")
            .field("concurrency", &self.concurrency)
            .finish_non_exhaustive()
    }
}

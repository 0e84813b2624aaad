//! Random search over sets of demos (DSPy's `BootstrapFewShotWithRandomSearch`).

use crate::adapter::Backend;
use crate::signature::Demo;

use super::super::evaluate::Metric;
use super::super::{Batch, Tunable};
use super::{Best, BootstrapFewShot, Judge, LabeledFewShot, Optimized};

/// Tries sets of demos, bootstrapped and labelled, and keeps the one that scores best on examples that are no demos.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct RandomSearch {
    /// How many sets are tried.
    pub candidates: usize,
    /// Most bootstrapped demos of a set.
    pub bootstrapped: usize,
    /// Most labelled demos of a set.
    pub labeled: usize,
    /// Where the draws begin.
    pub seed: u64,
}

impl RandomSearch {
    /// So many sets, each of at most so many bootstrapped and labelled demos.
    #[must_use]
    pub fn new(candidates: usize, bootstrapped: usize, labeled: usize) -> Self {
        RandomSearch {
            candidates,
            bootstrapped,
            labeled,
            seed: 0,
        }
    }

    /// Other draws.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// The best program. Demos come from `train`, programs are chosen by their score on `dev`: the two should share no example.
    ///
    /// Every second set is of labelled demos alone, of growing and shrinking size, since a small model may be led astray by many.
    pub async fn compile<P: Tunable, B: Backend + ?Sized>(
        &self,
        program: &P,
        backend: &B,
        train: &[Demo<P::Signature>],
        dev: &[Demo<P::Signature>],
        metric: &impl Metric<P::Signature>,
        batch: &Batch<'_>,
    ) -> Optimized<P> {
        let judge = Judge {
            examples: dev,
            metric,
            batch,
        };
        let mut best = Best::of(program.clone(), backend, &judge).await;
        for number in 0..self.candidates {
            let seed = self.seed.wrapping_add(number as u64);
            // Sizes go round from the largest to one.
            let size = |most: usize| most - (number / 2) % most.max(1);
            let (what, candidate) = if number % 2 == 0 && self.labeled > 0 {
                let few = LabeledFewShot::new(size(self.labeled), seed);
                (
                    format!("{} labelled demos, seed {seed}", few.demos),
                    few.compile(program, train),
                )
            } else if self.bootstrapped > 0 {
                let few = BootstrapFewShot::new(size(self.bootstrapped), self.labeled, seed);
                let candidate = few.compile(program, backend, train, metric, batch).await;
                let demos = candidate.settings().demos.len();
                (
                    format!("{demos} demos, bootstrapped, seed {seed}"),
                    candidate,
                )
            } else {
                continue;
            };
            best.attempt(what, candidate, backend, &judge).await;
        }
        best.done()
    }
}

//! Optimizers: other settings for a program, found on examples, that score better than those it has.
//!
//! They change only [`Settings`](super::Settings), so that what they find can be saved, and they are deterministic: a seed and a greedy
//! backend give the same program.

mod few_shot;
mod instruction;
mod propose;
mod search;
mod shuffle;

pub use few_shot::{BootstrapFewShot, LabeledFewShot};
pub use instruction::InstructionSearch;
pub use search::RandomSearch;

use crate::adapter::Backend;
use crate::signature::Demo;

use super::evaluate::{Metric, evaluate};
use super::{Batch, Tunable};

/// A program with better settings, and how they were found.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Optimized<P> {
    /// The best program that was tried: that of the highest score, among equals the first. The program as it was is always tried,
    /// first, so that it is never worse on the examples it was chosen by.
    pub program: P,
    /// Its score on the examples that it was chosen by.
    pub score: f64,
    /// Everything that was tried, in order.
    pub trials: Vec<Trial>,
}

/// Settings that were tried.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Trial {
    /// What was tried.
    pub what: String,
    /// Its score on the examples that programs are chosen by.
    pub score: f64,
}

/// Keeps the best of what is tried.
struct Best<P> {
    program: P,
    score: f64,
    trials: Vec<Trial>,
}

impl<P: Tunable> Best<P> {
    /// Begins with the program as it is.
    async fn of<B: Backend + ?Sized>(
        program: P,
        backend: &B,
        judge: &Judge<'_, P, impl Metric<P::Signature>>,
    ) -> Self {
        let score = judge.score(&program, backend).await;
        let what = "as it was".to_owned();
        Best {
            program,
            score,
            trials: vec![Trial { what, score }],
        }
    }

    async fn attempt<B: Backend + ?Sized>(
        &mut self,
        what: impl Into<String>,
        program: P,
        backend: &B,
        judge: &Judge<'_, P, impl Metric<P::Signature>>,
    ) {
        let score = judge.score(&program, backend).await;
        self.trials.push(Trial {
            what: what.into(),
            score,
        });
        if score > self.score {
            (self.program, self.score) = (program, score);
        }
    }

    fn done(self) -> Optimized<P> {
        Optimized {
            program: self.program,
            score: self.score,
            trials: self.trials,
        }
    }
}

/// What programs are chosen by.
struct Judge<'j, P: Tunable, M> {
    examples: &'j [Demo<P::Signature>],
    metric: &'j M,
    batch: &'j Batch<'j>,
}

impl<P: Tunable, M: Metric<P::Signature>> Judge<'_, P, M> {
    async fn score<B: Backend + ?Sized>(&self, program: &P, backend: &B) -> f64 {
        evaluate(program, backend, self.examples, self.metric, self.batch)
            .await
            .score()
    }
}

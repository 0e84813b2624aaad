//! Demos for a program: labelled examples as they are, or examples that it already gets right, as it solved them.

use crate::adapter::Backend;
use crate::signature::{Demo, PartialDemo, Signature};

use super::super::evaluate::{Metric, predictions, score};
use super::super::{Batch, Predicted, Tunable};
use super::shuffle::shuffled;

/// Shows labelled examples as demos, drawn at random (DSPy's `LabeledFewShot`).
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct LabeledFewShot {
    /// How many demos.
    pub demos: usize,
    /// Which ones.
    pub seed: u64,
}

impl LabeledFewShot {
    /// So many demos, drawn by a seed.
    #[must_use]
    pub fn new(demos: usize, seed: u64) -> Self {
        LabeledFewShot { demos, seed }
    }

    /// The program with these demos instead of its own.
    #[must_use]
    pub fn compile<P: Tunable>(&self, program: &P, train: &[Demo<P::Signature>]) -> P {
        let order = shuffled(train.len(), self.seed);
        let demos = order.into_iter().take(self.demos);
        let mut compiled = program.clone();
        compiled.settings_mut().demos = demos.map(|at| train[at].clone()).collect();
        compiled
    }
}

/// Shows examples that a teacher gets right, as it solved them, its reasoning included, and labelled ones beside them (DSPy's
/// `BootstrapFewShot`).
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct BootstrapFewShot {
    /// Most demos that the teacher solved.
    pub bootstrapped: usize,
    /// Most labelled examples beside them.
    pub labeled: usize,
    /// The least score that counts as right.
    pub threshold: f64,
    /// In which order examples are tried, and which labelled ones are taken.
    pub seed: u64,
}

impl BootstrapFewShot {
    /// So many solved demos and so many labelled ones, drawn by a seed; a score of 1 counts as right.
    #[must_use]
    pub fn new(bootstrapped: usize, labeled: usize, seed: u64) -> Self {
        BootstrapFewShot {
            bootstrapped,
            labeled,
            threshold: 1.0,
            seed,
        }
    }

    /// Another score that counts as right.
    #[must_use]
    pub fn with_threshold(mut self, threshold: f64) -> Self {
        self.threshold = threshold;
        self
    }

    /// The program with demos solved by itself.
    pub async fn compile<P: Tunable, B: Backend + ?Sized>(
        &self,
        program: &P,
        backend: &B,
        train: &[Demo<P::Signature>],
        metric: &impl Metric<P::Signature>,
        batch: &Batch<'_>,
    ) -> P {
        self.compile_with(program, program, backend, train, metric, batch)
            .await
    }

    /// The program with demos solved by a teacher: the same kind of program, with other settings or not.
    ///
    /// A call that fails is a demo less.
    pub async fn compile_with<P: Tunable, B: Backend + ?Sized>(
        &self,
        program: &P,
        teacher: &P,
        backend: &B,
        train: &[Demo<P::Signature>],
        metric: &impl Metric<P::Signature>,
        batch: &Batch<'_>,
    ) -> P {
        let order = shuffled(train.len(), self.seed);
        let mut solved = Vec::new();
        let mut is_shown = vec![false; train.len()];
        // No more is asked than may be needed.
        for tried in order.chunks(self.bootstrapped.max(1) * 2) {
            if solved.len() >= self.bootstrapped {
                break;
            }
            let examples: Vec<_> = tried.iter().map(|at| train[*at].clone()).collect();
            let replies = predictions(teacher, backend, &examples, batch).await;
            for (at, reply) in tried.iter().zip(replies) {
                let Ok(reply) = reply else { continue };
                let right = score(metric, &train[*at], &reply) >= self.threshold;
                if right && solved.len() < self.bootstrapped {
                    solved.push(as_solved::<P>(&train[*at], &reply));
                    is_shown[*at] = true;
                }
            }
        }
        let labeled = order.iter().filter(|at| !is_shown[**at]);
        let labeled = labeled.take(self.labeled).map(|at| train[*at].clone());
        solved.extend(labeled);
        let mut compiled = program.clone();
        compiled.settings_mut().demos = solved;
        compiled
    }
}

/// An example with the outputs of a reply, what it reasoned included.
fn as_solved<P: Tunable>(
    example: &Demo<P::Signature>,
    reply: &Predicted<<P::Signature as Signature>::Output>,
) -> Demo<P::Signature> {
    let spec = <P::Signature as Signature>::SPEC;
    let own = spec.outputs.iter().map(|field| &*field.name);
    let names = P::extra_outputs().iter().copied().chain(own);
    let values = names.filter_map(|name| {
        let value = reply.values().get(name)?;
        Some((name.to_owned(), value.clone()))
    });
    Demo::from_partial(PartialDemo {
        inputs: example.values().inputs.clone(),
        outputs: values.collect(),
    })
}

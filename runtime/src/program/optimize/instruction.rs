//! Search for an instruction: proposals of the user's, and of the model itself.

use crate::adapter::Backend;
use crate::signature::Demo;

use super::super::evaluate::{Metric, evaluate};
use super::super::{Batch, Tunable};
use super::propose::propose;
use super::{Best, Judge, Optimized};

/// Tries instructions and keeps the one that scores best (after COPRO and MIPROv2 of DSPy).
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct InstructionSearch {
    /// Instructions of the user's.
    pub candidates: Vec<String>,
    /// How many the model is asked for.
    pub proposals: usize,
    /// How often it is asked, each time about the best instruction so far.
    pub rounds: usize,
    /// Which examples the model is shown.
    pub seed: u64,
}

impl InstructionSearch {
    /// A search among no instructions but the program's own.
    #[must_use]
    pub fn new() -> Self {
        InstructionSearch {
            rounds: 1,
            ..InstructionSearch::default()
        }
    }

    /// Tries instructions of the user's.
    #[must_use]
    pub fn with_candidates<I: Into<String>>(
        mut self,
        candidates: impl IntoIterator<Item = I>,
    ) -> Self {
        self.candidates
            .extend(candidates.into_iter().map(Into::into));
        self
    }

    /// Asks the model for so many in each of so many rounds.
    #[must_use]
    pub fn with_proposals(mut self, proposals: usize, rounds: usize) -> Self {
        (self.proposals, self.rounds) = (proposals, rounds);
        self
    }

    /// Shows the model other examples.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// The best program. The proposer sees `train` and the program's mistakes there, programs are chosen by their score on `dev`.
    ///
    /// A proposal that fails is one less. `proposer` may be a larger model than the program's `backend`.
    #[allow(clippy::too_many_arguments)]
    pub async fn compile<P: Tunable, B: Backend + ?Sized, Q: Backend + ?Sized>(
        &self,
        program: &P,
        backend: &B,
        proposer: &Q,
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
        let mut tried = vec![program.settings().instruction.clone()];
        for candidate in &self.candidates {
            try_one(&mut best, &mut tried, candidate, "given", backend, &judge).await;
        }
        let rounds = if self.proposals == 0 { 0 } else { self.rounds };
        for round in 0..rounds as u64 {
            let seen = evaluate(&best.program, backend, train, metric, batch).await;
            let seed = self.seed.wrapping_add(round);
            let proposed =
                propose::<P, Q>(&best.program, proposer, &seen, self.proposals, seed, batch).await;
            for proposal in proposed {
                try_one(
                    &mut best, &mut tried, &proposal, "proposed", backend, &judge,
                )
                .await;
            }
        }
        best.done()
    }
}

async fn try_one<P: Tunable, B: Backend + ?Sized, M: Metric<P::Signature>>(
    best: &mut Best<P>,
    tried: &mut Vec<String>,
    instruction: &str,
    origin: &str,
    backend: &B,
    judge: &Judge<'_, P, M>,
) {
    let instruction = instruction.trim();
    if instruction.is_empty() || tried.iter().any(|known| known == instruction) {
        return;
    }
    tried.push(instruction.to_owned());
    let mut candidate = best.program.clone();
    candidate.settings_mut().instruction = instruction.to_owned();
    let what = format!("{origin}: {instruction}");
    best.attempt(what, candidate, backend, judge).await;
}

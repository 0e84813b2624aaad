//! What a sequence's own tokens and the caller's biases do to the logits before anything is chosen.

use super::SamplingParams;
use crate::engine::TokenId;
#[cfg(feature = "cuda")]
use crate::engine::cuda::choice::Change;
use std::collections::{BTreeMap, HashMap, HashSet};

/// The penalties and biases of one sequence, and the tokens that they depend on.
#[derive(Debug, Default)]
pub(super) struct Penalties {
    repetition: f32,
    presence: f32,
    frequency: f32,
    bias: BTreeMap<TokenId, f32>,
    /// Tokens of prompt and reply; empty where the repetition penalty is off.
    seen: HashSet<TokenId>,
    /// How often the reply holds each token; empty where presence and frequency penalties are off.
    counts: HashMap<TokenId, u32>,
    /// The logits that [`Self::apply`] has changed, as they were.
    before: HashMap<TokenId, f32>,
}

impl Penalties {
    pub(super) fn new(params: &SamplingParams, prompt: &[TokenId]) -> Self {
        let mut penalties = Self {
            repetition: params.repetition_penalty,
            presence: params.presence_penalty,
            frequency: params.frequency_penalty,
            bias: params.logit_bias.iter().copied().collect(),
            ..Self::default()
        };
        if penalties.repeats() {
            penalties.seen.extend(prompt);
        }
        penalties
    }

    fn repeats(&self) -> bool {
        self.repetition != 1.0
    }

    fn counts(&self) -> bool {
        self.presence != 0.0 || self.frequency != 0.0
    }

    /// Counts a token of the reply.
    pub(super) fn observe(&mut self, token: TokenId) {
        if self.repeats() {
            self.seen.insert(token);
        }
        if self.counts() {
            *self.counts.entry(token).or_default() += 1;
        }
    }

    /// Repetition as Keskar et al. 2019 and Hugging Face have it: divides positive logits, multiplies negative ones.
    /// Then presence, frequency and bias as OpenAI's API defines them: `logit - presence - count * frequency + bias`.
    pub(super) fn apply(&mut self, logits: &mut [f32]) {
        self.before.clear();
        let mut change = |token: &TokenId, change: &dyn Fn(f32) -> f32| {
            if let Some(logit) = logits.get_mut(token.0 as usize) {
                self.before.entry(*token).or_insert(*logit);
                *logit = change(*logit);
            }
        };
        let repetition = self.repetition;
        for token in &self.seen {
            change(token, &|logit| {
                if logit > 0.0 {
                    logit / repetition
                } else {
                    logit * repetition
                }
            });
        }
        for (token, count) in &self.counts {
            let penalty = self.presence + *count as f32 * self.frequency;
            change(token, &|logit| logit - penalty);
        }
        for (token, bias) in &self.bias {
            change(token, &|logit| logit + bias);
        }
    }

    /// Whether tokens change what comes after them.
    #[cfg(feature = "cuda")]
    pub(super) fn remember(&self) -> bool {
        self.repeats() || self.counts()
    }

    /// What [`Self::apply`] would do, token by token.
    #[cfg(feature = "cuda")]
    pub(super) fn changes(&self) -> Vec<Change> {
        let mut changes: BTreeMap<TokenId, Change> = BTreeMap::new();
        let mut of = |token: &TokenId, edit: &dyn Fn(&mut Change)| {
            let change = changes.entry(*token).or_insert(Change {
                id: token.0,
                ..Change::default()
            });
            edit(change);
        };
        for token in &self.seen {
            of(token, &|change| change.is_repeated = 1);
        }
        for (token, count) in &self.counts {
            let penalty = self.presence + *count as f32 * self.frequency;
            of(token, &|change| change.penalty = penalty);
        }
        for (token, bias) in &self.bias {
            of(token, &|change| change.bias = *bias);
        }
        changes.into_values().collect()
    }

    /// The logit of a token as it was before the last [`Self::apply`], if that changed it.
    pub(super) fn before(&self, token: TokenId) -> Option<f32> {
        self.before.get(&token).copied()
    }
}

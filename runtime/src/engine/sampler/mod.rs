//! From logits to a token: penalties, biases, temperature, top-k, top-p, min-p, seed. Never sorts the vocabulary:
//! each filter selects partially, in time linear in the candidates.

mod params;
mod penalties;
mod select;

use super::{EngineError, TokenId};
use penalties::Penalties;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use select::{Candidate, at_least, best, nucleus, top_k, top_p, weigh};
use std::hash::{BuildHasher, RandomState};

pub use params::SamplingParams;
pub(super) use select::likeliest;
pub use select::log_sum_exp;

/// Chooses the tokens of one sequence.
#[derive(Debug)]
pub struct Sampler {
    params: SamplingParams,
    random: ChaCha8Rng,
    penalties: Penalties,
    candidates: Vec<Candidate>,
}

impl Sampler {
    /// A sampler for a sequence that begins with `prompt`.
    pub fn new(params: SamplingParams, prompt: &[TokenId]) -> Result<Self, EngineError> {
        params.validate()?;
        let seed = params
            .seed
            .unwrap_or_else(|| RandomState::new().hash_one(0));
        Ok(Self {
            penalties: Penalties::new(&params, prompt),
            params,
            random: ChaCha8Rng::seed_from_u64(seed),
            candidates: Vec::new(),
        })
    }

    /// Chooses a token. Minus infinity rules a token out; `position`, the tokens so far, is for errors.
    pub fn sample(&mut self, logits: &mut [f32], position: usize) -> Result<TokenId, EngineError> {
        self.penalties.apply(logits);
        let best = match best(logits) {
            Ok(Some(best)) => best,
            Ok(None) => return Err(EngineError::NothingToSample { position }),
            Err(value) => return Err(EngineError::LogitsNotFinite { value, position }),
        };
        if self.params.temperature == 0.0 {
            Ok(TokenId(best as u32))
        } else {
            Ok(self.draw(logits, logits[best]))
        }
    }

    /// Counts a token of the reply, whoever chose it.
    pub fn observe(&mut self, token: TokenId) {
        self.penalties.observe(token);
    }

    /// The logit of a token before the last [`Self::sample`] changed it, if it did.
    pub(super) fn unpenalized(&self, token: TokenId) -> Option<f32> {
        self.penalties.before(token)
    }

    fn draw(&mut self, logits: &[f32], best: f32) -> TokenId {
        let SamplingParams {
            temperature,
            top_k: k,
            top_p: p,
            min_p,
            ..
        } = self.params;
        let found = &mut self.candidates;
        match k {
            Some(k) => {
                top_k(logits, k, found);
                weigh(found, best, temperature);
                if p < 1.0 {
                    let total: f64 = found.iter().map(|c| f64::from(c.weight)).sum();
                    nucleus(found, total * f64::from(p));
                }
            }
            None if p < 1.0 => top_p(logits, best, temperature, f64::from(p), found),
            None => {
                // A weight of `min_p` and a little more, for what rounding does to logarithms.
                let floor = best + (min_p * 0.999).ln() * temperature;
                at_least(logits, floor, found);
                weigh(found, best, temperature);
            }
        }
        found.retain(|candidate| candidate.weight >= min_p);
        pick(found, self.random.next_u64()).unwrap_or(TokenId(0))
    }
}

/// The candidate that a uniform random number falls on.
fn pick(candidates: &[Candidate], random: u64) -> Option<TokenId> {
    let total: f64 = candidates.iter().map(|c| f64::from(c.weight)).sum();
    // 53 bits: every value is exact in f64, and below 1.
    let mut rest = (random >> 11) as f64 / (1u64 << 53) as f64 * total;
    for candidate in candidates {
        rest -= f64::from(candidate.weight);
        if rest < 0.0 {
            return Some(TokenId(candidate.id));
        }
    }
    // Rounding can leave a trace of the number beyond the last.
    candidates.last().map(|candidate| TokenId(candidate.id))
}

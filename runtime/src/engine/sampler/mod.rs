//! From logits to a token: penalties, biases, temperature, top-k, top-p, min-p, seed. Never sorts the vocabulary:
//! each filter selects partially, in time linear in the candidates.

mod params;
mod penalties;
mod select;
mod spread;

#[cfg(feature = "cuda")]
use super::cuda::choice::Question;
use super::{EngineError, TokenId};
use penalties::Penalties;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use select::{Candidate, MANY, at_least, best, nucleus, top_k, top_p, unit, weigh};
use spread::Spread;
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
    spread: Spread,
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
            spread: Spread::default(),
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

    /// What [`Self::sample`] would do, for the GPU to do it: with the same random number, so with the same choice where
    /// the logits are the same and neither top-k nor top-p reorders the candidates.
    #[cfg(feature = "cuda")]
    pub(super) fn question(&mut self, position: usize) -> Question {
        let random = match self.params.temperature {
            0.0 => 0,
            _ => self.random.next_u64(),
        };
        Question {
            changes: self.penalties.changes(),
            params: self.params.clone(),
            random,
            position,
            ..Question::default()
        }
    }

    /// What [`Self::question`] will be next, whichever token comes before; none where that matters.
    #[cfg(feature = "cuda")]
    pub(super) fn question_ahead(&self, position: usize) -> Option<Question> {
        let random = match self.params.temperature {
            0.0 => 0,
            _ => self.random.clone().next_u64(),
        };
        (!self.penalties.remember()).then(|| Question {
            changes: self.penalties.changes(),
            params: self.params.clone(),
            random,
            position,
            ..Question::default()
        })
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
            None if p < 1.0 => {
                // Half of all draws are kept then, or more.
                let most = if p >= 0.5 && min_p == 0.0 {
                    MANY
                } else {
                    usize::MAX
                };
                if !top_p(logits, best, temperature, f64::from(p), most, found) {
                    return self.draw_from_many(logits, best);
                }
            }
            None => {
                // A weight of `min_p` and a little more, for what rounding does to logarithms.
                let floor = best + (min_p * 0.999).ln() * temperature;
                if !at_least(logits, floor, MANY, found) {
                    return self.draw_from_many(logits, best);
                }
                weigh(found, best, temperature);
            }
        }
        found.retain(|candidate| candidate.weight >= min_p);
        pick(found, self.random.next_u64()).unwrap_or(TokenId(0))
    }

    /// Draws from the whole vocabulary until a token is among those that top-p and min-p leave, which are no few here.
    fn draw_from_many(&mut self, logits: &[f32], best: f32) -> TokenId {
        let SamplingParams {
            temperature,
            top_p,
            min_p,
            ..
        } = self.params;
        self.spread.weigh(logits, best, temperature);
        loop {
            let Some(token) = self.spread.pick(self.random.next_u64()) else {
                return TokenId(0);
            };
            let likely = self.spread.weight(token) >= min_p;
            let share = f64::from(top_p);
            if likely && (share >= 1.0 || self.spread.is_within(logits, token, share)) {
                return token;
            }
        }
    }
}

/// The candidate that a uniform random number falls on.
fn pick(candidates: &[Candidate], random: u64) -> Option<TokenId> {
    let total: f64 = candidates.iter().map(|c| f64::from(c.weight)).sum();
    let mut rest = unit(random) * total;
    for candidate in candidates {
        rest -= f64::from(candidate.weight);
        if rest < 0.0 {
            return Some(TokenId(candidate.id));
        }
    }
    // Rounding can leave a trace of the number beyond the last.
    candidates.last().map(|candidate| TokenId(candidate.id))
}

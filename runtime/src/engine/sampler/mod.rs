//! From logits to a token: penalties, temperature, top-k, top-p, min-p, seed. Never sorts the vocabulary:
//! each filter selects partially, in time linear in the candidates.

mod select;

use super::{EngineError, TokenId};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use select::{Candidate, at_least, best, nucleus, top_k, top_p, weigh};
use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

pub(super) use select::log_sum_exp;

/// How to choose the next token. The default is greedy.
///
/// Filters apply in the order of the fields, like Hugging Face's: penalty, temperature, top-k, top-p, min-p,
/// each on the distribution that the one before has left.
#[derive(Debug, Clone, PartialEq)]
pub struct SamplingParams {
    /// Above 1 makes tokens of the prompt and the reply less likely; 1 is off.
    pub repetition_penalty: f32,
    /// 0 is greedy: the likeliest token, the smallest id among equals.
    pub temperature: f32,
    /// Keeps the k likeliest tokens.
    pub top_k: Option<usize>,
    /// Keeps the fewest likeliest tokens whose probabilities reach this sum; 1 is off.
    pub top_p: f32,
    /// Keeps tokens with at least this share of the likeliest one's probability; 0 is off.
    pub min_p: f32,
    /// The same seed gives the same tokens on every machine; none is a new seed each time.
    pub seed: Option<u64>,
}

impl Default for SamplingParams {
    fn default() -> Self {
        Self {
            repetition_penalty: 1.0,
            temperature: 0.0,
            top_k: None,
            top_p: 1.0,
            min_p: 0.0,
            seed: None,
        }
    }
}

impl SamplingParams {
    /// Refuses values no distribution can be made from.
    pub fn validate(&self) -> Result<(), EngineError> {
        let check = |ok: bool, parameter: &'static str, problem: String| {
            if ok {
                Ok(())
            } else {
                Err(EngineError::Sampling { parameter, problem })
            }
        };
        let (penalty, temperature) = (self.repetition_penalty, self.temperature);
        check(
            penalty.is_finite() && penalty > 0.0,
            "repetition_penalty",
            format!("is {penalty}; it must be a positive number, 1 turns it off"),
        )?;
        check(
            temperature.is_finite() && temperature >= 0.0,
            "temperature",
            format!("is {temperature}; it must be 0 (greedy) or a positive number"),
        )?;
        check(
            self.top_k != Some(0),
            "top_k",
            "is 0, which keeps no token; leave it out to turn it off".to_owned(),
        )?;
        check(
            self.top_p > 0.0 && self.top_p <= 1.0,
            "top_p",
            format!(
                "is {}; it must be above 0 and at most 1, 1 turns it off",
                self.top_p
            ),
        )?;
        check(
            (0.0..=1.0).contains(&self.min_p),
            "min_p",
            format!("is {}; it must be from 0 to 1, 0 turns it off", self.min_p),
        )
    }
}

/// Chooses the tokens of one sequence.
#[derive(Debug)]
pub struct Sampler {
    params: SamplingParams,
    random: ChaCha8Rng,
    /// Tokens that the repetition penalty applies to; empty where it is off.
    seen: HashSet<TokenId>,
    candidates: Vec<Candidate>,
}

impl Sampler {
    /// A sampler for a sequence that begins with `prompt`.
    pub fn new(params: SamplingParams, prompt: &[TokenId]) -> Result<Self, EngineError> {
        params.validate()?;
        let seed = params
            .seed
            .unwrap_or_else(|| RandomState::new().hash_one(0));
        let seen = if params.repetition_penalty == 1.0 {
            HashSet::new()
        } else {
            prompt.iter().copied().collect()
        };
        Ok(Self {
            params,
            random: ChaCha8Rng::seed_from_u64(seed),
            seen,
            candidates: Vec::new(),
        })
    }

    /// Chooses a token. Minus infinity rules a token out; `position`, the tokens so far, is for errors.
    pub fn sample(&mut self, logits: &mut [f32], position: usize) -> Result<TokenId, EngineError> {
        self.penalize(logits);
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

    /// Counts a token as seen, whoever chose it.
    pub fn observe(&mut self, token: TokenId) {
        if self.params.repetition_penalty != 1.0 {
            self.seen.insert(token);
        }
    }

    /// Whether sampling changes logits.
    pub(super) fn penalizes(&self) -> bool {
        !self.seen.is_empty()
    }

    /// Keskar et al. 2019, as Hugging Face applies it: divides positive logits, multiplies negative ones.
    fn penalize(&self, logits: &mut [f32]) {
        let penalty = self.params.repetition_penalty;
        for token in &self.seen {
            if let Some(logit) = logits.get_mut(token.0 as usize) {
                *logit = if *logit > 0.0 {
                    *logit / penalty
                } else {
                    *logit * penalty
                };
            }
        }
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

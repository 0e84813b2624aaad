//! Drawing where many tokens are likely: from all of them, by sums of stretches, without a list of candidates.

use super::select::{fill_weights, unit};
use crate::engine::TokenId;
use crate::engine::kernels::simd::{LANES, Level, for_each_level, sum_of};

/// Tokens of a stretch.
const STRETCH: usize = 1024;

/// The weights of a whole vocabulary.
#[derive(Debug, Default)]
pub(super) struct Spread {
    /// Proportional to probabilities, 1 for the likeliest token.
    weights: Vec<f32>,
    /// The sum of each stretch.
    sums: Vec<f64>,
    total: f64,
}

impl Spread {
    /// Weighs every token.
    pub(super) fn weigh(&mut self, logits: &[f32], best: f32, temperature: f32) {
        let level = Level::detect();
        self.weights.resize(logits.len(), 0.0);
        self.sums.clear();
        let stretches = self.weights.chunks_mut(STRETCH).zip(logits.chunks(STRETCH));
        self.sums.extend(stretches.map(|(weights, logits)| {
            fill_weights(level, logits, best, temperature, weights);
            f64::from(sum_of(weights))
        }));
        self.total = self.sums.iter().sum();
    }

    /// A token's weight.
    pub(super) fn weight(&self, token: TokenId) -> f32 {
        self.weights.get(token.0 as usize).copied().unwrap_or(0.0)
    }

    /// The token that a random number falls on; none where no token has weight.
    pub(super) fn pick(&self, random: u64) -> Option<TokenId> {
        let mut rest = unit(random) * self.total;
        let mut last = None;
        for (stretch, sum) in self.sums.iter().enumerate().filter(|(_, sum)| **sum > 0.0) {
            last = Some(stretch);
            if rest < *sum {
                break;
            }
            rest -= sum;
        }
        let first = last? * STRETCH;
        let mut last = None;
        let weights = self.weights[first..].iter().take(STRETCH);
        for (id, weight) in (first..).zip(weights).filter(|(_, weight)| **weight > 0.0) {
            // Rounding can leave a trace of the number beyond the last.
            last = Some(TokenId(id as u32));
            rest -= f64::from(*weight);
            if rest < 0.0 {
                break;
            }
        }
        last
    }

    /// Whether likelier tokens than this one have less than a share of all weight; among equals the smaller ids are likelier.
    pub(super) fn is_within(&self, logits: &[f32], token: TokenId, share: f64) -> bool {
        let (level, id) = (Level::detect(), token.0 as usize);
        let Some(own) = logits.get(id) else {
            return false;
        };
        let enough = share * self.total;
        let (mut above, mut seen) = (0.0, 0.0);
        let stretches = logits.chunks(STRETCH).zip(self.weights.chunks(STRETCH));
        let stretches = stretches.zip(&self.sums).zip((0..).step_by(STRETCH));
        for (((logits, weights), sum), first) in stretches {
            // Before the token its equals count, after it they do not.
            let before = id.saturating_sub(first).min(logits.len());
            let mut sums = [0f32; LANES];
            let floor = own.next_down();
            add_above(
                level,
                &logits[..before],
                &weights[..before],
                floor,
                &mut sums,
            );
            add_above(
                level,
                &logits[before..],
                &weights[before..],
                *own,
                &mut sums,
            );
            above += f64::from(sum_of(&sums));
            seen += sum;
            // Mostly a part of the vocabulary tells: that too much is above, or that too little can be.
            if above >= enough || self.total - (seen - above) < enough {
                break;
            }
        }
        above < enough
    }
}

for_each_level! {
    /// Adds the weights of logits above a floor to sixteen sums.
    fn add_above(logits: &[f32], weights: &[f32], floor: f32, sums: &mut [f32; LANES]) = add_above_body
}

#[inline(always)]
fn add_above_body<const FUSED: bool>(
    logits: &[f32],
    weights: &[f32],
    floor: f32,
    sums: &mut [f32; LANES],
) {
    let (whole, rest) = logits.as_chunks::<LANES>();
    let (whole_weights, rest_weights) = weights.as_chunks::<LANES>();
    for (logits, weights) in whole.iter().zip(whole_weights) {
        for lane in 0..LANES {
            sums[lane] += if logits[lane] > floor {
                weights[lane]
            } else {
                0.0
            };
        }
    }
    for (logit, weight) in rest.iter().zip(rest_weights) {
        sums[0] += if *logit > floor { *weight } else { 0.0 };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spread(logits: &[f32]) -> Spread {
        let best = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let mut spread = Spread::default();
        spread.weigh(logits, best, 0.7);
        spread
    }

    #[test]
    fn every_token_is_picked_by_its_share_of_the_random_numbers() {
        let mut logits: Vec<f32> = (0..5000).map(|i| (i as f32).sin() * 3.0).collect();
        logits[2500] = f32::NEG_INFINITY;
        let spread = spread(&logits);
        let mut counts = vec![0; logits.len()];
        let draws = 1 << 20;
        for draw in 0..draws {
            counts[spread.pick(draw << 44).unwrap().0 as usize] += 1;
        }
        for (weight, count) in spread.weights.iter().zip(counts) {
            let expected = f64::from(*weight) / spread.total * draws as f64;
            assert!(
                (f64::from(count) - expected).abs() < 2.0,
                "{count} for {expected}"
            );
        }
        assert_eq!(spread.weights[2500], 0.0);
    }

    #[test]
    fn a_token_is_within_a_share_as_in_the_sorted_vocabulary() {
        let logits: Vec<f32> = (0..3000).map(|i| ((i * 37) % 501) as f32 / 80.0).collect();
        let spread = spread(&logits);
        let mut order: Vec<usize> = (0..logits.len()).collect();
        order.sort_by(|a, b| logits[*b].total_cmp(&logits[*a]).then(a.cmp(b)));
        let (mut before, mut within) = (0.0, 0);
        for id in order {
            for share in [0.05, 0.5, 0.9, 0.999] {
                let distance = before / spread.total - share;
                let found = spread.is_within(&logits, TokenId(id as u32), share);
                // Where it is not for rounding to say.
                if distance.abs() > 1e-6 {
                    assert_eq!(found, distance < 0.0, "{id}, {share}");
                }
                within += usize::from(found);
            }
            before += f64::from(spread.weights[id]);
        }
        assert!((3000..9000).contains(&within), "{within}");
        assert!(!spread.is_within(&logits, TokenId(3000), 1.0));
    }

    #[test]
    fn nothing_is_picked_where_nothing_has_weight() {
        assert_eq!(Spread::default().pick(1 << 60), None);
        let alone = spread(&[f32::NEG_INFINITY, 2.0, f32::NEG_INFINITY]);
        assert_eq!(alone.pick(u64::MAX), Some(TokenId(1)));
    }
}

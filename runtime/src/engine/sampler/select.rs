//! Finding the likeliest tokens among a hundred and fifty thousand without sorting them: most of the vocabulary is
//! passed over sixteen logits at a time, because none of them reaches what has been found already.

use crate::engine::TokenId;
use crate::engine::kernels::elementwise::exp;
use crate::engine::kernels::simd::{LANES, Level, for_each_level, sum_of};
use std::cmp::Ordering;

/// A token in the running; `weight` is proportional to its probability, 1 for the likeliest.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidate {
    pub id: u32,
    pub logit: f32,
    pub weight: f32,
}

impl Candidate {
    /// Likelier first, the smaller id among equals: a total order, so that selection is reproducible.
    fn order(a: &Self, b: &Self) -> Ordering {
        b.logit.total_cmp(&a.logit).then(a.id.cmp(&b.id))
    }
}

/// The largest logit and its first index. The error is a value that is NaN or infinite; no index means that every
/// token is ruled out.
pub(super) fn best(logits: &[f32]) -> Result<Option<usize>, f32> {
    let (mut top, mut sound) = (f32::NEG_INFINITY, true);
    find_top(Level::detect(), logits, &mut top, &mut sound);
    if !sound {
        let unsound = logits
            .iter()
            .copied()
            .find(|logit| logit.is_nan() || *logit == f32::INFINITY);
        return Err(unsound.unwrap_or(f32::NAN));
    }
    if top == f32::NEG_INFINITY {
        return Ok(None);
    }
    // Sixteen at a time: one after the other would take as long as finding the largest.
    let chunk = logits.chunks(LANES).position(|chunk| reaches(chunk, top));
    let first = chunk.unwrap_or(0) * LANES;
    let within = logits[first..].iter().position(|logit| *logit == top);
    Ok(within.map(|within| first + within))
}

for_each_level! {
    /// The largest logit, and whether each is a number that can be compared.
    fn find_top(logits: &[f32], top: &mut f32, sound: &mut bool) = find_top_body
}

#[inline(always)]
fn find_top_body<const FUSED: bool>(logits: &[f32], top: &mut f32, sound: &mut bool) {
    let (chunks, rest) = logits.as_chunks::<LANES>();
    let mut tops = [f32::NEG_INFINITY; LANES];
    let mut all = true;
    for chunk in chunks {
        for lane in 0..LANES {
            // False for NaN and for infinity alike.
            all &= chunk[lane] < f32::INFINITY;
            tops[lane] = if chunk[lane] > tops[lane] {
                chunk[lane]
            } else {
                tops[lane]
            };
        }
    }
    *sound = all && rest.iter().all(|logit| *logit < f32::INFINITY);
    *top = tops
        .iter()
        .chain(rest)
        .copied()
        .fold(f32::NEG_INFINITY, f32::max);
}

/// The `k` likeliest tokens, in no order.
pub(super) fn top_k(logits: &[f32], k: usize, found: &mut Vec<Candidate>) {
    let room = k.saturating_mul(4).saturating_add(64);
    let mut floor = f32::MIN;
    found.clear();
    for (chunk, first) in logits.chunks(LANES).zip((0..).step_by(LANES)) {
        if !reaches(chunk, floor) {
            continue;
        }
        append(chunk, first, floor, found);
        if found.len() >= room {
            keep(found, k);
            floor = found
                .iter()
                .map(|candidate| candidate.logit)
                .fold(f32::INFINITY, f32::min);
        }
    }
    keep(found, k);
}

/// So many candidates are likelier to be drawn from the whole vocabulary than to be listed.
pub(super) const MANY: usize = 2048;

/// Every token with at least this logit that is not ruled out, unless there are more than `most`.
pub(super) fn at_least(
    logits: &[f32],
    floor: f32,
    most: usize,
    found: &mut Vec<Candidate>,
) -> bool {
    let floor = floor.max(f32::MIN);
    found.clear();
    for (chunk, first) in logits.chunks(LANES).zip((0..).step_by(LANES)) {
        if reaches(chunk, floor) {
            append(chunk, first, floor, found);
            if found.len() > most {
                return false;
            }
        }
    }
    true
}

/// The fewest likeliest tokens whose weights reach `share` of the whole vocabulary's, in no order; not where more than `most`
/// would have to be looked at.
pub(super) fn top_p(
    logits: &[f32],
    best: f32,
    temperature: f32,
    share: f64,
    most: usize,
    found: &mut Vec<Candidate>,
) -> bool {
    let mut total = None;
    // Weights below 2^-10, 2^-20: rarely is more of the tail needed.
    for exponent in [7.0, 14.0, f32::INFINITY] {
        if !at_least(logits, best - exponent * temperature, most, found) {
            return false;
        }
        let total = *total.get_or_insert_with(|| total_weight(logits, best, temperature));
        weigh(found, best, temperature);
        let mass: f64 = found
            .iter()
            .map(|candidate| f64::from(candidate.weight))
            .sum();
        if mass >= share * total || exponent == f32::INFINITY {
            nucleus(found, share * total);
            break;
        }
    }
    true
}

/// Gives candidates their weights.
pub(super) fn weigh(candidates: &mut [Candidate], best: f32, temperature: f32) {
    for candidate in candidates {
        candidate.weight = exp::<false>((candidate.logit - best) / temperature);
    }
}

/// Keeps the fewest likeliest candidates whose weights reach `missing`. Halves the open range each time and looks
/// at the heavier side only when the answer is there.
pub(super) fn nucleus(candidates: &mut Vec<Candidate>, mut missing: f64) {
    let mass = |part: &[Candidate]| part.iter().map(|c| f64::from(c.weight)).sum::<f64>();
    let (mut start, mut end) = (0, candidates.len());
    while end - start > 1 {
        let open = &mut candidates[start..end];
        let middle = open.len() / 2;
        open.select_nth_unstable_by(middle, Candidate::order);
        let upper = mass(&open[..middle]);
        if upper >= missing {
            end = start + middle;
        } else {
            missing -= upper;
            start += middle;
        }
    }
    candidates.truncate(end);
}

/// Whether any of these is at least `floor`.
fn reaches(chunk: &[f32], floor: f32) -> bool {
    chunk
        .iter()
        .fold(false, |any, logit| any | (*logit >= floor))
}

fn append(chunk: &[f32], first: u32, floor: f32, found: &mut Vec<Candidate>) {
    let all = (first..).zip(chunk).filter(|(_, logit)| **logit >= floor);
    found.extend(all.map(|(id, logit)| Candidate {
        id,
        logit: *logit,
        weight: 0.0,
    }));
}

fn keep(found: &mut Vec<Candidate>, k: usize) {
    if found.len() > k {
        found.select_nth_unstable_by(k - 1, Candidate::order);
        found.truncate(k);
    }
}

/// The `k` likeliest tokens with their logits, the likeliest first; fewer where others are ruled out.
pub(in crate::engine) fn likeliest(logits: &[f32], k: usize) -> Vec<(TokenId, f32)> {
    if k == 0 {
        return Vec::new();
    }
    let mut found = Vec::new();
    top_k(logits, k, &mut found);
    found.sort_unstable_by(Candidate::order);
    found
        .into_iter()
        .map(|candidate| (TokenId(candidate.id), candidate.logit))
        .collect()
}

/// `ln Σ exp(logit)`, which a logit less is a log-probability; none where no distribution is: all ruled out, or a value that is not finite.
#[must_use]
pub fn log_sum_exp(logits: &[f32]) -> Option<f32> {
    let best = logits[best(logits).ok()??];
    Some(best + total_weight(logits, best, 1.0).ln() as f32)
}

/// The sum of all weights.
fn total_weight(logits: &[f32], best: f32, temperature: f32) -> f64 {
    let mut weights = [0f32; 1024];
    let mut total = 0.0;
    let level = Level::detect();
    for chunk in logits.chunks(weights.len()) {
        let weights = &mut weights[..chunk.len()];
        fill_weights(level, chunk, best, temperature, weights);
        total += f64::from(sum_of(weights));
    }
    total
}

for_each_level! {
    /// A weight for each logit, 1 for the best.
    pub(super) fn fill_weights(logits: &[f32], best: f32, temperature: f32, out: &mut [f32]) = fill_weights_body
}

/// Never fused: a seed gives the same tokens on every machine.
#[inline(always)]
fn fill_weights_body<const FUSED: bool>(
    logits: &[f32],
    best: f32,
    temperature: f32,
    out: &mut [f32],
) {
    let (whole, rest) = logits.as_chunks::<LANES>();
    let (whole_out, rest_out) = out.as_chunks_mut::<LANES>();
    // A division would be the dearest part of it.
    let scale = 1.0 / temperature;
    for (out, logits) in whole_out.iter_mut().zip(whole) {
        for lane in 0..LANES {
            out[lane] = weight_of(logits[lane], exp::<false>((logits[lane] - best) * scale));
        }
    }
    for (out, logit) in rest_out.iter_mut().zip(rest) {
        *out = weight_of(*logit, exp::<false>((logit - best) * scale));
    }
}

/// A token that is ruled out has no weight at all, not just very little.
#[inline(always)]
fn weight_of(logit: f32, weight: f32) -> f32 {
    if logit == f32::NEG_INFINITY {
        0.0
    } else {
        weight
    }
}

/// A random number in [0, 1): 53 bits, every value exact.
pub(super) fn unit(random: u64) -> f64 {
    (random >> 11) as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_sum_exp_equals_the_plain_sum() {
        let mut logits: Vec<f32> = (0..5000).map(|i| (i as f32).sin() * 9.0).collect();
        for shift in [0.0, 1e4, -1e4] {
            let shifted: Vec<f32> = logits.iter().map(|logit| logit + shift).collect();
            let plain: f64 = shifted.iter().map(|l| f64::from(l - shift).exp()).sum();
            let found = log_sum_exp(&shifted).unwrap();
            let difference = f64::from(found) - (plain.ln() + f64::from(shift));
            assert!(difference.abs() < 2e-3, "{shift}: {difference}");
        }
        logits.fill(f32::NEG_INFINITY);
        assert_eq!(log_sum_exp(&logits), None);
        logits[7] = 3.0;
        assert_eq!(log_sum_exp(&logits), Some(3.0));
        logits[8] = f32::NAN;
        assert_eq!(log_sum_exp(&logits), None);
        assert_eq!(log_sum_exp(&[]), None);
    }
}

//! Attention of a tile of tokens for the query heads that share a key head. Keys lie in blocks of 16 positions, coordinate
//! by coordinate, so that a vector of scores grows without a sum across it; values lie position by position.
//!
//! The context is taken in stretches. Each gives sums of its own, and they are joined at the end (FlashDecoding, Dao et al.
//! 2023): whoever computes a stretch, and beside which other tokens, a token's numbers are the same to the bit.

use super::memory::{Half, View};
use crate::engine::kernels::elementwise::exp;
#[cfg(target_arch = "x86_64")]
use crate::engine::kernels::lanes::{Avx2, Avx512};
use crate::engine::kernels::lanes::{Lanes, Plain};
use crate::engine::kernels::simd::{LANES, Level, for_each_level, lanes, multiply_add, sum_of};

/// Positions in a block.
pub(crate) const BLOCK: usize = LANES;

/// Positions whose scores are held at a time.
pub(super) const STRETCH: usize = 16 * BLOCK;

/// What a key head remembers of a sequence, and who looks at it.
#[derive(Clone, Copy)]
pub(super) struct Memory<'a> {
    pub view: View<'a>,
    /// The sequence's blocks, in its order.
    pub table: &'a [u32],
    pub layer: usize,
    pub head: usize,
    /// Query heads that share the key head.
    pub group: usize,
    /// Positions that the first token may look at; each token after it may look at one more.
    pub length: usize,
}

/// Room that is kept between calls.
pub(super) struct Scratch {
    /// `[queries][STRETCH]`
    scores: Vec<f32>,
    /// A block in f32.
    block: Vec<f32>,
}

impl Scratch {
    pub(super) const fn new() -> Self {
        Self {
            scores: Vec::new(),
            block: Vec::new(),
        }
    }
}

/// Values that a stretch leaves for each query: its sums, the largest score, and the sum of all weights.
pub(super) fn part_size(d: usize) -> usize {
    d + 2
}

/// Stretches in a context of so many positions.
pub(super) fn stretches(length: usize) -> usize {
    length.div_ceil(STRETCH)
}

for_each_level! {
    /// What one stretch adds to the attention of `queries` `[tokens, group, d]`, already scaled: a part for each query.
    pub(super) fn attend_stretch(
        queries: &[f32],
        memory: Memory<'_>,
        stretch: usize,
        scratch: &mut Scratch,
        parts: &mut [f32]
    ) = stretch_body in Lanes
}

for_each_level! {
    /// Joins a token's parts `[stretches][queries][d + 2]`, which lie `step` values apart, to its attention `[queries, d]`.
    pub(super) fn join(
        parts: &[f32],
        step: usize,
        stretches: usize,
        d: usize,
        out: &mut [f32]
    ) = join_body
}

#[inline(always)]
fn stretch_body<V: Lanes>(
    queries: &[f32],
    memory: Memory<'_>,
    stretch: usize,
    scratch: &mut Scratch,
    parts: &mut [f32],
) {
    let Memory {
        view,
        table,
        layer,
        head,
        group,
        length,
    } = memory;
    let d = view.d();
    let of_token = group * d;
    let tokens = queries.len() / of_token;
    let from = stretch * STRETCH;
    let to = (length + tokens - 1).min(from + STRETCH);
    let blocks = &table[from / BLOCK..to.div_ceil(BLOCK)];
    // Positions of a run that begins at `first` which a token may look at.
    let seen =
        |token: usize, first: usize, run: usize| (length + token).saturating_sub(first).min(run);
    let Scratch { scores, block } = scratch;
    scores.resize((tokens * group * STRETCH).max(scores.len()), 0.0);
    block.resize((BLOCK * d).max(block.len()), 0.0);

    for (index, id) in blocks.iter().enumerate() {
        let keys = view.block::<V>(layer, head, Half::Keys, *id, block);
        for (token, queries) in queries.chunks_exact(of_token).enumerate() {
            if seen(token, from + index * BLOCK, BLOCK) > 0 {
                let scores = &mut scores[token * group * STRETCH + index * BLOCK..];
                score_block::<V>(queries, d, keys, scores);
            }
        }
    }
    let of_query = part_size(d);
    for (query, part) in parts.chunks_exact_mut(of_query).enumerate() {
        let count = seen(query / group, from, STRETCH);
        let (top, total) = weigh::<V>(&mut scores[query * STRETCH..][..count]);
        part[..d].fill(0.0);
        part[d] = top;
        part[d + 1] = total;
    }
    for (index, id) in blocks.iter().enumerate() {
        let values = view.block::<V>(layer, head, Half::Values, *id, block);
        for (token, parts) in parts.chunks_exact_mut(group * of_query).enumerate() {
            let count = seen(token, from + index * BLOCK, BLOCK);
            if count > 0 {
                let weights = &scores[token * group * STRETCH + index * BLOCK..];
                mix_block::<V>(weights, &values[..count * d], d, parts);
            }
        }
    }
}

/// Calls a function for tiles of queries, as many at a time as the registers hold.
macro_rules! for_tiles {
    ($count:expr, $call:ident($($arg:expr),*)) => {
        match $count {
            8 => $call::<V, 8>($($arg),*),
            7 => $call::<V, 7>($($arg),*),
            6 => $call::<V, 6>($($arg),*),
            5 => $call::<V, 5>($($arg),*),
            4 => $call::<V, 4>($($arg),*),
            3 => $call::<V, 3>($($arg),*),
            2 => $call::<V, 2>($($arg),*),
            _ => $call::<V, 1>($($arg),*),
        }
    };
}

/// Scores of a block for a token's queries; `scores` has the first query's first, the others a stretch apart.
#[inline(always)]
fn score_block<V: Lanes>(queries: &[f32], d: usize, keys: &[f32], scores: &mut [f32]) {
    for (tile, queries) in queries.chunks(V::TILE * d).enumerate() {
        let scores = &mut scores[tile * V::TILE * STRETCH..];
        for_tiles!(queries.len() / d, score_tile(queries, d, keys, scores));
    }
}

#[inline(always)]
fn score_tile<V: Lanes, const Q: usize>(
    queries: &[f32],
    d: usize,
    keys: &[f32],
    scores: &mut [f32],
) {
    let queries: [&[f32]; Q] = std::array::from_fn(|q| &queries[q * d..][..d]);
    let keys = &keys.as_chunks::<BLOCK>().0[..d];
    let mut sums = [V::zero(); Q];
    for i in 0..d {
        let key = V::load(&keys[i]);
        for q in 0..Q {
            sums[q] = V::splat(queries[q][i]).multiply_add(key, sums[q]);
        }
    }
    for (scores, sum) in scores.chunks_mut(STRETCH).zip(sums) {
        if let Some(scores) = scores.first_chunk_mut() {
            sum.store(scores);
        }
    }
}

/// Adds a block's values to a token's sums by their weights; weights lie as scores do.
#[inline(always)]
fn mix_block<V: Lanes>(weights: &[f32], values: &[f32], d: usize, parts: &mut [f32]) {
    let of_query = part_size(d);
    for (tile, parts) in parts.chunks_mut(V::TILE * of_query).enumerate() {
        let weights = &weights[tile * V::TILE * STRETCH..];
        for_tiles!(parts.len() / of_query, mix_tile(weights, values, d, parts));
    }
}

#[inline(always)]
fn mix_tile<V: Lanes, const Q: usize>(scores: &[f32], values: &[f32], d: usize, parts: &mut [f32]) {
    let (count, of_query) = (values.len() / d, part_size(d));
    let mut weights = [[0f32; BLOCK]; Q];
    for (weights, scores) in weights.iter_mut().zip(scores.chunks(STRETCH)) {
        weights[..count].copy_from_slice(&scores[..count]);
    }
    let whole = d / LANES * LANES;
    for column in (0..whole).step_by(LANES) {
        let mut sums = [V::zero(); Q];
        for (sum, part) in sums.iter_mut().zip(parts.chunks_exact(of_query)) {
            *sum = V::load(lanes(part, column));
        }
        for (j, value) in values.chunks_exact(d).enumerate().take(BLOCK) {
            let value = V::load(lanes(value, column));
            for q in 0..Q {
                sums[q] = V::splat(weights[q][j]).multiply_add(value, sums[q]);
            }
        }
        for (sum, part) in sums.iter().zip(parts.chunks_exact_mut(of_query)) {
            if let Some(part) = part[column..].first_chunk_mut() {
                sum.store(part);
            }
        }
    }
    if whole < d {
        last_columns(&weights, values, whole, d, parts);
    }
}

/// The columns from `first` on, too few for a vector.
#[inline(never)]
fn last_columns(
    weights: &[[f32; BLOCK]],
    values: &[f32],
    first: usize,
    d: usize,
    parts: &mut [f32],
) {
    for (weights, part) in weights.iter().zip(parts.chunks_exact_mut(part_size(d))) {
        for (weight, value) in weights.iter().zip(values.chunks_exact(d)) {
            for (out, value) in part[first..d].iter_mut().zip(&value[first..]) {
                *out += weight * value;
            }
        }
    }
}

/// Turns scores into weights relative to the largest; returns that one and the sum of all weights.
#[inline(always)]
fn weigh<V: Lanes>(scores: &mut [f32]) -> (f32, f32) {
    let (whole, rest) = scores.as_chunks::<LANES>();
    let mut tops = [f32::NEG_INFINITY; LANES];
    for chunk in whole {
        for lane in 0..LANES {
            tops[lane] = if chunk[lane] > tops[lane] {
                chunk[lane]
            } else {
                tops[lane]
            };
        }
    }
    let top = tops
        .iter()
        .chain(rest)
        .copied()
        .fold(f32::NEG_INFINITY, f32::max);
    for score in &mut *scores {
        *score = exp_of::<V>(*score - top);
    }
    (top, sum_of(scores))
}

#[inline(always)]
fn exp_of<V: Lanes>(x: f32) -> f32 {
    if V::FUSED {
        exp::<true>(x)
    } else {
        exp::<false>(x)
    }
}

#[inline(always)]
fn join_body<const FUSED: bool>(
    parts: &[f32],
    step: usize,
    stretches: usize,
    d: usize,
    out: &mut [f32],
) {
    let of_query = part_size(d);
    for (query, out) in out.chunks_exact_mut(d).enumerate() {
        let parts = || {
            (0..stretches).map(|stretch| &parts[stretch * step + query * of_query..][..of_query])
        };
        let top = parts()
            .map(|part| part[d])
            .fold(f32::NEG_INFINITY, f32::max);
        let mut total = 0.0;
        out.fill(0.0);
        for part in parts() {
            let weight = exp::<FUSED>(part[d] - top);
            total = multiply_add::<FUSED>(weight, part[d + 1], total);
            for (out, sum) in out.iter_mut().zip(part) {
                *out = multiply_add::<FUSED>(weight, *sum, *out);
            }
        }
        let scale = 1.0 / total;
        out.iter_mut().for_each(|out| *out *= scale);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::KvFormat;
    use crate::engine::kernels::attention::{KvMemory, KvShape};

    fn values(count: usize, seed: u64) -> Vec<f32> {
        let mut state = seed;
        let next = |_| {
            state = state
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            (state >> 40) as f32 / (1u64 << 24) as f32 - 0.5
        };
        (0..count).map(next).collect()
    }

    /// The second of two heads of the second of three layers.
    fn store(memory: &KvMemory, half: Half, positions: &[f32], table: &[u32]) {
        let d = memory.shape().d;
        for (position, own) in positions.chunks(d).enumerate() {
            let both = [&vec![f32::NAN; d], own].concat();
            let place = (table[position / BLOCK], position % BLOCK, both.as_slice());
            memory.store(1, half, std::iter::once(place));
        }
    }

    #[test]
    fn attention_equals_the_plain_formula_and_ignores_what_lies_beyond() {
        for (group, length, d) in [
            (1, 1, 2),
            (3, 1, 16),
            (7, 33, 64),
            (2, 100, 6),
            (8, 16, 32),
            (5, 47, 40),
            (19, 300, 24),
            (7, 1000, 64),
        ] {
            let queries = values(group * d, 5);
            // Beyond the length lie infinities.
            let beyond = vec![f32::INFINITY; 3 * d];
            let (keys, cached) = (values(length * d, 6), values(length * d, 7));
            let table: Vec<u32> = (0..(length + 3).div_ceil(BLOCK) as u32).rev().collect();
            let memory = KvMemory::new(KvShape {
                layers: 3,
                kv_heads: 2,
                d,
                blocks: table.len(),
                format: KvFormat::F32,
            })
            .unwrap();
            store(&memory, Half::Keys, &[&keys[..], &beyond].concat(), &table);
            store(
                &memory,
                Half::Values,
                &[&cached[..], &beyond].concat(),
                &table,
            );
            for level in Level::all() {
                let mut scratch = Scratch::new();
                let bytes = memory.read();
                let memory = Memory {
                    view: memory.view(&bytes),
                    table: &table,
                    layer: 1,
                    head: 1,
                    group,
                    length,
                };
                let (step, stretches) = (group * part_size(d), stretches(length));
                let mut parts = vec![f32::NAN; stretches * step];
                for (stretch, part) in parts.chunks_exact_mut(step).enumerate() {
                    attend_stretch(level, &queries, memory, stretch, &mut scratch, part);
                }
                let mut out = vec![f32::NAN; group * d];
                join(level, &parts, step, stretches, d, &mut out);
                for (query, out) in queries.chunks(d).zip(out.chunks(d)) {
                    let weights: Vec<f64> = keys
                        .chunks(d)
                        .take(length)
                        .map(|key| {
                            let pairs = query.iter().zip(key);
                            pairs
                                .map(|(q, k)| f64::from(*q) * f64::from(*k))
                                .sum::<f64>()
                                .exp()
                        })
                        .collect();
                    let total: f64 = weights.iter().sum();
                    for (c, out) in out.iter().enumerate() {
                        let mixed = weights.iter().zip(cached.chunks(d));
                        let plain = mixed.map(|(w, v)| w / total * f64::from(v[c])).sum::<f64>();
                        assert!((f64::from(*out) - plain).abs() < 1e-5, "{level:?}");
                    }
                }
            }
        }
    }
}

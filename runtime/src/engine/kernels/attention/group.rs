//! One token's attention for the query heads that share a key head. Keys lie in blocks of 16 positions, coordinate by
//! coordinate, so that a vector of scores grows without a sum across it; values lie position by position.

use super::memory::{Half, View};
use crate::engine::kernels::elementwise::exp;
use crate::engine::kernels::simd::{LANES, Level, for_each_level, lanes, multiply_add, sum_of};

/// Positions in a block.
pub(crate) const BLOCK: usize = LANES;

/// What a key head remembers of a sequence.
#[derive(Clone, Copy)]
pub(super) struct Memory<'a> {
    pub view: View<'a>,
    /// The sequence's blocks, in its order.
    pub table: &'a [u32],
    pub layer: usize,
    pub head: usize,
    /// Positions that may be looked at.
    pub length: usize,
}

/// Room that is kept between calls.
pub(super) struct Scratch {
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

for_each_level! {
    /// Attention of `queries` `[group, d]`, already scaled.
    pub(super) fn attend_group(
        queries: &[f32],
        memory: Memory<'_>,
        scratch: &mut Scratch,
        out: &mut [f32]
    ) = attend_body
}

/// Queries that look at a block together. With more than four the compiler no longer unrolls the loop over them, and
/// gathers across them instead: twenty times slower.
const TILE: usize = 4;

#[inline(always)]
fn attend_body<const FUSED: bool>(
    queries: &[f32],
    memory: Memory<'_>,
    scratch: &mut Scratch,
    out: &mut [f32],
) {
    let d = memory.view.d();
    // Whole blocks are scored; what lies beyond `length` is never looked at.
    let padded = memory.length.next_multiple_of(BLOCK);
    scratch.scores.clear();
    scratch.scores.resize(TILE * padded, 0.0);
    scratch.block.resize(BLOCK * d, 0.0);
    for (queries, out) in queries.chunks(TILE * d).zip(out.chunks_mut(TILE * d)) {
        match queries.len() / d {
            4 => attend_tile::<FUSED, 4>(queries, memory, scratch, out),
            3 => attend_tile::<FUSED, 3>(queries, memory, scratch, out),
            2 => attend_tile::<FUSED, 2>(queries, memory, scratch, out),
            _ => attend_tile::<FUSED, 1>(queries, memory, scratch, out),
        }
    }
}

/// The same for `Q` queries.
#[inline(always)]
fn attend_tile<const FUSED: bool, const Q: usize>(
    queries: &[f32],
    memory: Memory<'_>,
    scratch: &mut Scratch,
    out: &mut [f32],
) {
    let Memory {
        view,
        table,
        layer,
        head,
        length,
    } = memory;
    let d = view.d();
    let table = &table[..length.div_ceil(BLOCK)];
    let padded = table.len() * BLOCK;
    let Scratch { scores, block } = scratch;
    for (index, id) in table.iter().enumerate() {
        let keys = view.block(layer, head, Half::Keys, *id, block);
        let mut sums = [[0f32; BLOCK]; Q];
        for (i, key) in keys.as_chunks::<BLOCK>().0.iter().enumerate() {
            for (q, sums) in sums.iter_mut().enumerate() {
                let query = queries[q * d + i];
                for lane in 0..BLOCK {
                    sums[lane] = multiply_add::<FUSED>(query, key[lane], sums[lane]);
                }
            }
        }
        for (scores, sums) in scores.chunks_exact_mut(padded).zip(&sums) {
            scores[index * BLOCK..(index + 1) * BLOCK].copy_from_slice(sums);
        }
    }
    for scores in scores.chunks_exact_mut(padded).take(Q) {
        softmax::<FUSED>(&mut scores[..length]);
    }
    out.fill(0.0);
    for (index, id) in table.iter().enumerate() {
        let values = view.block(layer, head, Half::Values, *id, block);
        let first = index * BLOCK;
        let count = (length - first).min(BLOCK);
        let mut weights = [[0f32; BLOCK]; Q];
        for (weights, scores) in weights.iter_mut().zip(scores.chunks_exact(padded)) {
            weights[..count].copy_from_slice(&scores[first..first + count]);
        }
        let mut column = 0;
        while column + LANES <= d {
            let mut sums = [[0f32; LANES]; Q];
            for (q, sums) in sums.iter_mut().enumerate() {
                sums.copy_from_slice(&out[q * d + column..][..LANES]);
            }
            for (j, value) in values.chunks_exact(d).take(count).enumerate() {
                let value = lanes(value, column);
                for (weights, sums) in weights.iter().zip(&mut sums) {
                    for lane in 0..LANES {
                        sums[lane] = multiply_add::<FUSED>(weights[j], value[lane], sums[lane]);
                    }
                }
            }
            for (q, sums) in sums.iter().enumerate() {
                out[q * d + column..][..LANES].copy_from_slice(sums);
            }
            column += LANES;
        }
        if column < d {
            last_columns(&weights, values, count, column, d, out);
        }
    }
}

/// The columns from `first` on, too few for a vector. Not inlined: the checks that the compiler makes to be quick here
/// would cost heads of whole vectors, which are all that matter, more than their own work.
#[inline(never)]
fn last_columns(
    weights: &[[f32; BLOCK]],
    values: &[f32],
    count: usize,
    first: usize,
    d: usize,
    out: &mut [f32],
) {
    for (weights, out) in weights.iter().zip(out.chunks_exact_mut(d)) {
        for (weight, value) in weights.iter().zip(values.chunks_exact(d)).take(count) {
            for (out, value) in out[first..].iter_mut().zip(&value[first..]) {
                *out += weight * value;
            }
        }
    }
}

#[inline(always)]
fn softmax<const FUSED: bool>(scores: &mut [f32]) {
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
        *score = exp::<FUSED>(*score - top);
    }
    let scale = 1.0 / sum_of(scores);
    for score in scores {
        *score *= scale;
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
                let mut out = vec![f32::NAN; group * d];
                let mut scratch = Scratch::new();
                let bytes = memory.read();
                let memory = Memory {
                    view: memory.view(&bytes),
                    table: &table,
                    layer: 1,
                    head: 1,
                    length,
                };
                attend_group(level, &queries, memory, &mut scratch, &mut out);
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

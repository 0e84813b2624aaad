//! One token's attention for the query heads that share a key head. Keys lie in blocks of 16 positions, coordinate by
//! coordinate, so that a vector of scores grows without a sum across it; values lie position by position.

use crate::engine::kernels::elementwise::exp;
use crate::engine::kernels::simd::{LANES, Level, for_each_level, multiply_add, sum_of};

/// Positions in a block of keys: `[d][16]`.
pub(crate) const BLOCK: usize = LANES;

/// What a key head remembers of a sequence.
#[derive(Clone, Copy)]
pub(super) struct Memory<'a> {
    /// `[blocks, kv_heads, d, 16]`
    pub keys: &'a [f32],
    /// `[blocks, kv_heads, 16, d]`
    pub values: &'a [f32],
    /// The sequence's blocks, in its order.
    pub table: &'a [u32],
    pub kv_heads: usize,
    pub head: usize,
    pub d: usize,
    /// Positions that may be looked at.
    pub length: usize,
}

impl<'a> Memory<'a> {
    /// This head's part of the sequence's blocks, up to `length`.
    #[inline(always)]
    fn blocks(&self, all: &'a [f32]) -> impl Iterator<Item = &'a [f32]> {
        let size = BLOCK * self.d;
        let (kv_heads, head) = (self.kv_heads, self.head);
        let used = &self.table[..self.length.div_ceil(BLOCK)];
        used.iter()
            .map(move |block| &all[(*block as usize * kv_heads + head) * size..][..size])
    }
}

for_each_level! {
    /// Attention of `queries` `[group, d]`, already scaled. `scores` is scratch.
    pub(super) fn attend_group(
        queries: &[f32],
        memory: Memory<'_>,
        scores: &mut Vec<f32>,
        out: &mut [f32]
    ) = attend_body
}

#[inline(always)]
fn attend_body<const FUSED: bool>(
    queries: &[f32],
    memory: Memory<'_>,
    scores: &mut Vec<f32>,
    out: &mut [f32],
) {
    let Memory { d, length, .. } = memory;
    // Whole blocks are scored; what lies beyond `length` is never looked at.
    let padded = length.next_multiple_of(BLOCK);
    scores.clear();
    scores.resize(queries.len() / d * padded, 0.0);
    let tiles = queries
        .chunks(4 * d)
        .zip(scores.chunks_mut(4 * padded))
        .zip(out.chunks_mut(4 * d));
    for ((queries, scores), out) in tiles {
        match queries.len() / d {
            4 => attend_tile::<FUSED, 4>(queries, memory, scores, out),
            3 => attend_tile::<FUSED, 3>(queries, memory, scores, out),
            2 => attend_tile::<FUSED, 2>(queries, memory, scores, out),
            _ => attend_tile::<FUSED, 1>(queries, memory, scores, out),
        }
    }
}

/// The same for `Q` queries.
#[inline(always)]
fn attend_tile<const FUSED: bool, const Q: usize>(
    queries: &[f32],
    memory: Memory<'_>,
    scores: &mut [f32],
    out: &mut [f32],
) {
    let Memory { d, length, .. } = memory;
    let padded = scores.len() / Q;
    for (block, keys) in memory.blocks(memory.keys).enumerate() {
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
            scores[block * BLOCK..(block + 1) * BLOCK].copy_from_slice(sums);
        }
    }
    for scores in scores.chunks_exact_mut(padded) {
        softmax::<FUSED>(&mut scores[..length]);
    }
    let mut first = 0;
    while first < d {
        let width = (d - first).min(LANES);
        let mut sums = [[0f32; LANES]; Q];
        let values = memory
            .blocks(memory.values)
            .flat_map(|block| block.chunks_exact(d));
        for (j, value) in values.take(length).enumerate() {
            if let Some(value) = value[first..].first_chunk::<LANES>() {
                for (q, sums) in sums.iter_mut().enumerate() {
                    let score = scores[q * padded + j];
                    for lane in 0..LANES {
                        sums[lane] = multiply_add::<FUSED>(score, value[lane], sums[lane]);
                    }
                }
            } else {
                for (q, sums) in sums.iter_mut().enumerate() {
                    let score = scores[q * padded + j];
                    for (sum, value) in sums.iter_mut().zip(&value[first..]) {
                        *sum = multiply_add::<FUSED>(score, *value, *sum);
                    }
                }
            }
        }
        for (out, sums) in out.chunks_exact_mut(d).zip(&sums) {
            out[first..first + width].copy_from_slice(&sums[..width]);
        }
        first += width;
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

    /// `[positions, d]` of the second of two heads, in blocks that lie in reverse order.
    fn blocked(positions: &[f32], d: usize, transposed: bool) -> Vec<f32> {
        let count = (positions.len() / d).div_ceil(BLOCK);
        let mut blocks = vec![f32::NAN; count * 2 * BLOCK * d];
        for (i, value) in positions.iter().enumerate() {
            let (position, c) = (i / d, i % d);
            let block = count - 1 - position / BLOCK;
            let inner = if transposed {
                c * BLOCK + position % BLOCK
            } else {
                position % BLOCK * d + c
            };
            blocks[(block * 2 + 1) * BLOCK * d + inner] = *value;
        }
        blocks
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
        ] {
            let queries = values(group * d, 5);
            let (keys, cached) = (values((length + 3) * d, 6), values((length + 3) * d, 7));
            for level in Level::all() {
                let mut out = vec![f32::NAN; group * d];
                let mut scores = vec![f32::NAN; 3];
                let table: Vec<u32> = (0..(length + 3).div_ceil(BLOCK) as u32).rev().collect();
                let memory = Memory {
                    keys: &blocked(&keys, d, true),
                    values: &blocked(&cached, d, false),
                    table: &table,
                    kv_heads: 2,
                    head: 1,
                    d,
                    length,
                };
                attend_group(level, &queries, memory, &mut scores, &mut out);
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

//! Rows of activations in 8 bits: blocks of 32 columns with an f32 scale, four values to a 32-bit word.

use super::packed::BLOCK;
use super::simd::{Level, for_each_level};
use super::team::Team;

/// Words in a block.
pub(super) const WORDS: usize = BLOCK / 4;

/// Quantized rows.
#[derive(Debug, Default)]
pub(crate) struct Quantized {
    rows: usize,
    blocks: usize,
    values: Vec<[i32; WORDS]>,
    scales: Vec<f32>,
    /// The sum of each block's integers: weights are stored with an offset, and this takes it out again.
    sums: Vec<i32>,
}

/// Whole rows to be filled, a value a block in each slice.
struct Piece<'a> {
    values: &'a mut [[i32; WORDS]],
    scales: &'a mut [f32],
    sums: &'a mut [i32],
}

/// One quantized row, a value a block in each slice.
#[derive(Clone, Copy)]
pub(super) struct QuantizedRow<'a> {
    pub values: &'a [[i32; WORDS]],
    pub scales: &'a [f32],
    pub sums: &'a [i32],
}

impl Quantized {
    /// Quantizes rows of `columns` values; the last block is padded with zeros.
    pub(crate) fn new(x: &[f32], columns: usize, level: Level, team: &Team) -> Self {
        let (rows, blocks) = (x.len() / columns, columns.div_ceil(BLOCK));
        let mut quantized = Self {
            rows,
            blocks,
            values: vec![[0; WORDS]; rows * blocks],
            scales: vec![0.0; rows * blocks],
            sums: vec![0; rows * blocks],
        };
        // A single row is quicker done than shared out.
        let rows_a_piece = if rows == 1 {
            1
        } else {
            rows.div_ceil(4 * team.threads())
        };
        let piece = rows_a_piece * blocks;
        let mut pieces: Vec<Piece<'_>> = quantized
            .values
            .chunks_mut(piece)
            .zip(quantized.scales.chunks_mut(piece))
            .zip(quantized.sums.chunks_mut(piece))
            .map(|((values, scales), sums)| Piece {
                values,
                scales,
                sums,
            })
            .collect();
        team.for_each_piece(&mut pieces, 1, |index, pieces| {
            for piece in pieces {
                let rows = piece.values.len() / blocks;
                let x = &x[index * rows_a_piece * columns..][..rows * columns];
                quantize(level, x, columns, piece);
            }
        });
        quantized
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    pub(super) fn row(&self, row: usize) -> QuantizedRow<'_> {
        let range = row * self.blocks..(row + 1) * self.blocks;
        QuantizedRow {
            values: &self.values[range.clone()],
            scales: &self.scales[range.clone()],
            sums: &self.sums[range],
        }
    }
}

for_each_level! {
    /// Quantizes whole rows.
    fn quantize(x: &[f32], columns: usize, out: &mut Piece<'_>) = quantize_body
}

#[inline(always)]
fn quantize_body<const FUSED: bool>(x: &[f32], columns: usize, out: &mut Piece<'_>) {
    let Piece {
        values,
        scales,
        sums,
    } = out;
    let mut at = 0;
    for row in x.chunks_exact(columns) {
        let (whole, rest) = row.as_chunks::<BLOCK>();
        for block in whole {
            (values[at], scales[at], sums[at]) = quantize_block(block);
            at += 1;
        }
        if !rest.is_empty() {
            let mut block = [0.0; BLOCK];
            block[..rest.len()].copy_from_slice(rest);
            (values[at], scales[at], sums[at]) = quantize_block(&block);
            at += 1;
        }
    }
}

#[inline(always)]
fn quantize_block(x: &[f32; BLOCK]) -> ([i32; WORDS], f32, i32) {
    // As integers, magnitudes order like floats and NaN comes out on top: it must reach the logits, not vanish.
    let mut most = 0u32;
    for value in x {
        most = most.max(value.to_bits() & 0x7FFF_FFFF);
    }
    let scale = f32::from_bits(most) / 127.0;
    let inverse = if scale > 0.0 { 1.0 / scale } else { 0.0 };
    // Adding 1.5 * 2^23 leaves the value, rounded to even, in the low bits.
    const MAGIC: f32 = 12_582_912.0;
    let mut bytes = [0i8; BLOCK];
    let mut sum = 0i32;
    for (byte, value) in bytes.iter_mut().zip(x) {
        let rounded = (value * inverse + MAGIC).to_bits() as i32;
        *byte = rounded as i8;
        sum += i32::from(*byte);
    }
    let mut words = [0i32; WORDS];
    for (word, bytes) in words.iter_mut().zip(bytes.as_chunks::<4>().0) {
        *word = i32::from_le_bytes(bytes.map(|byte| byte as u8));
    }
    (words, scale, sum)
}

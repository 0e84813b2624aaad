//! Rows of activations in 8 bits: blocks of 32 columns, four values to a 32-bit word, each with all that a product needs
//! to know about it beside it.

use super::packed::{BLOCK, Packing};
use super::simd::{Level, for_each_level};
use super::team::Team;

/// Words in a block.
pub(super) const WORDS: usize = BLOCK / 4;

/// Quantized rows.
#[derive(Debug, Default)]
pub(crate) struct Quantized {
    rows: usize,
    /// Blocks in a row.
    blocks: usize,
    values: Vec<QuantizedBlock>,
}

/// 32 columns of a row.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct QuantizedBlock {
    pub words: [i32; WORDS],
    pub scale: f32,
    /// Minus the sum of the integers times what each packing of weights stores for zero: takes that out of a product.
    offsets: [i32; 2],
}

impl QuantizedBlock {
    #[inline(always)]
    pub(super) fn offset(&self, packing: Packing) -> i32 {
        match packing {
            Packing::Q8 => self.offsets[0],
            Packing::Q4 => self.offsets[1],
        }
    }
}

impl Quantized {
    /// Quantizes rows of `columns` values; the last block is padded with zeros.
    pub(crate) fn new(x: &[f32], columns: usize, level: Level, team: &Team) -> Self {
        let (rows, blocks) = (x.len() / columns, columns.div_ceil(BLOCK));
        let mut values = vec![QuantizedBlock::default(); rows * blocks];
        // A single row is quicker done than shared out.
        let rows_a_piece = if rows == 1 {
            1
        } else {
            rows.div_ceil(4 * team.threads())
        };
        team.for_each_piece(&mut values, rows_a_piece * blocks, |index, piece| {
            let rows = piece.len() / blocks;
            let x = &x[index * rows_a_piece * columns..][..rows * columns];
            quantize(level, x, columns, piece);
        });
        Self {
            rows,
            blocks,
            values,
        }
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    pub(super) fn row(&self, row: usize) -> &[QuantizedBlock] {
        &self.values[row * self.blocks..(row + 1) * self.blocks]
    }
}

for_each_level! {
    /// Quantizes whole rows.
    fn quantize(x: &[f32], columns: usize, out: &mut [QuantizedBlock]) = quantize_body
}

#[inline(always)]
fn quantize_body<const FUSED: bool>(x: &[f32], columns: usize, out: &mut [QuantizedBlock]) {
    let rows = x.chunks_exact(columns);
    for (row, out) in rows.zip(out.chunks_exact_mut(columns.div_ceil(BLOCK))) {
        let (whole, rest) = row.as_chunks::<BLOCK>();
        for (block, out) in whole.iter().zip(&mut *out) {
            *out = quantize_block(block);
        }
        if let (false, Some(out)) = (rest.is_empty(), out.last_mut()) {
            let mut block = [0.0; BLOCK];
            block[..rest.len()].copy_from_slice(rest);
            *out = quantize_block(&block);
        }
    }
}

#[inline(always)]
fn quantize_block(x: &[f32; BLOCK]) -> QuantizedBlock {
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
    QuantizedBlock {
        words,
        scale,
        offsets: [Packing::Q8, Packing::Q4].map(|packing| -i32::from(packing.zero()) * sum),
    }
}

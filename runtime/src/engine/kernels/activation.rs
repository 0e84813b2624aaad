//! Rows of activations in 8 bits: blocks of 32 columns, four values to a 32-bit word, each with all that a product needs
//! to know about it beside it.

use super::Cpu;
use super::elementwise::{gated, in_rows, inverse_rms};
use super::packed::{BLOCK, Packing};
use super::rows::Rows;
use super::simd::{Level, for_each_level};

/// Words in a block.
pub(super) const WORDS: usize = BLOCK / 4;

/// Quantized rows, and room for as many as there ever were.
#[derive(Debug, Default)]
pub(crate) struct Quantized {
    rows: usize,
    /// Blocks in a row.
    blocks: usize,
    values: Vec<QuantizedBlock>,
}

/// 32 columns of a row.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
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
    /// Quantizes rows of `columns` values in the place of those that were here; the last block is padded with zeros.
    pub(crate) fn fill(&mut self, x: Rows<'_>, columns: usize, cpu: &Cpu) {
        self.rows = x.count(columns);
        self.blocks = columns.div_ceil(BLOCK);
        let (blocks, level) = (self.blocks, cpu.level);
        let used = self.rows * blocks;
        self.values
            .resize_with(used.max(self.values.len()), QuantizedBlock::default);
        in_rows(
            cpu,
            &mut self.values[..used],
            blocks,
            |first, out| match x.some(columns, first, out.len() / blocks) {
                Rows::Plain(x) => quantize(level, x, columns, out),
                Rows::Normed { x, weight, eps } => quantize_normed(level, x, weight, eps, out),
                Rows::Gated(x) => quantize_gated(level, x, columns, out),
            },
        );
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

for_each_level! {
    /// Quantizes what RMSNorm makes of whole rows.
    fn quantize_normed(x: &[f32], weight: &[f32], eps: f32, out: &mut [QuantizedBlock]) = quantize_normed_body
}

for_each_level! {
    /// Quantizes what SwiGLU makes of whole rows.
    fn quantize_gated(x: &[f32], columns: usize, out: &mut [QuantizedBlock]) = quantize_gated_body
}

#[inline(always)]
fn quantize_body<const FUSED: bool>(x: &[f32], columns: usize, out: &mut [QuantizedBlock]) {
    for (row, out) in x
        .chunks_exact(columns)
        .zip(out.chunks_exact_mut(columns.div_ceil(BLOCK)))
    {
        quantize_row::<FUSED>(&Plain(row), columns, out);
    }
}

#[inline(always)]
fn quantize_normed_body<const FUSED: bool>(
    x: &[f32],
    weight: &[f32],
    eps: f32,
    out: &mut [QuantizedBlock],
) {
    let columns = weight.len();
    for (x, out) in x
        .chunks_exact(columns)
        .zip(out.chunks_exact_mut(columns.div_ceil(BLOCK)))
    {
        let inverse = inverse_rms::<FUSED>(x, eps);
        quantize_row::<FUSED>(&Normed { x, weight, inverse }, columns, out);
    }
}

#[inline(always)]
fn quantize_gated_body<const FUSED: bool>(x: &[f32], columns: usize, out: &mut [QuantizedBlock]) {
    for (row, out) in x
        .chunks_exact(2 * columns)
        .zip(out.chunks_exact_mut(columns.div_ceil(BLOCK)))
    {
        let (gate, up) = row.split_at(columns);
        quantize_row::<FUSED>(&Gated { gate, up }, columns, out);
    }
}

/// The values of a row, some at a time.
trait Values {
    /// Those from `at` on, as many as there is room for.
    fn write<const FUSED: bool>(&self, at: usize, out: &mut [f32]);
}

struct Plain<'a>(&'a [f32]);

struct Normed<'a> {
    x: &'a [f32],
    weight: &'a [f32],
    inverse: f32,
}

struct Gated<'a> {
    gate: &'a [f32],
    up: &'a [f32],
}

impl Values for Plain<'_> {
    #[inline(always)]
    fn write<const FUSED: bool>(&self, at: usize, out: &mut [f32]) {
        out.copy_from_slice(&self.0[at..][..out.len()]);
    }
}

impl Values for Normed<'_> {
    #[inline(always)]
    fn write<const FUSED: bool>(&self, at: usize, out: &mut [f32]) {
        let (x, weight) = (&self.x[at..][..out.len()], &self.weight[at..][..out.len()]);
        for ((out, x), weight) in out.iter_mut().zip(x).zip(weight) {
            *out = x * self.inverse * weight;
        }
    }
}

impl Values for Gated<'_> {
    #[inline(always)]
    fn write<const FUSED: bool>(&self, at: usize, out: &mut [f32]) {
        let (gate, up) = (&self.gate[at..][..out.len()], &self.up[at..][..out.len()]);
        for ((out, gate), up) in out.iter_mut().zip(gate).zip(up) {
            *out = gated::<FUSED>(*gate, *up);
        }
    }
}

#[inline(always)]
fn quantize_row<const FUSED: bool>(
    values: &impl Values,
    columns: usize,
    out: &mut [QuantizedBlock],
) {
    let (whole, rest) = (columns / BLOCK, columns % BLOCK);
    let mut block = [0.0; BLOCK];
    for (index, out) in out[..whole].iter_mut().enumerate() {
        values.write::<FUSED>(index * BLOCK, &mut block);
        *out = quantize_block(&block);
    }
    if let (1.., Some(out)) = (rest, out.get_mut(whole)) {
        block = [0.0; BLOCK];
        values.write::<FUSED>(whole * BLOCK, &mut block[..rest]);
        *out = quantize_block(&block);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_done_on_the_way_equals_what_is_done_before() {
        let cpu = Cpu::new(None);
        let value = |i: usize| ((i * 7919 % 1000) as f32 - 500.0) / 100.0;
        for (rows, columns) in [(1, 1), (1, 64), (3, 40), (9, 96), (5, 33)] {
            let both: Vec<f32> = (0..2 * rows * columns).map(value).collect();
            let weight: Vec<f32> = (0..columns).map(|i| value(i + 17)).collect();
            let normed = Rows::Normed {
                x: &both[..rows * columns],
                weight: &weight,
                eps: 1e-6,
            };
            let mut room = Quantized::default();
            // What was there before and was larger leaves no trace.
            room.fill(Rows::Plain(&vec![9.0; 4000]), 4000, &cpu);
            for x in [normed, Rows::Gated(&both)] {
                let mut before = vec![f32::NAN; rows * columns];
                x.write(columns, &mut before, &cpu);
                let mut expected = Quantized::default();
                expected.fill(Rows::Plain(&before), columns, &cpu);
                room.fill(x, columns, &cpu);
                assert_eq!(room.rows(), rows);
                for row in 0..rows {
                    assert_eq!(
                        room.row(row),
                        expected.row(row),
                        "{rows} of {columns}: {x:?}"
                    );
                }
            }
        }
    }
}

//! The quantized kernels for NEON with dot products, an instruction set of ARMv8.2. Four lanes of a vector are four rows of the
//! matrix: a group of sixteen is worked on by quarters.

use super::QuantizedRow;
use crate::engine::kernels::activation::{QuantizedBlock, WORDS};
use crate::engine::kernels::packed::{GROUP, Packing, SCALES};
use std::arch::aarch64::*;
use std::arch::asm;

/// Vectors that the values of sixteen rows fill.
const QUARTERS: usize = GROUP / 4;

/// Words of activations in a vector.
const LANES: usize = 4;

#[target_feature(enable = "neon,dotprod")]
pub(super) fn q8<const M: usize>(group: &[u8], rows: [QuantizedRow<'_>; M]) -> [[f32; GROUP]; M] {
    let mut totals = [[0f32; GROUP]; M];
    let blocks = group.as_chunks::<{ Packing::Q8.block_bytes() }>().0;
    let rows = rows.map(|row| &row[..blocks.len()]);
    let zero = vdupq_n_u8(Packing::Q8.zero());
    for (index, block) in blocks.iter().enumerate() {
        let (values, scales) = parts(block);
        let x = rows.map(|row| &row[index]);
        for quarter in 0..QUARTERS {
            let mut sums = [vdupq_n_s32(0); M];
            for half in 0..WORDS / LANES {
                let words = words(x, half);
                // Less 128, and so signed.
                let stored = |column: usize| {
                    let column = half * LANES + column;
                    veorq_u8(load(&values[QUARTERS * column + quarter]), zero)
                };
                add_products::<0, M>(&mut sums, stored(0), &words);
                add_products::<1, M>(&mut sums, stored(1), &words);
                add_products::<2, M>(&mut sums, stored(2), &words);
                add_products::<3, M>(&mut sums, stored(3), &words);
            }
            scale_and_add(x, &sums, &scales[quarter], quarter, &mut totals);
        }
    }
    totals
}

/// The low nibbles of a block belong to its first half of columns, the high ones to the other.
#[target_feature(enable = "neon,dotprod")]
pub(super) fn q4<const M: usize>(group: &[u8], rows: [QuantizedRow<'_>; M]) -> [[f32; GROUP]; M] {
    let mut totals = [[0f32; GROUP]; M];
    let blocks = group.as_chunks::<{ Packing::Q4.block_bytes() }>().0;
    let rows = rows.map(|row| &row[..blocks.len()]);
    let nibble = vdupq_n_u8(15);
    for (index, block) in blocks.iter().enumerate() {
        let (values, scales) = parts(block);
        let x = rows.map(|row| &row[index]);
        for quarter in 0..QUARTERS {
            let mut sums = x.map(|x| vdupq_n_s32(x.offset(Packing::Q4)));
            let stored: [uint8x16_t; LANES] =
                std::array::from_fn(|column| load(&values[QUARTERS * column + quarter]));
            let low = stored.map(|stored| vandq_u8(stored, nibble));
            add_products::<0, M>(&mut sums, low[0], &words(x, 0));
            add_products::<1, M>(&mut sums, low[1], &words(x, 0));
            add_products::<2, M>(&mut sums, low[2], &words(x, 0));
            add_products::<3, M>(&mut sums, low[3], &words(x, 0));
            let high = stored.map(|stored| vshrq_n_u8::<4>(stored));
            add_products::<0, M>(&mut sums, high[0], &words(x, 1));
            add_products::<1, M>(&mut sums, high[1], &words(x, 1));
            add_products::<2, M>(&mut sums, high[2], &words(x, 1));
            add_products::<3, M>(&mut sums, high[3], &words(x, 1));
            scale_and_add(x, &sums, &scales[quarter], quarter, &mut totals);
        }
    }
    totals
}

/// A block's values and scales, in vectors.
#[inline(always)]
fn parts(block: &[u8]) -> (&[[u8; 16]], &[[u8; 8]]) {
    let (values, scales) = block.split_at(block.len() - SCALES);
    (values.as_chunks().0, scales.as_chunks().0)
}

/// The words of half a block, for each row.
#[inline]
#[target_feature(enable = "neon")]
fn words<const M: usize>(x: [&QuantizedBlock; M], half: usize) -> [int32x4_t; M] {
    x.map(|x| {
        let words: &[i32; LANES] = &x.words.as_chunks().0[half];
        // SAFETY: four words are there; the load asks for no alignment beyond a word's.
        unsafe { vld1q_s32(words.as_ptr()) }
    })
}

/// Adds to each lane the products of its four values, taken as signed, with the four of each row's word number `WORD`. Words
/// are taken out of a vector of four by the instruction itself: to spread each over a vector first would cost as much again.
#[inline]
#[target_feature(enable = "neon,dotprod")]
fn add_products<const WORD: i32, const M: usize>(
    sums: &mut [int32x4_t; M],
    values: uint8x16_t,
    words: &[int32x4_t; M],
) {
    for row in 0..M {
        // SAFETY: an instruction of `dotprod`, which the caller has; it reads and writes these registers alone. There is no
        // stable function for it.
        unsafe {
            asm!(
                "sdot {sum:v}.4s, {values:v}.16b, {words:v}.4b[{word}]",
                sum = inout(vreg) sums[row],
                values = in(vreg) values,
                words = in(vreg) words[row],
                word = const WORD,
                options(pure, nomem, nostack, preserves_flags),
            );
        }
    }
}

#[inline]
#[target_feature(enable = "neon,dotprod")]
fn scale_and_add<const M: usize>(
    x: [&QuantizedBlock; M],
    sums: &[int32x4_t; M],
    scales: &[u8; 8],
    quarter: usize,
    totals: &mut [[f32; GROUP]; M],
) {
    // SAFETY: eight bytes are there; the load asks for no alignment beyond a byte's.
    let scales = unsafe { vld1_u8(scales.as_ptr()) };
    let scales = vcvt_f32_f16(vreinterpret_f16_u8(scales));
    for row in 0..M {
        let total = &mut totals[row].as_chunks_mut::<4>().0[quarter];
        let scale = vmulq_n_f32(scales, x[row].scale);
        // SAFETY: four floats are 16 bytes, of their own alignment.
        unsafe {
            let sum = vld1q_f32(total.as_ptr());
            let sum = vfmaq_f32(sum, vcvtq_f32_s32(sums[row]), scale);
            vst1q_f32(total.as_mut_ptr(), sum);
        }
    }
}

#[inline]
#[target_feature(enable = "neon")]
fn load(bytes: &[u8; 16]) -> uint8x16_t {
    // SAFETY: 16 bytes are there; the load asks for no alignment beyond a byte's.
    unsafe { vld1q_u8(bytes.as_ptr()) }
}

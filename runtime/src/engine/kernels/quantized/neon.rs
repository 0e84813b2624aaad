//! The quantized kernels for NEON with dot products, an instruction set of ARMv8.2. Four lanes of a vector are four rows of the
//! matrix: a group of sixteen is worked on by quarters.

use super::QuantizedRow;
use crate::engine::kernels::activation::{QuantizedBlock, WORDS};
use crate::engine::kernels::packed::{GROUP, Packing, SCALES};
use std::arch::aarch64::*;
use std::arch::asm;

/// Vectors that the values of sixteen rows fill.
const QUARTERS: usize = GROUP / 4;

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
            for column in 0..WORDS {
                // Less 128, and so signed.
                let stored = veorq_u8(load(&values[QUARTERS * column + quarter]), zero);
                for row in 0..M {
                    sums[row] = dot(sums[row], stored, x[row].words[column]);
                }
            }
            scale_and_add(x, &sums, &scales[quarter], quarter, &mut totals);
        }
    }
    totals
}

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
            for column in 0..WORDS / 2 {
                let stored = load(&values[QUARTERS * column + quarter]);
                let (low, high) = (vandq_u8(stored, nibble), vshrq_n_u8::<4>(stored));
                for row in 0..M {
                    let words = &x[row].words;
                    sums[row] = dot(sums[row], low, words[column]);
                    sums[row] = dot(sums[row], high, words[column + WORDS / 2]);
                }
            }
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

/// Adds to each lane the products of its four values, taken as signed, with the four of a word.
#[inline]
#[target_feature(enable = "neon,dotprod")]
fn dot(mut sum: int32x4_t, values: uint8x16_t, word: i32) -> int32x4_t {
    let words = vdupq_n_s32(word);
    // SAFETY: an instruction of `dotprod`, which the caller has; it reads and writes these registers alone. There is no
    // stable function for it.
    unsafe {
        asm!(
            "sdot {0:v}.4s, {1:v}.16b, {2:v}.16b",
            inout(vreg) sum,
            in(vreg) values,
            in(vreg) words,
            options(pure, nomem, nostack, preserves_flags),
        );
    }
    sum
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
            vst1q_f32(
                total.as_mut_ptr(),
                vfmaq_f32(sum, vcvtq_f32_s32(sums[row]), scale),
            );
        }
    }
}

#[inline]
#[target_feature(enable = "neon")]
fn load(bytes: &[u8; 16]) -> uint8x16_t {
    // SAFETY: 16 bytes are there; the load asks for no alignment beyond a byte's.
    unsafe { vld1q_u8(bytes.as_ptr()) }
}

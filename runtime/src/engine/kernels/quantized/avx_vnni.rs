//! The quantized kernels for AVX-VNNI: vectors of AVX2, with the instruction that adds four products at once. For processors
//! without AVX-512 that have it (Intel's since Alder Lake, AMD's Zen 5 too).

use super::QuantizedRow;
use super::x86::{avx2_scale_and_add, load256, parts, rolled};
use crate::engine::kernels::activation::{QuantizedBlock, WORDS};
use crate::engine::kernels::packed::{GROUP, Packing};
use std::arch::x86_64::*;

#[target_feature(enable = "avxvnni,avx2,fma,f16c")]
pub(super) fn q8<const M: usize>(group: &[u8], rows: [QuantizedRow<'_>; M]) -> [[f32; GROUP]; M] {
    let mut totals = [[0f32; GROUP]; M];
    let blocks = group.as_chunks::<{ Packing::Q8.block_bytes() }>().0;
    let rows = rows.map(|row| &row[..blocks.len()]);
    let columns = rolled::<M>(WORDS);
    for (index, block) in blocks.iter().enumerate() {
        let (block, scales) = parts::<32, 16>(block);
        let x = rows.map(|row| &row[index]);
        // Eight rows of the matrix at a time: the sums of eight rows of activations then fill half of the registers.
        for half in 0..2 {
            let mut sums = offsets(Packing::Q8, x);
            for column in 0..columns {
                let stored = load256(&block[2 * column + half]);
                for row in 0..M {
                    let x = _mm256_set1_epi32(x[row].words[column]);
                    sums[row] = _mm256_dpbusd_avx_epi32(sums[row], stored, x);
                }
            }
            avx2_scale_and_add(x, &sums, &scales[half], half, &mut totals);
        }
    }
    totals
}

#[target_feature(enable = "avxvnni,avx2,fma,f16c")]
pub(super) fn q4<const M: usize>(group: &[u8], rows: [QuantizedRow<'_>; M]) -> [[f32; GROUP]; M] {
    let mut totals = [[0f32; GROUP]; M];
    let blocks = group.as_chunks::<{ Packing::Q4.block_bytes() }>().0;
    let rows = rows.map(|row| &row[..blocks.len()]);
    let nibble = _mm256_set1_epi8(15);
    let columns = rolled::<M>(WORDS / 2);
    for (index, block) in blocks.iter().enumerate() {
        let (block, scales) = parts::<32, 16>(block);
        let x = rows.map(|row| &row[index]);
        for half in 0..2 {
            let mut sums = offsets(Packing::Q4, x);
            for column in 0..columns {
                let stored = load256(&block[2 * column + half]);
                let low = _mm256_and_si256(stored, nibble);
                let high = _mm256_and_si256(_mm256_srli_epi16::<4>(stored), nibble);
                for row in 0..M {
                    let words = &x[row].words;
                    let (first, second) = (words[column], words[column + 4]);
                    let sum = _mm256_dpbusd_avx_epi32(sums[row], low, _mm256_set1_epi32(first));
                    sums[row] = _mm256_dpbusd_avx_epi32(sum, high, _mm256_set1_epi32(second));
                }
            }
            avx2_scale_and_add(x, &sums, &scales[half], half, &mut totals);
        }
    }
    totals
}

/// What takes the weights' offset out again.
#[inline]
#[target_feature(enable = "avx2")]
fn offsets<const M: usize>(packing: Packing, x: [&QuantizedBlock; M]) -> [__m256i; M] {
    let mut offsets = [_mm256_setzero_si256(); M];
    for row in 0..M {
        offsets[row] = _mm256_set1_epi32(x[row].offset(packing));
    }
    offsets
}

//! The quantized kernels for AVX-512 with VNNI and for AVX2. A lane is a row of the matrix throughout.

use super::QuantizedRow;
use crate::engine::kernels::activation::{QuantizedBlock, WORDS};
use crate::engine::kernels::packed::{GROUP, Packing, SCALES};
use std::arch::x86_64::*;

#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
pub(super) fn avx512_q8<const M: usize>(
    group: &[u8],
    rows: [QuantizedRow<'_>; M],
) -> [[f32; GROUP]; M] {
    let mut totals = [_mm512_setzero_ps(); M];
    let blocks = group.as_chunks::<{ Packing::Q8.block_bytes() }>().0;
    let rows = rows.map(|row| &row[..blocks.len()]);
    for (index, block) in blocks.iter().enumerate() {
        let (block, scales) = parts::<64, SCALES>(block);
        let x = rows.map(|row| &row[index]);
        let mut sums = offsets(Packing::Q8, x);
        for (column, stored) in block.iter().enumerate() {
            let stored = load512(stored);
            for row in 0..M {
                let x = _mm512_set1_epi32(x[row].words[column]);
                sums[row] = _mm512_dpbusd_epi32(sums[row], stored, x);
            }
        }
        scale_and_add(x, &sums, &scales[0], &mut totals);
    }
    store(totals)
}

#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
pub(super) fn avx512_q4<const M: usize>(
    group: &[u8],
    rows: [QuantizedRow<'_>; M],
) -> [[f32; GROUP]; M] {
    let mut totals = [_mm512_setzero_ps(); M];
    let blocks = group.as_chunks::<{ Packing::Q4.block_bytes() }>().0;
    let rows = rows.map(|row| &row[..blocks.len()]);
    let nibble = _mm512_set1_epi8(15);
    for (index, block) in blocks.iter().enumerate() {
        let (block, scales) = parts::<64, SCALES>(block);
        let x = rows.map(|row| &row[index]);
        let mut sums = offsets(Packing::Q4, x);
        for (column, stored) in block.iter().enumerate() {
            let stored = load512(stored);
            let low = _mm512_and_si512(stored, nibble);
            let high = _mm512_and_si512(_mm512_srli_epi16::<4>(stored), nibble);
            for row in 0..M {
                let words = &x[row].words;
                sums[row] = _mm512_dpbusd_epi32(sums[row], low, _mm512_set1_epi32(words[column]));
                sums[row] =
                    _mm512_dpbusd_epi32(sums[row], high, _mm512_set1_epi32(words[column + 4]));
            }
        }
        scale_and_add(x, &sums, &scales[0], &mut totals);
    }
    store(totals)
}

/// Asks for cache lines that are needed soon.
#[inline(always)]
pub(super) fn prefetch(bytes: &[u8]) {
    for line in bytes.chunks(64) {
        // SAFETY: every x86-64 processor has the instruction; it changes no value, and the byte is there.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(line.as_ptr().cast()) };
    }
}

/// A block's values and scales, in chunks.
#[inline(always)]
pub(super) fn parts<const V: usize, const S: usize>(block: &[u8]) -> (&[[u8; V]], &[[u8; S]]) {
    let (values, scales) = block.split_at(block.len() - SCALES);
    (values.as_chunks().0, scales.as_chunks().0)
}

/// What takes the weights' offset out again.
#[target_feature(enable = "avx512f")]
fn offsets<const M: usize>(packing: Packing, x: [&QuantizedBlock; M]) -> [__m512i; M] {
    let mut offsets = [_mm512_setzero_si512(); M];
    for row in 0..M {
        offsets[row] = _mm512_set1_epi32(x[row].offset(packing));
    }
    offsets
}

#[target_feature(enable = "avx512f")]
fn scale_and_add<const M: usize>(
    x: [&QuantizedBlock; M],
    sums: &[__m512i; M],
    scales: &[u8; SCALES],
    totals: &mut [__m512; M],
) {
    let scales = _mm512_cvtph_ps(load256(scales));
    for row in 0..M {
        let scale = _mm512_mul_ps(scales, _mm512_set1_ps(x[row].scale));
        totals[row] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sums[row]), scale, totals[row]);
    }
}

#[target_feature(enable = "avx512f")]
fn store<const M: usize>(totals: [__m512; M]) -> [[f32; GROUP]; M] {
    let mut out = [[0f32; GROUP]; M];
    for (out, total) in out.iter_mut().zip(totals) {
        // SAFETY: sixteen floats are 64 bytes; the store asks for no alignment.
        unsafe { _mm512_storeu_ps(out.as_mut_ptr(), total) };
    }
    out
}

#[target_feature(enable = "avx512f")]
fn load512(bytes: &[u8; 64]) -> __m512i {
    // SAFETY: 64 bytes are there; the load asks for no alignment.
    unsafe { _mm512_loadu_si512(bytes.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx")]
pub(super) fn load256(bytes: &[u8; 32]) -> __m256i {
    // SAFETY: 32 bytes are there; the load asks for no alignment.
    unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
}

#[target_feature(enable = "sse2")]
fn load128(bytes: &[u8; 16]) -> __m128i {
    // SAFETY: 16 bytes are there; the load asks for no alignment.
    unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) }
}

/// How often a loop over columns runs, unknown to the compiler where there are several rows: unrolled, it would take the rows
/// one after the other, and spill what they share.
#[inline(always)]
pub(super) fn rolled<const M: usize>(columns: usize) -> usize {
    match M {
        1 => columns,
        _ => std::hint::black_box(columns).min(columns),
    }
}

/// Without an instruction for four products at once, 8-bit products are added in pairs, to 16 bits that must not saturate:
/// magnitudes of weights, at most 128, times activations of at most 127 that carry the weights' signs.
#[target_feature(enable = "avx2,fma,f16c")]
pub(super) fn avx2_q8<const M: usize>(
    group: &[u8],
    rows: [QuantizedRow<'_>; M],
) -> [[f32; GROUP]; M] {
    let mut totals = [[0f32; GROUP]; M];
    let blocks = group.as_chunks::<{ Packing::Q8.block_bytes() }>().0;
    let rows = rows.map(|row| &row[..blocks.len()]);
    let (zero, ones) = (_mm256_set1_epi8(i8::MIN), _mm256_set1_epi16(1));
    let columns = rolled::<M>(WORDS);
    for (index, block) in blocks.iter().enumerate() {
        let (block, scales) = parts::<32, 16>(block);
        let x = rows.map(|row| &row[index]);
        // Eight rows of the matrix at a time: the sums of eight rows of activations then fill half of the registers.
        for half in 0..2 {
            let mut sums = [_mm256_setzero_si256(); M];
            for column in 0..columns {
                let weights = _mm256_xor_si256(load256(&block[2 * column + half]), zero);
                let magnitudes = _mm256_abs_epi8(weights);
                for row in 0..M {
                    let x = _mm256_set1_epi32(x[row].words[column]);
                    let pairs = _mm256_maddubs_epi16(magnitudes, _mm256_sign_epi8(x, weights));
                    sums[row] = _mm256_add_epi32(sums[row], _mm256_madd_epi16(pairs, ones));
                }
            }
            avx2_scale_and_add(x, &sums, &scales[half], half, &mut totals);
        }
    }
    totals
}

/// A nibble's product is at most 15 × 127: pairs of a whole block, sixteen of them, fit 16 bits.
#[target_feature(enable = "avx2,fma,f16c")]
pub(super) fn avx2_q4<const M: usize>(
    group: &[u8],
    rows: [QuantizedRow<'_>; M],
) -> [[f32; GROUP]; M] {
    let mut totals = [[0f32; GROUP]; M];
    let blocks = group.as_chunks::<{ Packing::Q4.block_bytes() }>().0;
    let rows = rows.map(|row| &row[..blocks.len()]);
    let (nibble, ones) = (_mm256_set1_epi8(15), _mm256_set1_epi16(1));
    let columns = rolled::<M>(WORDS / 2);
    for (index, block) in blocks.iter().enumerate() {
        let (block, scales) = parts::<32, 16>(block);
        let x = rows.map(|row| &row[index]);
        for half in 0..2 {
            let mut pairs = [_mm256_setzero_si256(); M];
            for column in 0..columns {
                let stored = load256(&block[2 * column + half]);
                let low = _mm256_and_si256(stored, nibble);
                let high = _mm256_and_si256(_mm256_srli_epi16::<4>(stored), nibble);
                for row in 0..M {
                    let words = &x[row].words;
                    let low = _mm256_maddubs_epi16(low, _mm256_set1_epi32(words[column]));
                    let high = _mm256_maddubs_epi16(high, _mm256_set1_epi32(words[column + 4]));
                    pairs[row] = _mm256_add_epi16(pairs[row], _mm256_add_epi16(low, high));
                }
            }
            let mut sums = [_mm256_setzero_si256(); M];
            for row in 0..M {
                let offset = _mm256_set1_epi32(x[row].offset(Packing::Q4));
                sums[row] = _mm256_add_epi32(_mm256_madd_epi16(pairs[row], ones), offset);
            }
            avx2_scale_and_add(x, &sums, &scales[half], half, &mut totals);
        }
    }
    totals
}

#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
pub(super) fn avx2_scale_and_add<const M: usize>(
    x: [&QuantizedBlock; M],
    sums: &[__m256i; M],
    scales: &[u8; 16],
    half: usize,
    totals: &mut [[f32; GROUP]; M],
) {
    let scales = _mm256_cvtph_ps(load128(scales));
    for row in 0..M {
        let total = &mut totals[row].as_chunks_mut::<8>().0[half];
        let scale = _mm256_mul_ps(scales, _mm256_set1_ps(x[row].scale));
        // SAFETY: eight floats are 32 bytes; neither access asks for alignment.
        unsafe {
            let sum = _mm256_loadu_ps(total.as_ptr());
            let sum = _mm256_fmadd_ps(_mm256_cvtepi32_ps(sums[row]), scale, sum);
            _mm256_storeu_ps(total.as_mut_ptr(), sum);
        }
    }
}

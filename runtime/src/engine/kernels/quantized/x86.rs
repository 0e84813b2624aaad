//! The quantized kernels for AVX-512 with VNNI and for AVX2. A lane is a row of the matrix throughout.

use super::QuantizedRow;
use crate::engine::kernels::activation::QuantizedBlock;
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

/// A block's values and scales, in chunks.
#[inline(always)]
fn parts<const V: usize, const S: usize>(block: &[u8]) -> (&[[u8; V]], &[[u8; S]]) {
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

#[target_feature(enable = "avx")]
fn load256(bytes: &[u8; 32]) -> __m256i {
    // SAFETY: 32 bytes are there; the load asks for no alignment.
    unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
}

#[target_feature(enable = "sse2")]
fn load128(bytes: &[u8; 16]) -> __m128i {
    // SAFETY: 16 bytes are there; the load asks for no alignment.
    unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) }
}

#[target_feature(enable = "avx2,fma,f16c")]
pub(super) fn avx2_q8<const M: usize>(
    group: &[u8],
    rows: [QuantizedRow<'_>; M],
) -> [[f32; GROUP]; M] {
    let mut totals = [[0f32; GROUP]; M];
    let blocks = group.as_chunks::<{ Packing::Q8.block_bytes() }>().0;
    for (index, block) in blocks.iter().enumerate() {
        let (block, scales) = parts::<16, 16>(block);
        // Four rows of four bytes make a quarter of a group.
        let quarter = |column: usize, quarter: usize| load128(&block[column * 4 + quarter]);
        avx2_block(Packing::Q8, &rows, index, quarter, scales, &mut totals);
    }
    totals
}

#[target_feature(enable = "avx2,fma,f16c")]
pub(super) fn avx2_q4<const M: usize>(
    group: &[u8],
    rows: [QuantizedRow<'_>; M],
) -> [[f32; GROUP]; M] {
    let mut totals = [[0f32; GROUP]; M];
    let blocks = group.as_chunks::<{ Packing::Q4.block_bytes() }>().0;
    for (index, block) in blocks.iter().enumerate() {
        let (block, scales) = parts::<16, 16>(block);
        let quarter = |column: usize, quarter: usize| {
            let stored = load128(&block[column % 4 * 4 + quarter]);
            let stored = if column < 4 {
                stored
            } else {
                _mm_srli_epi16::<4>(stored)
            };
            _mm_and_si128(stored, _mm_set1_epi8(15))
        };
        avx2_block(Packing::Q4, &rows, index, quarter, scales, &mut totals);
    }
    totals
}

/// A block by 16-bit products, which hold 255 × 127 exactly; the 8-bit instruction would saturate.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
fn avx2_block<const M: usize>(
    packing: Packing,
    rows: &[QuantizedRow<'_>; M],
    index: usize,
    quarter: impl Fn(usize, usize) -> __m128i,
    scales: &[[u8; 16]],
    totals: &mut [[f32; GROUP]; M],
) {
    for (row, totals) in rows.iter().zip(totals) {
        let mut sums = [_mm256_setzero_si256(); 4];
        for (column, word) in row[index].words.iter().enumerate() {
            let x = _mm256_cvtepi8_epi16(_mm_set1_epi32(*word));
            for (i, sum) in sums.iter_mut().enumerate() {
                let stored = _mm256_cvtepu8_epi16(quarter(column, i));
                *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(stored, x));
            }
        }
        let offset = _mm256_set1_epi32(row[index].offset(packing));
        for (half, totals) in totals.as_chunks_mut::<8>().0.iter_mut().enumerate() {
            // Each row has two partial sums side by side; adding pairs interleaves the quarters by 128-bit halves.
            let pairs = _mm256_hadd_epi32(sums[2 * half], sums[2 * half + 1]);
            let sum = _mm256_add_epi32(_mm256_permute4x64_epi64::<0b11_01_10_00>(pairs), offset);
            let scale = _mm256_mul_ps(
                _mm256_cvtph_ps(load128(&scales[half])),
                _mm256_set1_ps(row[index].scale),
            );
            // SAFETY: eight floats are 32 bytes; neither access asks for alignment.
            unsafe {
                let total = _mm256_loadu_ps(totals.as_ptr());
                let total = _mm256_fmadd_ps(_mm256_cvtepi32_ps(sum), scale, total);
                _mm256_storeu_ps(totals.as_mut_ptr(), total);
            }
        }
    }
}

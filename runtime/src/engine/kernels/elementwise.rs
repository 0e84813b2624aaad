//! RMSNorm and SwiGLU row by row, and how work on rows is shared out.

use super::Cpu;
use super::simd::{Level, for_each_level, multiply_add, sum_of_products};

/// Rows of activations below this number are quicker done than shared out.
const FEW_ROWS: usize = 4;

/// Calls `work` with pieces of whole rows and the number of their first row.
pub(super) fn in_rows<T: Send>(
    cpu: &Cpu,
    out: &mut [T],
    width: usize,
    work: impl Fn(usize, &mut [T]) + Sync,
) {
    let rows = out.len() / width;
    if rows < FEW_ROWS {
        return work(0, out);
    }
    let rows_a_piece = rows.div_ceil(4 * cpu.team.threads());
    cpu.team
        .for_each_piece(out, rows_a_piece * width, |piece, out| {
            work(piece * rows_a_piece, out)
        });
}

for_each_level! {
    /// `x / sqrt(mean(x²) + eps) * weight`, row by row.
    pub(super) fn norm(x: &[f32], weight: &[f32], eps: f32, out: &mut [f32]) = norm_body
}

for_each_level! {
    /// `silu(gate) * up`, where a row of `gate_up` is the gate, then the up projection.
    pub(super) fn gate(gate_up: &[f32], width: usize, out: &mut [f32]) = gate_body
}

#[inline(always)]
fn norm_body<const FUSED: bool>(x: &[f32], weight: &[f32], eps: f32, out: &mut [f32]) {
    let width = weight.len();
    for (x, out) in x.chunks_exact(width).zip(out.chunks_exact_mut(width)) {
        let inverse = inverse_rms::<FUSED>(x, eps);
        for ((out, x), weight) in out.iter_mut().zip(x).zip(weight) {
            *out = x * inverse * weight;
        }
    }
}

/// What RMSNorm multiplies the values of a row by, beside their weights.
#[inline(always)]
pub(super) fn inverse_rms<const FUSED: bool>(x: &[f32], eps: f32) -> f32 {
    let mean = sum_of_products::<FUSED>(x, x) / x.len() as f32;
    1.0 / (mean + eps).sqrt()
}

/// `silu(gate) * up`.
#[inline(always)]
pub(super) fn gated<const FUSED: bool>(gate: f32, up: f32) -> f32 {
    gate / (1.0 + exp::<FUSED>(-gate)) * up
}

#[inline(always)]
fn gate_body<const FUSED: bool>(gate_up: &[f32], width: usize, out: &mut [f32]) {
    for (row, out) in gate_up
        .chunks_exact(2 * width)
        .zip(out.chunks_exact_mut(width))
    {
        let (gate, up) = row.split_at(width);
        for ((out, gate), up) in out.iter_mut().zip(gate).zip(up) {
            *out = gated::<FUSED>(*gate, *up);
        }
    }
}

/// `e^x` within 2 units in the last place, in operations that vectors have; below -87 it stays at 1e-38, above 88
/// at 2e38. Coefficients are Cephes' (`expf.c`).
#[inline(always)]
pub(crate) fn exp<const FUSED: bool>(x: f32) -> f32 {
    // 1.5 * 2^23: adding it rounds to an integer and leaves that in the low bits.
    const MAGIC: f32 = 12_582_912.0;
    // Not min and max: they would swallow a NaN.
    let x = x.clamp(-87.0, 88.0);
    let shifted = multiply_add::<FUSED>(x, std::f32::consts::LOG2_E, MAGIC);
    let n = shifted - MAGIC;
    // ln 2 in two parts, of which the first times n is exact.
    let r = multiply_add::<FUSED>(n, -0.693_359_4, x);
    let r = multiply_add::<FUSED>(n, 2.121_944_4e-4, r);
    let mut p = 1.987_569_1e-4;
    for c in [
        1.398_199_9e-3,
        8.333_452e-3,
        4.166_579_6e-2,
        0.166_666_65,
        0.5,
    ] {
        p = multiply_add::<FUSED>(p, r, c);
    }
    let p = multiply_add::<FUSED>(p * r, r, r) + 1.0;
    // The exponent's bits; for NaN the other factor is NaN.
    p * f32::from_bits((shifted.to_bits() << 23).wrapping_add(127 << 23))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_equals_the_librarys_and_keeps_nan() {
        for i in -8_690..8_790 {
            let x = i as f32 / 100.0;
            for ours in [exp::<true>(x), exp::<false>(x)] {
                let theirs = f64::from(x).exp();
                assert!(
                    (f64::from(ours) / theirs - 1.0).abs() < 3e-7,
                    "{x}: {ours} {theirs}"
                );
            }
        }
        assert!(exp::<true>(f32::NAN).is_nan());
        assert!(exp::<true>(f32::NEG_INFINITY) < 1e-37);
        assert!(exp::<true>(f32::INFINITY) > 1e38);
    }
}

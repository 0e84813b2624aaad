//! RMSNorm and SwiGLU: little arithmetic, but between every two matrices, so it must cost next to nothing.

use super::simd::{Level, for_each_level, multiply_add, sum_of_products};
use super::{Cpu, contiguous};
use candle_core::{CpuStorage, CustomOp1, CustomOp2, D, Layout, Result, Shape, Tensor, bail};

/// Rows of activations below this number are quicker done than shared out.
const FEW_ROWS: usize = 4;

/// `x / sqrt(mean(x²) + eps) * weight`, row by row.
pub(crate) fn rms_norm(x: &Tensor, weight: &Tensor, eps: f64, cpu: &Cpu) -> Result<Tensor> {
    if x.device().is_cpu() {
        x.apply_op2_no_bwd(
            weight,
            &RmsNorm {
                eps: eps as f32,
                cpu,
            },
        )
    } else {
        candle_nn::ops::rms_norm(x, weight, eps as f32)
    }
}

/// `silu(gate) * up`, where a row of `gate_up` is the gate, then the up projection.
pub(crate) fn swiglu(gate_up: &Tensor, cpu: &Cpu) -> Result<Tensor> {
    if gate_up.device().is_cpu() {
        return gate_up.apply_op1_no_bwd(&SwiGlu { cpu });
    }
    let halves = gate_up.chunk(2, D::Minus1)?;
    let [gate, up] = halves.as_slice() else {
        bail!("{:?} has no two halves", gate_up.shape());
    };
    candle_nn::ops::silu(&gate.contiguous()?)? * up
}

/// `a + b`.
pub(crate) fn add(a: &Tensor, b: &Tensor, cpu: &Cpu) -> Result<Tensor> {
    if a.device().is_cpu() {
        a.apply_op2_no_bwd(b, &Add { cpu })
    } else {
        a + b
    }
}

struct Add<'a> {
    cpu: &'a Cpu,
}

impl CustomOp2 for Add<'_> {
    fn name(&self) -> &'static str {
        "add-rows"
    }

    fn cpu_fwd(
        &self,
        a: &CpuStorage,
        a_layout: &Layout,
        b: &CpuStorage,
        b_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (_, width) = a_layout.shape().dims2()?;
        if a_layout.shape() != b_layout.shape() || width == 0 {
            bail!(
                "cannot add {:?} and {:?}",
                a_layout.shape(),
                b_layout.shape()
            );
        }
        let (a, b) = (contiguous(a, a_layout)?, contiguous(b, b_layout)?);
        let mut out = a.to_vec();
        in_rows(self.cpu, &mut out, width, |first, out| {
            for (out, b) in out.iter_mut().zip(&b[first * width..]) {
                *out += b;
            }
        });
        Ok((CpuStorage::F32(out), a_layout.shape().clone()))
    }
}

struct RmsNorm<'a> {
    eps: f32,
    cpu: &'a Cpu,
}

impl CustomOp2 for RmsNorm<'_> {
    fn name(&self) -> &'static str {
        "rms-norm"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        weight: &CpuStorage,
        weight_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (x, weight) = (contiguous(x, x_layout)?, contiguous(weight, weight_layout)?);
        let width = weight.len();
        if width == 0 || !x.len().is_multiple_of(width) {
            bail!("cannot norm {:?} by {width} weights", x_layout.shape());
        }
        let mut out = vec![0f32; x.len()];
        in_rows(self.cpu, &mut out, width, |first, out| {
            let x = &x[first * width..][..out.len()];
            norm(self.cpu.level, x, weight, self.eps, out);
        });
        Ok((CpuStorage::F32(out), x_layout.shape().clone()))
    }
}

struct SwiGlu<'a> {
    cpu: &'a Cpu,
}

impl CustomOp1 for SwiGlu<'_> {
    fn name(&self) -> &'static str {
        "swiglu"
    }

    fn cpu_fwd(&self, gate_up: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (rows, both) = layout.shape().dims2()?;
        let (gate_up, width) = (contiguous(gate_up, layout)?, both / 2);
        if both % 2 == 1 || width == 0 {
            bail!("{:?} has no two halves", layout.shape());
        }
        let mut out = vec![0f32; rows * width];
        in_rows(self.cpu, &mut out, width, |first, out| {
            gate(
                self.cpu.level,
                &gate_up[2 * first * width..][..2 * out.len()],
                width,
                out,
            );
        });
        Ok((CpuStorage::F32(out), Shape::from((rows, width))))
    }
}

/// Calls `work` with pieces of whole rows and the number of their first row.
pub(super) fn in_rows(
    cpu: &Cpu,
    out: &mut [f32],
    width: usize,
    work: impl Fn(usize, &mut [f32]) + Sync,
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
    fn norm(x: &[f32], weight: &[f32], eps: f32, out: &mut [f32]) = norm_body
}

for_each_level! {
    fn gate(gate_up: &[f32], width: usize, out: &mut [f32]) = gate_body
}

#[inline(always)]
fn norm_body<const FUSED: bool>(x: &[f32], weight: &[f32], eps: f32, out: &mut [f32]) {
    let width = weight.len();
    for (x, out) in x.chunks_exact(width).zip(out.chunks_exact_mut(width)) {
        let mean = sum_of_products::<FUSED>(x, x) / width as f32;
        let inverse = 1.0 / (mean + eps).sqrt();
        for ((out, x), weight) in out.iter_mut().zip(x).zip(weight) {
            *out = x * inverse * weight;
        }
    }
}

#[inline(always)]
fn gate_body<const FUSED: bool>(gate_up: &[f32], width: usize, out: &mut [f32]) {
    for (row, out) in gate_up
        .chunks_exact(2 * width)
        .zip(out.chunks_exact_mut(width))
    {
        let (gate, up) = row.split_at(width);
        for ((out, gate), up) in out.iter_mut().zip(gate).zip(up) {
            *out = gate / (1.0 + exp::<FUSED>(-gate)) * up;
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
    use candle_core::Device;

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

    #[test]
    fn norm_and_gate_equal_candles_operations() {
        let cpu = Cpu::new(None);
        let random = |shape: (usize, usize)| Tensor::randn(0f32, 2.0, shape, &Device::Cpu).unwrap();
        let most = |a: &Tensor, b: &Tensor| {
            let difference = (a - b).unwrap().abs().unwrap().max_all().unwrap();
            difference.to_scalar::<f32>().unwrap()
        };
        for (rows, width) in [(1, 1), (1, 48), (3, 100), (20, 64)] {
            let (x, weight) = (
                random((rows, width)),
                random((1, width)).flatten_all().unwrap(),
            );
            let ours = rms_norm(&x, &weight, 1e-6, &cpu).unwrap();
            assert!(most(&ours, &candle_nn::ops::rms_norm(&x, &weight, 1e-6).unwrap()) < 1e-5);
            let gate_up = random((rows, 2 * width));
            let gate = candle_nn::ops::silu(&gate_up.narrow(1, 0, width).unwrap()).unwrap();
            let theirs = (gate * gate_up.narrow(1, width, width).unwrap()).unwrap();
            assert!(most(&swiglu(&gate_up, &cpu).unwrap(), &theirs) < 1e-5);
        }
    }
}

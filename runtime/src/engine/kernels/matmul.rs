//! Rows times a matrix on the CPU, in f32 or on packed weights, for one row (decoding, limited by reading the
//! matrix) and for many (prefill).

use super::activation::Quantized;
use super::packed::Packed;
use super::quantized::{multiply, multiply_some};
use super::simd::dots;
use super::{Cpu, contiguous};
use candle_core::{CpuStorage, CustomOp1, CustomOp2, Layout, Result, Shape, bail};

/// `x W^T` for `x` `[m, k]` and `W` `[n, k]`, both contiguous f32.
pub(crate) struct Dense<'a> {
    pub cpu: &'a Cpu,
}

/// Rows of `W` that a thread takes at a time: 64 × 896 values fit the second-level cache of any core.
const ROWS: usize = 64;

impl CustomOp2 for Dense<'_> {
    fn name(&self) -> &'static str {
        "rows-times-matrix"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        w: &CpuStorage,
        w_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (m, k) = x_layout.shape().dims2()?;
        let (n, w_k) = w_layout.shape().dims2()?;
        if k != w_k || k == 0 || m == 0 {
            bail!("cannot multiply {m} rows of {k} values by rows of {w_k}");
        }
        let (x, w) = (contiguous(x, x_layout)?, contiguous(w, w_layout)?);
        let mut out = vec![0f32; n * m];
        self.cpu
            .team
            .for_each_piece(&mut out, ROWS * m, |piece, out| {
                let w = &w[piece * ROWS * k..][..out.len() / m * k];
                dots(self.cpu.level, x, w, k, out);
            });
        let out = if m == 1 {
            out
        } else {
            transposed(&out, n, m, self.cpu)
        };
        Ok((CpuStorage::F32(out), Shape::from((m, n))))
    }
}

/// `[n, m]` to `[m, n]`.
fn transposed(from: &[f32], n: usize, m: usize, cpu: &Cpu) -> Vec<f32> {
    let mut to = vec![0f32; n * m];
    cpu.team.for_each_piece(&mut to, n, |i, row| {
        for (to, from) in row.iter_mut().zip(from[i..].iter().step_by(m)) {
            *to = *from;
        }
    });
    to
}

/// `x W^T` for one row `x` and some rows of packed `W`, in their order.
pub(crate) struct PackedRows<'a> {
    pub weight: &'a Packed,
    pub rows: &'a [u32],
    pub cpu: &'a Cpu,
}

impl CustomOp1 for PackedRows<'_> {
    fn name(&self) -> &'static str {
        "row-times-packed-rows"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (m, k) = layout.shape().dims2()?;
        let known = self.weight.rows();
        if k != self.weight.columns()
            || m != 1
            || self.rows.iter().any(|row| *row as usize >= known)
        {
            bail!(
                "cannot multiply {:?} by some of {known} rows of {}",
                layout.shape(),
                self.weight.columns()
            );
        }
        let Cpu {
            team, level, isa, ..
        } = self.cpu;
        let x = Quantized::new(contiguous(x, layout)?, k, *level, team);
        let out = multiply_some(*isa, x.row(0), self.weight, self.rows, team);
        Ok((CpuStorage::F32(out), Shape::from((1, self.rows.len()))))
    }
}

/// `x W^T + bias` for packed weights; `x` is quantized on the way.
pub(crate) struct PackedProduct<'a> {
    pub weight: &'a Packed,
    pub bias: Option<&'a [f32]>,
    pub cpu: &'a Cpu,
}

impl CustomOp1 for PackedProduct<'_> {
    fn name(&self) -> &'static str {
        "rows-times-packed-matrix"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (m, k) = layout.shape().dims2()?;
        if k != self.weight.columns() || m == 0 {
            bail!(
                "cannot multiply {:?} by rows of {}",
                layout.shape(),
                self.weight.columns()
            );
        }
        let Cpu {
            team, level, isa, ..
        } = self.cpu;
        let x = Quantized::new(contiguous(x, layout)?, k, *level, team);
        let out = multiply(*isa, &x, self.weight, self.bias, team);
        Ok((CpuStorage::F32(out), Shape::from((m, self.weight.rows()))))
    }
}

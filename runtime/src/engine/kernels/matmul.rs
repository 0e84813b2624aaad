//! Rows times a matrix in f32 on the CPU, for one row (decoding, limited by reading the matrix) and many (prefill).

use super::simd::{Level, dots};
use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, bail};
use rayon::prelude::*;

/// `x W^T` for `x` `[m, k]` and `W` `[n, k]`, both contiguous f32.
pub(crate) struct MatMul;

/// Rows of `W` that a thread takes at a time: 64 × 896 values fit the second-level cache of any core.
const ROWS: usize = 64;

impl CustomOp2 for MatMul {
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
        let x = contiguous(x, x_layout)?;
        let w = contiguous(w, w_layout)?;
        let level = Level::detect();
        let mut out = vec![0f32; n * m];
        out.par_chunks_mut(ROWS * m)
            .zip(w.par_chunks(ROWS * k))
            .for_each(|(out, w)| dots(level, x, w, k, out));
        let out = if m == 1 { out } else { transposed(&out, n, m) };
        Ok((CpuStorage::F32(out), Shape::from((m, n))))
    }
}

/// The values of a contiguous f32 tensor.
pub(super) fn contiguous<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&storage.as_slice::<f32>()?[start..end]),
        None => bail!(
            "expected a contiguous tensor, not strides {:?}",
            layout.stride()
        ),
    }
}

/// `[n, m]` to `[m, n]`.
fn transposed(from: &[f32], n: usize, m: usize) -> Vec<f32> {
    let mut to = vec![0f32; n * m];
    to.par_chunks_mut(n).enumerate().for_each(|(i, row)| {
        for (to, from) in row.iter_mut().zip(from[i..].iter().step_by(m)) {
            *to = *from;
        }
    });
    to
}

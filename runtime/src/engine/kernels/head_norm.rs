//! Qwen3's norm of each head's queries and keys, before rotary positions turn them.

use super::Cpu;
use super::elementwise::in_rows;
use super::simd::{Level, for_each_level, sum_of_products};
use candle_core::{CpuStorage, Device, InplaceOp1, Layout, Result, Tensor, bail};

/// RMSNorm over the heads of a row that holds query heads, then key heads, then others.
#[derive(Debug)]
pub(crate) struct HeadNorm {
    /// A weight for each coordinate of each head that is normed, `[heads, width]`.
    weights: Vec<f32>,
    width: usize,
    eps: f32,
}

impl HeadNorm {
    /// `queries` and `keys` are the weights of one head's coordinates, the same for each of `counts` heads.
    pub(crate) fn new(queries: &[f32], keys: &[f32], counts: (usize, usize), eps: f64) -> Self {
        let mut weights = queries.repeat(counts.0);
        weights.extend(keys.repeat(counts.1));
        Self {
            weights,
            width: queries.len(),
            eps: eps as f32,
        }
    }

    /// Norms the first heads of each row of `x`, `[tokens, columns]`; the rest of a row stays.
    pub(crate) fn apply(&self, x: Tensor, cpu: &Cpu) -> Result<Tensor> {
        match x.device() {
            Device::Cpu => {
                x.inplace_op1(&Apply { norm: self, cpu })?;
                Ok(x)
            }
            device => self.apply_by_candle(&x, &device.clone()),
        }
    }

    /// The same by candle's own operations, for devices without a kernel here.
    fn apply_by_candle(&self, x: &Tensor, device: &Device) -> Result<Tensor> {
        let (tokens, columns) = x.dims2()?;
        let (normed, heads) = (self.weights.len(), self.weights.len() / self.width);
        let head = x
            .narrow(1, 0, normed)?
            .reshape((tokens, heads, self.width))?;
        let mean = head.sqr()?.mean_keepdim(2)?;
        let weights = Tensor::from_slice(&self.weights, (heads, self.width), device)?;
        let head = head
            .broadcast_div(&(mean + f64::from(self.eps))?.sqrt()?)?
            .broadcast_mul(&weights)?
            .reshape((tokens, normed))?;
        Tensor::cat(&[head, x.narrow(1, normed, columns - normed)?], 1)
    }
}

struct Apply<'a> {
    norm: &'a HeadNorm,
    cpu: &'a Cpu,
}

impl InplaceOp1 for Apply<'_> {
    fn name(&self) -> &'static str {
        "head-norm"
    }

    fn cpu_fwd(&self, storage: &mut CpuStorage, layout: &Layout) -> Result<()> {
        let (_, columns) = layout.shape().dims2()?;
        let HeadNorm {
            weights,
            width,
            eps,
        } = self.norm;
        let (CpuStorage::F32(values), Some((start, end))) = (storage, layout.contiguous_offsets())
        else {
            bail!("the norm of heads takes a contiguous f32 tensor");
        };
        if columns == 0 || columns < weights.len() {
            bail!("{} normed values in rows of {columns}", weights.len());
        }
        in_rows(self.cpu, &mut values[start..end], columns, |_, rows| {
            for row in rows.chunks_exact_mut(columns) {
                norm(
                    self.cpu.level,
                    &mut row[..weights.len()],
                    weights,
                    *width,
                    *eps,
                );
            }
        });
        Ok(())
    }
}

for_each_level! {
    fn norm(heads: &mut [f32], weights: &[f32], width: usize, eps: f32) = norm_body
}

#[inline(always)]
fn norm_body<const FUSED: bool>(heads: &mut [f32], weights: &[f32], width: usize, eps: f32) {
    for (head, weights) in heads
        .chunks_exact_mut(width)
        .zip(weights.chunks_exact(width))
    {
        let mean = sum_of_products::<FUSED>(head, head) / width as f32;
        let inverse = 1.0 / (mean + eps).sqrt();
        for (value, weight) in head.iter_mut().zip(weights) {
            *value = *value * inverse * weight;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_equals_candles_operations_and_leaves_the_rest() {
        let cpu = Cpu::new(None);
        for (tokens, heads, kv_heads, width) in [(1, 1, 1, 2), (3, 16, 8, 128), (9, 4, 2, 10)] {
            let weights = |from: f32| -> Vec<f32> { (0..width).map(|i| from + i as f32).collect() };
            let norm = HeadNorm::new(&weights(0.5), &weights(-3.0), (heads, kv_heads), 1e-6);
            let shape = (tokens, (heads + 2 * kv_heads) * width);
            let x = Tensor::randn(0f32, 1.0, shape, &Device::Cpu).unwrap();
            let plain = norm.apply_by_candle(&x, &Device::Cpu).unwrap();
            let fast = norm.apply(x.copy().unwrap(), &cpu).unwrap();
            let most = |a: &Tensor, b: &Tensor| {
                let difference = (a - b).unwrap().abs().unwrap().max_all().unwrap();
                difference.to_scalar::<f32>().unwrap()
            };
            assert!(most(&fast, &plain) < 1e-3, "{}", most(&fast, &plain));
            let rest = |t: &Tensor| {
                t.narrow(1, (heads + kv_heads) * width, kv_heads * width)
                    .unwrap()
            };
            assert_eq!(most(&rest(&fast), &rest(&x)), 0.0);
            assert!(most(&fast, &x) > 0.1);
        }
    }
}

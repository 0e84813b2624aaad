//! Qwen3's norm of each head's queries and keys, before rotary positions turn them.

use super::Cpu;
use super::elementwise::{in_rows, inverse_rms};
use super::simd::{Level, for_each_level};

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
    pub(crate) fn apply(&self, x: &mut [f32], columns: usize, cpu: &Cpu) {
        let Self {
            weights,
            width,
            eps,
        } = self;
        in_rows(cpu, x, columns, |_, rows| {
            for row in rows.chunks_exact_mut(columns) {
                let heads = &mut row[..weights.len()];
                norm(cpu.level, heads, weights, *width, *eps);
            }
        });
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
        let inverse = inverse_rms::<FUSED>(head, eps);
        for (value, weight) in head.iter_mut().zip(weights) {
            *value = *value * inverse * weight;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{Device, Result, Tensor};

    /// The same by candle's own operations.
    fn normed(norm: &HeadNorm, x: &Tensor) -> Result<Tensor> {
        let (tokens, columns) = x.dims2()?;
        let (normed, heads) = (norm.weights.len(), norm.weights.len() / norm.width);
        let head = x
            .narrow(1, 0, normed)?
            .reshape((tokens, heads, norm.width))?;
        let mean = head.sqr()?.mean_keepdim(2)?;
        let weights = Tensor::from_slice(&norm.weights, (heads, norm.width), &Device::Cpu)?;
        let head = head
            .broadcast_div(&(mean + f64::from(norm.eps))?.sqrt()?)?
            .broadcast_mul(&weights)?
            .reshape((tokens, normed))?;
        Tensor::cat(&[head, x.narrow(1, normed, columns - normed)?], 1)
    }

    #[test]
    fn the_kernel_equals_candles_operations_and_leaves_the_rest() {
        let cpu = Cpu::new(None);
        for (tokens, heads, kv_heads, width) in [(1, 1, 1, 2), (3, 16, 8, 128), (9, 4, 2, 10)] {
            let weights = |from: f32| -> Vec<f32> { (0..width).map(|i| from + i as f32).collect() };
            let norm = HeadNorm::new(&weights(0.5), &weights(-3.0), (heads, kv_heads), 1e-6);
            let columns = (heads + 2 * kv_heads) * width;
            let x = Tensor::randn(0f32, 1.0, (tokens, columns), &Device::Cpu).unwrap();
            let values = |x: &Tensor| x.flatten_all().unwrap().to_vec1::<f32>().unwrap();
            let (plain, x) = (values(&normed(&norm, &x).unwrap()), values(&x));
            let mut fast = x.clone();
            norm.apply(&mut fast, columns, &cpu);
            for (fast, plain) in fast.iter().zip(&plain) {
                assert!((fast - plain).abs() < 1e-3, "{fast} {plain}");
            }
            for (fast, x) in fast.chunks(columns).zip(x.chunks(columns)) {
                let rest = (heads + kv_heads) * width;
                assert_eq!(fast[rest..], x[rest..]);
                assert_ne!(fast[..rest], x[..rest]);
            }
        }
    }
}

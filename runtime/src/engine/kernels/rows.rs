//! The rows that a matrix is multiplied by: such as were computed before, or what RMSNorm or SwiGLU makes of them. Both are
//! little arithmetic between every two matrices, and are done on the way into the product.

use super::Cpu;
use super::elementwise::{gate, in_rows, norm};

/// Rows of activations.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Rows<'a> {
    /// As they are.
    Plain(&'a [f32]),
    /// `x / sqrt(mean(x²) + eps) * weight`, row by row.
    Normed {
        x: &'a [f32],
        /// One for each column.
        weight: &'a [f32],
        eps: f32,
    },
    /// `silu(gate) * up`, where a row is the gate, then the up projection.
    Gated(&'a [f32]),
}

impl<'a> Rows<'a> {
    /// RMSNorm of rows.
    pub(crate) fn normed(x: &'a [f32], weight: &'a [f32], eps: f64) -> Self {
        let eps = eps as f32;
        Self::Normed { x, weight, eps }
    }

    /// How many rows of so many columns these are.
    pub(crate) fn count(self, columns: usize) -> usize {
        match self {
            Self::Plain(x) | Self::Normed { x, .. } => x.len() / columns,
            Self::Gated(x) => x.len() / (2 * columns),
        }
    }

    /// Some of them.
    pub(super) fn some(self, columns: usize, first: usize, count: usize) -> Self {
        let part = |width: usize| first * width..(first + count) * width;
        match self {
            Self::Plain(x) => Self::Plain(&x[part(columns)]),
            Self::Normed { x, weight, eps } => Self::Normed {
                x: &x[part(columns)],
                weight,
                eps,
            },
            Self::Gated(x) => Self::Gated(&x[part(2 * columns)]),
        }
    }

    /// Their values, `[rows, columns]`.
    pub(crate) fn write(self, columns: usize, out: &mut [f32], cpu: &Cpu) {
        in_rows(cpu, out, columns, |first, out| {
            match self.some(columns, first, out.len() / columns) {
                Rows::Plain(x) => out.copy_from_slice(x),
                Rows::Normed { x, weight, eps } => norm(cpu.level, x, weight, eps, out),
                Rows::Gated(x) => gate(cpu.level, x, columns, out),
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{Device, Tensor};

    #[test]
    fn norm_and_gate_equal_candles_operations() {
        let cpu = Cpu::new(None);
        let random = |shape: (usize, usize)| Tensor::randn(0f32, 2.0, shape, &Device::Cpu).unwrap();
        let values = |x: &Tensor| x.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        let most = |ours: &[f32], theirs: &Tensor| {
            let pairs = ours.iter().zip(values(theirs));
            pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
        };
        for (rows, width) in [(1, 1), (1, 48), (3, 100), (20, 64)] {
            let mut ours = vec![f32::NAN; rows * width];
            let (x, weight) = (
                random((rows, width)),
                random((1, width)).flatten_all().unwrap(),
            );
            let normed = Rows::Normed {
                x: &values(&x),
                weight: &values(&weight),
                eps: 1e-6,
            };
            assert_eq!(normed.count(width), rows);
            normed.write(width, &mut ours, &cpu);
            let theirs = candle_nn::ops::rms_norm(&x, &weight, 1e-6).unwrap();
            assert!(most(&ours, &theirs) < 1e-5);
            let gate_up = random((rows, 2 * width));
            let gate = candle_nn::ops::silu(&gate_up.narrow(1, 0, width).unwrap()).unwrap();
            let theirs = (gate * gate_up.narrow(1, width, width).unwrap()).unwrap();
            let gate_up = values(&gate_up);
            assert_eq!(Rows::Gated(&gate_up).count(width), rows);
            Rows::Gated(&gate_up).write(width, &mut ours, &cpu);
            assert!(most(&ours, &theirs) < 1e-5);
        }
    }
}

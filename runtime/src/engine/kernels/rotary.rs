//! Rotary positions: pairs of coordinates half a head apart turn by an angle that grows with the position.

use super::Cpu;
use super::elementwise::in_rows;

/// Cosines and sines of the positions in a pass, `[tokens, head_dim / 2]`.
#[derive(Debug, Default)]
pub(crate) struct Rotary {
    cos: Vec<f32>,
    sin: Vec<f32>,
    half: usize,
}

impl Rotary {
    /// Takes the positions of the next pass; `frequencies` are `theta^(-2i/d)`. The angles are computed in f32, as the
    /// reference does: far positions round the same way.
    pub(crate) fn fill(&mut self, positions: impl Iterator<Item = usize>, frequencies: &[f32]) {
        self.half = frequencies.len();
        self.cos.clear();
        self.sin.clear();
        for position in positions {
            let angles = frequencies.iter().map(|f| position as f32 * f);
            self.cos.extend(angles.clone().map(f32::cos));
            self.sin.extend(angles.map(f32::sin));
        }
    }

    /// Turns the first `heads` heads of each row of `x`, `[tokens, columns]`; the rest of a row stays.
    pub(crate) fn turn(&self, x: &mut [f32], columns: usize, heads: usize, cpu: &Cpu) {
        let Self { cos, sin, half } = self;
        in_rows(cpu, x, columns, |first, rows| {
            for (index, row) in rows.chunks_exact_mut(columns).enumerate() {
                let angles = (first + index) * half..(first + index + 1) * half;
                let (cos, sin) = (&cos[angles.clone()], &sin[angles]);
                for head in row.chunks_exact_mut(2 * half).take(heads) {
                    let (a, b) = head.split_at_mut(*half);
                    for (((a, b), cos), sin) in a.iter_mut().zip(b).zip(cos).zip(sin) {
                        (*a, *b) = (*a * cos - *b * sin, *b * cos + *a * sin);
                    }
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{Device, Tensor};

    /// The same by candle's own operation.
    fn turned(rotary: &Rotary, x: &Tensor, heads: usize) -> Tensor {
        let (tokens, columns) = x.dims2().unwrap();
        let width = 2 * rotary.half;
        let table = |values: &[f32]| {
            Tensor::from_slice(values, (tokens, rotary.half), &Device::Cpu).unwrap()
        };
        let turned = x
            .narrow(1, 0, heads * width)
            .and_then(|x| x.contiguous()?.reshape((1, tokens, heads, width)))
            .unwrap();
        let (cos, sin) = (table(&rotary.cos), table(&rotary.sin));
        let turned = candle_nn::rotary_emb::rope_thd(&turned, &cos, &sin).unwrap();
        let turned = turned.reshape((tokens, heads * width)).unwrap();
        let rest = x.narrow(1, heads * width, columns - heads * width).unwrap();
        Tensor::cat(&[turned, rest], 1).unwrap()
    }

    #[test]
    fn the_kernel_equals_candles_operation_and_leaves_the_rest() {
        let cpu = Cpu::new(None);
        let mut rotary = Rotary::default();
        for (tokens, heads, rest, half) in [(1, 1, 0, 1), (3, 16, 128, 32), (9, 2, 5, 8)] {
            let frequencies: Vec<f32> = (0..half)
                .map(|i| 1000f32.powf(-(i as f32) / half as f32))
                .collect();
            rotary.fill(7..7 + tokens, &frequencies);
            let columns = heads * 2 * half + rest;
            let x = Tensor::randn(0f32, 1.0, (tokens, columns), &Device::Cpu).unwrap();
            let values = |x: &Tensor| x.flatten_all().unwrap().to_vec1::<f32>().unwrap();
            let mut fast = values(&x);
            rotary.turn(&mut fast, columns, heads, &cpu);
            for (fast, plain) in fast.iter().zip(values(&turned(&rotary, &x, heads))) {
                assert!((fast - plain).abs() < 1e-5);
            }
        }
    }
}

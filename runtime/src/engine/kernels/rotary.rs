//! Rotary positions: pairs of coordinates half a head apart turn by an angle that grows with the position.

use super::Cpu;
use super::elementwise::in_rows;
use candle_core::{CpuStorage, Device, InplaceOp1, Layout, Result, Tensor, bail};

/// Cosines and sines of the positions in a step, `[tokens, head_dim / 2]`.
pub(crate) struct Rotary {
    cos: Vec<f32>,
    sin: Vec<f32>,
    half: usize,
}

impl Rotary {
    /// `frequencies` are `theta^(-2i/d)`. The angles are computed in f32, as the reference does: far positions
    /// round the same way.
    pub(crate) fn new(positions: impl Iterator<Item = usize>, frequencies: &[f32]) -> Self {
        let angles: Vec<f32> = positions
            .flat_map(|position| frequencies.iter().map(move |f| position as f32 * f))
            .collect();
        Self {
            cos: angles.iter().map(|angle| angle.cos()).collect(),
            sin: angles.iter().map(|angle| angle.sin()).collect(),
            half: frequencies.len(),
        }
    }

    /// Turns the first `heads` heads of each row of `x`, `[tokens, columns]`; the rest of a row stays.
    pub(crate) fn turn(&self, x: Tensor, heads: usize, cpu: &Cpu) -> Result<Tensor> {
        match x.device() {
            Device::Cpu => {
                x.inplace_op1(&Turn {
                    rotary: self,
                    heads,
                    cpu,
                })?;
                Ok(x)
            }
            device => self.turn_by_candle(&x, heads, &device.clone()),
        }
    }

    /// The same by candle's own operations, for devices without a kernel here.
    fn turn_by_candle(&self, x: &Tensor, heads: usize, device: &Device) -> Result<Tensor> {
        let (tokens, columns) = x.dims2()?;
        let width = 2 * self.half;
        let table = |values: &[f32]| Tensor::from_slice(values, (tokens, self.half), device);
        let turned = x
            .narrow(1, 0, heads * width)?
            .contiguous()?
            .reshape((1, tokens, heads, width))?;
        let turned =
            candle_nn::rotary_emb::rope_thd(&turned, &table(&self.cos)?, &table(&self.sin)?)?;
        let rest = x.narrow(1, heads * width, columns - heads * width)?;
        Tensor::cat(&[turned.reshape((tokens, heads * width))?, rest], 1)
    }
}

struct Turn<'a> {
    rotary: &'a Rotary,
    heads: usize,
    cpu: &'a Cpu,
}

impl InplaceOp1 for Turn<'_> {
    fn name(&self) -> &'static str {
        "rotary-positions"
    }

    fn cpu_fwd(&self, storage: &mut CpuStorage, layout: &Layout) -> Result<()> {
        let (tokens, columns) = layout.shape().dims2()?;
        let Rotary { cos, sin, half } = self.rotary;
        let (CpuStorage::F32(values), Some((start, end))) = (storage, layout.contiguous_offsets())
        else {
            bail!("rotary positions take a contiguous f32 tensor");
        };
        if cos.len() != tokens * half || 2 * half * self.heads > columns || columns == 0 {
            bail!(
                "{} angles for {} heads of {:?}",
                cos.len(),
                self.heads,
                layout.shape()
            );
        }
        in_rows(self.cpu, &mut values[start..end], columns, |first, rows| {
            for (index, row) in rows.chunks_exact_mut(columns).enumerate() {
                let angles = (first + index) * half..(first + index + 1) * half;
                let (cos, sin) = (&cos[angles.clone()], &sin[angles]);
                for head in row.chunks_exact_mut(2 * half).take(self.heads) {
                    let (a, b) = head.split_at_mut(*half);
                    for (((a, b), cos), sin) in a.iter_mut().zip(b).zip(cos).zip(sin) {
                        (*a, *b) = (*a * cos - *b * sin, *b * cos + *a * sin);
                    }
                }
            }
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_equals_candles_operation_and_leaves_the_rest() {
        let cpu = Cpu::new(None);
        for (tokens, heads, rest, half) in [(1, 1, 0, 1), (3, 16, 128, 32), (9, 2, 5, 8)] {
            let frequencies: Vec<f32> = (0..half)
                .map(|i| 1000f32.powf(-(i as f32) / half as f32))
                .collect();
            let rotary = Rotary::new(7..7 + tokens, &frequencies);
            let shape = (tokens, heads * 2 * half + rest);
            let x = Tensor::randn(0f32, 1.0, shape, &Device::Cpu).unwrap();
            let plain = rotary.turn_by_candle(&x, heads, &Device::Cpu).unwrap();
            let fast = rotary.turn(x, heads, &cpu).unwrap();
            let difference = (fast - plain).unwrap().abs().unwrap().max_all().unwrap();
            assert!(difference.to_scalar::<f32>().unwrap() < 1e-5);
        }
    }
}

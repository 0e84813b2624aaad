//! Causal attention of one sequence over its cached keys and values; heads that share a key head read it once.

mod by_candle;
mod group;
mod memory;

use super::{Cpu, contiguous};
use by_candle::DeviceKv;
use candle_core::{CpuStorage, CustomOp1, Device, Layout, Result, Shape, Tensor, bail};
use group::{Memory, attend_group};
use memory::Half;
use std::cell::RefCell;
use std::sync::Arc;

pub(crate) use group::BLOCK;
pub(crate) use memory::{KvMemory, KvShape};

/// One layer's keys and values of all sequences: blocks of 16 positions.
#[derive(Debug)]
pub(crate) struct LayerKv(Place);

#[derive(Debug)]
enum Place {
    Cpu { memory: Arc<KvMemory>, layer: usize },
    Device(DeviceKv),
}

/// The memory of every layer. Devices other than the CPU keep f32.
pub(crate) fn layers(shape: KvShape, device: &Device) -> Result<Vec<LayerKv>> {
    let place: Box<dyn Fn(usize) -> Result<Place>> = if device.is_cpu() {
        let memory = Arc::new(KvMemory::new(shape)?);
        Box::new(move |layer| {
            Ok(Place::Cpu {
                memory: memory.clone(),
                layer,
            })
        })
    } else {
        Box::new(|_| {
            DeviceKv::new(shape.kv_heads, shape.blocks, shape.d, device).map(Place::Device)
        })
    };
    (0..shape.layers)
        .map(|layer| place(layer).map(LayerKv))
        .collect()
}

impl LayerKv {
    /// Attention of a sequence's next tokens, after `at` that are here already, in the blocks that `table` lists. A
    /// row of `x` holds the query heads, then the key heads, then the value heads; keys and values are stored.
    /// Returns `[tokens, heads * d]`.
    pub(crate) fn attend(
        &self,
        x: &Tensor,
        heads: usize,
        at: usize,
        table: &[u32],
        cpu: &Cpu,
    ) -> Result<Tensor> {
        let tokens = x.dim(0)?;
        if at + tokens > table.len() * BLOCK {
            bail!(
                "{tokens} tokens after {at} do not fit {} blocks",
                table.len()
            );
        }
        match &self.0 {
            Place::Device(kv) => kv.attend(x, heads, at, table),
            Place::Cpu { memory, layer } => x.apply_op1_no_bwd(&Attention {
                memory,
                layer: *layer,
                heads,
                at,
                table,
                cpu,
            }),
        }
    }
}

fn scale(d: usize) -> f64 {
    1.0 / (d as f64).sqrt()
}

/// Stores the keys and values of `x` and lets its queries look at them and at those before.
struct Attention<'a> {
    memory: &'a KvMemory,
    layer: usize,
    heads: usize,
    at: usize,
    table: &'a [u32],
    cpu: &'a Cpu,
}

thread_local! {
    /// Scaled queries, and room for scores and a block: kept, because a long context's scores are too large for the
    /// heap's quick path.
    static SCRATCH: RefCell<(Vec<f32>, group::Scratch)> = const { RefCell::new((Vec::new(), group::Scratch::new())) };
}

impl CustomOp1 for Attention<'_> {
    fn name(&self) -> &'static str {
        "causal-attention"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (tokens, columns) = layout.shape().dims2()?;
        let (heads, layer, KvShape { kv_heads, d, .. }) =
            (self.heads, self.layer, self.memory.shape());
        if !heads.is_multiple_of(kv_heads) || columns != (heads + 2 * kv_heads) * d {
            bail!(
                "{:?} has no {heads} query heads and twice {kv_heads} heads of {d} values",
                layout.shape()
            );
        }
        let x = contiguous(x, layout)?;
        for (half, first) in [(Half::Keys, heads), (Half::Values, heads + kv_heads)] {
            let positions = (self.at..).zip(x.chunks_exact(columns));
            let stored = positions.map(|(position, row)| {
                let block = self.table[position / BLOCK];
                (block, position % BLOCK, &row[first * d..][..kv_heads * d])
            });
            self.memory.store(layer, half, stored);
        }
        let (group, scale) = (heads / kv_heads, scale(d) as f32);
        let bytes = self.memory.read();
        let view = self.memory.view(&bytes);
        let mut out = vec![0f32; tokens * heads * d];
        // One piece of work a token and key head.
        let attend = |piece: usize, out: &mut [f32]| {
            let (token, head) = (piece / kv_heads, piece % kv_heads);
            let own = &x[token * columns + head * group * d..][..group * d];
            let memory = Memory {
                view,
                table: self.table,
                layer,
                head,
                length: self.at + token + 1,
            };
            SCRATCH.with_borrow_mut(|(queries, scratch)| {
                queries.clear();
                queries.extend(own.iter().map(|query| query * scale));
                attend_group(self.cpu.level, queries, memory, scratch, out);
            });
        };
        self.cpu.team.for_each_piece(&mut out, group * d, attend);
        Ok((CpuStorage::F32(out), Shape::from((tokens, heads * d))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::KvFormat;

    /// The largest difference between the kernel and candle's operations over several steps.
    fn difference(format: KvFormat, heads: usize, kv_heads: usize, d: usize) -> f32 {
        let cpu = Cpu::new(None);
        let shape = KvShape {
            layers: 2,
            kv_heads,
            d,
            blocks: 21,
            format,
        };
        let ours = layers(shape, &Device::Cpu).unwrap();
        let theirs = DeviceKv::new(kv_heads, 21, d, &Device::Cpu).unwrap();
        let table = [4, 0, 20, 2];
        let (mut at, mut most) = (0, 0f32);
        for tokens in [1, 5, 1, 20, 16, 7] {
            let columns = (heads + 2 * kv_heads) * d;
            let x = Tensor::randn(0f32, 1.0, (tokens, columns), &Device::Cpu).unwrap();
            // The other layer's memory must not be this one's.
            let other = Tensor::randn(0f32, 1.0, (tokens, columns), &Device::Cpu).unwrap();
            ours[0].attend(&other, heads, at, &table, &cpu).unwrap();
            let fast = ours[1].attend(&x, heads, at, &table, &cpu).unwrap();
            let plain = theirs.attend(&x, heads, at, &table).unwrap();
            let difference = (fast - plain).unwrap().abs().unwrap().max_all().unwrap();
            most = most.max(difference.to_scalar().unwrap());
            at += tokens;
        }
        most
    }

    #[test]
    fn the_kernel_equals_candles_operations_over_several_steps() {
        for (heads, kv_heads, d) in [(2, 1, 4), (14, 2, 64), (6, 2, 8), (4, 4, 16), (20, 2, 40)] {
            assert!(difference(KvFormat::F32, heads, kv_heads, d) < 1e-5);
            let rounded = difference(KvFormat::F16, heads, kv_heads, d);
            assert!((1e-7..1e-2).contains(&rounded), "{rounded}");
        }
    }

    #[test]
    fn what_f16_cannot_hold_stays_finite_and_nan_stays_nan() {
        let cpu = Cpu::new(None);
        let shape = KvShape {
            layers: 1,
            kv_heads: 1,
            d: 2,
            blocks: 1,
            format: KvFormat::F16,
        };
        let kv = layers(shape, &Device::Cpu).unwrap();
        let attend = |values: [f32; 6], at| -> Vec<f32> {
            let x = Tensor::new(&[values], &Device::Cpu).unwrap();
            let out = kv[0].attend(&x, 1, at, &[0], &cpu).unwrap();
            out.flatten_all().unwrap().to_vec1().unwrap()
        };
        assert_eq!(
            attend([0.0, 0.0, 1e9, 0.0, 1e9, -1e9], 0),
            [65504.0, -65504.0]
        );
        assert!(attend([0.0, 0.0, 1.0, 1.0, f32::NAN, 1.0], 1)[0].is_nan());
    }

    #[test]
    fn more_than_the_system_has_is_an_error() {
        for blocks in [usize::MAX, usize::MAX / 4096, 1 << 50] {
            let shape = KvShape {
                layers: 24,
                kv_heads: 2,
                d: 64,
                blocks,
                format: KvFormat::F16,
            };
            let error = layers(shape, &Device::Cpu).unwrap_err().to_string();
            assert!(error.contains("lower the size of the cache"), "{error}");
        }
    }
}

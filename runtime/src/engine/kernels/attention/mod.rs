//! Causal attention of sequences over their cached keys and values; heads that share a key head read it once.

mod by_candle;
mod group;
mod look;
mod memory;

use super::Cpu;
use by_candle::DeviceKv;
use candle_core::{Device, Result, Tensor, bail};
use look::Attention;
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

/// The memory of every layer. CUDA keeps bf16, other devices but the CPU f32.
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

/// A sequence's part in a pass.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span<'a> {
    /// Tokens that are in its blocks already.
    pub at: usize,
    /// Those that come after them now.
    pub tokens: usize,
    /// The numbers of its blocks.
    pub table: &'a [u32],
}

impl LayerKv {
    /// The keys and the values, `[blocks, kv_heads, 16, d]` each, where they are not on the CPU.
    #[cfg(feature = "cuda")]
    pub(crate) fn tensors(&self) -> Option<(&Tensor, &Tensor)> {
        match &self.0 {
            Place::Cpu { .. } => None,
            Place::Device(kv) => Some(kv.tensors()),
        }
    }

    /// Gives a block the keys and values of another; false where they are not on the CPU.
    pub(crate) fn copy(&self, from: u32, to: u32) -> bool {
        match &self.0 {
            Place::Cpu { memory, layer } => {
                memory.copy(*layer, from, to);
                true
            }
            Place::Device(_) => false,
        }
    }

    /// Whether this is the same memory as another.
    pub(crate) fn is(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }

    /// Attention of the next tokens of sequences whose blocks are here. A row of `x` holds the query heads, then the key
    /// heads, then the value heads; keys and values are stored. Returns `[tokens, heads * d]`.
    pub(crate) fn attend(
        &self,
        x: &Tensor,
        heads: usize,
        spans: &[Span<'_>],
        cpu: &Cpu,
    ) -> Result<Tensor> {
        for Span { at, tokens, table } in spans {
            if at + tokens > table.len() * BLOCK {
                bail!(
                    "{tokens} tokens after {at} do not fit {} blocks",
                    table.len()
                );
            }
        }
        match &self.0 {
            Place::Cpu { memory, layer } => x.apply_op1_no_bwd(&Attention {
                memory,
                layer: *layer,
                heads,
                spans,
                cpu,
            }),
            Place::Device(kv) => {
                let mut first = 0;
                let of_span = spans.iter().map(|span| {
                    let own = x.narrow(0, first, span.tokens)?;
                    first += span.tokens;
                    kv.attend(&own, heads, span.at, span.table)
                });
                Tensor::cat(&of_span.collect::<Result<Vec<_>>>()?, 0)
            }
        }
    }
}

fn scale(d: usize) -> f64 {
    1.0 / (d as f64).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::KvFormat;

    /// Attention of the next tokens of one sequence.
    fn attend(kv: &LayerKv, x: &Tensor, heads: usize, at: usize, table: &[u32]) -> Tensor {
        let tokens = x.dim(0).unwrap();
        let span = Span { at, tokens, table };
        kv.attend(x, heads, &[span], &Cpu::new(None)).unwrap()
    }

    /// The largest difference between the kernel and candle's operations over several steps.
    fn difference(format: KvFormat, heads: usize, kv_heads: usize, d: usize) -> f32 {
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
            attend(&ours[0], &other, heads, at, &table);
            let fast = attend(&ours[1], &x, heads, at, &table);
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
    fn a_token_is_bit_equal_alone_and_beside_others() {
        let (heads, kv_heads, d, tokens) = (14, 2, 64, 600);
        let shape = KvShape {
            layers: 1,
            kv_heads,
            d,
            blocks: 40,
            format: KvFormat::F16,
        };
        let table: Vec<u32> = (0..40).rev().collect();
        let x = Tensor::randn(
            0f32,
            1.0,
            (tokens, (heads + 2 * kv_heads) * d),
            &Device::Cpu,
        )
        .unwrap();
        let in_steps_of = |step: usize| -> Vec<f32> {
            let kv = layers(shape, &Device::Cpu).unwrap();
            let some = |at: usize| {
                let x = x.narrow(0, at, step.min(tokens - at)).unwrap();
                attend(&kv[0], &x, heads, at, &table)
            };
            let all: Vec<Tensor> = (0..tokens).step_by(step).map(some).collect();
            Tensor::cat(&all, 0)
                .unwrap()
                .flatten_all()
                .unwrap()
                .to_vec1()
                .unwrap()
        };
        let alone = in_steps_of(1);
        for step in [5, 64, tokens] {
            assert!(in_steps_of(step) == alone, "{step} tokens side by side");
        }
    }

    #[test]
    fn a_sequence_is_bit_equal_alone_and_beside_others() {
        let (heads, kv_heads, d) = (14, 2, 64);
        let shape = KvShape {
            layers: 1,
            kv_heads,
            d,
            blocks: 90,
            format: KvFormat::F16,
        };
        let table: Vec<u32> = (0..90).collect();
        let tables: Vec<&[u32]> = table.chunks(30).collect();
        let (together, alone) = (
            layers(shape, &Device::Cpu).unwrap(),
            layers(shape, &Device::Cpu).unwrap(),
        );
        let mut held = [0; 3];
        // Beginnings of several stretches, then a token each, then tokens of one beside those of others.
        for counts in [[400, 3, 17], [1, 1, 1], [1, 40, 1], [1, 1, 1]] {
            let tokens: usize = counts.iter().sum();
            let columns = (heads + 2 * kv_heads) * d;
            let x = Tensor::randn(0f32, 1.0, (tokens, columns), &Device::Cpu).unwrap();
            let spans: Vec<Span<'_>> = (0..3)
                .map(|one| Span {
                    at: held[one],
                    tokens: counts[one],
                    table: tables[one],
                })
                .collect();
            let all = together[0]
                .attend(&x, heads, &spans, &Cpu::new(None))
                .unwrap();
            let mut first = 0;
            for (one, count) in counts.into_iter().enumerate() {
                let own = x.narrow(0, first, count).unwrap();
                let own = attend(&alone[0], &own, heads, held[one], tables[one]);
                let same = all.narrow(0, first, count).unwrap();
                let bits = |x: Tensor| x.flatten_all().unwrap().to_vec1::<f32>().unwrap();
                assert!(bits(own) == bits(same), "{counts:?}, {one}");
                first += count;
                held[one] += count;
            }
        }
    }

    #[test]
    fn what_f16_cannot_hold_stays_finite_and_nan_stays_nan() {
        let shape = KvShape {
            layers: 1,
            kv_heads: 1,
            d: 2,
            blocks: 1,
            format: KvFormat::F16,
        };
        let kv = layers(shape, &Device::Cpu).unwrap();
        let look = |values: [f32; 6], at| -> Vec<f32> {
            let x = Tensor::new(&[values], &Device::Cpu).unwrap();
            let out = attend(&kv[0], &x, 1, at, &[0]);
            out.flatten_all().unwrap().to_vec1().unwrap()
        };
        assert_eq!(
            look([0.0, 0.0, 1e9, 0.0, 1e9, -1e9], 0),
            [65504.0, -65504.0]
        );
        assert!(look([0.0, 0.0, 1.0, 1.0, f32::NAN, 1.0], 1)[0].is_nan());
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

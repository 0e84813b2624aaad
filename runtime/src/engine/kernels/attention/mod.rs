//! Causal attention of sequences over their cached keys and values; heads that share a key head read it once.

#[cfg(test)]
mod by_candle;
#[cfg(feature = "cuda")]
mod gpu;
mod group;
mod look;
mod memory;

use super::Cpu;
#[cfg(feature = "cuda")]
use candle_core::Tensor;
use candle_core::{Device, Result, bail};
#[cfg(feature = "cuda")]
use gpu::GpuKv;
use look::Attention;
use std::sync::Arc;

pub(crate) use group::BLOCK;
pub(crate) use memory::{KvMemory, KvShape};

/// One layer's keys and values of all sequences: blocks of 16 positions.
#[derive(Debug)]
pub(crate) struct LayerKv(Place);

#[derive(Debug)]
enum Place {
    Cpu {
        memory: Arc<KvMemory>,
        layer: usize,
    },
    #[cfg(feature = "cuda")]
    Gpu(GpuKv),
}

/// The memory of every layer. A GPU keeps bf16.
pub(crate) fn layers(shape: KvShape, device: &Device) -> Result<Vec<LayerKv>> {
    match device {
        Device::Cpu => {
            let memory = Arc::new(KvMemory::new(shape)?);
            let place = |layer| Place::Cpu {
                memory: memory.clone(),
                layer,
            };
            Ok((0..shape.layers).map(place).map(LayerKv).collect())
        }
        #[cfg(feature = "cuda")]
        Device::Cuda(_) => {
            let place = |_| GpuKv::new(shape.kv_heads, shape.blocks, shape.d, device);
            (0..shape.layers)
                .map(|layer| Ok(LayerKv(Place::Gpu(place(layer)?))))
                .collect()
        }
        device => bail!("there is no cache of keys and values on {device:?}"),
    }
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
            Place::Gpu(kv) => Some(kv.tensors()),
        }
    }

    /// Gives a block the keys and values of another; false where they are not on the CPU.
    pub(crate) fn copy(&self, from: u32, to: u32) -> bool {
        match &self.0 {
            Place::Cpu { memory, layer } => {
                memory.copy(*layer, from, to);
                true
            }
            #[cfg(feature = "cuda")]
            Place::Gpu(_) => false,
        }
    }

    /// Attention of the next tokens of sequences whose blocks are here. A row of `x` holds the query heads, then the key
    /// heads, then the value heads; keys and values are stored. `out` is `[tokens, heads * d]`.
    pub(crate) fn attend(
        &self,
        x: &[f32],
        heads: usize,
        spans: &[Span<'_>],
        out: &mut [f32],
        cpu: &Cpu,
    ) -> Result<()> {
        for Span { at, tokens, table } in spans {
            if at + tokens > table.len() * BLOCK {
                bail!(
                    "{tokens} tokens after {at} do not fit {} blocks",
                    table.len()
                );
            }
        }
        match &self.0 {
            Place::Cpu { memory, layer } => {
                let attention = Attention {
                    memory,
                    layer: *layer,
                    heads,
                    spans,
                    cpu,
                };
                attention.run(x, out)
            }
            #[cfg(feature = "cuda")]
            Place::Gpu(_) => bail!("the model is on the CPU and the cache is not"),
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
    use by_candle::PlainKv;
    use candle_core::Tensor;

    impl LayerKv {
        fn kv_heads(&self) -> usize {
            match &self.0 {
                Place::Cpu { memory, .. } => memory.shape().kv_heads,
                #[cfg(feature = "cuda")]
                Place::Gpu(_) => 0,
            }
        }
    }

    /// Attention of the next tokens of some sequences.
    fn attend_all(kv: &LayerKv, x: &Tensor, heads: usize, spans: &[Span<'_>]) -> Tensor {
        let (tokens, columns) = x.dims2().unwrap();
        let width = heads * columns / (heads + 2 * kv.kv_heads());
        let x: Vec<f32> = x.flatten_all().unwrap().to_vec1().unwrap();
        let mut out = vec![f32::NAN; tokens * width];
        kv.attend(&x, heads, spans, &mut out, &Cpu::new(None))
            .unwrap();
        Tensor::from_vec(out, (tokens, width), &Device::Cpu).unwrap()
    }

    /// Attention of the next tokens of one sequence.
    fn attend(kv: &LayerKv, x: &Tensor, heads: usize, at: usize, table: &[u32]) -> Tensor {
        let tokens = x.dim(0).unwrap();
        attend_all(kv, x, heads, &[Span { at, tokens, table }])
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
        let theirs = PlainKv::new(kv_heads, 21, d).unwrap();
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
            let all = attend_all(&together[0], &x, heads, &spans);
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

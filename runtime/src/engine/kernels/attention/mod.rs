//! Causal attention of one sequence over its cached keys and values; heads that share a key head read it once.

mod group;

use super::{Cpu, contiguous};
use candle_core::{
    CpuStorage, CustomOp3, DType, Device, InplaceOp2, Layout, Result, Shape, Tensor, bail,
};
use candle_nn::ops::softmax_last_dim;
use group::{BLOCK, Memory, attend_group};
use std::cell::RefCell;

/// The keys and values of one sequence in one layer.
#[derive(Debug)]
pub(crate) struct LayerKv {
    /// On the CPU `[kv_heads, blocks, d, 16]`: positions in blocks, see `group.rs`. Elsewhere `[kv_heads, capacity, d]`.
    keys: Tensor,
    /// `[kv_heads, capacity, d]`
    values: Tensor,
}

impl LayerKv {
    pub(crate) fn new(kv_heads: usize, capacity: usize, d: usize, device: &Device) -> Result<Self> {
        let capacity = capacity.next_multiple_of(BLOCK);
        let keys: Shape = if device.is_cpu() {
            (kv_heads, capacity / BLOCK, d, BLOCK).into()
        } else {
            (kv_heads, capacity, d).into()
        };
        Ok(Self {
            keys: Tensor::zeros(keys, DType::F32, device)?,
            values: Tensor::zeros((kv_heads, capacity, d), DType::F32, device)?,
        })
    }

    /// Attention of a sequence's next tokens, after `at` that are here already. A row of `x` holds the query heads,
    /// then the key heads, then the value heads; keys and values are stored. Returns `[tokens, heads * d]`.
    pub(crate) fn attend(&self, x: &Tensor, heads: usize, at: usize, cpu: &Cpu) -> Result<Tensor> {
        let (kv_heads, _, d) = self.values.dims3()?;
        if !x.device().is_cpu() {
            return self.attend_by_candle(x, heads, at);
        }
        let first = heads * d;
        let blocked = true;
        self.keys
            .inplace_op2(x, &StoreHeads { at, first, blocked })?;
        let (first, blocked) = (first + kv_heads * d, false);
        self.values
            .inplace_op2(x, &StoreHeads { at, first, blocked })?;
        x.apply_op3_no_bwd(&self.keys, &self.values, &Attention { heads, at, cpu })
    }

    /// The same by candle's own operations, for devices without a kernel here.
    fn attend_by_candle(&self, x: &Tensor, heads: usize, at: usize) -> Result<Tensor> {
        let (kv_heads, _, d) = self.values.dims3()?;
        let tokens = x.dim(0)?;
        let store = |cache: &Tensor, first: usize| {
            let own = x.narrow(1, first * d, kv_heads * d)?.contiguous()?;
            let by_head = own
                .reshape((tokens, kv_heads, d))?
                .transpose(0, 1)?
                .contiguous()?;
            cache.slice_set(&by_head, 1, at)?;
            cache.narrow(1, 0, at + tokens)
        };
        let keys = store(&self.keys, heads)?;
        let values = store(&self.values, heads + kv_heads)?;
        attend_by_matmul(x, heads, &keys, &values)
    }
}

/// The first columns of `x` are the queries of the sequence's last tokens; `keys` and `values`, `[kv_heads, length, d]`,
/// end with theirs. The queries that share a key head become rows of one matrix.
fn attend_by_matmul(x: &Tensor, heads: usize, keys: &Tensor, values: &Tensor) -> Result<Tensor> {
    let (kv_heads, length, d) = keys.dims3()?;
    let (tokens, group) = (x.dim(0)?, heads / kv_heads);
    let queries = (x.narrow(1, 0, heads * d)?.contiguous()? * scale(d))?
        .reshape((tokens, kv_heads, group, d))?
        .permute((1, 2, 0, 3))?
        .contiguous()?
        .reshape((kv_heads, group * tokens, d))?;
    let scores = queries
        .matmul(&keys.t()?)?
        .reshape((heads, tokens, length))?
        .broadcast_add(&causal_mask(tokens, length, x.device())?)?
        .reshape((kv_heads, group * tokens, length))?;
    softmax_last_dim(&scores)?
        .matmul(values)?
        .reshape((kv_heads, group, tokens, d))?
        .permute((2, 0, 1, 3))?
        .reshape((tokens, heads * d))
}

fn scale(d: usize) -> f64 {
    1.0 / (d as f64).sqrt()
}

/// 0 where the i-th of the last `tokens` positions may look, minus infinity where it may not.
fn causal_mask(tokens: usize, length: usize, device: &Device) -> Result<Tensor> {
    let before = length - tokens;
    let open = |i: usize, j: usize| {
        if j <= before + i {
            0.0
        } else {
            f32::NEG_INFINITY
        }
    };
    let mask: Vec<f32> = (0..tokens)
        .flat_map(|i| (0..length).map(move |j| open(i, j)))
        .collect();
    Tensor::from_vec(mask, (tokens, length), device)
}

/// Writes heads into a cache from its position `at` on; their columns in `x` begin at `first`.
struct StoreHeads {
    at: usize,
    first: usize,
    blocked: bool,
}

impl InplaceOp2 for StoreHeads {
    fn name(&self) -> &'static str {
        "store-heads"
    }

    fn cpu_fwd(
        &self,
        cache: &mut CpuStorage,
        cache_layout: &Layout,
        x: &CpuStorage,
        x_layout: &Layout,
    ) -> Result<()> {
        let (heads, capacity, d) = cache_dims(cache_layout)?;
        let (tokens, columns) = x_layout.shape().dims2()?;
        let x = contiguous(x, x_layout)?;
        let (CpuStorage::F32(cache), Some((start, end))) =
            (cache, cache_layout.contiguous_offsets())
        else {
            bail!("the cache must be a contiguous f32 tensor");
        };
        if self.at + tokens > capacity || self.first + heads * d > columns {
            bail!(
                "{:?} does not fit {:?} at {}",
                x_layout.shape(),
                cache_layout.shape(),
                self.at
            );
        }
        for (head, cache) in cache[start..end].chunks_exact_mut(capacity * d).enumerate() {
            for (position, row) in (self.at..).zip(x.chunks_exact(columns)) {
                let own = &row[self.first + head * d..][..d];
                if self.blocked {
                    let block = &mut cache[position / BLOCK * BLOCK * d..];
                    for (cache, own) in block[position % BLOCK..].iter_mut().step_by(BLOCK).zip(own)
                    {
                        *cache = *own;
                    }
                } else {
                    cache[position * d..][..d].copy_from_slice(own);
                }
            }
        }
        Ok(())
    }
}

/// Heads, capacity and width of keys or values on the CPU.
fn cache_dims(layout: &Layout) -> Result<(usize, usize, usize)> {
    match layout.shape().dims() {
        [heads, blocks, d, BLOCK] => Ok((*heads, blocks * BLOCK, *d)),
        [heads, capacity, d] => Ok((*heads, *capacity, *d)),
        other => bail!("{other:?} is no cache"),
    }
}

struct Attention<'a> {
    heads: usize,
    at: usize,
    cpu: &'a Cpu,
}

thread_local! {
    /// Scaled queries and scores: kept, because a long context's scores are too large for the heap's quick path.
    static SCRATCH: RefCell<(Vec<f32>, Vec<f32>)> = const { RefCell::new((Vec::new(), Vec::new())) };
}

impl CustomOp3 for Attention<'_> {
    fn name(&self) -> &'static str {
        "causal-attention"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        keys: &CpuStorage,
        k_layout: &Layout,
        values: &CpuStorage,
        v_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (tokens, columns) = x_layout.shape().dims2()?;
        let (kv_heads, capacity, d) = cache_dims(v_layout)?;
        let heads = self.heads;
        if cache_dims(k_layout)? != (kv_heads, capacity, d)
            || self.at + tokens > capacity
            || !heads.is_multiple_of(kv_heads)
            || columns < heads * d
        {
            bail!(
                "attention of {:?} over {:?} and {:?}",
                x_layout.shape(),
                k_layout.shape(),
                v_layout.shape()
            );
        }
        let x = contiguous(x, x_layout)?;
        let (keys, values) = (contiguous(keys, k_layout)?, contiguous(values, v_layout)?);
        let (group, scale) = (heads / kv_heads, scale(d) as f32);
        let mut out = vec![0f32; tokens * heads * d];
        // One piece of work a token and key head.
        self.cpu
            .team
            .for_each_piece(&mut out, group * d, |piece, out| {
                let (token, head) = (piece / kv_heads, piece % kv_heads);
                let own = &x[token * columns + head * group * d..][..group * d];
                let memory = Memory {
                    keys: &keys[head * capacity * d..][..capacity * d],
                    values: &values[head * capacity * d..][..capacity * d],
                    d,
                    length: self.at + token + 1,
                };
                SCRATCH.with_borrow_mut(|(queries, scores)| {
                    queries.clear();
                    queries.extend(own.iter().map(|query| query * scale));
                    attend_group(self.cpu.level, queries, memory, scores, out);
                });
            });
        Ok((CpuStorage::F32(out), Shape::from((tokens, heads * d))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_equals_candles_operations_over_several_steps() {
        let cpu = Cpu::new(None);
        for (heads, kv_heads, d) in [(2, 1, 4), (14, 2, 64), (6, 2, 8), (4, 4, 16)] {
            let ours = LayerKv::new(kv_heads, 50, d, &Device::Cpu).unwrap();
            let theirs = LayerKv {
                keys: Tensor::zeros((kv_heads, 50, d), DType::F32, &Device::Cpu).unwrap(),
                values: ours.values.copy().unwrap(),
            };
            let mut at = 0;
            for tokens in [1, 5, 1, 20, 16, 7] {
                let columns = (heads + 2 * kv_heads) * d;
                let x = Tensor::randn(0f32, 1.0, (tokens, columns), &Device::Cpu).unwrap();
                let fast = ours.attend(&x, heads, at, &cpu).unwrap();
                let plain = theirs.attend_by_candle(&x, heads, at).unwrap();
                let difference = (fast - plain).unwrap().abs().unwrap().max_all().unwrap();
                assert!(
                    difference.to_scalar::<f32>().unwrap() < 1e-5,
                    "{tokens} after {at}"
                );
                at += tokens;
            }
        }
    }
}

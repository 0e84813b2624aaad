//! Causal attention of one sequence over its cached keys and values; heads that share a key head read it once.

mod group;

use super::{Cpu, contiguous};
use candle_core::{
    CpuStorage, CustomOp3, DType, Device, InplaceOp2, Layout, Result, Shape, Tensor, bail,
};
use candle_nn::ops::softmax_last_dim;
use group::{Memory, attend_group};
use std::cell::RefCell;

pub(crate) use group::BLOCK;

/// One layer's keys and values of all sequences: blocks of 16 positions.
#[derive(Debug)]
pub(crate) struct LayerKv {
    /// On the CPU `[blocks, kv_heads, d, 16]`, see `group.rs`. Elsewhere `[blocks, kv_heads, 16, d]`, on CUDA in bf16.
    keys: Tensor,
    /// `[blocks, kv_heads, 16, d]`
    values: Tensor,
}

impl LayerKv {
    pub(crate) fn new(kv_heads: usize, blocks: usize, d: usize, device: &Device) -> Result<Self> {
        let plain = (blocks, kv_heads, BLOCK, d);
        let keys = if device.is_cpu() {
            (blocks, kv_heads, d, BLOCK)
        } else {
            plain
        };
        let dtype = if device.is_cuda() {
            DType::BF16
        } else {
            DType::F32
        };
        Ok(Self {
            keys: Tensor::zeros(keys, dtype, device)?,
            values: Tensor::zeros(plain, dtype, device)?,
        })
    }

    /// The keys and the values.
    #[cfg(feature = "cuda")]
    pub(crate) fn tensors(&self) -> (&Tensor, &Tensor) {
        (&self.keys, &self.values)
    }

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
        let (_, kv_heads, _, d) = self.values.dims4()?;
        let tokens = x.dim(0)?;
        if at + tokens > table.len() * BLOCK {
            bail!(
                "{tokens} tokens after {at} do not fit {} blocks",
                table.len()
            );
        }
        if !x.device().is_cpu() {
            return self.attend_by_candle(x, heads, at, table);
        }
        let store = |first, transposed| StoreHeads {
            at,
            table,
            heads: kv_heads,
            d,
            first,
            transposed,
        };
        self.keys.inplace_op2(x, &store(heads * d, true))?;
        self.values
            .inplace_op2(x, &store((heads + kv_heads) * d, false))?;
        let attention = Attention {
            heads,
            kv_heads,
            d,
            at,
            table,
            cpu,
        };
        x.apply_op3_no_bwd(&self.keys, &self.values, &attention)
    }

    /// The same by candle's own operations, for devices without a kernel here.
    fn attend_by_candle(
        &self,
        x: &Tensor,
        heads: usize,
        at: usize,
        table: &[u32],
    ) -> Result<Tensor> {
        let (_, kv_heads, _, d) = self.values.dims4()?;
        let end = at + x.dim(0)?;
        let own = |first: usize| {
            let own = x.narrow(1, first * d, kv_heads * d)?.contiguous()?;
            own.reshape((end - at, kv_heads, d))?
                .transpose(0, 1)?
                .contiguous()
        };
        let store = |cache: &Tensor, own: &Tensor| {
            let mut position = at;
            while position < end {
                let count = (BLOCK - position % BLOCK).min(end - position);
                let block = cache.narrow(0, table[position / BLOCK] as usize, 1)?;
                let piece = own
                    .narrow(1, position - at, count)?
                    .contiguous()?
                    .unsqueeze(0)?;
                block.slice_set(&piece, 2, position % BLOCK)?;
                position += count;
            }
            let used = Tensor::new(&table[..end.div_ceil(BLOCK)], x.device())?;
            let blocks = cache
                .index_select(&used, 0)?
                .transpose(0, 1)?
                .contiguous()?;
            blocks.reshape((kv_heads, (), d))?.narrow(1, 0, end)
        };
        let keys = store(&self.keys, &own(heads)?)?;
        let values = store(&self.values, &own(heads + kv_heads)?)?;
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

/// Writes a sequence's heads into its blocks from position `at` on; their columns in `x` begin at `first`.
struct StoreHeads<'a> {
    at: usize,
    table: &'a [u32],
    heads: usize,
    d: usize,
    first: usize,
    transposed: bool,
}

impl InplaceOp2 for StoreHeads<'_> {
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
        let Self { heads, d, .. } = *self;
        let (_, columns) = x_layout.shape().dims2()?;
        let x = contiguous(x, x_layout)?;
        let (CpuStorage::F32(cache), Some((start, end))) =
            (cache, cache_layout.contiguous_offsets())
        else {
            bail!("the cache must be a contiguous f32 tensor");
        };
        if self.first + heads * d > columns {
            bail!(
                "{:?} has no {heads} heads at {}",
                x_layout.shape(),
                self.first
            );
        }
        let cache = &mut cache[start..end];
        for (position, row) in (self.at..).zip(x.chunks_exact(columns)) {
            let block = self.table[position / BLOCK] as usize;
            let own = row[self.first..][..heads * d].chunks_exact(d);
            let blocks = cache[block * heads * d * BLOCK..].chunks_exact_mut(d * BLOCK);
            for (block, own) in blocks.zip(own) {
                if self.transposed {
                    let targets = block[position % BLOCK..].iter_mut().step_by(BLOCK);
                    targets
                        .zip(own)
                        .for_each(|(target, value)| *target = *value);
                } else {
                    block[position % BLOCK * d..][..d].copy_from_slice(own);
                }
            }
        }
        Ok(())
    }
}

struct Attention<'a> {
    heads: usize,
    kv_heads: usize,
    d: usize,
    at: usize,
    table: &'a [u32],
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
        let Self {
            heads, kv_heads, d, ..
        } = *self;
        if !heads.is_multiple_of(kv_heads) || columns < heads * d {
            bail!("{:?} has no {heads} heads of {d} values", x_layout.shape());
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
                    keys,
                    values,
                    table: self.table,
                    kv_heads,
                    head,
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
            let ours = LayerKv::new(kv_heads, 6, d, &Device::Cpu).unwrap();
            let theirs = LayerKv {
                keys: ours.values.zeros_like().unwrap(),
                values: ours.values.copy().unwrap(),
            };
            let table = [4, 0, 5, 2];
            let mut at = 0;
            for tokens in [1, 5, 1, 20, 16, 7] {
                let columns = (heads + 2 * kv_heads) * d;
                let x = Tensor::randn(0f32, 1.0, (tokens, columns), &Device::Cpu).unwrap();
                let fast = ours.attend(&x, heads, at, &table, &cpu).unwrap();
                let plain = theirs.attend_by_candle(&x, heads, at, &table).unwrap();
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

//! Attention by candle's own operations: what the kernel is tested against.

use super::group::BLOCK;
use candle_core::{DType, Device, Result, Tensor};
use candle_nn::ops::softmax_last_dim;

/// One layer's keys and values of all sequences, `[blocks, kv_heads, 16, d]` each.
pub(super) struct PlainKv {
    keys: Tensor,
    values: Tensor,
}

impl PlainKv {
    pub(super) fn new(kv_heads: usize, blocks: usize, d: usize) -> Result<Self> {
        let zeros = || Tensor::zeros((blocks, kv_heads, BLOCK, d), DType::F32, &Device::Cpu);
        Ok(Self {
            keys: zeros()?,
            values: zeros()?,
        })
    }

    /// As [`super::LayerKv::attend`], for one sequence.
    pub(super) fn attend(
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
    let queries = (x.narrow(1, 0, heads * d)?.contiguous()? * super::scale(d))?
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

//! Causal attention of one sequence over its cached keys and values; heads that share a key head read it once.

use super::simd::attend_group;
use super::{Cpu, contiguous};
use candle_core::{CpuStorage, CustomOp3, Device, InplaceOp2, Layout, Result, Shape, Tensor, bail};
use candle_nn::ops::softmax_last_dim;

/// Writes heads into a cache `[heads, capacity, d]` from its position `at` on. `x` is `[tokens, columns]`, of which
/// the heads' columns begin at `first`.
pub(crate) fn store_heads(cache: &Tensor, at: usize, x: &Tensor, first: usize) -> Result<()> {
    if cache.device().is_cpu() {
        return cache.inplace_op2(x, &StoreHeads { at, first });
    }
    let (heads, _, d) = cache.dims3()?;
    let own = x.narrow(1, first, heads * d)?.contiguous()?;
    let by_head = own
        .reshape((x.dim(0)?, heads, d))?
        .transpose(0, 1)?
        .contiguous()?;
    cache.slice_set(&by_head, 1, at)
}

/// The first `heads * d` columns of `x`, `[tokens, columns]`, are the queries of the sequence's last tokens; `keys`
/// and `values`, `[kv_heads, length, d]` views of the cache, end with theirs. Returns `[tokens, heads * d]`.
pub(crate) fn attend(
    x: &Tensor,
    heads: usize,
    keys: &Tensor,
    values: &Tensor,
    cpu: &Cpu,
) -> Result<Tensor> {
    if x.device().is_cpu() {
        x.apply_op3_no_bwd(keys, values, &Attention { heads, cpu })
    } else {
        attend_by_matmul(x, heads, keys, values)
    }
}

/// The same by candle's own operations, for devices without a kernel here. The queries that share a key head
/// become rows of one matrix.
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

struct StoreHeads {
    at: usize,
    first: usize,
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
        let (heads, capacity, d) = cache_layout.shape().dims3()?;
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
            let rows = x
                .chunks_exact(columns)
                .zip(cache[self.at * d..].chunks_exact_mut(d));
            for (row, cache) in rows {
                cache.copy_from_slice(&row[self.first + head * d..][..d]);
            }
        }
        Ok(())
    }
}

struct Attention<'a> {
    heads: usize,
    cpu: &'a Cpu,
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
        let (kv_heads, length, d) = k_layout.shape().dims3()?;
        let heads = self.heads;
        if v_layout.shape() != k_layout.shape()
            || length < tokens
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
        let group = heads / kv_heads;
        let x = contiguous(x, x_layout)?;
        let (keys, key_stride) = heads_of(keys, k_layout)?;
        let (values, value_stride) = heads_of(values, v_layout)?;
        let scale = scale(d) as f32;
        let mut out = vec![0f32; tokens * heads * d];
        // One piece of work a token and key head.
        self.cpu
            .team
            .for_each_piece(&mut out, group * d, |piece, out| {
                let (token, head) = (piece / kv_heads, piece % kv_heads);
                let visible = length - tokens + token + 1;
                let queries = &x[token * columns + head * group * d..][..group * d];
                let queries: Vec<f32> = queries.iter().map(|query| query * scale).collect();
                let keys = &keys[head * key_stride..][..visible * d];
                let values = &values[head * value_stride..][..visible * d];
                let mut scores = vec![0f32; group * visible];
                attend_group(self.cpu.level, &queries, keys, values, d, &mut scores, out);
            });
        Ok((CpuStorage::F32(out), Shape::from((tokens, heads * d))))
    }
}

/// The values of a view `[heads, length, d]` into a cache, and the distance between heads in it.
fn heads_of<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<(&'a [f32], usize)> {
    match layout.stride() {
        [heads, rows, 1] if *rows == layout.shape().dims()[2] => {
            Ok((&storage.as_slice::<f32>()?[layout.start_offset()..], *heads))
        }
        stride => bail!("attention over a cache with strides {stride:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::DType;

    #[test]
    fn the_kernel_equals_candles_operations_on_views_of_a_cache() {
        let cpu = Cpu::new(None);
        for (tokens, length, heads, kv_heads, d) in [
            (1, 1, 2, 1, 4),
            (1, 50, 14, 2, 64),
            (5, 12, 6, 2, 8),
            (20, 20, 4, 4, 16),
        ] {
            let columns = (heads + 2 * kv_heads) * d;
            let x = Tensor::randn(0f32, 1.0, (tokens, columns), &Device::Cpu).unwrap();
            let view = |first: usize| {
                let shape = (kv_heads, length + 9, d);
                let cache = Tensor::randn(0f32, 1.0, shape, &Device::Cpu).unwrap();
                store_heads(&cache, length - tokens, &x, first * d).unwrap();
                let stored = cache.narrow(1, length - tokens, tokens).unwrap();
                let own = x.narrow(1, first * d, kv_heads * d).unwrap();
                let own = own
                    .reshape((tokens, kv_heads, d))
                    .unwrap()
                    .transpose(0, 1)
                    .unwrap();
                assert_eq!(most(&stored, &own), 0.0);
                cache.narrow(1, 0, length).unwrap()
            };
            let (keys, values) = (view(heads), view(heads + kv_heads));
            let fast = attend(&x, heads, &keys, &values, &cpu).unwrap();
            let plain = attend_by_matmul(&x, heads, &keys, &values).unwrap();
            assert!(most(&fast, &plain) < 1e-5, "{tokens} of {length}");
        }
    }

    fn most(a: &Tensor, b: &Tensor) -> f32 {
        let difference = (a - b).unwrap().abs().unwrap().max_all().unwrap();
        difference
            .to_dtype(DType::F32)
            .unwrap()
            .to_scalar()
            .unwrap()
    }
}

//! Causal attention of one sequence over its cached keys and values; heads that share a key head read it once.

use super::matmul::contiguous;
use super::simd::{Level, attend_group};
use candle_core::{CpuStorage, CustomOp3, Device, Layout, Result, Shape, Tensor, bail};
use candle_nn::ops::softmax_last_dim;
use rayon::prelude::*;

/// `queries` `[tokens, heads, d]` are the sequence's last tokens; `keys` and `values` `[kv_heads, length, d]`,
/// views of the cache, end with theirs. Returns `[tokens, heads * d]`.
pub(crate) fn attend(queries: &Tensor, keys: &Tensor, values: &Tensor) -> Result<Tensor> {
    let queries = (queries * (1.0 / (queries.dim(2)? as f64).sqrt()))?;
    match queries.device() {
        Device::Cpu => queries.apply_op3_no_bwd(keys, values, &Attention),
        _ => attend_by_matmul(&queries, keys, values),
    }
}

/// The same by candle's own operations, for devices without a kernel here. The queries that share a key head
/// become rows of one matrix.
fn attend_by_matmul(queries: &Tensor, keys: &Tensor, values: &Tensor) -> Result<Tensor> {
    let (tokens, heads, d) = queries.dims3()?;
    let (kv_heads, length, _) = keys.dims3()?;
    let group = heads / kv_heads;
    let queries = queries
        .reshape((tokens, kv_heads, group, d))?
        .permute((1, 2, 0, 3))?
        .contiguous()?
        .reshape((kv_heads, group * tokens, d))?;
    let scores = queries
        .matmul(&keys.t()?)?
        .reshape((heads, tokens, length))?
        .broadcast_add(&causal_mask(tokens, length, queries.device())?)?
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

struct Attention;

impl CustomOp3 for Attention {
    fn name(&self) -> &'static str {
        "causal-attention"
    }

    fn cpu_fwd(
        &self,
        queries: &CpuStorage,
        q_layout: &Layout,
        keys: &CpuStorage,
        k_layout: &Layout,
        values: &CpuStorage,
        v_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (tokens, heads, d) = q_layout.shape().dims3()?;
        let (kv_heads, length, k_d) = k_layout.shape().dims3()?;
        if v_layout.shape() != k_layout.shape()
            || k_d != d
            || length < tokens
            || heads % kv_heads != 0
        {
            bail!(
                "attention of {:?} over {:?} and {:?}",
                q_layout.shape(),
                k_layout.shape(),
                v_layout.shape()
            );
        }
        let group = heads / kv_heads;
        let queries = contiguous(queries, q_layout)?;
        let (keys, key_stride) = heads_of(keys, k_layout)?;
        let (values, value_stride) = heads_of(values, v_layout)?;
        let level = Level::detect();
        let mut out = vec![0f32; queries.len()];
        // One piece of work a token and key head; the later a token, the more it looks at.
        out.par_chunks_mut(group * d)
            .zip(queries.par_chunks(group * d))
            .enumerate()
            .for_each_init(Vec::new, |scores, (piece, (out, queries))| {
                let (token, head) = (piece / kv_heads, piece % kv_heads);
                let visible = length - tokens + token + 1;
                scores.resize(group * visible, 0.0);
                let keys = &keys[head * key_stride..][..visible * d];
                let values = &values[head * value_stride..][..visible * d];
                attend_group(level, queries, keys, values, d, scores, out);
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
        let random =
            |shape: (usize, usize, usize)| Tensor::randn(0f32, 1.0, shape, &Device::Cpu).unwrap();
        for (tokens, length, heads, kv_heads, d) in [
            (1, 1, 2, 1, 4),
            (1, 50, 14, 2, 64),
            (5, 12, 6, 2, 8),
            (20, 20, 4, 4, 16),
        ] {
            let queries = random((tokens, heads, d));
            let view = || {
                random((kv_heads, length + 9, d))
                    .narrow(1, 0, length)
                    .unwrap()
            };
            let (keys, values) = (view(), view());
            let fast = queries
                .apply_op3_no_bwd(&keys, &values, &Attention)
                .unwrap();
            let plain = attend_by_matmul(&queries, &keys, &values).unwrap();
            let difference = (fast - plain).unwrap().abs().unwrap().max_all().unwrap();
            let difference: f32 = difference
                .to_dtype(DType::F32)
                .unwrap()
                .to_scalar()
                .unwrap();
            assert!(difference < 1e-5, "{tokens} of {length}: {difference}");
        }
    }
}

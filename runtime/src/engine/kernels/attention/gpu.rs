//! Keys and values on a GPU, whose network reads and writes them by kernels of its own.

use super::group::BLOCK;
use candle_core::{DType, Device, Result, Tensor};

/// One layer's keys and values of all sequences, `[blocks, kv_heads, 16, d]` each, in bf16.
#[derive(Debug)]
pub(super) struct GpuKv {
    keys: Tensor,
    values: Tensor,
}

impl GpuKv {
    pub(super) fn new(kv_heads: usize, blocks: usize, d: usize, device: &Device) -> Result<Self> {
        let shape = (blocks, kv_heads, BLOCK, d);
        Ok(Self {
            keys: Tensor::zeros(shape, DType::BF16, device)?,
            values: Tensor::zeros(shape, DType::BF16, device)?,
        })
    }

    pub(super) fn tensors(&self) -> (&Tensor, &Tensor) {
        (&self.keys, &self.values)
    }
}

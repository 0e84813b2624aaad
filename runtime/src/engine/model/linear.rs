//! A matrix the residual stream is multiplied by.

use crate::engine::kernels::matmul::MatMul;
use candle_core::{Result, Tensor};

/// `x -> x W^T + b`.
#[derive(Debug)]
pub(crate) struct Linear {
    /// `[outputs, inputs]`
    weight: Tensor,
    bias: Option<Tensor>,
}

impl Linear {
    pub(crate) fn new(weight: Tensor, bias: Option<Tensor>) -> Self {
        Self { weight, bias }
    }

    /// `x` is `[rows, inputs]`.
    pub(crate) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let product = if x.device().is_cpu() {
            x.apply_op2_no_bwd(&self.weight, &MatMul)?
        } else {
            x.matmul(&self.weight.t()?)?
        };
        match &self.bias {
            None => Ok(product),
            Some(bias) => product.broadcast_add(bias),
        }
    }
}

//! Matrices the residual stream meets: those it is multiplied by, and the embedding it begins with.
//! Each is dense f32 on any device, or packed for the CPU's kernels.

use crate::engine::kernels::Cpu;
use crate::engine::kernels::matmul::{Dense, PackedProduct, PackedRows};
use crate::engine::kernels::packed::Packed;
use candle_core::{Device, Result, Tensor};
use std::sync::Arc;

/// A matrix `[outputs, inputs]`. Cloning shares it.
#[derive(Debug, Clone)]
pub(crate) enum Matrix {
    Dense(Tensor),
    Packed(Arc<Packed>),
}

impl Matrix {
    /// The rows of the given numbers, `[ids, inputs]`.
    pub(crate) fn rows(&self, ids: &[u32], device: &Device) -> Result<Tensor> {
        match self {
            Self::Dense(weight) => weight.index_select(&Tensor::new(ids, device)?, 0),
            Self::Packed(weight) => {
                let mut values = Vec::with_capacity(ids.len() * weight.columns());
                for id in ids {
                    weight.append_row(*id as usize, &mut values);
                }
                Tensor::from_vec(values, (ids.len(), weight.columns()), device)
            }
        }
    }

    /// Bytes in memory.
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Dense(weight) => weight.elem_count() * weight.dtype().size_in_bytes(),
            Self::Packed(weight) => weight.size(),
        }
    }
}

/// `x -> x W^T + b`.
#[derive(Debug)]
pub(crate) struct Linear {
    weight: Matrix,
    bias: Option<Vec<f32>>,
}

impl Linear {
    pub(crate) fn new(weight: Matrix, bias: Option<Vec<f32>>) -> Self {
        Self { weight, bias }
    }

    /// `x` is `[rows, inputs]`.
    pub(crate) fn forward(&self, x: &Tensor, cpu: &Cpu) -> Result<Tensor> {
        let product = match &self.weight {
            Matrix::Packed(weight) => {
                let bias = self.bias.as_deref();
                return x.apply_op1_no_bwd(&PackedProduct { weight, bias, cpu });
            }
            Matrix::Dense(weight) if x.device().is_cpu() => {
                x.apply_op2_no_bwd(weight, &Dense { cpu })?
            }
            Matrix::Dense(weight) => x.matmul(&weight.t()?)?,
        };
        match &self.bias {
            None => Ok(product),
            Some(bias) => product.broadcast_add(&Tensor::new(bias.as_slice(), x.device())?),
        }
    }

    /// The outputs of these numbers alone for one row `x`, `[1, outputs]`; equal to those that [`Self::forward`] gives.
    pub(crate) fn forward_some(&self, x: &Tensor, outputs: &[u32], cpu: &Cpu) -> Result<Tensor> {
        let product = match &self.weight {
            Matrix::Packed(weight) => x.apply_op1_no_bwd(&PackedRows {
                weight,
                rows: outputs,
                cpu,
            })?,
            Matrix::Dense(weight) => {
                let weight = weight.index_select(&Tensor::new(outputs, x.device())?, 0)?;
                match x.device().is_cpu() {
                    true => x.apply_op2_no_bwd(&weight, &Dense { cpu })?,
                    false => x.matmul(&weight.t()?)?,
                }
            }
        };
        match &self.bias {
            None => Ok(product),
            Some(bias) => {
                let bias: Vec<f32> = outputs.iter().map(|at| bias[*at as usize]).collect();
                product.broadcast_add(&Tensor::new(bias, x.device())?)
            }
        }
    }

    pub(crate) fn weight(&self) -> &Matrix {
        &self.weight
    }
}

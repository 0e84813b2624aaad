//! Matrices the residual stream meets: those it is multiplied by, and the embedding it begins with.
//! Each is dense f32, or packed for the CPU's kernels.

use crate::engine::kernels::matmul::{self, ProductRoom};
use crate::engine::kernels::output::{Output, Store};
use crate::engine::kernels::packed::Packed;
use crate::engine::kernels::rows::Rows;
use crate::engine::kernels::{Cpu, read};
use candle_core::{Result, Tensor};
use std::sync::Arc;

/// A matrix `[outputs, inputs]`. Cloning shares it.
#[derive(Debug, Clone)]
pub(crate) enum Matrix {
    Dense(Tensor),
    Packed(Arc<Packed>),
}

impl Matrix {
    /// Appends the row of this number.
    pub(crate) fn append_row(&self, row: usize, out: &mut Vec<f32>) -> Result<()> {
        match self {
            Self::Dense(weight) => {
                let columns = weight.dim(1)?;
                read(weight, |values| {
                    out.extend_from_slice(&values[row * columns..][..columns]);
                })
            }
            Self::Packed(weight) => {
                weight.append_row(row, out);
                Ok(())
            }
        }
    }

    /// How many numbers a row of the product has.
    pub(crate) fn outputs(&self) -> usize {
        match self {
            Self::Dense(weight) => weight.dims().first().copied().unwrap_or(0),
            Self::Packed(weight) => weight.rows(),
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

/// Whether a product takes the place of what is there, or is added to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Into {
    Place,
    Sum,
}

impl Linear {
    pub(crate) fn new(weight: Matrix, bias: Option<Vec<f32>>) -> Self {
        Self { weight, bias }
    }

    /// The product of rows, `[rows, outputs]`.
    pub(crate) fn forward(
        &self,
        x: Rows<'_>,
        (into, values): (Into, &mut [f32]),
        room: &mut ProductRoom,
        cpu: &Cpu,
    ) -> Result<()> {
        let store = Store {
            bias: self.bias.as_deref(),
            adds: into == Into::Sum,
        };
        let out = Output { values, store };
        match &self.weight {
            Matrix::Packed(weight) => {
                matmul::packed(x, weight, out, room, cpu);
                Ok(())
            }
            Matrix::Dense(weight) => {
                let columns = weight.dim(1)?;
                read(weight, |weight| {
                    matmul::dense(x, (weight, columns), out, room, cpu);
                })
            }
        }
    }

    /// The outputs of these numbers alone for one row, in their order; equal to those that [`Self::forward`] gives.
    pub(crate) fn forward_some(
        &self,
        x: Rows<'_>,
        (outputs, values): (&[u32], &mut [f32]),
        room: &mut ProductRoom,
        cpu: &Cpu,
    ) -> Result<()> {
        match &self.weight {
            Matrix::Packed(weight) => {
                matmul::packed_some(x, weight, (outputs, values), room, cpu);
            }
            Matrix::Dense(weight) => {
                let columns = weight.dim(1)?;
                read(weight, |weight| {
                    matmul::dense_some(x, (weight, columns), (outputs, values), room, cpu);
                })?;
            }
        }
        if let Some(bias) = &self.bias {
            for (value, output) in values.iter_mut().zip(outputs) {
                *value += bias[*output as usize];
            }
        }
        Ok(())
    }

    pub(crate) fn weight(&self) -> &Matrix {
        &self.weight
    }
}

//! In which form weights are kept in memory, and how many threads work on them.

use crate::engine::EngineError;
use crate::engine::kernels::Cpu;
use crate::engine::kernels::packed::Packing;
use crate::engine::load::{Form, Stored};
use candle_core::Device;
use std::num::NonZeroUsize;

/// How a model is loaded. The default is 8 bits, or the file's own 4, on every physical core.
///
/// These are options of loading, given to a [`ModelPool`](crate::adapter::ModelPool), and not of an adapter's
/// configuration: all adapters of a model share its weights, so no single one of them can say how they are kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LoadOptions {
    /// The form of the matrices.
    pub quantization: Quantization,
    /// The form of keys and values; if not given f16 beside quantized matrices, and f32 beside f32. CUDA keeps bf16.
    pub kv_format: Option<KvFormat>,
    /// Threads that share a step's work, the engine's own included; one for each physical core if not given.
    pub threads: Option<NonZeroUsize>,
    /// The CUDA GPU of this number, the first is 0, in place of the CPU: for who loads by name, as a
    /// [`ModelPool`](crate::adapter::ModelPool) does. Needs the feature `cuda`.
    pub gpu: Option<usize>,
}

/// The form that the matrices are kept in. Norms and biases stay f32. CUDA keeps bf16 (and reads 8 bits in a lone sequence's
/// decode step if asked for [`Self::Q8`]).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Quantization {
    /// f32: 4 bytes a weight, exact. The reference, four times as slow as 8 bits where memory is the limit.
    None,
    /// 8 bits in blocks of 32 (GGUF's Q8_0): 1.06 bytes a weight; close to exact. On CUDA, for the shapes that have a decode
    /// kernel: whole numbers of 8 bits with a scale a row for the steps of a sequence that decodes alone (W8A16), and the
    /// same weights in bf16 beside them for everything else.
    Q8,
    /// 4 bits in blocks of 32 (GGUF's Q4_0): 0.56 bytes a weight; the embedding and the head at 8 bits.
    Q4,
    /// The default: 4 bits where the file has Q4_0, 8 bits for every other format.
    #[default]
    AsStored,
}

/// The form that the keys and values of earlier tokens are kept in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum KvFormat {
    /// 4 bytes a value, exact.
    #[default]
    F32,
    /// 2 bytes a value, so that twice as many tokens fit and are read in half the time. Values beyond 65,504 become
    /// that. On CUDA bf16, which has no such bound.
    F16,
}

impl KvFormat {
    /// Bytes a value takes.
    #[must_use]
    pub const fn bytes(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F16 => 2,
        }
    }
}

impl LoadOptions {
    /// f32 throughout: the reference, whose values are PyTorch's within rounding.
    #[must_use]
    pub fn exact() -> Self {
        Self {
            quantization: Quantization::None,
            ..Self::default()
        }
    }

    /// The device that [`Self::gpu`] names, or the CPU.
    ///
    /// # Errors
    /// [`EngineError::Gpu`] if there is no such GPU, or this was built without the feature `cuda`.
    pub fn device(&self) -> Result<Device, EngineError> {
        match self.gpu {
            None => Ok(Device::Cpu),
            Some(number) => Device::new_cuda(number).map_err(|problem| EngineError::Gpu {
                doing: "being opened",
                problem: if cfg!(feature = "cuda") {
                    format!("GPU {number}: {problem}; `nvidia-smi` lists those there are")
                } else {
                    "this was built without the feature `cuda`: build with `--features cuda`, or leave `gpu` out"
                        .to_owned()
                },
            }),
        }
    }

    pub(crate) fn kv_format_on(&self, device: &Device) -> KvFormat {
        let usual = match self.quantization {
            Quantization::None => KvFormat::F32,
            _ => KvFormat::F16,
        };
        match device {
            Device::Cpu => self.kv_format.unwrap_or(usual),
            _ => KvFormat::F16,
        }
    }
}

impl Quantization {
    pub(crate) fn of_layer<'a>(self, stored: Option<Stored>, cpu: &'a Cpu) -> Form<'a> {
        self.form(stored, Packing::Q4, cpu)
    }

    pub(crate) fn of_embedding<'a>(self, stored: Option<Stored>, cpu: &'a Cpu) -> Form<'a> {
        self.form(stored, Packing::Q8, cpu)
    }

    /// `q4` is what [`Self::Q4`] means for this matrix.
    fn form<'a>(self, stored: Option<Stored>, q4: Packing, cpu: &'a Cpu) -> Form<'a> {
        let packing = match self {
            Self::None => return Form::Dense(&Device::Cpu),
            Self::Q8 => Packing::Q8,
            Self::Q4 => q4,
            Self::AsStored if stored == Some(Stored::Q4_0) => Packing::Q4,
            Self::AsStored => Packing::Q8,
        };
        Form::Packed(packing, cpu)
    }
}

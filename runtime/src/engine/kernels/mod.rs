//! The operations candle has no fast form of, as candle custom operations on the CPU.
//! Each computes a row the same way, to the last bit, whatever other rows run beside it.

mod activation;
pub(crate) mod attention;
pub(crate) mod elementwise;
pub(crate) mod head_norm;
mod lanes;
pub(crate) mod matmul;
pub(crate) mod memory;
pub(crate) mod packed;
mod quantized;
pub(crate) mod rotary;
pub(crate) mod simd;
pub(crate) mod team;

use candle_core::{CpuStorage, Layout, Result, bail};
use std::num::NonZeroUsize;

/// What the kernels run on: the threads and the instruction sets of this machine.
#[derive(Debug)]
pub(crate) struct Cpu {
    pub team: team::Team,
    /// Where packed weights lie.
    pub memory: memory::Arena,
    level: simd::Level,
    isa: quantized::Isa,
}

impl Cpu {
    /// With this many threads, or one for each physical core.
    pub(crate) fn new(threads: Option<NonZeroUsize>) -> Self {
        Self {
            team: threads.map_or_else(team::Team::of_physical_cores, team::Team::new),
            memory: memory::Arena::default(),
            level: simd::Level::detect(),
            isa: quantized::Isa::detect(),
        }
    }
}

/// The instruction set of the quantized kernels, by name.
pub(crate) fn quantized_kernels() -> &'static str {
    match quantized::Isa::detect() {
        quantized::Isa::Portable => "portable",
        #[cfg(target_arch = "x86_64")]
        quantized::Isa::Avx2 => "AVX2",
        #[cfg(target_arch = "x86_64")]
        quantized::Isa::Avx512Vnni => "AVX-512 VNNI",
        #[cfg(target_arch = "aarch64")]
        quantized::Isa::NeonDotprod => "NEON dot products",
    }
}

/// The values of a contiguous f32 tensor.
fn contiguous<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&storage.as_slice::<f32>()?[start..end]),
        None => bail!(
            "expected a contiguous tensor, not strides {:?}",
            layout.stride()
        ),
    }
}

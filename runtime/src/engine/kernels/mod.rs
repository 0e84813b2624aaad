//! The operations of the network on the CPU, on slices beside candle's storage: a pass works in room that is kept between passes, and
//! allocates nothing. Each computes a row the same way, to the last bit, whatever other rows run beside it.

mod activation;
pub(crate) mod attention;
pub(crate) mod elementwise;
pub(crate) mod head_norm;
mod lanes;
pub(crate) mod matmul;
pub(crate) mod memory;
pub(crate) mod output;
pub(crate) mod packed;
mod pieces;
mod quantized;
pub(crate) mod rotary;
pub(crate) mod rows;
pub(crate) mod simd;
pub(crate) mod team;

use candle_core::{Result, Storage, Tensor, bail};
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
    quantized::Isa::detect().name()
}

/// Room for so many values in a buffer that only ever grows; what is in it is left as it was.
pub(crate) fn grown<T: Clone + Default>(buffer: &mut Vec<T>, count: usize) -> &mut [T] {
    if buffer.len() < count {
        buffer.resize(count, T::default());
    }
    &mut buffer[..count]
}

/// Reads the values of a dense matrix, which is a contiguous f32 tensor on the CPU.
pub(crate) fn read<T>(tensor: &Tensor, work: impl FnOnce(&[f32]) -> T) -> Result<T> {
    let (storage, layout) = tensor.storage_and_layout();
    let (Storage::Cpu(storage), Some((start, end))) = (&*storage, layout.contiguous_offsets())
    else {
        bail!("expected a contiguous tensor on the CPU, not {tensor:?}");
    };
    Ok(work(&storage.as_slice::<f32>()?[start..end]))
}

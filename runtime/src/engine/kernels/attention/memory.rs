//! Where keys and values lie on the CPU: one piece of memory for all layers, in f32 or f16, so that a short sequence
//! touches little of it and a long one reads it in long runs.
//!
//! `[chunks][layers][kv_heads][keys, values][16 blocks][a block]`. A block of keys is `[d][16]`, coordinate by
//! coordinate; one of values is `[16][d]`, position by position.

use super::group::BLOCK;
use crate::engine::KvFormat;
use crate::engine::kernels::lanes::Lanes;
use crate::engine::kernels::memory::Memory;
use candle_core::{Result, bail};
use half::f16;
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

/// Blocks that lie side by side.
const CHUNK: usize = 16;

/// Keys and values of all layers.
pub(crate) struct KvMemory {
    shape: KvShape,
    /// The engine's thread writes while its workers wait, and they read together: nobody ever waits for this lock.
    bytes: RwLock<Memory>,
}

/// How many there are of what.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KvShape {
    pub layers: usize,
    pub kv_heads: usize,
    pub d: usize,
    pub blocks: usize,
    pub format: KvFormat,
}

/// Which of a block's two halves.
#[derive(Debug, Clone, Copy)]
pub(super) enum Half {
    Keys,
    Values,
}

/// What may be read while nobody writes.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    shape: KvShape,
    values: Numbers<'a>,
}

#[derive(Clone, Copy)]
enum Numbers<'a> {
    F32(&'a [f32]),
    F16(&'a [f16]),
}

impl KvShape {
    fn chunk(&self) -> usize {
        self.blocks.clamp(1, CHUNK)
    }

    /// Where a half of a block begins, counted in values.
    #[inline(always)]
    fn start(&self, layer: usize, head: usize, half: Half, block: u32) -> usize {
        let (block, chunk) = (block as usize, self.chunk());
        let plane = (block / chunk * self.layers + layer) * self.kv_heads + head;
        ((2 * plane + half as usize) * chunk + block % chunk) * BLOCK * self.d
    }

    fn bytes(&self) -> Option<usize> {
        let blocks = self.blocks.checked_next_multiple_of(self.chunk())?;
        [
            2 * BLOCK,
            self.layers,
            self.kv_heads,
            self.d,
            self.format.bytes(),
        ]
        .into_iter()
        .try_fold(blocks, usize::checked_mul)
    }
}

impl KvMemory {
    /// The system gives memory when it is first written.
    pub(crate) fn new(shape: KvShape) -> Result<Self> {
        let Some(bytes) = shape.bytes().and_then(Memory::alone) else {
            bail!(
                "the system has no memory for {} tokens of keys and values; lower the size of the cache",
                shape.blocks.saturating_mul(BLOCK)
            );
        };
        Ok(Self {
            shape,
            bytes: RwLock::new(bytes),
        })
    }

    pub(super) fn shape(&self) -> KvShape {
        self.shape
    }

    /// Numbers are never half written: what a panic leaves behind was not counted as held.
    pub(super) fn read(&self) -> RwLockReadGuard<'_, Memory> {
        self.bytes.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn view<'a>(&self, memory: &'a Memory) -> View<'a> {
        View {
            shape: self.shape,
            values: match self.shape.format {
                KvFormat::F32 => Numbers::F32(memory.values()),
                KvFormat::F16 => Numbers::F16(memory.values()),
            },
        }
    }

    /// Writes a head's keys or values of one position.
    pub(super) fn store<'x>(
        &self,
        layer: usize,
        half: Half,
        positions: impl Iterator<Item = (u32, usize, &'x [f32])>,
    ) {
        let mut bytes = self.bytes.write().unwrap_or_else(PoisonError::into_inner);
        let d = self.shape.d;
        for (block, within, heads) in positions {
            for (head, own) in heads.chunks_exact(d).enumerate() {
                let start = self.shape.start(layer, head, half, block);
                let (first, step) = match half {
                    Half::Keys => (start + within, BLOCK),
                    Half::Values => (start + within * d, 1),
                };
                match self.shape.format {
                    KvFormat::F32 => write(bytes.values_mut(), first, step, own, |value| value),
                    KvFormat::F16 => write(bytes.values_mut(), first, step, own, to_f16),
                }
            }
        }
    }

    /// Gives one layer of a block the keys and values of another block.
    pub(super) fn copy(&self, layer: usize, from: u32, to: u32) {
        let mut bytes = self.bytes.write().unwrap_or_else(PoisonError::into_inner);
        let wide = self.shape.format.bytes();
        let size = BLOCK * self.shape.d * wide;
        for head in 0..self.shape.kv_heads {
            for half in [Half::Keys, Half::Values] {
                let at = |block| self.shape.start(layer, head, half, block) * wide;
                let source = at(from)..at(from) + size;
                bytes.as_mut_slice().copy_within(source, at(to));
            }
        }
    }
}

impl std::fmt::Debug for KvMemory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KvMemory")
            .field("shape", &self.shape)
            .finish_non_exhaustive()
    }
}

impl<'a> View<'a> {
    pub(super) fn d(&self) -> usize {
        self.shape.d
    }

    /// A half of a block in f32; `scratch` holds it where it is kept otherwise.
    #[inline(always)]
    pub(super) fn block<'b, V: Lanes>(
        &self,
        layer: usize,
        head: usize,
        half: Half,
        block: u32,
        scratch: &'b mut [f32],
    ) -> &'b [f32]
    where
        'a: 'b,
    {
        let (start, size) = (
            self.shape.start(layer, head, half, block),
            BLOCK * self.shape.d,
        );
        match self.values {
            Numbers::F32(values) => &values[start..start + size],
            Numbers::F16(values) => {
                let scratch = &mut scratch[..size];
                let from = values[start..start + size].as_chunks().0;
                for (wide, value) in scratch.as_chunks_mut().0.iter_mut().zip(from) {
                    V::widen(value).store(wide);
                }
                scratch
            }
        }
    }
}

fn write<T>(all: &mut [T], first: usize, step: usize, own: &[f32], form: impl Fn(f32) -> T) {
    let targets = all[first..].iter_mut().step_by(step);
    targets
        .zip(own)
        .for_each(|(target, value)| *target = form(*value));
}

/// Beyond the largest f16 lies infinity, which would spread as NaN; a NaN stays one, to be seen in the logits.
fn to_f16(value: f32) -> f16 {
    f16::from_f32(value.clamp(f16::MIN.to_f32(), f16::MAX.to_f32()))
}

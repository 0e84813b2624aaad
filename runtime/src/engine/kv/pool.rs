//! The memory that keys and values live in: blocks of 16 positions, allocated once, handed out and taken back.
//! A block belongs to everyone who holds it and returns by itself when the last one lets go.

use crate::engine::kernels::attention::{BLOCK, KvShape, LayerKv, layers};
use crate::engine::{EngineError, ModelConfig};
use candle_core::Device;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Positions in a block.
pub(crate) const BLOCK_TOKENS: usize = BLOCK;

/// All blocks of one model's caches, for every layer.
#[derive(Debug)]
pub(crate) struct Pool {
    layers: Vec<LayerKv>,
    blocks: usize,
    /// The last one returned is handed out first: its memory is warm, and untouched memory stays untouched.
    free: Mutex<Vec<u32>>,
}

/// One block of a pool. Dropping it returns it.
#[derive(Debug)]
pub(crate) struct Block {
    pool: Arc<Pool>,
    id: u32,
}

impl Pool {
    /// Room for this many tokens. The system gives memory when it is first written.
    pub(crate) fn new(
        config: &ModelConfig,
        tokens: usize,
        device: &Device,
    ) -> Result<Arc<Self>, EngineError> {
        let blocks = tokens.div_ceil(BLOCK_TOKENS);
        let count = u32::try_from(blocks).unwrap_or(u32::MAX);
        let shape = KvShape {
            layers: config.layers,
            kv_heads: config.kv_heads,
            d: config.head_dim,
            blocks,
            format: config.kv_format,
        };
        let layers = layers(shape, device)?;
        // Kernels may run on another stream than the one that has just cleared this memory.
        device.synchronize()?;
        Ok(Arc::new(Self {
            layers,
            blocks,
            free: Mutex::new((0..count).rev().collect()),
        }))
    }

    pub(crate) fn layer(&self, layer: usize) -> Option<&LayerKv> {
        self.layers.get(layer)
    }

    /// Blocks in all.
    pub(crate) fn blocks(&self) -> usize {
        self.blocks
    }

    /// Blocks nobody holds.
    pub(crate) fn free_blocks(&self) -> usize {
        self.free().len()
    }

    /// A block nobody holds.
    pub(crate) fn take(self: &Arc<Self>) -> Option<Arc<Block>> {
        let id = self.free().pop()?;
        Some(Arc::new(Block {
            pool: self.clone(),
            id,
        }))
    }

    /// Gives a block the keys and values of another; false where this memory cannot, which is on the CPU alone.
    pub(crate) fn copy(&self, from: u32, to: u32) -> bool {
        self.layers.iter().all(|layer| layer.copy(from, to))
    }

    /// Pushing and popping leave nothing half done.
    fn free(&self) -> MutexGuard<'_, Vec<u32>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Block {
    pub(crate) fn id(&self) -> u32 {
        self.id
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        self.pool.free().push(self.id);
    }
}

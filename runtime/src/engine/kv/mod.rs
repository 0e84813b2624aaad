//! Keys and values of the tokens a sequence has been through, in blocks that sequences with equal beginnings share.
//! `model/` reads and writes them; the scheduler decides who gets how many and what is kept for later.

pub(crate) mod pool;
pub(crate) mod tree;

use super::kernels::attention::LayerKv;
use super::{EngineError, ModelConfig};
use candle_core::Device;
use pool::{BLOCK_TOKENS, Block, Pool};
use std::sync::Arc;

/// The keys and values of one sequence, for every layer.
#[derive(Debug)]
pub struct KvCache {
    pool: Arc<Pool>,
    blocks: Vec<Arc<Block>>,
    /// The blocks' numbers, as the kernels want them.
    table: Vec<u32>,
    len: usize,
    capacity: usize,
}

impl KvCache {
    /// Room for `capacity` tokens of a model of this shape, shared with nobody.
    pub fn new(
        config: &ModelConfig,
        capacity: usize,
        device: &Device,
    ) -> Result<Self, EngineError> {
        let pool = Pool::new(config, capacity, device)?;
        let blocks = (0..pool.blocks()).map_while(|_| pool.take()).collect();
        Ok(Self::of_blocks(pool, blocks, 0, capacity))
    }

    /// As many caches as [`Self::new`] makes one, out of one piece of memory: rows of a batch.
    pub fn several(
        config: &ModelConfig,
        capacity: usize,
        count: usize,
        device: &Device,
    ) -> Result<Vec<Self>, EngineError> {
        let blocks = capacity.div_ceil(BLOCK_TOKENS);
        let pool = Pool::new(config, blocks * BLOCK_TOKENS * count, device)?;
        let cache = |_| {
            let blocks = (0..blocks).map_while(|_| pool.take()).collect();
            Self::of_blocks(pool.clone(), blocks, 0, capacity)
        };
        Ok((0..count).map(cache).collect())
    }

    /// A cache of blocks out of a pool, of which the first `len` tokens are filled. Whole blocks up to there may be
    /// shared: they are never written again.
    pub(crate) fn of_blocks(
        pool: Arc<Pool>,
        blocks: Vec<Arc<Block>>,
        len: usize,
        capacity: usize,
    ) -> Self {
        Self {
            table: blocks.iter().map(|block| block.id()).collect(),
            pool,
            blocks,
            len,
            capacity,
        }
    }

    /// Bytes that a cache of `capacity` tokens takes: for Qwen2.5-0.5B 12,288 a token at f16, twice that at f32.
    #[must_use]
    pub fn bytes(config: &ModelConfig, capacity: usize) -> usize {
        let values = config.layers * config.kv_heads * config.head_dim;
        2 * values * capacity.next_multiple_of(BLOCK_TOKENS) * config.kv_format.bytes()
    }

    /// Tokens held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether no token is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Tokens that fit.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Forgets all but the first `len` tokens; the buffers stay.
    pub fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }

    /// The blocks, in the order of the sequence.
    pub(crate) fn blocks(&self) -> &[Arc<Block>] {
        &self.blocks
    }

    /// One layer's memory. What is written after the tokens held counts only after [`Self::commit`].
    pub(crate) fn layer(&self, layer: usize) -> Option<&LayerKv> {
        self.pool.layer(layer)
    }

    /// The numbers of this sequence's blocks in the memory of any layer.
    pub(crate) fn table(&self) -> &[u32] {
        &self.table
    }

    /// Whether both are in the same memory.
    pub(crate) fn is_beside(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.pool, &other.pool)
    }

    /// Counts tokens that every layer has written as held. Until then a failed step leaves no trace.
    pub(crate) fn commit(&mut self, tokens: usize) {
        self.len += tokens;
    }
}

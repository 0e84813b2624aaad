//! Who gets which blocks of the KV cache: equal beginnings are shared, what is finished is kept while there is room.

use super::pin::PinnedPrefix;
use super::stats::{CacheStats, Stats};
use crate::engine::kv::pool::{BLOCK_TOKENS, Pool};
use crate::engine::kv::tree::{Found, PrefixTree};
use crate::engine::{EngineError, KvCache, ModelConfig, TokenId};
use candle_core::Device;
use std::sync::Arc;

/// Room that the cache is given when nobody says how much: memory is taken when it is first written.
const DEFAULT_BYTES: usize = 1 << 30;
/// Of that, what finished sequences may keep.
const KEPT_BYTES: usize = 200 << 20;

/// Of a GPU's free memory, what the cache leaves to passes, to other models and to other programs.
#[cfg(feature = "cuda")]
const LEFT_PERCENT: usize = 15;
/// More is not of use: looking through what is kept takes time.
const MOST_TOKENS: usize = 1 << 19;

/// Bytes that the cache may have by default; none where memory is the host's.
#[cfg(feature = "cuda")]
fn spare_on(device: &Device) -> Result<Option<usize>, EngineError> {
    let Device::Cuda(device) = device else {
        return Ok(None);
    };
    let stream = device.cuda_stream();
    let (free, _) = stream
        .context()
        .mem_get_info()
        .map_err(|problem| EngineError::Gpu {
            doing: "asking for its free memory",
            problem: problem.to_string(),
        })?;
    Ok(Some(free / 100 * (100 - LEFT_PERCENT)))
}

#[cfg(not(feature = "cuda"))]
fn spare_on(_device: &Device) -> Result<Option<usize>, EngineError> {
    Ok(None)
}

/// The blocks of one engine.
pub(super) struct Memory {
    pool: Arc<Pool>,
    tree: PrefixTree,
    block_bytes: usize,
    /// Most blocks that are kept for later.
    most_kept: usize,
    stats: Stats,
}

impl Memory {
    /// Room for this many tokens, or a default: `rows` whole contexts, at most a gigabyte, at least one context; on a GPU
    /// most of the memory that is free.
    pub(super) fn new(
        config: &ModelConfig,
        tokens: Option<usize>,
        rows: usize,
        device: &Device,
        stats: Stats,
    ) -> Result<Self, EngineError> {
        let block_bytes = KvCache::bytes(config, BLOCK_TOKENS);
        let context = config.max_positions.next_multiple_of(BLOCK_TOKENS);
        let affordable = DEFAULT_BYTES / block_bytes * BLOCK_TOKENS;
        let usual = context.saturating_mul(rows).min(affordable).max(context);
        let spare = spare_on(device)?.map(|bytes| bytes / block_bytes * BLOCK_TOKENS);
        let default = spare.map_or(usual, |spare| spare.min(MOST_TOKENS));
        let pool = Pool::new(config, tokens.unwrap_or(default), device)?;
        stats.count(|stats| stats.cache.blocks_total = pool.blocks());
        Ok(Self {
            most_kept: match (tokens, spare) {
                (None, None) => KEPT_BYTES / block_bytes,
                _ => pool.blocks(),
            },
            pool,
            tree: PrefixTree::default(),
            block_bytes,
            stats,
        })
    }

    /// Tokens that fit in all.
    pub(super) fn tokens(&self) -> usize {
        self.pool.blocks() * BLOCK_TOKENS
    }

    /// Tokens that fit beside what is held now.
    pub(super) fn available(&self) -> usize {
        (self.pool.free_blocks() + self.tree.unused()) * BLOCK_TOKENS
    }

    /// Takes hold of the blocks that are here of a beginning.
    pub(super) fn pin(&mut self, tokens: &[TokenId]) -> PinnedPrefix {
        PinnedPrefix::new(self.tree.find(tokens).blocks)
    }

    /// A cache of `capacity` tokens for a sequence that begins with `prompt`, with what is here of it already. None
    /// while others hold too much.
    pub(super) fn reserve(
        &mut self,
        prompt: &[TokenId],
        capacity: usize,
        share: bool,
    ) -> Option<KvCache> {
        // The last token is always computed: its logits are wanted.
        let sought = &prompt[..prompt.len().saturating_sub(1)];
        let Found { mut blocks, part } = if share {
            self.tree.find(sought)
        } else {
            Found::default()
        };
        let shared = blocks.len();
        let missing = capacity.div_ceil(BLOCK_TOKENS).saturating_sub(shared);
        let evicted = self
            .tree
            .evict(missing.saturating_sub(self.pool.free_blocks()));
        self.count(|stats| stats.evictions += evicted as u64);
        if self.pool.free_blocks() < missing {
            return None;
        }
        blocks.extend((0..missing).map_while(|_| self.pool.take()));
        let mut held = shared * BLOCK_TOKENS;
        // The block that goes on alike may have been given up just now and even be one of those that were taken: what it
        // holds is there until a pass writes.
        if let Some((from, tokens)) = part
            && let Some(own) = blocks.get(shared)
            && self.pool.copy(from, own.id())
        {
            held += tokens;
        }
        if share {
            self.count(|stats| {
                stats.hits += u64::from(shared > 0);
                stats.misses += u64::from(shared == 0);
                stats.prompt_tokens += prompt.len() as u64;
                stats.reused_tokens += held as u64;
            });
        }
        Some(KvCache::of_blocks(
            self.pool.clone(),
            blocks,
            held,
            capacity,
        ))
    }

    /// Offers a sequence's full blocks to others.
    pub(super) fn offer(&mut self, tokens: &[TokenId], cache: &KvCache) {
        let full = cache.len() / BLOCK_TOKENS;
        self.tree
            .insert(&tokens[..full * BLOCK_TOKENS], &cache.blocks()[..full]);
    }

    /// Gives up what is kept beyond the limit, and brings the statistics up to date.
    pub(super) fn settle(&mut self) {
        let unused = self.tree.unused();
        let evicted = self.tree.evict(unused.saturating_sub(self.most_kept));
        let kept = unused - evicted;
        let taken = self.pool.blocks() - self.pool.free_blocks();
        let bytes = taken * self.block_bytes;
        self.count(|stats| {
            stats.evictions += evicted as u64;
            stats.blocks_kept = kept;
            stats.blocks_in_use = taken.saturating_sub(kept);
            stats.bytes = bytes;
        });
    }

    fn count(&self, change: impl FnOnce(&mut CacheStats)) {
        self.stats.count(|stats| change(&mut stats.cache));
    }
}

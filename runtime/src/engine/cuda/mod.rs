//! Qwen2 on an NVIDIA GPU: bf16 weights, f32 residual stream. One sequence that decodes runs as one persistent launch in a
//! captured graph, where shape and device have that kernel; everything else runs by plain kernels around cuBLAS's products.
//! `model/qwen2` hands rows over; blocks of the KV cache, scheduler, masks and sampling are those of the CPU.

mod general;
mod gpu;
mod step;
mod weights;

use super::kernels::attention::BLOCK;
use super::{EngineError, KvCache, ModelConfig, Row, TokenId, Weights};
use candle_core::{Device, TensorId};
use general::{General, Tokens};
use gpu::Gpu;
use std::sync::{Mutex, PoisonError};
use step::Step;
use weights::CudaWeights;

/// Positions that there are turns for, whatever the configuration says.
const MOST_POSITIONS: usize = 1 << 20;

/// The network on a GPU.
#[derive(Debug)]
pub struct CudaQwen2 {
    config: ModelConfig,
    gpu: Gpu,
    weights: CudaWeights,
    work: Mutex<Work>,
}

/// What one forward pass at a time uses.
#[derive(Debug)]
struct Work {
    general: General,
    step: Option<Step>,
    /// Where the layers of the pool that was used last lie, under the first one's identity.
    memory: Option<(TensorId, Vec<[u64; 2]>)>,
}

/// The tokens of a pass whose logits are wanted.
#[derive(Clone, Copy)]
pub(crate) enum Wanted<'a> {
    /// The last of each row that says so.
    Last,
    /// As many of the last of each row that says so as stand at the row's place, at least one.
    Tails(&'a [usize]),
    /// All.
    Every,
}

impl Wanted<'_> {
    /// How many of the last tokens of this row.
    fn of_row(self, index: usize, row: &Row<'_>) -> usize {
        let tail = match self {
            Self::Every => return row.tokens.len(),
            Self::Last => 1,
            Self::Tails(tails) => tails.get(index).copied().unwrap_or(1),
        };
        if row.logits {
            tail.clamp(1, row.tokens.len())
        } else {
            0
        }
    }
}

impl CudaQwen2 {
    /// Takes the weights that a model of this shape consists of, in bf16.
    pub(crate) fn load(
        config: &ModelConfig,
        weights: &Weights<'_>,
        device: &Device,
    ) -> Result<Self, EngineError> {
        let config = ModelConfig {
            max_positions: config.max_positions.min(MOST_POSITIONS),
            ..config.clone()
        };
        if config.head_dim > general::MOST_HEAD_DIM {
            let most = general::MOST_HEAD_DIM;
            return Err(gpu::failed("preparing attention")(format!(
                "heads are {} wide, and at most {most} are supported",
                config.head_dim
            )));
        }
        let gpu = Gpu::new(device)?;
        let weights = CudaWeights::load(&config, weights, device, &gpu)?;
        let work = Work {
            general: General::new(&gpu, &config)?,
            step: Step::new(&gpu, &config, &weights)?,
            memory: None,
        };
        Ok(Self {
            config,
            gpu,
            weights,
            work: Mutex::new(work),
        })
    }

    /// Bytes that the matrices take on the GPU.
    #[must_use]
    pub fn weight_bytes(&self) -> usize {
        self.weights.size()
    }

    /// Whether a sequence that decodes alone runs as one launch: a matter of the model's shape and of the device.
    #[must_use]
    pub fn has_decode_kernel(&self) -> bool {
        self.lock().step.is_some()
    }

    /// The `count` greedy tokens that follow `token`, which follows what the cache holds; all but the last are in the cache
    /// afterwards. Runs on the GPU without the host in between: by replays of a captured graph, or by as many launches.
    /// Fails where [`Self::has_decode_kernel`] is false, and with [`EngineError::CacheTooSmall`] where the cache has no
    /// room for `count` tokens.
    pub fn decode_greedy(
        &self,
        cache: &mut KvCache,
        token: TokenId,
        count: usize,
        graph: bool,
    ) -> Result<Vec<TokenId>, EngineError> {
        let needed = cache.len() + count;
        if needed > cache.capacity() {
            return Err(EngineError::CacheTooSmall {
                actual: needed,
                max: cache.capacity(),
            });
        }
        self.check_positions(needed)?;
        if token.0 as usize >= self.config.vocab_size {
            return Err(EngineError::TokenOutOfRange {
                id: token.0,
                vocab_size: self.config.vocab_size,
            });
        }
        let mut work = self.lock();
        let memory = self.memory(&mut work, cache)?;
        let Some(step) = &mut work.step else {
            return Err(gpu::failed("decoding")(
                "this shape or device has no decode kernel",
            ));
        };
        let (_, table) = cache.layer(0);
        let table = &table[..needed.div_ceil(BLOCK)];
        let start = (token.0, cache.len() as u32);
        let tokens = step.greedy(&self.gpu, start, count, (table, &memory), graph)?;
        cache.commit(count);
        Ok(tokens.into_iter().map(TokenId).collect())
    }

    /// Runs every row's new tokens, which `Qwen2` has checked, and returns the wanted logits row by row. The caller
    /// counts the tokens as held.
    pub(crate) fn run(
        &self,
        rows: &[Row<'_>],
        wanted: Wanted<'_>,
    ) -> Result<Vec<Vec<f32>>, EngineError> {
        for row in rows {
            self.check_positions(row.cache.len() + row.tokens.len())?;
        }
        let mut work = self.lock();
        if let [row] = rows
            && let [token] = row.tokens
        {
            let memory = self.memory(&mut work, row.cache)?;
            let position = row.cache.len() as u32;
            let (_, table) = row.cache.layer(0);
            let table = &table[..(position as usize + 1).div_ceil(BLOCK)];
            if let Some(step) = &mut work.step {
                let mut logits = step.logits(&self.gpu, token.0, position, table, &memory)?;
                logits.truncate(wanted.of_row(0, row));
                return Ok(logits);
            }
        }
        let mut logits = Vec::new();
        let mut first = 0;
        // Caches of several pools are several passes.
        for rows in rows.chunk_by(|a, b| pool(a.cache) == pool(b.cache)) {
            logits.extend(self.run_general(&mut work, rows, first, wanted)?);
            first += rows.len();
        }
        Ok(logits)
    }

    /// Rows of one pool, of which the first has the place `first_row` among all.
    fn run_general(
        &self,
        work: &mut Work,
        rows: &[Row<'_>],
        first_row: usize,
        wanted: Wanted<'_>,
    ) -> Result<Vec<Vec<f32>>, EngineError> {
        let [first, ..] = rows else {
            return Ok(Vec::new());
        };
        let memory = self.memory(work, first.cache)?;
        let (mut ids, mut positions, mut sequences) = (Vec::new(), Vec::new(), Vec::new());
        let mut last = Vec::new();
        let used = |row: &Row<'_>| (row.cache.len() + row.tokens.len()).div_ceil(BLOCK);
        let table_length = rows.iter().map(used).max().unwrap_or(0);
        let mut tables = vec![0; rows.len() * table_length];
        for (sequence, row) in rows.iter().enumerate() {
            let at = row.cache.len() as u32;
            ids.extend(row.tokens.iter().map(|token| token.0));
            positions.extend(at..at + row.tokens.len() as u32);
            sequences.resize(ids.len(), sequence as u32);
            let (_, table) = row.cache.layer(0);
            tables[sequence * table_length..][..used(row)].copy_from_slice(&table[..used(row)]);
            let end = ids.len() as u32;
            last.extend(end - wanted.of_row(first_row + sequence, row) as u32..end);
        }
        let tokens = Tokens {
            ids: &ids,
            positions: &positions,
            sequences: &sequences,
            tables: &tables,
            table_length,
            wanted: &last,
            memory: &memory,
        };
        let general = &mut work.general;
        general.run(&self.gpu, &self.config, &self.weights, &tokens)
    }

    fn check_positions(&self, needed: usize) -> Result<(), EngineError> {
        let max = self.config.max_positions;
        if needed > max {
            return Err(EngineError::ContextTooLong {
                actual: needed,
                max,
            });
        }
        Ok(())
    }

    /// Where the keys and values of a cache's pool lie, layer by layer.
    fn memory(&self, work: &mut Work, cache: &KvCache) -> Result<Vec<[u64; 2]>, EngineError> {
        let id = pool(cache).ok_or_else(no_cache)?;
        if let Some((known, memory)) = &work.memory
            && *known == id
        {
            return Ok(memory.clone());
        }
        let memory = (0..self.config.layers)
            .map(|layer| {
                let (keys, values) = cache.layer(layer).0.tensors().ok_or_else(no_cache)?;
                Ok([self.gpu.address(keys)?, self.gpu.address(values)?])
            })
            .collect::<Result<Vec<_>, EngineError>>()?;
        work.memory = Some((id, memory.clone()));
        Ok(memory)
    }

    /// A pass that panicked has left nothing half done that the next one reads.
    fn lock(&self) -> std::sync::MutexGuard<'_, Work> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What tells the pools of caches apart; none for a cache on the CPU.
fn pool(cache: &KvCache) -> Option<TensorId> {
    cache.layer(0).0.tensors().map(|(keys, _)| keys.id())
}

fn no_cache() -> EngineError {
    gpu::failed("looking for the KV cache")("it is on the CPU: make it for the network's device")
}

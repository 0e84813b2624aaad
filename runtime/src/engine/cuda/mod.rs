//! Qwen2 on an NVIDIA GPU: weights in bf16 or 8 bits, f32 residual stream. One sequence that decodes runs as one persistent launch in a
//! captured graph, where shape and device have that kernel; a step of several is a graph of plain kernels around cuBLAS's
//! products; everything else runs by the same kernels without a graph. Tokens are chosen on the GPU too. `model/qwen2`
//! hands rows over; blocks of the KV cache, scheduler and masks are those of the CPU.

mod ahead;
mod batch;
pub(crate) mod choice;
mod choosing;
mod general;
mod gpu;
mod pass;
mod room;
mod sample;
mod step;
mod transfer;
mod weights;

use super::kernels::attention::BLOCK;
use super::{EngineError, KvCache, ModelConfig, Quantization, Row, TokenId, Weights};
use ahead::Ahead;
use batch::Batch;
use candle_core::{Device, TensorId};
use general::General;
use gpu::Gpu;
use half::bf16;
use pass::Pass;
use sample::Sampling;
use std::sync::{Mutex, PoisonError};
use step::{Kernel, Step};
use transfer::Landing;
use weights::{Bits, CudaWeights};

pub use choosing::Sample;

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
    batch: Batch,
    step: Option<Step>,
    sampling: Sampling,
    logits: Landing<f32>,
    /// The step that runs already.
    ahead: Option<Ahead>,
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
    /// Takes the weights that a model of this shape consists of: in bf16, and for [`Quantization::Q8`] in 8 bits as well where a
    /// decode kernel reads them.
    pub(crate) fn load(
        config: &ModelConfig,
        weights: &Weights<'_>,
        quantization: Quantization,
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
        let widths = [config.hidden_size, config.intermediate_size];
        if let Some(width) = widths.iter().find(|width| !width.is_multiple_of(4)) {
            return Err(gpu::failed("preparing the layers")(format!(
                "a width of {width} is no multiple of 4: run this model on the CPU"
            )));
        }
        let gpu = Gpu::new(device)?;
        let kernel = Kernel::find(&gpu, &config)?;
        let bits = match (kernel, quantization) {
            (Some(_), Quantization::Q8) => Bits::Eight,
            _ => Bits::Sixteen,
        };
        let weights = CudaWeights::load(&config, weights, bits, device, &gpu)?;
        let step = kernel.map(|kernel| Step::new(&gpu, &config, &weights, kernel));
        let work = Work {
            general: General::new(&gpu, &config)?,
            batch: Batch::default(),
            sampling: Sampling::new(&gpu, config.vocab_size)?,
            logits: Landing::default(),
            ahead: None,
            step: step.transpose()?,
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

    /// Bytes of the matrices that a step of one sequence reads.
    #[must_use]
    pub fn step_bytes(&self) -> usize {
        self.weights.step_size()
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
        work.ahead = None;
        let memory = self.memory(&mut work, cache)?;
        let Some(step) = &mut work.step else {
            return Err(gpu::failed("decoding")(
                "this shape or device has no decode kernel",
            ));
        };
        let table = cache.table();
        let table = &table[..needed.div_ceil(BLOCK)];
        let start = (token.0, cache.len() as u32);
        let tokens = step.greedy(&self.gpu, start, count, (table, &memory), graph)?;
        cache.commit(count);
        Ok(tokens.into_iter().map(TokenId).collect())
    }

    /// Says which ids stand for tokens, a bit each: no other is ever chosen.
    pub(crate) fn know(&self, known: &[u32]) -> Result<(), EngineError> {
        self.lock().sampling.know(&self.gpu, known)
    }

    /// Runs every row's new tokens, which `Qwen2` has checked, and returns the wanted logits row by row. The caller
    /// counts the tokens as held.
    pub(crate) fn run(
        &self,
        rows: &[Row<'_>],
        wanted: Wanted<'_>,
    ) -> Result<Vec<Vec<f32>>, EngineError> {
        let mut work = self.lock();
        work.ahead = None;
        let mut logits = Vec::new();
        let mut first = 0;
        // Caches of several pools are several passes.
        for rows in rows.chunk_by(|a, b| pool(a.cache) == pool(b.cache)) {
            let made = self.pass(&mut work, rows, first, wanted, false)?;
            let work = &mut *work;
            let count = made.rows * self.config.vocab_size;
            let from = match made.by {
                Pass::Step => work.step.as_ref().map(|step| &step.logits),
                Pass::Batch => work.batch.logits(),
                Pass::General => Some(work.general.logits()),
            };
            if let Some(from) = from {
                self.gpu.fetch(from, count, &mut work.logits)?;
            }
            self.gpu.wait()?;
            let values = work.logits.values(count)?;
            logits.extend(values.chunks(self.config.vocab_size).map(<[f32]>::to_vec));
            first += rows.len();
        }
        Ok(logits)
    }

    /// Waits until nothing runs any more: caches that are not needed any more can then go.
    pub(crate) fn settle(&self) {
        let mut work = self.lock();
        work.ahead = None;
        // Whoever uses the GPU next meets the error, if there is one.
        drop(self.gpu.wait());
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
                let own = cache.layer(layer).and_then(|own| own.tensors());
                let (keys, values) = own.ok_or_else(no_cache)?;
                Ok([
                    self.gpu.address::<bf16>(keys)?,
                    self.gpu.address::<bf16>(values)?,
                ])
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
    let (keys, _) = cache.layer(0)?.tensors()?;
    Some(keys.id())
}

fn no_cache() -> EngineError {
    gpu::failed("looking for the KV cache")("it is on the CPU: make it for the network's device")
}

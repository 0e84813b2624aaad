//! Qwen2's and Qwen3's forward pass: RMSNorm, grouped-query attention with rotary positions, SwiGLU. Qwen2 has biases
//! on q/k/v, Qwen3 norms the queries and keys of each head.
//! Stateless: what a sequence remembers is in its cache. Rows of any lengths run as one flat batch, and only
//! attention looks at them one by one.

mod layer;
mod tail;

use super::linear::{Linear, Matrix};
use super::options::LoadOptions;
use super::row::{Row, check, commit};
#[cfg(feature = "cuda")]
use crate::engine::cuda::{CudaQwen2, Wanted};
use crate::engine::kernels::Cpu;
use crate::engine::kernels::elementwise::rms_norm;
use crate::engine::kernels::rotary::Rotary;
use crate::engine::kernels::team::Team;
use crate::engine::load::gguf;
use crate::engine::{EngineError, ModelConfig, TokenId, Weights, raw_ids};
use candle_core::{DType, Device, Tensor};
use layer::Layer;
use std::num::NonZeroUsize;
use std::path::Path;

/// The network's weights.
#[derive(Debug)]
pub struct Qwen2 {
    pub(super) config: ModelConfig,
    pub(super) device: Device,
    pub(super) cpu: Cpu,
    /// `[vocab_size, hidden_size]`
    pub(super) embedding: Matrix,
    pub(super) layers: Vec<Layer>,
    pub(super) norm: Tensor,
    pub(super) head: Linear,
    /// `theta^(-2i/d)` for each pair of coordinates.
    pub(super) frequencies: Vec<f32>,
    /// Runs in place of all of the above, whose layers are then empty.
    #[cfg(feature = "cuda")]
    pub(super) cuda: Option<CudaQwen2>,
}

impl Qwen2 {
    /// Takes the weights that a model of this shape consists of, in f32.
    pub fn load(
        config: ModelConfig,
        weights: &Weights<'_>,
        device: &Device,
    ) -> Result<Self, EngineError> {
        Self::load_with(config, weights, device, &LoadOptions::default())
    }

    /// Takes the weights that a model of this shape consists of, in the form the options ask for.
    pub fn load_with(
        mut config: ModelConfig,
        weights: &Weights<'_>,
        device: &Device,
        options: &LoadOptions,
    ) -> Result<Self, EngineError> {
        config.kv_format = options.kv_format_on(device);
        #[cfg(feature = "cuda")]
        if device.is_cuda() {
            return Self::load_cuda(config, weights, options, device);
        }
        let cpu = Cpu::new(if device.is_cpu() {
            options.threads
        } else {
            Some(NonZeroUsize::MIN)
        });
        let (hidden, vocab) = (config.hidden_size, config.vocab_size);
        let outer = |name: &str| {
            let form = options
                .quantization
                .of_embedding(weights.stored(name), device, &cpu);
            weights.matrix(&[(name.to_owned(), vocab)], hidden, form)
        };
        let embedding = outer("model.embed_tokens.weight")?;
        let head = if config.tie_word_embeddings {
            embedding.clone()
        } else {
            outer("lm_head.weight")?
        };
        let layers = (0..config.layers)
            .map(|layer| Layer::load(&config, layer, weights, device, &cpu, options))
            .collect::<Result<_, _>>()?;
        let frequencies = (0..config.head_dim)
            .step_by(2)
            .map(|i| (1.0 / config.rope_theta.powf(i as f64 / config.head_dim as f64)) as f32)
            .collect();
        Ok(Self {
            embedding,
            layers,
            norm: weights.tensor("model.norm.weight", &[hidden], device)?,
            head: Linear::new(head, None),
            frequencies,
            config,
            device: device.clone(),
            cpu,
            #[cfg(feature = "cuda")]
            cuda: None,
        })
    }

    /// Loads a network out of a GGUF file, whose metadata hold the shape; no tokenizer is needed.
    pub fn load_gguf(
        path: &Path,
        device: &Device,
        options: &LoadOptions,
    ) -> Result<Self, EngineError> {
        let gguf = gguf::open(path)?;
        let config = ModelConfig::from_gguf(&gguf, &format!("`{}`", path.display()))?;
        Self::load_with(config, &gguf.weights, device, options)
    }

    /// Bytes that the matrices take in memory.
    #[must_use]
    pub fn weight_bytes(&self) -> usize {
        #[cfg(feature = "cuda")]
        if let Some(cuda) = &self.cuda {
            return cuda.weight_bytes();
        }
        let head = if self.config.tie_word_embeddings {
            0
        } else {
            self.head.weight().size()
        };
        let layers = self.layers.iter().map(Layer::weight_bytes);
        self.embedding.size() + head + layers.sum::<usize>()
    }

    /// Threads that share the work of a step.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.cpu.team.threads()
    }

    /// The threads that share the work of a step.
    pub(crate) fn team(&self) -> &Team {
        &self.cpu.team
    }

    /// The network's shape.
    #[must_use]
    pub fn config(&self) -> &ModelConfig {
        &self.config
    }

    /// Where the weights are.
    #[must_use]
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Runs every row's new tokens and returns the logits after the last one of each row that wants them,
    /// `[rows, vocab_size]` in the order of the rows. On an error no cache has changed.
    pub fn forward(&self, rows: &mut [Row<'_>]) -> Result<Tensor, EngineError> {
        #[cfg(feature = "cuda")]
        if let Some(cuda) = &self.cuda {
            return self.forward_cuda(cuda, rows, Wanted::Last);
        }
        let states = self.hidden_states(rows, |_| ())?;
        let mut end = 0;
        let mut last: Vec<u32> = Vec::new();
        for row in &*rows {
            end += row.tokens.len() as u32;
            if row.logits {
                last.push(end - 1);
            }
        }
        let logits = if last.is_empty() {
            Tensor::zeros((0, self.config.vocab_size), DType::F32, &self.device)?
        } else {
            let states = states.index_select(&Tensor::new(last, &self.device)?, 0)?;
            self.head.forward(&states, &self.cpu)?
        };
        commit(rows);
        Ok(logits)
    }

    /// Like [`Self::forward`], a vector of logits for each row that wants them. `wanted` is asked before the output head
    /// runs: where it names the tokens that a row may go on with, only theirs are computed, and all others are minus infinity.
    pub fn forward_for(
        &self,
        rows: &mut [Row<'_>],
        mut wanted: impl FnMut(usize) -> Option<Vec<TokenId>>,
    ) -> Result<Vec<Vec<f32>>, EngineError> {
        #[cfg(feature = "cuda")]
        if let Some(cuda) = &self.cuda {
            return self.forward_for_cuda(cuda, rows, wanted);
        }
        let states = self.hidden_states(rows, |_| ())?;
        let mut logits = Vec::new();
        let (mut whole, mut places) = (Vec::new(), Vec::new());
        let mut end = 0;
        for (index, row) in rows.iter().enumerate() {
            end += row.tokens.len();
            if !row.logits {
                continue;
            }
            match wanted(index).filter(|few| !few.is_empty()) {
                Some(few) => {
                    let few: Vec<u32> = raw_ids(&few);
                    let state = states.narrow(0, end - 1, 1)?.contiguous()?;
                    let some = self.head.forward_some(&state, &few, &self.cpu)?;
                    let mut row = vec![f32::NEG_INFINITY; self.config.vocab_size];
                    for (id, logit) in few.iter().zip(some.get(0)?.to_vec1::<f32>()?) {
                        row[*id as usize] = logit;
                    }
                    logits.push(row);
                }
                None => {
                    whole.push(end as u32 - 1);
                    places.push(logits.len());
                    logits.push(Vec::new());
                }
            }
        }
        if !whole.is_empty() {
            let states = states.index_select(&Tensor::new(whole, &self.device)?, 0)?;
            let all = self.head.forward(&states, &self.cpu)?;
            for (at, place) in places.into_iter().enumerate() {
                logits[place] = all.get(at)?.to_vec1()?;
            }
        }
        commit(rows);
        Ok(logits)
    }

    /// Like [`Self::forward`], with the logits after every token, `[tokens, vocab_size]`.
    pub fn forward_all_positions(&self, rows: &mut [Row<'_>]) -> Result<Tensor, EngineError> {
        #[cfg(feature = "cuda")]
        if let Some(cuda) = &self.cuda {
            return self.forward_cuda(cuda, rows, Wanted::Every);
        }
        let logits = self
            .head
            .forward(&self.hidden_states(rows, |_| ())?, &self.cpu)?;
        commit(rows);
        Ok(logits)
    }

    /// The residual stream after the embedding and after each layer but the last, then the normed output;
    /// `[tokens, hidden_size]` each. For comparing with another implementation; not on a GPU.
    pub fn trace(&self, rows: &mut [Row<'_>]) -> Result<Vec<Tensor>, EngineError> {
        #[cfg(feature = "cuda")]
        if self.cuda.is_some() {
            return Err(EngineError::Gpu {
                doing: "tracing a forward pass",
                problem: "only the network on the CPU shows its layers".to_owned(),
            });
        }
        let mut stages = Vec::new();
        let output = self.hidden_states(rows, |stage| stages.push(stage.clone()))?;
        stages.pop();
        stages.push(output);
        commit(rows);
        Ok(stages)
    }

    fn hidden_states(
        &self,
        rows: &mut [Row<'_>],
        mut stage: impl FnMut(&Tensor),
    ) -> Result<Tensor, EngineError> {
        check(rows, self.config.vocab_size)?;
        let tokens: Vec<u32> = rows.iter().flat_map(|row| raw_ids(row.tokens)).collect();
        let rotary = self.rotary(rows);
        let mut x = self.embedding.rows(&tokens, &self.device)?;
        stage(&x);
        for (index, layer) in self.layers.iter().enumerate() {
            x = layer.forward(&self.config, index, &x, &rotary, rows, &self.cpu)?;
            stage(&x);
        }
        Ok(rms_norm(
            &x,
            &self.norm,
            self.config.rms_norm_eps,
            &self.cpu,
        )?)
    }

    fn rotary(&self, rows: &[Row<'_>]) -> Rotary {
        let positions = rows.iter().flat_map(|row| {
            let start = row.cache.len();
            start..start + row.tokens.len()
        });
        Rotary::new(positions, &self.frequencies)
    }
}

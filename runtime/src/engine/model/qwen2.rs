//! Qwen2's and Qwen3's forward pass: RMSNorm, grouped-query attention with rotary positions, SwiGLU. Qwen2 has biases
//! on q/k/v, Qwen3 norms the queries and keys of each head.
//! Stateless: what a sequence remembers is in its cache, and what is kept between passes is room. Rows of any lengths run as one flat batch, and only
//! attention looks at them one by one.

mod layer;
mod room;

use super::linear::{Into, Linear, Matrix};
use super::logits::{Logits, Wanted as Wants};
use super::options::LoadOptions;
use super::row::{Row, check, commit};
#[cfg(feature = "cuda")]
use crate::engine::cuda::{CudaQwen2, Wanted};
use crate::engine::kernels::attention::Span;
use crate::engine::kernels::rows::Rows;
use crate::engine::kernels::team::Team;
use crate::engine::kernels::{Cpu, grown};
use crate::engine::load::gguf;
use crate::engine::{EngineError, ModelConfig, TokenId, Weights};
use candle_core::{Device, Tensor};
use layer::Layer;
use room::Room;
use std::path::Path;
use std::sync::Mutex;

/// The network's weights.
#[derive(Debug)]
pub struct Qwen2 {
    pub(super) config: ModelConfig,
    pub(super) device: Device,
    pub(super) cpu: Cpu,
    /// `[vocab_size, hidden_size]`
    pub(super) embedding: Matrix,
    pub(super) layers: Vec<Layer>,
    pub(super) norm: Vec<f32>,
    pub(super) head: Linear,
    /// `theta^(-2i/d)` for each pair of coordinates.
    pub(super) frequencies: Vec<f32>,
    /// One for each pass that runs at the same time as others.
    pub(super) rooms: Mutex<Vec<Room>>,
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
        Self::load_with(config, weights, device, &LoadOptions::exact())
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
        if !device.is_cpu() {
            return Err(EngineError::NoSuchDevice {
                found: format!("{device:?}"),
            });
        }
        let cpu = Cpu::new(options.threads);
        let (hidden, vocab) = (config.hidden_size, config.vocab_size);
        let outer = |name: &str| {
            let form = options
                .quantization
                .of_embedding(weights.stored(name), &cpu);
            weights.matrix(&[(name.to_owned(), vocab)], hidden, form)
        };
        let embedding = outer("model.embed_tokens.weight")?;
        let head = if config.tie_word_embeddings {
            embedding.clone()
        } else {
            outer("lm_head.weight")?
        };
        let layers = (0..config.layers)
            .map(|layer| Layer::load(&config, layer, weights, &cpu, options))
            .collect::<Result<_, _>>()?;
        let frequencies = (0..config.head_dim)
            .step_by(2)
            .map(|i| (1.0 / config.rope_theta.powf(i as f64 / config.head_dim as f64)) as f32)
            .collect();
        Ok(Self {
            embedding,
            layers,
            norm: weights.vector(&[("model.norm.weight".to_owned(), hidden)])?,
            head: Linear::new(head, None),
            frequencies,
            rooms: Mutex::default(),
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
        let mut logits = Logits::default();
        self.forward_into(rows, &[], |_| None, &mut logits)?;
        logits.into_tensor(&self.device)
    }

    /// Like [`Self::forward`], into room that is kept between passes: a step that decodes allocates nothing. A row gets the
    /// logits after as many of its last tokens as `tails` says at its place, one where it says nothing: tokens that were
    /// guessed are checked all in one pass. `few` is asked of each row that wants logits after one token: where it names the
    /// tokens that the row may go on with, only theirs are computed, and all others are minus infinity.
    pub fn forward_into(
        &self,
        rows: &mut [Row<'_>],
        tails: &[usize],
        few: impl FnMut(usize) -> Option<Vec<TokenId>>,
        logits: &mut Logits,
    ) -> Result<(), EngineError> {
        #[cfg(feature = "cuda")]
        if let Some(cuda) = &self.cuda {
            return self.forward_into_cuda(cuda, rows, tails, logits);
        }
        let mut room = self.take_room();
        self.run(rows, &mut room, |_| Ok(()))?;
        logits.begin(rows, tails, few, self.config.vocab_size)?;
        self.score(rows, &mut room, logits)?;
        commit(rows);
        self.give_back(room);
        Ok(())
    }

    /// Like [`Self::forward`], with the logits after every token, `[tokens, vocab_size]`.
    pub fn forward_all_positions(&self, rows: &mut [Row<'_>]) -> Result<Tensor, EngineError> {
        #[cfg(feature = "cuda")]
        if let Some(cuda) = &self.cuda {
            return self.forward_cuda(cuda, rows, Wanted::Every);
        }
        let mut room = self.take_room();
        self.run(rows, &mut room, |_| Ok(()))?;
        let Room {
            stream, products, ..
        } = &mut room;
        let shape = (
            stream.len() / self.config.hidden_size,
            self.config.vocab_size,
        );
        let mut logits = vec![0.0; shape.0 * shape.1];
        let out = (Into::Place, logits.as_mut_slice());
        self.head
            .forward(self.normed(stream), out, products, &self.cpu)?;
        commit(rows);
        Ok(Tensor::from_vec(logits, shape, &self.device)?)
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
        let width = self.config.hidden_size;
        let tensor = |values: Vec<f32>| {
            let shape = (values.len() / width, width);
            Tensor::from_vec(values, shape, &self.device)
        };
        let mut room = self.take_room();
        let mut stages = Vec::new();
        self.run(rows, &mut room, |stage| {
            stages.push(tensor(stage.to_vec())?);
            Ok(())
        })?;
        stages.pop();
        let mut output = vec![0.0; room.stream.len()];
        self.normed(&room.stream)
            .write(width, &mut output, &self.cpu);
        stages.push(tensor(output)?);
        commit(rows);
        Ok(stages)
    }

    /// Leaves the residual stream of all rows' tokens in the room.
    fn run(
        &self,
        rows: &[Row<'_>],
        room: &mut Room,
        mut stage: impl FnMut(&[f32]) -> candle_core::Result<()>,
    ) -> Result<(), EngineError> {
        check(rows, self.config.vocab_size)?;
        room.stream.clear();
        for token in rows.iter().flat_map(|row| row.tokens) {
            self.embedding
                .append_row(token.0 as usize, &mut room.stream)?;
        }
        let positions = rows.iter().flat_map(|row| {
            let start = row.cache.len();
            start..start + row.tokens.len()
        });
        room.rotary.fill(positions, &self.frequencies);
        stage(&room.stream)?;
        let mut spans = room.spans();
        spans.extend(rows.iter().map(|row| Span {
            at: row.cache.len(),
            tokens: row.tokens.len(),
            table: row.cache.table(),
        }));
        for (index, layer) in self.layers.iter().enumerate() {
            layer.forward(&self.config, index, (rows, &spans), room, &self.cpu)?;
            stage(&room.stream)?;
        }
        room.keep(spans);
        Ok(())
    }

    /// Computes the logits that rows want, from the residual stream in the room.
    fn score(
        &self,
        rows: &[Row<'_>],
        room: &mut Room,
        logits: &mut Logits,
    ) -> Result<(), EngineError> {
        let Room {
            stream,
            products,
            wanted,
            few: few_values,
            ..
        } = room;
        let width = self.config.hidden_size;
        let (all, few, wants, ids) = logits.parts_mut();
        let mut few_rows = few.chunks_exact_mut(self.config.vocab_size);
        let mut end = 0;
        wanted.clear();
        for (row, wants) in rows.iter().zip(wants) {
            end += row.tokens.len() * width;
            match wants {
                Wants::Nothing => {}
                Wants::All(count) => wanted.extend_from_slice(&stream[end - count * width..end]),
                Wants::Few(range) => {
                    let (ids, state) = (&ids[range.clone()], &stream[end - width..end]);
                    let values = grown(few_values, ids.len());
                    let out = (ids, &mut *values);
                    self.head
                        .forward_some(self.normed(state), out, products, &self.cpu)?;
                    if let Some(logits) = few_rows.next() {
                        logits.fill(f32::NEG_INFINITY);
                        for (id, value) in ids.iter().zip(&*values) {
                            logits[*id as usize] = *value;
                        }
                    }
                }
            }
        }
        if !wanted.is_empty() {
            let out = (Into::Place, all);
            self.head
                .forward(self.normed(wanted), out, products, &self.cpu)?;
        }
        Ok(())
    }

    /// What the output head takes of states `x`.
    fn normed<'a>(&'a self, x: &'a [f32]) -> Rows<'a> {
        Rows::normed(x, &self.norm, self.config.rms_norm_eps)
    }
}

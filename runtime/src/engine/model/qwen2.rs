//! Qwen2's forward pass: RMSNorm, grouped-query attention with rotary positions and biased q/k/v, SwiGLU.
//! Stateless: what a sequence remembers is in its cache. Rows of any lengths run as one flat batch, and only
//! attention looks at them one by one.

mod tail;

use super::linear::{Linear, Matrix};
use super::options::LoadOptions;
use crate::engine::kernels::Cpu;
use crate::engine::kernels::elementwise::{add, rms_norm, swiglu};
use crate::engine::kernels::rotary::Rotary;
use crate::engine::load::gguf;
use crate::engine::{EngineError, KvCache, ModelConfig, TokenId, Weights, raw_ids};
use candle_core::{DType, Device, Tensor};
use std::num::NonZeroUsize;
use std::path::Path;

/// The network's weights.
#[derive(Debug)]
pub struct Qwen2 {
    config: ModelConfig,
    device: Device,
    cpu: Cpu,
    /// `[vocab_size, hidden_size]`
    embedding: Matrix,
    layers: Vec<Layer>,
    norm: Tensor,
    head: Linear,
    /// `theta^(-2i/d)` for each pair of coordinates.
    frequencies: Vec<f32>,
}

/// One sequence's share of a step: new tokens, and the cache of those before them.
#[derive(Debug)]
pub struct Row<'a> {
    /// The tokens that follow what the cache holds.
    pub tokens: &'a [TokenId],
    /// Receives the tokens' keys and values; its length is the first token's position.
    pub cache: &'a mut KvCache,
    /// Whether the logits after the last token are wanted.
    pub logits: bool,
}

#[derive(Debug)]
struct Layer {
    attention_norm: Tensor,
    /// Queries, keys and values of all heads, one below the other.
    qkv: Linear,
    output: Linear,
    mlp_norm: Tensor,
    /// The gate above the up projection.
    gate_up: Linear,
    down: Linear,
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
        let head = if self.config.tie_word_embeddings {
            0
        } else {
            self.head.weight().size()
        };
        let layers = self
            .layers
            .iter()
            .flat_map(|l| [&l.qkv, &l.output, &l.gate_up, &l.down]);
        self.embedding.size() + head + layers.map(|linear| linear.weight().size()).sum::<usize>()
    }

    /// Threads that share the work of a step.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.cpu.team.threads()
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
        let logits = self
            .head
            .forward(&self.hidden_states(rows, |_| ())?, &self.cpu)?;
        commit(rows);
        Ok(logits)
    }

    /// The residual stream after the embedding and after each layer but the last, then the normed output;
    /// `[tokens, hidden_size]` each. For comparing with another implementation.
    pub fn trace(&self, rows: &mut [Row<'_>]) -> Result<Vec<Tensor>, EngineError> {
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
        self.check(rows)?;
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

    fn check(&self, rows: &[Row<'_>]) -> Result<(), EngineError> {
        let vocab_size = self.config.vocab_size;
        for row in rows {
            if row.tokens.is_empty() {
                return Err(EngineError::EmptyPrompt);
            }
            let needed = row.cache.len() + row.tokens.len();
            if needed > row.cache.capacity() {
                return Err(EngineError::CacheTooSmall {
                    actual: needed,
                    max: row.cache.capacity(),
                });
            }
            if let Some(token) = row
                .tokens
                .iter()
                .find(|token| token.0 as usize >= vocab_size)
            {
                return Err(EngineError::TokenOutOfRange {
                    id: token.0,
                    vocab_size,
                });
            }
        }
        Ok(())
    }

    fn rotary(&self, rows: &[Row<'_>]) -> Rotary {
        let positions = rows.iter().flat_map(|row| {
            let start = row.cache.len();
            start..start + row.tokens.len()
        });
        Rotary::new(positions, &self.frequencies)
    }
}

fn commit(rows: &mut [Row<'_>]) {
    for row in rows {
        row.cache.commit(row.tokens.len());
    }
}

impl Layer {
    fn load(
        config: &ModelConfig,
        layer: usize,
        weights: &Weights<'_>,
        device: &Device,
        cpu: &Cpu,
        options: &LoadOptions,
    ) -> Result<Self, EngineError> {
        let name = |part: &str| format!("model.layers.{layer}.{part}");
        let (hidden, mlp) = (config.hidden_size, config.intermediate_size);
        let (q, kv) = (
            config.heads * config.head_dim,
            config.kv_heads * config.head_dim,
        );
        let qkv = [("q", q), ("k", kv), ("v", kv)];
        let named =
            |kind: &str| qkv.map(|(p, rows)| (name(&format!("self_attn.{p}_proj.{kind}")), rows));
        let vector = |part: &str| weights.tensor(&name(part), &[hidden], device);
        let linear = |parts: &[(String, usize)], columns, bias| {
            let form = options
                .quantization
                .of_layer(weights.stored(&parts[0].0), device, cpu);
            Ok::<_, EngineError>(Linear::new(weights.matrix(parts, columns, form)?, bias))
        };
        let single = |part: &str, rows| [(name(part), rows)];
        Ok(Self {
            attention_norm: vector("input_layernorm.weight")?,
            qkv: linear(
                &named("weight"),
                hidden,
                Some(weights.vector(&named("bias"))?),
            )?,
            output: linear(&single("self_attn.o_proj.weight", hidden), q, None)?,
            mlp_norm: vector("post_attention_layernorm.weight")?,
            gate_up: linear(
                &["gate", "up"].map(|p| (name(&format!("mlp.{p}_proj.weight")), mlp)),
                hidden,
                None,
            )?,
            down: linear(&single("mlp.down_proj.weight", hidden), mlp, None)?,
        })
    }

    /// `x + attention(norm(x))`, then `x + mlp(norm(x))`.
    fn forward(
        &self,
        config: &ModelConfig,
        layer: usize,
        x: &Tensor,
        rotary: &Rotary,
        rows: &mut [Row<'_>],
        cpu: &Cpu,
    ) -> candle_core::Result<Tensor> {
        let normed = rms_norm(x, &self.attention_norm, config.rms_norm_eps, cpu)?;
        let x = add(
            x,
            &self.attention(config, layer, &normed, rotary, rows, cpu)?,
            cpu,
        )?;
        let normed = rms_norm(&x, &self.mlp_norm, config.rms_norm_eps, cpu)?;
        add(&x, &self.mlp(&normed, cpu)?, cpu)
    }

    fn attention(
        &self,
        config: &ModelConfig,
        layer: usize,
        x: &Tensor,
        rotary: &Rotary,
        rows: &mut [Row<'_>],
        cpu: &Cpu,
    ) -> candle_core::Result<Tensor> {
        let heads = config.heads;
        // A row holds the query heads, then the key heads, then the value heads.
        let qkv = rotary.turn(self.qkv.forward(x, cpu)?, heads + config.kv_heads, cpu)?;
        let mut start = 0;
        let mut outputs = Vec::with_capacity(rows.len());
        for row in rows {
            let own = qkv.narrow(0, start, row.tokens.len())?;
            let (kv, table) = row.cache.layer(layer);
            outputs.push(kv.attend(&own, heads, row.cache.len(), table, cpu)?);
            start += row.tokens.len();
        }
        let output = match outputs.as_slice() {
            [only] => only.clone(),
            several => Tensor::cat(several, 0)?,
        };
        self.output.forward(&output, cpu)
    }

    /// `down(silu(gate(x)) * up(x))`.
    fn mlp(&self, x: &Tensor, cpu: &Cpu) -> candle_core::Result<Tensor> {
        self.down
            .forward(&swiglu(&self.gate_up.forward(x, cpu)?, cpu)?, cpu)
    }
}

//! Qwen2's forward pass: RMSNorm, grouped-query attention with rotary positions and biased q/k/v, SwiGLU.
//! Stateless: what a sequence remembers is in its cache. Rows of any lengths run as one flat batch, and only
//! attention looks at them one by one.

use super::linear::Linear;
use crate::engine::kernels::attention::attend;
use crate::engine::{EngineError, KvCache, ModelConfig, TokenId, Weights, raw_ids};
use candle_core::{D, DType, Device, Tensor};
use candle_nn::ops::{rms_norm, silu};
use candle_nn::rotary_emb::rope_thd;

/// The network's weights.
#[derive(Debug)]
pub struct Qwen2 {
    config: ModelConfig,
    device: Device,
    /// `[vocab_size, hidden_size]`
    embedding: Tensor,
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

/// Cosines and sines of the positions in a step, `[tokens, head_dim / 2]`.
struct Rotary {
    cos: Tensor,
    sin: Tensor,
}

impl Qwen2 {
    /// Takes the weights that a model of this shape consists of.
    pub fn load(
        config: ModelConfig,
        weights: &Weights<'_>,
        device: &Device,
    ) -> Result<Self, EngineError> {
        let (hidden, vocab) = (config.hidden_size, config.vocab_size);
        let embedding = weights.tensor("model.embed_tokens.weight", &[vocab, hidden], device)?;
        let head = if config.tie_word_embeddings {
            embedding.clone()
        } else {
            weights.tensor("lm_head.weight", &[vocab, hidden], device)?
        };
        let layers = (0..config.layers)
            .map(|layer| Layer::load(&config, layer, weights, device))
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
        })
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
            self.head.forward(&states)?
        };
        commit(rows);
        Ok(logits)
    }

    /// Like [`Self::forward`], with the logits after every token, `[tokens, vocab_size]`.
    pub fn forward_all_positions(&self, rows: &mut [Row<'_>]) -> Result<Tensor, EngineError> {
        let logits = self.head.forward(&self.hidden_states(rows, |_| ())?)?;
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
        let rotary = self.rotary(rows)?;
        let mut x = self
            .embedding
            .index_select(&Tensor::new(tokens, &self.device)?, 0)?;
        stage(&x);
        for (index, layer) in self.layers.iter().enumerate() {
            x = layer.forward(&self.config, index, &x, &rotary, rows)?;
            stage(&x);
        }
        Ok(self.rms_norm(&x)?)
    }

    fn rms_norm(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        rms_norm(x, &self.norm, self.config.rms_norm_eps as f32)
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

    /// The angles are computed in f32, as the reference does: far positions round the same way.
    fn rotary(&self, rows: &[Row<'_>]) -> candle_core::Result<Rotary> {
        let positions = rows.iter().flat_map(|row| {
            let start = row.cache.len();
            start..start + row.tokens.len()
        });
        let angles: Vec<f32> = positions
            .flat_map(|position| self.frequencies.iter().map(move |f| position as f32 * f))
            .collect();
        let shape = (
            angles.len() / self.frequencies.len(),
            self.frequencies.len(),
        );
        let angles = Tensor::from_vec(angles, shape, &self.device)?;
        Ok(Rotary {
            cos: angles.cos()?,
            sin: angles.sin()?,
        })
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
    ) -> Result<Self, EngineError> {
        let name = |part: &str| format!("model.layers.{layer}.{part}");
        let (hidden, mlp) = (config.hidden_size, config.intermediate_size);
        let (q, kv) = (
            config.heads * config.head_dim,
            config.kv_heads * config.head_dim,
        );
        let qkv = [("q", q), ("k", kv), ("v", kv)];
        let matrices = qkv.map(|(p, rows)| (name(&format!("self_attn.{p}_proj.weight")), rows));
        let biases = qkv.map(|(p, rows)| (name(&format!("self_attn.{p}_proj.bias")), rows));
        let gate_up = ["gate", "up"].map(|p| (name(&format!("mlp.{p}_proj.weight")), mlp));
        let vector = |part: &str| weights.tensor(&name(part), &[hidden], device);
        let matrix = |part: &str, columns| weights.tensor(&name(part), &[hidden, columns], device);
        Ok(Self {
            attention_norm: vector("input_layernorm.weight")?,
            qkv: Linear::new(
                weights.stacked(&matrices, hidden, device)?,
                Some(weights.joined(&biases, device)?),
            ),
            output: Linear::new(matrix("self_attn.o_proj.weight", q)?, None),
            mlp_norm: vector("post_attention_layernorm.weight")?,
            gate_up: Linear::new(weights.stacked(&gate_up, hidden, device)?, None),
            down: Linear::new(matrix("mlp.down_proj.weight", mlp)?, None),
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
    ) -> candle_core::Result<Tensor> {
        let eps = config.rms_norm_eps as f32;
        let normed = rms_norm(x, &self.attention_norm, eps)?;
        let x = (x + self.attention(config, layer, &normed, rotary, rows)?)?;
        let normed = rms_norm(&x, &self.mlp_norm, eps)?;
        &x + self.mlp(&normed)?
    }

    fn attention(
        &self,
        config: &ModelConfig,
        layer: usize,
        x: &Tensor,
        rotary: &Rotary,
        rows: &mut [Row<'_>],
    ) -> candle_core::Result<Tensor> {
        let (heads, kv_heads, width) = (config.heads, config.kv_heads, config.head_dim);
        let tokens = x.dim(0)?;
        let qkv = self.qkv.forward(x)?;
        let part = |start: usize, heads: usize| {
            qkv.narrow(1, start * width, heads * width)?
                .contiguous()?
                .reshape((1, tokens, heads, width))
        };
        let queries = rope_thd(&part(0, heads)?, &rotary.cos, &rotary.sin)?.squeeze(0)?;
        let keys = rope_thd(&part(heads, kv_heads)?, &rotary.cos, &rotary.sin)?.squeeze(0)?;
        let values = part(heads + kv_heads, kv_heads)?.squeeze(0)?;

        let mut start = 0;
        let mut outputs = Vec::with_capacity(rows.len());
        for row in rows {
            let own = |all: &Tensor| all.narrow(0, start, row.tokens.len());
            let by_head = |own: Tensor| own.transpose(0, 1)?.contiguous();
            let (keys, values) =
                row.cache
                    .write(layer, &by_head(own(&keys)?)?, &by_head(own(&values)?)?)?;
            outputs.push(attend(&own(&queries)?, &keys, &values)?);
            start += row.tokens.len();
        }
        self.output.forward(&Tensor::cat(&outputs, 0)?)
    }

    /// `down(silu(gate(x)) * up(x))`.
    fn mlp(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        let gate_up = self.gate_up.forward(x)?;
        let width = gate_up.dim(D::Minus1)? / 2;
        let gate = silu(&gate_up.narrow(1, 0, width)?)?;
        self.down
            .forward(&(gate * gate_up.narrow(1, width, width)?)?)
    }
}

//! One layer: attention, then the MLP, each normed before and added to the residual stream.

use super::{Linear, LoadOptions, Row};
use crate::engine::kernels::Cpu;
use crate::engine::kernels::attention::Span;
use crate::engine::kernels::elementwise::{add, rms_norm, swiglu};
use crate::engine::kernels::head_norm::HeadNorm;
use crate::engine::kernels::rotary::Rotary;
use crate::engine::{EngineError, ModelConfig, Weights};
use candle_core::{Device, Tensor};

#[derive(Debug)]
pub(in crate::engine::model) struct Layer {
    attention_norm: Tensor,
    /// Queries, keys and values of all heads, one below the other.
    qkv: Linear,
    /// Qwen3's.
    head_norm: Option<HeadNorm>,
    output: Linear,
    mlp_norm: Tensor,
    /// The gate above the up projection.
    gate_up: Linear,
    down: Linear,
}

impl Layer {
    /// Takes the weights of the layer of this number.
    pub(super) fn load(
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
                match config.architecture.has_biases() {
                    true => Some(weights.vector(&named("bias"))?),
                    false => None,
                },
            )?,
            head_norm: match config.architecture.norms_heads() {
                true => Some(HeadNorm::new(
                    &weights.vector(&[(name("self_attn.q_norm.weight"), config.head_dim)])?,
                    &weights.vector(&[(name("self_attn.k_norm.weight"), config.head_dim)])?,
                    (config.heads, config.kv_heads),
                    config.rms_norm_eps,
                )),
                false => None,
            },
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
    pub(super) fn forward(
        &self,
        config: &ModelConfig,
        layer: usize,
        x: &Tensor,
        rotary: &Rotary,
        rows: &[Row<'_>],
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
        rows: &[Row<'_>],
        cpu: &Cpu,
    ) -> candle_core::Result<Tensor> {
        let heads = config.heads;
        // A row holds the query heads, then the key heads, then the value heads.
        let mut qkv = self.qkv.forward(x, cpu)?;
        if let Some(norm) = &self.head_norm {
            qkv = norm.apply(qkv, cpu)?;
        }
        let qkv = rotary.turn(qkv, heads + config.kv_heads, cpu)?;
        let mut start = 0;
        let mut outputs = Vec::with_capacity(1);
        // The sequences of an engine are all in one memory.
        for rows in
            rows.chunk_by(|one, next| one.cache.layer(layer).0.is(next.cache.layer(layer).0))
        {
            let spans: Vec<Span<'_>> = rows
                .iter()
                .map(|row| Span {
                    at: row.cache.len(),
                    tokens: row.tokens.len(),
                    table: row.cache.layer(layer).1,
                })
                .collect();
            let tokens = spans.iter().map(|span| span.tokens).sum();
            let own = qkv.narrow(0, start, tokens)?;
            let (kv, _) = rows[0].cache.layer(layer);
            outputs.push(kv.attend(&own, heads, &spans, cpu)?);
            start += tokens;
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

    /// Bytes that its matrices take in memory.
    pub(super) fn weight_bytes(&self) -> usize {
        [&self.qkv, &self.output, &self.gate_up, &self.down]
            .map(|linear| linear.weight().size())
            .iter()
            .sum()
    }
}

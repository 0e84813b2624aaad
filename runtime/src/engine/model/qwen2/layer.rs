//! One layer: attention, then the MLP, each normed before and added to the residual stream.

use super::room::Room;
use super::{Into, Linear, LoadOptions, Row};
use crate::engine::kernels::attention::Span;
use crate::engine::kernels::head_norm::HeadNorm;
use crate::engine::kernels::rows::Rows;
use crate::engine::kernels::{Cpu, grown};
use crate::engine::{EngineError, ModelConfig, Weights};
use candle_core::bail;

#[derive(Debug)]
pub(in crate::engine::model) struct Layer {
    attention_norm: Vec<f32>,
    /// Queries, keys and values of all heads, one below the other.
    qkv: Linear,
    /// Qwen3's.
    head_norm: Option<HeadNorm>,
    output: Linear,
    mlp_norm: Vec<f32>,
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
        let vector = |part: &str| weights.vector(&[(name(part), hidden)]);
        let linear = |parts: &[(String, usize)], columns, bias| {
            let form = options
                .quantization
                .of_layer(weights.stored(&parts[0].0), cpu);
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

    /// `x + attention(norm(x))`, then `x + mlp(norm(x))`, in the room's residual stream.
    pub(super) fn forward(
        &self,
        config: &ModelConfig,
        layer: usize,
        (rows, spans): (&[Row<'_>], &[Span<'_>]),
        room: &mut Room,
        cpu: &Cpu,
    ) -> candle_core::Result<()> {
        let Room {
            stream,
            wide,
            attended,
            rotary,
            products,
            ..
        } = room;
        let tokens = stream.len() / config.hidden_size;
        // A row holds the query heads, then the key heads, then the value heads.
        let columns = self.qkv.weight().outputs();
        let qkv = grown(wide, tokens * columns);
        let x = Rows::normed(stream, &self.attention_norm, config.rms_norm_eps);
        self.qkv
            .forward(x, (Into::Place, &mut *qkv), products, cpu)?;
        if let Some(norm) = &self.head_norm {
            norm.apply(qkv, columns, cpu);
        }
        rotary.turn(qkv, columns, config.heads + config.kv_heads, cpu);
        let width = config.heads * config.head_dim;
        let attended = grown(attended, tokens * width);
        attend(config, layer, (rows, spans), (qkv, columns), attended, cpu)?;
        let x = Rows::Plain(attended);
        self.output.forward(x, (Into::Sum, stream), products, cpu)?;

        let gate_up = grown(wide, tokens * self.gate_up.weight().outputs());
        let x = Rows::normed(stream, &self.mlp_norm, config.rms_norm_eps);
        self.gate_up
            .forward(x, (Into::Place, &mut *gate_up), products, cpu)?;
        let x = Rows::Gated(gate_up);
        self.down.forward(x, (Into::Sum, stream), products, cpu)
    }

    /// Bytes that its matrices take in memory.
    pub(super) fn weight_bytes(&self) -> usize {
        [&self.qkv, &self.output, &self.gate_up, &self.down]
            .map(|linear| linear.weight().size())
            .iter()
            .sum()
    }
}

/// Attention of all rows' tokens. The sequences of an engine are all in one memory; others are taken memory by memory.
fn attend(
    config: &ModelConfig,
    layer: usize,
    (rows, spans): (&[Row<'_>], &[Span<'_>]),
    (qkv, columns): (&[f32], usize),
    out: &mut [f32],
    cpu: &Cpu,
) -> candle_core::Result<()> {
    let width = config.heads * config.head_dim;
    let (mut row, mut token) = (0, 0);
    for rows in rows.chunk_by(|one, next| one.cache.is_beside(next.cache)) {
        let spans = &spans[row..row + rows.len()];
        let tokens: usize = spans.iter().map(|span| span.tokens).sum();
        let Some(kv) = rows.first().and_then(|row| row.cache.layer(layer)) else {
            bail!("the cache has no layer {layer}: it is that of another model");
        };
        let own = &qkv[token * columns..][..tokens * columns];
        let out = &mut out[token * width..][..tokens * width];
        kv.attend(own, config.heads, spans, out, cpu)?;
        row += rows.len();
        token += tokens;
    }
    Ok(())
}

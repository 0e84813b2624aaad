//! A network's weights on a GPU: bf16 matrices as candle tensors, f32 norms and biases, and the turns of the positions.

use super::gpu::{Buffer, Gpu};
use crate::engine::load::Form;
use crate::engine::model::linear::Matrix;
use crate::engine::{EngineError, ModelConfig, Weights};
use candle_core::{DType, Device, Tensor};

/// A matrix `[outputs, inputs]` and where it lies.
#[derive(Debug)]
pub(super) struct CudaMatrix {
    tensor: Tensor,
    pub address: u64,
    pub outputs: usize,
    pub inputs: usize,
}

#[derive(Debug)]
pub(super) struct CudaLayer {
    pub attention_norm: Buffer<f32>,
    /// Queries, keys and values of all heads, one below the other.
    pub qkv: CudaMatrix,
    pub qkv_bias: Buffer<f32>,
    pub output: CudaMatrix,
    pub mlp_norm: Buffer<f32>,
    /// Row 2i is row i of the gate, row 2i + 1 row i of the up projection.
    pub gate_up: CudaMatrix,
    pub down: CudaMatrix,
}

#[derive(Debug)]
pub(super) struct CudaWeights {
    pub embedding: CudaMatrix,
    pub layers: Vec<CudaLayer>,
    pub norm: Buffer<f32>,
    pub head: CudaMatrix,
    /// Cosine and sine of each position's turn of each pair of coordinates, `[max_positions, head_dim / 2, 2]`.
    pub rotary: Buffer<f32>,
}

impl CudaMatrix {
    fn new(tensor: Tensor, gpu: &Gpu) -> Result<Self, EngineError> {
        let (outputs, inputs) = tensor.dims2()?;
        Ok(Self {
            address: gpu.address(&tensor)?,
            tensor,
            outputs,
            inputs,
        })
    }

    pub(super) fn size(&self) -> usize {
        self.tensor.elem_count() * DType::BF16.size_in_bytes()
    }

    fn share(&self) -> Self {
        Self {
            tensor: self.tensor.clone(),
            ..*self
        }
    }

    /// The arguments of a product with this matrix.
    pub(super) fn operand(&self) -> (u64, usize, usize) {
        (self.address, self.outputs, self.inputs)
    }
}

impl CudaWeights {
    pub(super) fn load(
        config: &ModelConfig,
        weights: &Weights<'_>,
        device: &Device,
        gpu: &Gpu,
    ) -> Result<Self, EngineError> {
        let (hidden, mlp) = (config.hidden_size, config.intermediate_size);
        let (q, kv) = (
            config.heads * config.head_dim,
            config.kv_heads * config.head_dim,
        );
        // Rounded on the GPU: a processor takes a second for it.
        let tensor = |parts: &[(String, usize)], columns| match weights.matrix(
            parts,
            columns,
            Form::Dense(&Device::Cpu),
        )? {
            Matrix::Dense(tensor) => Ok(tensor.to_device(device)?.to_dtype(DType::BF16)?),
            Matrix::Packed(_) => Err(super::gpu::failed("loading a matrix")("it is packed")),
        };
        // What candle's stream has made must be there before this network's own stream reads it.
        let matrix = |tensor: Tensor| {
            device.synchronize()?;
            CudaMatrix::new(tensor, gpu)
        };
        let vector = |parts: &[(String, usize)]| gpu.upload(&weights.vector(parts)?);
        let outer = |name: &str| matrix(tensor(&[(name.to_owned(), config.vocab_size)], hidden)?);
        let embedding = outer("model.embed_tokens.weight")?;
        let head = if config.tie_word_embeddings {
            embedding.share()
        } else {
            outer("lm_head.weight")?
        };
        let layers = (0..config.layers)
            .map(|layer| {
                let one = |part: &str, rows| [(format!("model.layers.{layer}.{part}"), rows)];
                let qkv = |kind: &str| {
                    [("q", q), ("k", kv), ("v", kv)].map(|(part, rows)| {
                        (
                            format!("model.layers.{layer}.self_attn.{part}_proj.{kind}"),
                            rows,
                        )
                    })
                };
                let [gate, up] = ["gate", "up"]
                    .map(|part| tensor(&one(&format!("mlp.{part}_proj.weight"), mlp), hidden));
                let pairs = Tensor::stack(&[gate?, up?], 1)?.reshape((2 * mlp, hidden))?;
                Ok(CudaLayer {
                    attention_norm: vector(&one("input_layernorm.weight", hidden))?,
                    qkv: matrix(tensor(&qkv("weight"), hidden)?)?,
                    qkv_bias: vector(&qkv("bias"))?,
                    output: matrix(tensor(&one("self_attn.o_proj.weight", hidden), q)?)?,
                    mlp_norm: vector(&one("post_attention_layernorm.weight", hidden))?,
                    gate_up: matrix(pairs)?,
                    down: matrix(tensor(&one("mlp.down_proj.weight", hidden), mlp)?)?,
                })
            })
            .collect::<Result<_, EngineError>>()?;
        Ok(Self {
            embedding,
            layers,
            norm: vector(&[("model.norm.weight".to_owned(), hidden)])?,
            head,
            rotary: gpu.upload(&turns(config))?,
        })
    }

    /// Bytes of the matrices.
    pub(super) fn size(&self) -> usize {
        let layers = self
            .layers
            .iter()
            .flat_map(|layer| [&layer.qkv, &layer.output, &layer.gate_up, &layer.down]);
        let shared = self.head.address == self.embedding.address;
        self.embedding.size()
            + if shared { 0 } else { self.head.size() }
            + layers.map(CudaMatrix::size).sum::<usize>()
    }
}

fn turns(config: &ModelConfig) -> Vec<f32> {
    let frequencies: Vec<f64> = (0..config.head_dim)
        .step_by(2)
        .map(|i| 1.0 / config.rope_theta.powf(i as f64 / config.head_dim as f64))
        .collect();
    let mut turns = Vec::with_capacity(config.max_positions * config.head_dim);
    for position in 0..config.max_positions {
        for frequency in &frequencies {
            let (sin, cos) = (position as f64 * frequency).sin_cos();
            turns.extend([cos as f32, sin as f32]);
        }
    }
    turns
}

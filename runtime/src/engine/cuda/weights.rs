//! A network's weights on a GPU: bf16 matrices as candle tensors, the same in 8 bits for a decode step that reads those, f32
//! norms and biases, and the turns of the positions.

use super::gpu::{Buffer, Gpu};
use crate::engine::load::Form;
use crate::engine::model::linear::Matrix;
use crate::engine::{EngineError, ModelConfig, Weights};
use candle_core::{DType, Device, Tensor};
use half::bf16;

/// A matrix `[outputs, inputs]` and where it lies.
#[derive(Debug)]
pub(super) struct CudaMatrix {
    tensor: Tensor,
    address: u64,
    outputs: usize,
    inputs: usize,
    eighth: Option<Eighth>,
}

/// A matrix as whole numbers from -127 to 127, times a scale for each row.
#[derive(Debug, Clone)]
struct Eighth {
    numbers: Tensor,
    scales: Tensor,
    addresses: [u64; 2],
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
    pub bits: Bits,
    pub embedding: CudaMatrix,
    pub layers: Vec<CudaLayer>,
    pub norm: Buffer<f32>,
    pub head: CudaMatrix,
    /// Cosine and sine of each position's turn of each pair of coordinates, `[max_positions, head_dim / 2, 2]`.
    pub rotary: Buffer<f32>,
}

impl Eighth {
    fn size(&self) -> usize {
        size_of_tensor(&self.numbers) + size_of_tensor(&self.scales)
    }
}

fn size_of_tensor(tensor: &Tensor) -> usize {
    tensor.elem_count() * tensor.dtype().size_in_bytes()
}

impl CudaMatrix {
    /// Takes a matrix, of f32 if it is to be in 8 bits; then the bf16 one is what those say, rounded: both are one network.
    fn new(matrix: &Tensor, bits: Bits, gpu: &Gpu) -> Result<Self, EngineError> {
        let (outputs, inputs) = matrix.dims2()?;
        let (tensor, eighth) = match bits {
            Bits::Sixteen => (matrix.to_dtype(DType::BF16)?, None),
            Bits::Eight => {
                let scales = (matrix.abs()?.max_keepdim(1)?.maximum(1e-30)? / 127.0)?;
                let numbers = matrix.broadcast_div(&scales)?.round()?;
                let tensor = numbers.broadcast_mul(&scales)?.to_dtype(DType::BF16)?;
                let sign = numbers.lt(0.0)?.to_dtype(DType::F32)?;
                let numbers = (numbers + (sign * 256.0)?)?.to_dtype(DType::U8)?;
                (tensor, Some((numbers, scales.flatten_all()?)))
            }
        };
        // What candle's stream has made must be there before this network's own stream reads it.
        matrix.device().synchronize()?;
        let eighth = match eighth {
            None => None,
            Some((numbers, scales)) => Some(Eighth {
                addresses: [gpu.address::<u8>(&numbers)?, gpu.address::<f32>(&scales)?],
                numbers,
                scales,
            }),
        };
        Ok(Self {
            address: gpu.address::<bf16>(&tensor)?,
            tensor,
            outputs,
            inputs,
            eighth,
        })
    }

    fn size(&self) -> usize {
        let eighth = self.eighth.as_ref().map_or(0, Eighth::size);
        size_of_tensor(&self.tensor) + eighth
    }

    /// Bytes of what a decode step reads.
    fn step_size(&self) -> usize {
        let eighth = self.eighth.as_ref().map(Eighth::size);
        eighth.unwrap_or_else(|| size_of_tensor(&self.tensor))
    }

    fn share(&self) -> Self {
        Self {
            tensor: self.tensor.clone(),
            eighth: self.eighth.clone(),
            ..*self
        }
    }

    /// Where it lies in bf16.
    pub(super) fn address(&self) -> u64 {
        self.address
    }

    /// Where what a decode step reads lies: numbers of 8 bits and their rows' scales, or bf16 and nothing.
    pub(super) fn step(&self) -> [u64; 2] {
        self.eighth
            .as_ref()
            .map_or([self.address, 0], |one| one.addresses)
    }

    /// The arguments of a product with this matrix.
    pub(super) fn operand(&self) -> (u64, usize, usize) {
        (self.address, self.outputs, self.inputs)
    }
}

impl CudaLayer {
    /// In the order in which a pass needs them.
    pub(super) fn matrices(&self) -> [&CudaMatrix; 4] {
        [&self.qkv, &self.output, &self.gate_up, &self.down]
    }
}

/// Of a weight that a decode step reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bits {
    Sixteen,
    Eight,
}

impl CudaWeights {
    pub(super) fn load(
        config: &ModelConfig,
        weights: &Weights<'_>,
        bits: Bits,
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
            Matrix::Dense(tensor) => {
                let tensor = tensor.to_device(device)?;
                Ok(match bits {
                    Bits::Sixteen => tensor.to_dtype(DType::BF16)?,
                    Bits::Eight => tensor,
                })
            }
            Matrix::Packed(_) => Err(super::gpu::failed("loading a matrix")("it is packed")),
        };
        let matrix = |tensor: Tensor| CudaMatrix::new(&tensor, bits, gpu);
        let vector = |parts: &[(String, usize)]| gpu.upload(&weights.vector(parts)?);
        let outer = |name: &str| tensor(&[(name.to_owned(), config.vocab_size)], hidden);
        let embedding = outer("model.embed_tokens.weight")?;
        let (embedding, head) = if config.tie_word_embeddings {
            let both = matrix(embedding)?;
            let head = both.share();
            (both, head)
        } else {
            // Of an embedding that is no head a step reads one row.
            let embedding = CudaMatrix::new(&embedding, Bits::Sixteen, gpu)?;
            (embedding, matrix(outer("lm_head.weight")?)?)
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
            bits,
            embedding,
            layers,
            norm: vector(&[("model.norm.weight".to_owned(), hidden)])?,
            head,
            rotary: gpu.upload(&turns(config))?,
        })
    }

    /// Bytes of the matrices.
    pub(super) fn size(&self) -> usize {
        let shared = self.head.address == self.embedding.address;
        let outer = self.embedding.size() + if shared { 0 } else { self.head.size() };
        outer + self.layer_matrices().map(CudaMatrix::size).sum::<usize>()
    }

    /// Bytes of the matrices that a step of one sequence reads whole.
    pub(super) fn step_size(&self) -> usize {
        let size = CudaMatrix::step_size;
        size(&self.head) + self.layer_matrices().map(size).sum::<usize>()
    }

    fn layer_matrices(&self) -> impl Iterator<Item = &CudaMatrix> {
        self.layers.iter().flat_map(CudaLayer::matrices)
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

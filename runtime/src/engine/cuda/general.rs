//! The forward pass for any shape and any number of tokens: plain kernels between cuBLAS's products.

use super::gpu::Argument::{Address, Float, Int, Long};
use super::gpu::{Buffer, File, Gpu};
use super::room::{Room, Tokens};
use super::weights::CudaWeights;
use crate::engine::{EngineError, ModelConfig};
use candle_core::cuda_backend::cudarc::driver::CudaFunction;

/// Threads of a block in `general.cu`, and the query heads that one block of it and of `attend.cu` works on.
const THREADS: usize = 128;
const HEADS_AT_ONCE: usize = 8;
/// The widest head that `general.cu` has room for.
pub(super) const MOST_HEAD_DIM: usize = 256;
/// Threads of a block in `attend.cu`, and the most parts that positions are divided into: with so few blocks to a
/// multiprocessor as one, joining parts costs more than it saves.
const ATTEND_THREADS: u32 = 256;
const MOST_SPLITS: usize = 16;

/// The kernels, and memory for passes that have no graph; grows with the largest.
#[derive(Debug)]
pub(super) struct General {
    kernels: Kernels,
    room: Room,
}

/// The kernels of a pass.
#[derive(Debug)]
pub(super) struct Kernels {
    embed: CudaFunction,
    rms_norm: CudaFunction,
    turn_and_store: CudaFunction,
    attend: CudaFunction,
    /// Whether `attend` is the one of `attend.cu`, which knows few widths of heads.
    by_tiles: bool,
    swiglu: CudaFunction,
}

/// What the tokens of a pass go through.
pub(super) struct Network<'a> {
    pub gpu: &'a Gpu,
    pub config: &'a ModelConfig,
    pub weights: &'a CudaWeights,
    /// Where each layer's keys and values lie.
    pub memory: &'a [[u64; 2]],
}

impl General {
    pub(super) fn new(gpu: &Gpu, config: &ModelConfig) -> Result<Self, EngineError> {
        let tiles = match config.head_dim {
            64 => Some("attend_64"),
            128 => Some("attend_128"),
            _ => None,
        };
        Ok(Self {
            kernels: Kernels {
                embed: gpu.function(File::General, "embed")?,
                rms_norm: gpu.function(File::General, "rms_norm")?,
                turn_and_store: gpu.function(File::General, "turn_and_store")?,
                attend: match tiles {
                    Some(name) => gpu.function(File::Attend, name)?,
                    None => gpu.function(File::General, "attend")?,
                },
                by_tiles: tiles.is_some(),
                swiglu: gpu.function(File::General, "swiglu")?,
            },
            room: Room::new(gpu, config, 1, most_part_values(gpu, config))?,
        })
    }

    pub(super) fn kernels(&self) -> &Kernels {
        &self.kernels
    }

    /// The logits of the last pass.
    pub(super) fn logits(&self) -> &Buffer<f32> {
        &self.room.logits
    }

    /// Runs the tokens; the logits of those that are wanted are then where it says.
    pub(super) fn run(
        &mut self,
        network: &Network<'_>,
        tokens: &Tokens,
    ) -> Result<u64, EngineError> {
        let (gpu, config) = (network.gpu, network.config);
        let count = tokens.ids.len();
        if count > self.room.tokens {
            let parts = most_part_values(gpu, config);
            let logits = std::mem::replace(&mut self.room.logits, gpu.buffer(1)?);
            self.room = Room::new(gpu, config, count.next_power_of_two(), parts)?;
            self.room.logits = logits;
        }
        let wanted = tokens.wanted.len();
        self.room
            .make(gpu, tokens.tables.len(), wanted * config.vocab_size)?;
        self.room.inputs.put(gpu, tokens, false)?;
        self.kernels.layers(network, &self.room, count)?;
        if wanted > 0 {
            let rows = self.room.inputs.wanted();
            self.kernels.head(network, &self.room, wanted, rows)?;
        }
        Ok(self.room.logits.address)
    }
}

/// Values of attention's parts in the largest pass that has parts.
pub(super) fn most_part_values(gpu: &Gpu, config: &ModelConfig) -> usize {
    gpu.multiprocessors * HEADS_AT_ONCE * (config.head_dim + 2)
}

impl Kernels {
    /// Takes `count` tokens through all layers.
    pub(super) fn layers(
        &self,
        network: &Network<'_>,
        room: &Room,
        count: usize,
    ) -> Result<(), EngineError> {
        let Network {
            gpu,
            config,
            weights,
            memory,
        } = network;
        let (hidden, mlp) = (config.hidden_size, config.intermediate_size);
        let (heads, kv_heads, d) = (config.heads, config.kv_heads, config.head_dim);
        let groups = config.group().div_ceil(HEADS_AT_ONCE);
        let grid = (count, 1, 1);
        let inputs = &room.inputs;
        // SAFETY: there is memory for `count` tokens of this shape, the ids are in the vocabulary, and the positions have
        // their blocks and their turns, or are none: `CudaQwen2` has checked.
        unsafe {
            gpu.launch(
                &self.embed,
                grid,
                &[
                    Address(inputs.ids()),
                    Address(weights.embedding.address()),
                    Address(room.x.address),
                    Int(hidden as i32),
                ],
            )?;
        }
        for (layer, memory) in weights.layers.iter().zip(*memory) {
            let [keys, values] = *memory;
            self.norm(network, room, count, 0, layer.attention_norm.address)?;
            // SAFETY: as above; every matrix has the shape that the configuration gives it, and so have its operands.
            unsafe {
                let (x, input, qkv) = (room.x.address, room.input.address, room.qkv.address);
                gpu.multiply(layer.qkv.operand(), input, count, qkv, false)?;
                let shape = [
                    Address(inputs.table_length()),
                    Int(heads as i32),
                    Int(kv_heads as i32),
                    Int(d as i32),
                ];
                let store = [
                    Address(qkv),
                    Address(layer.qkv_bias.address),
                    Address(weights.rotary.address),
                    Address(inputs.positions()),
                    Address(inputs.sequences()),
                    Address(inputs.tables()),
                    Address(keys),
                    Address(values),
                ];
                let pairs = (heads + 2 * kv_heads) * d / 2;
                let blocks = (count, pairs.div_ceil(THREADS), 1);
                gpu.launch(&self.turn_and_store, blocks, &[&store[..], &shape].concat())?;
                let places = [
                    Address(qkv),
                    Address(inputs.positions()),
                    Address(inputs.sequences()),
                    Address(inputs.tables()),
                ];
                if self.by_tiles {
                    let splits = gpu.multiprocessors / (count * kv_heads * groups);
                    let splits = splits.clamp(1, MOST_SPLITS);
                    let rest = [
                        Address(inputs.table_length()),
                        Address(keys),
                        Address(values),
                        Address(input),
                        Address(room.parts.address),
                        Address(room.arrived.address),
                        Int(heads as i32),
                        Int(kv_heads as i32),
                        Int(splits as i32),
                    ];
                    let blocks = (count, kv_heads, groups * splits);
                    let arguments = [&places[..], &rest].concat();
                    gpu.launch_of(&self.attend, blocks, ATTEND_THREADS, &arguments)?;
                } else {
                    let rest = [Address(keys), Address(values), Address(input)];
                    let arguments = [&places[..], &rest, &shape].concat();
                    gpu.launch(&self.attend, (count, kv_heads, groups), &arguments)?;
                }
                gpu.multiply(layer.output.operand(), input, count, x, true)?;
                self.norm(network, room, count, 0, layer.mlp_norm.address)?;
                let (gate_up, activation) = (room.gate_up.address, room.activation.address);
                gpu.multiply(layer.gate_up.operand(), input, count, gate_up, false)?;
                let pairs = count * mlp;
                gpu.launch(
                    &self.swiglu,
                    (pairs.div_ceil(4 * THREADS), 1, 1),
                    &[Address(gate_up), Address(activation), Long(pairs as i64)],
                )?;
                gpu.multiply(layer.down.operand(), activation, count, x, true)?;
            }
        }
        Ok(())
    }

    /// The logits of `count` tokens, of those that are listed at `rows` if that is not 0.
    pub(super) fn head(
        &self,
        network: &Network<'_>,
        room: &Room,
        count: usize,
        rows: u64,
    ) -> Result<(), EngineError> {
        let weights = network.weights;
        self.norm(network, room, count, rows, weights.norm.address)?;
        // SAFETY: there is room for so many rows of the stream and of logits.
        unsafe {
            let (input, logits) = (room.input.address, room.logits.address);
            network
                .gpu
                .multiply(weights.head.operand(), input, count, logits, false)
        }
    }

    /// The norm of `count` rows of the residual stream, of those that are listed at `rows` if that is not 0.
    fn norm(
        &self,
        network: &Network<'_>,
        room: &Room,
        count: usize,
        rows: u64,
        weight: u64,
    ) -> Result<(), EngineError> {
        let arguments = [
            Address(room.x.address),
            Address(rows),
            Address(weight),
            Address(room.input.address),
            Int(network.config.hidden_size as i32),
            Float(network.config.rms_norm_eps as f32),
        ];
        // SAFETY: there is room for all tokens, and no more rows are asked for.
        unsafe {
            network
                .gpu
                .launch(&self.rms_norm, (count, 1, 1), &arguments)
        }
    }
}

//! The forward pass for any shape and any number of tokens: plain kernels between cuBLAS's products.

use super::gpu::Argument::{Address, Float, Int, Long};
use super::gpu::{Buffer, Gpu, Logits};
use super::weights::CudaWeights;
use crate::engine::{EngineError, ModelConfig};
use candle_core::cuda_backend::cudarc::driver::CudaFunction;

/// Threads of a block in `general.cu`, and the query heads that one block works on.
const THREADS: usize = 128;
const HEADS_AT_ONCE: usize = 8;
/// The widest head that `general.cu` has room for.
pub(super) const MOST_HEAD_DIM: usize = 256;

/// New tokens of some sequences whose caches lie in one pool.
pub(super) struct Tokens<'a> {
    pub ids: &'a [u32],
    pub positions: &'a [u32],
    /// Each token's sequence, a row of `tables`.
    pub sequences: &'a [u32],
    /// The blocks of each sequence, rows of equal length.
    pub tables: &'a [u32],
    pub table_length: usize,
    /// The tokens whose logits are wanted.
    pub wanted: &'a [u32],
    /// Where each layer's keys and values lie.
    pub memory: &'a [[u64; 2]],
}

/// Memory for a pass of so many tokens; grows with the largest.
#[derive(Debug)]
pub(super) struct General {
    embed: CudaFunction,
    rms_norm: CudaFunction,
    turn_and_store: CudaFunction,
    attend: CudaFunction,
    swiglu: CudaFunction,
    room: Room,
}

#[derive(Debug)]
struct Room {
    tokens: usize,
    ids: Buffer<u32>,
    positions: Buffer<u32>,
    sequences: Buffer<u32>,
    tables: Buffer<u32>,
    wanted: Buffer<u32>,
    /// The residual stream.
    x: Buffer<f32>,
    /// A product's input: the normed stream, or attention's output.
    input: Buffer<u16>,
    qkv: Buffer<f32>,
    gate_up: Buffer<f32>,
    activation: Buffer<u16>,
    logits: Logits,
}

impl Room {
    fn new(gpu: &Gpu, config: &ModelConfig, tokens: usize) -> Result<Self, EngineError> {
        let heads = config.heads + 2 * config.kv_heads;
        Ok(Self {
            tokens,
            ids: gpu.buffer(tokens)?,
            positions: gpu.buffer(tokens)?,
            sequences: gpu.buffer(tokens)?,
            tables: gpu.buffer(1)?,
            wanted: gpu.buffer(tokens)?,
            x: gpu.buffer(tokens * config.hidden_size)?,
            input: gpu.buffer(tokens * config.hidden_size)?,
            qkv: gpu.buffer(tokens * heads * config.head_dim)?,
            gate_up: gpu.buffer(tokens * 2 * config.intermediate_size)?,
            activation: gpu.buffer(tokens * config.intermediate_size)?,
            logits: gpu.logits(1)?,
        })
    }
}

impl General {
    pub(super) fn new(gpu: &Gpu, config: &ModelConfig) -> Result<Self, EngineError> {
        Ok(Self {
            embed: gpu.function("embed")?,
            rms_norm: gpu.function("rms_norm")?,
            turn_and_store: gpu.function("turn_and_store")?,
            attend: gpu.function("attend")?,
            swiglu: gpu.function("swiglu")?,
            room: Room::new(gpu, config, 1)?,
        })
    }

    /// Runs the tokens and returns the logits of those that are wanted.
    pub(super) fn run(
        &mut self,
        gpu: &Gpu,
        config: &ModelConfig,
        weights: &CudaWeights,
        tokens: &Tokens<'_>,
    ) -> Result<Vec<Vec<f32>>, EngineError> {
        let count = tokens.ids.len();
        self.make_room(gpu, config, tokens)?;
        let (hidden, mlp) = (config.hidden_size, config.intermediate_size);
        let (heads, kv_heads, d) = (config.heads, config.kv_heads, config.head_dim);
        let room = &self.room;
        let grid = (count, 1, 1);
        // SAFETY: `make_room` has made memory for `count` tokens of this shape, the ids are in the vocabulary, and the
        // positions have their blocks and their turns: `CudaQwen2::run` has checked.
        unsafe {
            gpu.launch(
                &self.embed,
                grid,
                &[
                    Address(room.ids.address),
                    Address(weights.embedding.address),
                    Address(room.x.address),
                    Int(hidden as i32),
                ],
            )?;
        }
        for (layer, memory) in weights.layers.iter().zip(tokens.memory) {
            let [keys, values] = *memory;
            let at = |buffer: &Buffer<u32>| Address(buffer.address);
            self.norm(gpu, config, count, 0, layer.attention_norm.address)?;
            // SAFETY: as above; every matrix has the shape that the configuration gives it, and so have its operands.
            unsafe {
                let (x, input, qkv) = (room.x.address, room.input.address, room.qkv.address);
                gpu.multiply(layer.qkv.operand(), input, count, qkv, false)?;
                let shape = [
                    Int(tokens.table_length as i32),
                    Int(heads as i32),
                    Int(kv_heads as i32),
                    Int(d as i32),
                ];
                let store = [
                    Address(qkv),
                    Address(layer.qkv_bias.address),
                    Address(weights.rotary.address),
                    at(&room.positions),
                    at(&room.sequences),
                    at(&room.tables),
                    Address(keys),
                    Address(values),
                ];
                gpu.launch(&self.turn_and_store, grid, &[&store[..], &shape].concat())?;
                let attend = [
                    Address(qkv),
                    at(&room.positions),
                    at(&room.sequences),
                    at(&room.tables),
                    Address(keys),
                    Address(values),
                    Address(input),
                ];
                let blocks = (count, kv_heads, config.group().div_ceil(HEADS_AT_ONCE));
                gpu.launch(&self.attend, blocks, &[&attend[..], &shape].concat())?;
                gpu.multiply(layer.output.operand(), input, count, x, true)?;
                self.norm(gpu, config, count, 0, layer.mlp_norm.address)?;
                let (gate_up, activation) = (room.gate_up.address, room.activation.address);
                gpu.multiply(layer.gate_up.operand(), input, count, gate_up, false)?;
                let pairs = count * mlp;
                gpu.launch(
                    &self.swiglu,
                    (pairs.div_ceil(THREADS), 1, 1),
                    &[Address(gate_up), Address(activation), Long(pairs as i64)],
                )?;
                gpu.multiply(layer.down.operand(), activation, count, x, true)?;
            }
        }
        let rows = tokens.wanted.len();
        if rows == 0 {
            gpu.wait()?;
            return Ok(Vec::new());
        }
        self.norm(
            gpu,
            config,
            rows,
            self.room.wanted.address,
            weights.norm.address,
        )?;
        let room = &self.room;
        // SAFETY: as above; there is room for the logits of every wanted token.
        unsafe {
            let (input, logits) = (room.input.address, room.logits.address);
            gpu.multiply(weights.head.operand(), input, rows, logits, false)?;
        }
        gpu.read_logits(&mut self.room.logits, rows, config.vocab_size)
    }

    /// The norm of `count` rows of the residual stream, of those that are listed at `rows` if that is not 0.
    fn norm(
        &self,
        gpu: &Gpu,
        config: &ModelConfig,
        count: usize,
        rows: u64,
        weight: u64,
    ) -> Result<(), EngineError> {
        let arguments = [
            Address(self.room.x.address),
            Address(rows),
            Address(weight),
            Address(self.room.input.address),
            Int(config.hidden_size as i32),
            Float(config.rms_norm_eps as f32),
        ];
        // SAFETY: there is room for all tokens, and no more rows are asked for.
        unsafe { gpu.launch(&self.rms_norm, (count, 1, 1), &arguments) }
    }

    fn make_room(
        &mut self,
        gpu: &Gpu,
        config: &ModelConfig,
        tokens: &Tokens<'_>,
    ) -> Result<(), EngineError> {
        let count = tokens.ids.len();
        if count > self.room.tokens {
            let spare = (
                std::mem::replace(&mut self.room.tables, gpu.buffer(1)?),
                std::mem::replace(&mut self.room.logits, gpu.logits(1)?),
            );
            self.room = Room::new(gpu, config, count.next_power_of_two())?;
            (self.room.tables, self.room.logits) = spare;
        }
        if tokens.tables.len() > self.room.tables.slice.len() {
            self.room.tables = gpu.buffer(tokens.tables.len().next_power_of_two())?;
        }
        let logits = tokens.wanted.len() * config.vocab_size;
        if logits > self.room.logits.len() {
            self.room.logits = gpu.logits(logits)?;
        }
        let room = &mut self.room;
        gpu.write(&mut room.ids, 0, tokens.ids)?;
        gpu.write(&mut room.positions, 0, tokens.positions)?;
        gpu.write(&mut room.sequences, 0, tokens.sequences)?;
        gpu.write(&mut room.tables, 0, tokens.tables)?;
        gpu.write(&mut room.wanted, 0, tokens.wanted)
    }
}

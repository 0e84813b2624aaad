//! The memory of a pass: what its tokens are and where, and what is made of them on the way to the logits.

use super::gpu::{Buffer, Gpu};
use crate::engine::{EngineError, ModelConfig};

/// The position of a place in a batch that has no sequence; `general.cu` and `attend.cu` agree.
pub(super) const NO_POSITION: u32 = u32::MAX;

/// New tokens of some sequences whose caches lie in one pool.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    pub ids: Vec<u32>,
    pub positions: Vec<u32>,
    /// Each token's sequence, a row of `tables`.
    pub sequences: Vec<u32>,
    /// The blocks of each sequence, rows of equal length.
    pub tables: Vec<u32>,
    pub table_length: usize,
    /// The tokens whose logits are wanted.
    pub wanted: Vec<u32>,
}

/// What the kernels read of [`Tokens`], one piece of memory so that one copy fills it: the tables' length; ids,
/// positions, sequences and wanted tokens, `places` each; the tables.
#[derive(Debug)]
pub(super) struct Inputs {
    places: usize,
    words: Buffer<u32>,
}

/// Memory for a pass of so many tokens.
#[derive(Debug)]
pub(super) struct Room {
    pub tokens: usize,
    pub inputs: Inputs,
    /// The residual stream.
    pub x: Buffer<f32>,
    /// A product's input: the normed stream, or attention's output.
    pub input: Buffer<u16>,
    pub qkv: Buffer<f32>,
    pub gate_up: Buffer<f32>,
    pub activation: Buffer<u16>,
    /// Parts of attention's positions, and how many of each are done.
    pub parts: Buffer<f32>,
    pub arrived: Buffer<u32>,
    pub logits: Buffer<f32>,
}

impl Inputs {
    fn new(gpu: &Gpu, places: usize, tables: usize) -> Result<Self, EngineError> {
        Ok(Self {
            places,
            words: gpu.buffer(1 + 4 * places + tables)?,
        })
    }

    fn at(&self, part: usize) -> u64 {
        self.words.address + ((1 + part * self.places) * size_of::<u32>()) as u64
    }

    pub(super) fn table_length(&self) -> u64 {
        self.words.address
    }

    pub(super) fn ids(&self) -> u64 {
        self.at(0)
    }

    pub(super) fn positions(&self) -> u64 {
        self.at(1)
    }

    pub(super) fn sequences(&self) -> u64 {
        self.at(2)
    }

    pub(super) fn wanted(&self) -> u64 {
        self.at(3)
    }

    pub(super) fn tables(&self) -> u64 {
        self.at(4)
    }

    /// Words of tables that there is room for.
    pub(super) fn table_words(&self) -> usize {
        self.words.slice.len() - 1 - 4 * self.places
    }

    /// Puts tokens before the kernels, `ids_alone` those of a batch of which nothing but ids and positions has changed.
    pub(super) fn put(
        &mut self,
        gpu: &Gpu,
        tokens: &Tokens,
        ids_alone: bool,
    ) -> Result<(), EngineError> {
        let mut words = vec![tokens.table_length as u32];
        let mut add = |values: &[u32], fill: u32| {
            words.extend(values);
            words.extend(std::iter::repeat_n(fill, self.places - values.len()));
        };
        add(&tokens.ids, 0);
        add(&tokens.positions, NO_POSITION);
        if !ids_alone {
            add(&tokens.sequences, 0);
            add(&tokens.wanted, 0);
            words.extend(&tokens.tables);
        }
        gpu.write(&mut self.words, 0, &words)
    }
}

impl Room {
    pub(super) fn new(
        gpu: &Gpu,
        config: &ModelConfig,
        tokens: usize,
        part_values: usize,
    ) -> Result<Self, EngineError> {
        let heads = config.heads + 2 * config.kv_heads;
        let width = config.hidden_size.max(config.heads * config.head_dim);
        Ok(Self {
            tokens,
            inputs: Inputs::new(gpu, tokens, 0)?,
            x: gpu.buffer(tokens * config.hidden_size)?,
            input: gpu.buffer(tokens * width)?,
            qkv: gpu.buffer(tokens * heads * config.head_dim)?,
            gate_up: gpu.buffer(tokens * 2 * config.intermediate_size)?,
            activation: gpu.buffer(tokens * config.intermediate_size)?,
            parts: gpu.buffer(part_values)?,
            arrived: gpu.buffer(tokens * config.heads)?,
            logits: gpu.buffer(1)?,
        })
    }

    /// Makes room for tables of so many words and for the logits of so many tokens; says whether something has moved.
    pub(super) fn make(
        &mut self,
        gpu: &Gpu,
        table_words: usize,
        logits: usize,
    ) -> Result<bool, EngineError> {
        let mut moved = false;
        if table_words > self.inputs.table_words() {
            self.inputs = Inputs::new(gpu, self.tokens, table_words.next_power_of_two())?;
            moved = true;
        }
        if logits > self.logits.slice.len() {
            // What was there is given back first: it can be large.
            self.logits = gpu.buffer(1)?;
            self.logits = gpu.buffer(logits)?;
            moved = true;
        }
        Ok(moved)
    }
}

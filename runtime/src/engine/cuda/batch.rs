//! Steps of few tokens: the general pass, captured as a graph for each size of batch. Places that no token has are passed
//! over by the kernels.

use super::general::{Kernels, Network, most_part_values};
use super::gpu::Buffer;
use super::room::{Room, Tokens};
use super::transfer::Graph;
use crate::engine::EngineError;

/// Sizes of batches that have a graph of their own; a batch runs in the smallest that it fits into.
const SIZES: [usize; 9] = [2, 4, 8, 16, 32, 64, 128, 192, 256];

/// Blocks of each sequence that there is room for at first.
const USUAL_BLOCKS: usize = 64;

/// One size's graph. The first pass of a size runs without: cuBLAS makes ready what it needs.
#[derive(Debug)]
enum Captured {
    Ready,
    Graph(Graph),
}

/// Memory and graphs for batches up to the largest so far.
#[derive(Debug, Default)]
pub(super) struct Batch {
    room: Option<Room>,
    graphs: [Option<Captured>; SIZES.len()],
    /// What the graphs were captured with.
    memory: Vec<[u64; 2]>,
    /// What the GPU holds.
    tables: Vec<u32>,
    sequences: Vec<u32>,
    table_length: usize,
}

/// Whether a batch of so many tokens has a graph.
pub(super) fn has_size(tokens: usize) -> bool {
    (2..=SIZES[SIZES.len() - 1]).contains(&tokens)
}

/// The smallest size that so many rows fit into.
fn index_of(rows: usize) -> usize {
    let found = SIZES.iter().position(|size| *size >= rows);
    found.unwrap_or(SIZES.len() - 1)
}

impl Batch {
    /// Runs so few tokens; the logits after each of them are then where it says.
    pub(super) fn run(
        &mut self,
        network: &Network<'_>,
        kernels: &Kernels,
        tokens: &mut Tokens,
    ) -> Result<u64, EngineError> {
        let rows = tokens.ids.len();
        let index = index_of(rows);
        let size = SIZES[index];
        self.make_room(network, size, tokens.tables.len())?;
        let Some(room) = &mut self.room else {
            return Ok(0);
        };
        let known = self.table_length == tokens.table_length
            && self.sequences == tokens.sequences
            && self.tables == tokens.tables;
        room.inputs.put(network.gpu, tokens, known)?;
        if !known {
            self.table_length = tokens.table_length;
            std::mem::swap(&mut self.tables, &mut tokens.tables);
            std::mem::swap(&mut self.sequences, &mut tokens.sequences);
        }
        self.replay(network, kernels, index)
    }

    /// The step after the last one, of as many rows: the GPU has its tokens and its positions. None if there was none.
    pub(super) fn again(
        &mut self,
        network: &Network<'_>,
        kernels: &Kernels,
        rows: usize,
    ) -> Result<Option<u64>, EngineError> {
        let there = self.room.as_ref().is_some_and(|room| room.tokens >= rows);
        if !there || self.memory != network.memory {
            return Ok(None);
        }
        self.replay(network, kernels, index_of(rows)).map(Some)
    }

    fn replay(
        &mut self,
        network: &Network<'_>,
        kernels: &Kernels,
        index: usize,
    ) -> Result<u64, EngineError> {
        let Some(room) = &self.room else {
            return Ok(0);
        };
        let pass = || {
            kernels.layers(network, room, SIZES[index])?;
            kernels.head(network, room, SIZES[index], 0)
        };
        match &self.graphs[index] {
            None => {
                pass()?;
                self.graphs[index] = Some(Captured::Ready);
            }
            Some(Captured::Ready) => match network.gpu.capture(pass)? {
                Some(graph) => {
                    graph.replay()?;
                    self.graphs[index] = Some(Captured::Graph(graph));
                }
                None => pass()?,
            },
            Some(Captured::Graph(graph)) => graph.replay()?,
        }
        Ok(room.logits.address)
    }

    /// Where the next step's ids and positions are read.
    pub(super) fn next(&self) -> Option<(u64, u64)> {
        let inputs = &self.room.as_ref()?.inputs;
        Some((inputs.ids(), inputs.positions()))
    }

    /// The logits of the last pass.
    pub(super) fn logits(&self) -> Option<&Buffer<f32>> {
        self.room.as_ref().map(|room| &room.logits)
    }

    fn make_room(
        &mut self,
        network: &Network<'_>,
        size: usize,
        table_words: usize,
    ) -> Result<(), EngineError> {
        let (gpu, config) = (network.gpu, network.config);
        if self.memory != network.memory {
            self.graphs = Default::default();
            self.memory = network.memory.to_vec();
        }
        if self.room.as_ref().is_none_or(|room| room.tokens < size) {
            gpu.wait()?;
            self.room = None;
            self.graphs = Default::default();
            self.tables.clear();
            self.room = Some(Room::new(gpu, config, size, most_part_values(gpu, config))?);
        }
        if let Some(room) = &mut self.room {
            let logits = room.tokens * config.vocab_size;
            let words = table_words.max(room.tokens * USUAL_BLOCKS);
            if room.make(gpu, words, logits)? {
                self.graphs = Default::default();
                self.tables.clear();
            }
        }
        Ok(())
    }
}

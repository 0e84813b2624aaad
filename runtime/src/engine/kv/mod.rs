//! Keys and values of the tokens a sequence has been through, in buffers allocated once and written in place.
//! `model/` writes and reads them; `scheduler.rs` decides how large they are and when they go.

use super::kernels::attention::LayerKv;
use super::{EngineError, ModelConfig};
use candle_core::{DType, Device};

/// The keys and values of one sequence, for every layer.
#[derive(Debug)]
pub struct KvCache {
    layers: Vec<LayerKv>,
    len: usize,
    capacity: usize,
}

impl KvCache {
    /// Room for `capacity` tokens of a model of this shape.
    pub fn new(
        config: &ModelConfig,
        capacity: usize,
        device: &Device,
    ) -> Result<Self, EngineError> {
        let layers = (0..config.layers)
            .map(|_| LayerKv::new(config.kv_heads, capacity, config.head_dim, device))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            layers,
            len: 0,
            capacity,
        })
    }

    /// A cache that holds nothing and never will.
    pub(crate) fn empty() -> Self {
        Self {
            layers: Vec::new(),
            len: 0,
            capacity: 0,
        }
    }

    /// Bytes that a cache of `capacity` tokens takes.
    #[must_use]
    pub fn bytes(config: &ModelConfig, capacity: usize) -> usize {
        2 * config.layers
            * config.kv_heads
            * config.head_dim
            * capacity
            * DType::F32.size_in_bytes()
    }

    /// Tokens held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether no token is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Tokens that fit.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Forgets all but the first `len` tokens; the buffers stay.
    pub fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }

    /// One layer's buffers. What is written after the tokens held counts only after [`Self::commit`].
    pub(crate) fn layer(&self, layer: usize) -> &LayerKv {
        &self.layers[layer]
    }

    /// Counts tokens that every layer has written as held. Until then a failed step leaves no trace.
    pub(crate) fn commit(&mut self, tokens: usize) {
        self.len += tokens;
    }
}

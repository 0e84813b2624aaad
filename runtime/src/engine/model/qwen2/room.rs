//! What a pass works in. It is kept for the next one: a step that decodes allocates nothing.

use super::Qwen2;
use crate::engine::kernels::attention::Span;
use crate::engine::kernels::matmul::ProductRoom;
use crate::engine::kernels::rotary::Rotary;
use crate::engine::recycled::recycled;
use std::sync::PoisonError;

/// Tokens of a pass after which its room is given back: a pass of the engine has 256 in prefill by default.
const MOST_TOKENS: usize = 1024;

/// Buffers, which only ever grow.
#[derive(Debug, Default)]
pub(in crate::engine::model) struct Room {
    /// The residual stream, `[tokens, hidden_size]`.
    pub stream: Vec<f32>,
    /// The widest products: queries, keys and values, or gate and up projection.
    pub wide: Vec<f32>,
    /// What attention gives, `[tokens, heads * head_dim]`.
    pub attended: Vec<f32>,
    pub rotary: Rotary,
    pub products: ProductRoom,
    /// The states whose logits are wanted, `[states, hidden_size]`.
    pub wanted: Vec<f32>,
    /// The few logits that are wanted of a row.
    pub few: Vec<f32>,
    /// Empty, but for its memory.
    spans: Vec<Span<'static>>,
}

impl Room {
    /// An empty vector in the memory of the last one.
    pub(super) fn spans<'a>(&mut self) -> Vec<Span<'a>> {
        std::mem::take(&mut self.spans)
    }

    /// Keeps the memory.
    pub(super) fn keep(&mut self, spans: Vec<Span<'_>>) {
        self.spans = recycled(spans);
    }
}

impl Qwen2 {
    /// The room of an earlier pass, or a new one.
    pub(super) fn take_room(&self) -> Room {
        let mut rooms = self.rooms.lock().unwrap_or_else(PoisonError::into_inner);
        rooms.pop().unwrap_or_default()
    }

    /// Keeps a room for the next pass, unless this one was larger than most.
    pub(super) fn give_back(&self, room: Room) {
        if room.stream.len() <= MOST_TOKENS * self.config.hidden_size {
            let mut rooms = self.rooms.lock().unwrap_or_else(PoisonError::into_inner);
            rooms.push(room);
        }
    }
}

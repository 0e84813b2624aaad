//! Logits after several last tokens of a row: tokens that were guessed are checked all in one pass.

use super::{Qwen2, Row, commit};
use crate::engine::EngineError;
use candle_core::Tensor;

impl Qwen2 {
    /// Like [`Self::forward_for`], for each row that wants logits those after as many of its last tokens as `tails` says
    /// at the row's place (at least one), in their order and each over the whole vocabulary.
    pub fn forward_tails(
        &self,
        rows: &mut [Row<'_>],
        tails: &[usize],
    ) -> Result<Vec<Vec<Vec<f32>>>, EngineError> {
        let states = self.hidden_states(rows, |_| ())?;
        let (mut places, mut counts) = (Vec::new(), Vec::new());
        let mut end = 0;
        for (row, tail) in rows.iter().zip(tails) {
            end += row.tokens.len() as u32;
            if row.logits {
                let tail = (*tail).clamp(1, row.tokens.len());
                places.extend(end - tail as u32..end);
                counts.push(tail);
            }
        }
        let mut logits = Vec::new();
        if !places.is_empty() {
            let states = states.index_select(&Tensor::new(places, &self.device)?, 0)?;
            let all = self.head.forward(&states, &self.cpu)?;
            let mut place = 0;
            for count in counts {
                let of_row = (place..place + count).map(|at| all.get(at)?.to_vec1());
                logits.push(of_row.collect::<candle_core::Result<_>>()?);
                place += count;
            }
        }
        commit(rows);
        Ok(logits)
    }
}

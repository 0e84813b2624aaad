//! What a pass says of the tokens that come next.

use super::row::Row;
use crate::engine::{EngineError, TokenId};
use candle_core::{Device, Tensor};
use std::ops::Range;

/// The logits of the rows of a pass, each over the whole vocabulary. One value serves any number of passes: it keeps its
/// room.
#[derive(Debug, Default)]
pub struct Logits {
    /// Those of rows that want all of them, row by row, then those of rows that want few.
    values: Vec<f32>,
    vocab_size: usize,
    /// Of each row of the pass.
    wanted: Vec<Wanted>,
    /// The tokens that are wanted of rows that want few.
    few: Vec<u32>,
}

/// What a row wants.
#[derive(Debug, Clone)]
pub(super) enum Wanted {
    Nothing,
    /// The logits after so many of its last tokens.
    All(usize),
    /// Of the last token alone, and those of a part of [`Logits::few`] alone.
    Few(Range<usize>),
}

impl Wanted {
    /// After how many tokens.
    fn count(&self) -> usize {
        match self {
            Self::Nothing => 0,
            Self::All(count) => *count,
            Self::Few(_) => 1,
        }
    }

    fn is_few(&self) -> bool {
        matches!(self, Self::Few(_))
    }
}

impl Logits {
    /// Those of a row, by its place in the pass: `[tail, vocab_size]`, or nothing if it wanted none.
    #[must_use]
    pub fn row(&self, row: usize) -> &[f32] {
        let Some(own) = self.wanted.get(row) else {
            return &[];
        };
        let before = self
            .wanted
            .iter()
            .enumerate()
            .filter(|(at, other)| (other.is_few(), *at) < (own.is_few(), row));
        let start: usize = before.map(|(_, other)| other.count()).sum();
        &self.values[start * self.vocab_size..][..own.count() * self.vocab_size]
    }

    /// Rows of the pass.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.wanted.len()
    }

    /// As [`Self::row`], of each row at once, in any order of the rows.
    pub(crate) fn each_row<'a>(&'a mut self, mut each: impl FnMut(usize, &'a mut [f32])) {
        let mut left = self.values.as_mut_slice();
        for few in [false, true] {
            for (row, own) in self.wanted.iter().enumerate() {
                if own.is_few() == few {
                    let (part, rest) = left.split_at_mut(own.count() * self.vocab_size);
                    left = rest;
                    each(row, part);
                }
            }
        }
    }

    /// Makes room for what rows want. `tails` says after how many of its last tokens a row wants logits, one where it
    /// says nothing; `few` names the tokens that a row may go on with.
    pub(super) fn begin(
        &mut self,
        rows: &[Row<'_>],
        tails: &[usize],
        mut few: impl FnMut(usize) -> Option<Vec<TokenId>>,
        vocab_size: usize,
    ) -> Result<(), EngineError> {
        self.vocab_size = vocab_size;
        self.few.clear();
        self.wanted.clear();
        for (index, row) in rows.iter().enumerate() {
            let tail = tails.get(index).map_or(1, |tail| *tail).max(1);
            let tail = tail.min(row.tokens.len());
            let few = match (row.logits, tail) {
                (false, _) => {
                    self.wanted.push(Wanted::Nothing);
                    continue;
                }
                (true, 1) => few(index).filter(|few| !few.is_empty()),
                (true, _) => None,
            };
            self.wanted.push(match few {
                None => Wanted::All(tail),
                Some(few) => {
                    if let Some(token) = few.iter().find(|token| token.0 as usize >= vocab_size) {
                        return Err(EngineError::TokenOutOfRange {
                            id: token.0,
                            vocab_size,
                        });
                    }
                    let start = self.few.len();
                    self.few.extend(few.iter().map(|token| token.0));
                    Wanted::Few(start..self.few.len())
                }
            });
        }
        let count: usize = self.wanted.iter().map(Wanted::count).sum();
        self.values.resize(count * vocab_size, 0.0);
        Ok(())
    }

    /// Where those of rows that want all of them go, then where those of rows that want few go; and the tokens of which they
    /// want them.
    pub(super) fn parts_mut(&mut self) -> (&mut [f32], &mut [f32], &[Wanted], &[u32]) {
        let all = self.wanted.iter().filter(|own| !own.is_few());
        let all: usize = all.map(Wanted::count).sum();
        let (all, few) = self.values.split_at_mut(all * self.vocab_size);
        (all, few, &self.wanted, &self.few)
    }

    /// Takes the logits of rows, in their order, that were computed elsewhere.
    #[cfg(feature = "cuda")]
    pub(super) fn fill(&mut self, computed: impl Iterator<Item = Vec<f32>>) {
        let vocab_size = self.vocab_size.max(1);
        for (own, computed) in self.values.chunks_exact_mut(vocab_size).zip(computed) {
            own.copy_from_slice(&computed);
        }
    }

    /// `[rows that want logits, vocab_size]`.
    pub(super) fn into_tensor(self, device: &Device) -> Result<Tensor, EngineError> {
        let shape = (self.values.len() / self.vocab_size.max(1), self.vocab_size);
        Ok(Tensor::from_vec(self.values, shape, device)?)
    }
}

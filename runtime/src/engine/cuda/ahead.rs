//! A step that runs while the host still works on the one before, and what of the next pass it has done already.

use super::choice::Question;
use super::pass::Made;
use crate::engine::{Row, TokenId};

/// A step that runs.
#[derive(Debug)]
pub(super) struct Ahead {
    pub made: Made,
    /// Where its answers come.
    pub slot: usize,
    /// The rows that it runs, those that have a question first and in the questions' order.
    pub places: Vec<Place>,
    /// None while they are not asked yet.
    pub questions: Option<Vec<(usize, Question)>>,
}

/// A row of a step.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// Its number among the rows of the pass.
    pub row: usize,
    /// Its row of logits.
    pub logits: usize,
    /// The token that the step runs; none if choosing it has failed.
    pub token: Option<TokenId>,
    position: u32,
    /// The last block that the sequence may fill, which no other one has.
    block: Option<u32>,
}

impl Place {
    pub(super) fn of(number: usize, logits: usize, row: &Row<'_>) -> Self {
        Self {
            row: number,
            logits,
            token: row.tokens.first().copied(),
            position: row.cache.len() as u32,
            block: row.cache.table().last().copied(),
        }
    }

    /// A row that decodes, one step later.
    pub(super) fn after(number: usize, row: &Row<'_>) -> Self {
        let now = Self::of(number, number, row);
        Self {
            position: now.position + 1,
            token: None,
            ..now
        }
    }

    fn is(&self, other: &Self) -> bool {
        (self.token, self.position, self.block) == (other.token, other.position, other.block)
    }
}

impl Ahead {
    /// For each of these rows the place at which the step runs its first token; none if at least half of the rows would
    /// have no more from it than that.
    pub(super) fn serves(&self, rows: &[Row<'_>]) -> Option<Vec<Option<usize>>> {
        let mut from = 0;
        let served: Vec<Option<usize>> = rows
            .iter()
            .map(|row| {
                let wanted = Place::of(0, 0, row);
                // Both are in the order of admission.
                let at = self.places[from..]
                    .iter()
                    .position(|place| place.is(&wanted))?;
                from += at + 1;
                Some(from - 1)
            })
            .collect();
        let whole = rows
            .iter()
            .zip(&served)
            .filter(|(row, at)| at.is_some() && is_decoding(row));
        (2 * whole.count() > rows.len()).then_some(served)
    }
}

/// Whether a row's only new token is the one that its next is chosen after.
pub(super) fn is_decoding(row: &Row<'_>) -> bool {
    row.logits && row.tokens.len() == 1
}

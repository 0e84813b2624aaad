//! One pass over rows of one pool, by whichever way fits them: the decode kernel, a batch's graph, or neither. The logits
//! stay on the GPU.

use super::general::Network;
use super::room::Tokens;
use super::{CudaQwen2, Wanted, Work, batch};
use crate::engine::kernels::attention::BLOCK;
use crate::engine::{EngineError, Row};

/// Which way a pass went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Pass {
    Step,
    Batch,
    #[default]
    General,
}

/// Where the logits of a pass lie, and of how many tokens.
#[derive(Debug, Default)]
pub(super) struct Made {
    pub by: Pass,
    pub address: u64,
    pub rows: usize,
}

impl CudaQwen2 {
    /// Runs rows of one pool, of which the first has the place `first_row` among all, and leaves the logits on the GPU.
    /// Where `may_be_more`, few tokens have a graph whatever their rows are, and the logits of all of them are made.
    pub(super) fn pass(
        &self,
        work: &mut Work,
        rows: &[Row<'_>],
        first_row: usize,
        wanted: Wanted<'_>,
        may_be_more: bool,
    ) -> Result<Made, EngineError> {
        for row in rows {
            self.check_positions(row.cache.len() + row.tokens.len())?;
        }
        let Some(first) = rows.first() else {
            return Ok(Made::default());
        };
        let memory = self.memory(work, first.cache)?;
        if let [row] = rows
            && let [token] = row.tokens
            && let Some(step) = &mut work.step
        {
            let position = row.cache.len() as u32;
            let table = row.cache.table();
            let table = &table[..table.len().min(step.most_blocks())];
            step.run(&self.gpu, token.0, position, table, &memory)?;
            return Ok(Made {
                by: Pass::Step,
                address: step.logits.address,
                rows: wanted.of_row(first_row, row),
            });
        }
        let decodes = |row: &Row<'_>| row.tokens.len() == 1 && row.logits;
        let count = rows.iter().map(|row| row.tokens.len()).sum();
        let is_batch = batch::has_size(count) && (may_be_more || rows.iter().all(decodes));
        let mut tokens = self.tokens(rows, first_row, wanted, is_batch);
        let network = Network {
            gpu: &self.gpu,
            config: &self.config,
            weights: &self.weights,
            memory: &memory,
        };
        if is_batch {
            let kernels = work.general.kernels();
            return Ok(Made {
                by: Pass::Batch,
                address: work.batch.run(&network, kernels, &mut tokens)?,
                rows: rows.len(),
            });
        }
        Ok(Made {
            by: Pass::General,
            address: work.general.run(&network, &tokens)?,
            rows: tokens.wanted.len(),
        })
    }

    /// Runs the step after the one that ran last, whose tokens and positions the GPU has. None where that is not so.
    pub(super) fn pass_again(
        &self,
        work: &mut Work,
        first: &Row<'_>,
        by: Pass,
        rows: usize,
    ) -> Result<Option<Made>, EngineError> {
        let memory = self.memory(work, first.cache)?;
        let address = match (by, &mut work.step) {
            (Pass::Step, Some(step)) => {
                step.again(&self.gpu)?;
                Some(step.logits.address)
            }
            (Pass::Batch, _) => {
                let network = Network {
                    gpu: &self.gpu,
                    config: &self.config,
                    weights: &self.weights,
                    memory: &memory,
                };
                let kernels = work.general.kernels();
                work.batch.again(&network, kernels, rows)?
            }
            _ => None,
        };
        Ok(address.map(|address| Made { by, address, rows }))
    }

    /// What the kernels want to know of rows. A batch's tables are whole, so that they stay the same from step to step.
    fn tokens(
        &self,
        rows: &[Row<'_>],
        first_row: usize,
        wanted: Wanted<'_>,
        is_batch: bool,
    ) -> Tokens {
        let used = |row: &Row<'_>| match is_batch {
            true => row.cache.table().len(),
            false => (row.cache.len() + row.tokens.len()).div_ceil(BLOCK),
        };
        let table_length = rows.iter().map(used).max().unwrap_or(0);
        let mut tokens = Tokens {
            tables: vec![0; rows.len() * table_length],
            table_length,
            ..Tokens::default()
        };
        for (sequence, row) in rows.iter().enumerate() {
            let at = row.cache.len() as u32;
            tokens.ids.extend(row.tokens.iter().map(|token| token.0));
            tokens.positions.extend(at..at + row.tokens.len() as u32);
            tokens.sequences.resize(tokens.ids.len(), sequence as u32);
            let table = row.cache.table();
            let to = &mut tokens.tables[sequence * table_length..];
            to[..used(row)].copy_from_slice(&table[..used(row)]);
            let end = tokens.ids.len() as u32;
            let first = end - wanted.of_row(first_row + sequence, row) as u32;
            tokens.wanted.extend(first..end);
        }
        tokens
    }
}

//! Parts of a slice that threads of a team have to themselves while a job runs: pieces of it, or columns of its rows.

use super::team::Team;
use std::marker::PhantomData;

impl Team {
    /// Splits `out` into pieces of `piece` values and calls `work` with each piece and its number.
    pub(crate) fn for_each_piece<T: Send>(
        &self,
        out: &mut [T],
        piece: usize,
        work: impl Fn(usize, &mut [T]) + Sync,
    ) {
        let (piece, length) = (piece.max(1), out.len());
        let base = Base(out.as_mut_ptr());
        self.run(length.div_ceil(piece), &|index| {
            let start = index * piece;
            let count = piece.min(length - start);
            // SAFETY: `run` gives out each number below the number of pieces once, so that this lies within `out` and
            // nobody else has it; `out` stays borrowed until `run` returns.
            let own = unsafe { std::slice::from_raw_parts_mut(base.at(start), count) };
            work(index, own);
        });
    }

    /// Splits the rows of `out`, each of `width` values, into pieces of `piece` columns and calls `work` with each piece
    /// and its number.
    pub(crate) fn for_each_columns<T: Send>(
        &self,
        out: &mut [T],
        width: usize,
        piece: usize,
        work: impl Fn(usize, Columns<'_, T>) + Sync,
    ) {
        let (width, piece) = (width.max(1), piece.max(1));
        let rows = out.len() / width;
        let base = Base(out.as_mut_ptr());
        self.run(width.div_ceil(piece), &|index| {
            let first = index * piece;
            let columns = Columns {
                base: base.at(first),
                rows,
                width,
                count: piece.min(width - first),
                of: PhantomData,
            };
            work(index, columns);
        });
    }
}

/// Some columns of all rows of a matrix, which nobody else has.
pub(crate) struct Columns<'a, T> {
    /// The first of them in the first row.
    base: *mut T,
    rows: usize,
    /// Columns of the matrix.
    width: usize,
    /// How many of them these are.
    count: usize,
    of: PhantomData<&'a mut [T]>,
}

impl<T> Columns<'_, T> {
    /// Those of one row.
    #[inline(always)]
    pub(crate) fn row(&mut self, row: usize) -> &mut [T] {
        assert!(row < self.rows, "row {row} of {}", self.rows);
        // SAFETY: `for_each_columns` makes one value of this type for each piece of the columns, which are disjoint, and
        // these lie within the row, which is one of the matrix's; `&mut self` makes this the only reference to them.
        unsafe { std::slice::from_raw_parts_mut(self.base.add(row * self.width), self.count) }
    }
}

/// Where values begin that several threads have parts of.
struct Base<T>(*mut T);

// SAFETY: it gives addresses, and who makes a reference of one answers for it; what they lead to may change threads.
unsafe impl<T: Send> Sync for Base<T> {}

impl<T> Base<T> {
    fn at(&self, index: usize) -> *mut T {
        self.0.wrapping_add(index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::num::NonZeroUsize;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    #[test]
    fn every_value_is_in_one_piece_and_one_column() {
        let team = Team::new(NonZeroUsize::new(3).unwrap());
        for (rows, width, piece) in [(1, 1, 1), (4, 7, 3), (5, 16, 4), (3, 2, 9), (0, 5, 2)] {
            let mut counts = vec![0; rows * width];
            team.for_each_piece(&mut counts, piece, |index, own| {
                own.iter_mut().for_each(|count| *count += 1 + index);
            });
            team.for_each_columns(&mut counts, width, piece, |index, mut columns| {
                for row in 0..rows {
                    columns
                        .row(row)
                        .iter_mut()
                        .for_each(|count| *count += 1000 * (1 + index));
                }
            });
            for (at, count) in counts.iter().enumerate() {
                let (piece_of, column_of) = (at / piece, at % width / piece);
                assert_eq!(
                    *count,
                    1 + piece_of + 1000 * (1 + column_of),
                    "{rows}x{width}, {piece}"
                );
            }
        }
    }

    #[test]
    fn a_row_that_is_not_there_is_not_given() {
        let team = Team::new(NonZeroUsize::MIN);
        let mut values = [0; 6];
        let beyond = catch_unwind(AssertUnwindSafe(|| {
            team.for_each_columns(&mut values, 3, 2, |_, mut columns| columns.row(2).fill(1));
        }));
        assert!(beyond.is_err());
        assert_eq!(values, [0; 6]);
    }
}

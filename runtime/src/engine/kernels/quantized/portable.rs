//! The plain form of the quantized kernels: the reference for the others, and what machines without them run.

use super::QuantizedRow;
use crate::engine::kernels::packed::{GROUP, Packing};
use half::f16;

pub(super) fn q8<const M: usize>(group: &[u8], rows: [QuantizedRow<'_>; M]) -> [[f32; GROUP]; M] {
    let bytes = |block: &[u8], column: usize| -> [u8; 4 * GROUP] {
        std::array::from_fn(|i| block[column * 4 * GROUP + i])
    };
    products(Packing::Q8, group, rows, bytes)
}

pub(super) fn q4<const M: usize>(group: &[u8], rows: [QuantizedRow<'_>; M]) -> [[f32; GROUP]; M] {
    let nibbles = |block: &[u8], column: usize| -> [u8; 4 * GROUP] {
        let (at, shift) = (column % 4 * 4 * GROUP, column / 4 * 4);
        std::array::from_fn(|i| block[at + i] >> shift & 15)
    };
    products(Packing::Q4, group, rows, nibbles)
}

/// `fours` gives the stored values of four columns, the n-th of 8 in a block, for all 16 rows of the group.
#[inline(always)]
fn products<const M: usize>(
    packing: Packing,
    group: &[u8],
    rows: [QuantizedRow<'_>; M],
    fours: impl Fn(&[u8], usize) -> [u8; 4 * GROUP],
) -> [[f32; GROUP]; M] {
    let mut totals = [[0f32; GROUP]; M];
    let blocks = group.chunks_exact(packing.block_bytes());
    for (index, block) in blocks.enumerate() {
        let (block, scales) = block.split_at(packing.value_bytes());
        let mut sums: [[i32; GROUP]; M] =
            std::array::from_fn(|row| [rows[row][index].offset(packing); GROUP]);
        for column in 0..8 {
            let stored = fours(block, column);
            for (row, sums) in rows.iter().zip(&mut sums) {
                let x = row[index].words[column]
                    .to_le_bytes()
                    .map(|byte| i32::from(byte as i8));
                for (lane, sum) in sums.iter_mut().enumerate() {
                    for (i, x) in x.iter().enumerate() {
                        *sum += i32::from(stored[4 * lane + i]) * x;
                    }
                }
            }
        }
        for ((row, sums), totals) in rows.iter().zip(&sums).zip(&mut totals) {
            for (lane, total) in totals.iter_mut().enumerate() {
                let scale = f16::from_le_bytes([scales[2 * lane], scales[2 * lane + 1]]).to_f32();
                *total += sums[lane] as f32 * (scale * row[index].scale);
            }
        }
    }
    totals
}

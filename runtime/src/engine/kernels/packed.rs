//! Quantized matrices in the kernels' own layout. Sixteen rows lie side by side, so that one vector load brings the
//! same four columns of all of them and no sum across a vector is ever needed.
//!
//! A group of 16 rows is its blocks of 32 columns, each followed by its scales, 16 f16: one stream of bytes, because a
//! second one beside it halves the rate at which memory is read. A q8 block is `[8][16][4]` bytes: columns in fours,
//! rows, columns; a value is stored plus 128. A q4 block is `[4][16][4]` bytes: the low nibbles are the columns 0 to
//! 15, the high ones 16 to 31; a value is stored plus 8.

use super::memory::{Arena, Memory};
use super::simd::{Level, for_each_level};
use super::team::Team;
use crate::engine::load::{RawTensor, Stored};
use half::f16;
use std::ops::Range;
use std::sync::Mutex;

/// Rows in a group: 32-bit lanes of the widest vector.
pub(crate) const GROUP: usize = 16;
/// Columns that share a scale.
pub(crate) const BLOCK: usize = 32;
/// Packed bytes after which the rows they were made of are done with.
const AT_ONCE: usize = 8 << 20;
/// Bytes of a block's scales.
pub(crate) const SCALES: usize = 2 * GROUP;

/// How the values of a matrix are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Packing {
    Q8,
    Q4,
}

impl Packing {
    /// Bytes of a block of a group, its scales included.
    pub(crate) const fn block_bytes(self) -> usize {
        self.value_bytes() + SCALES
    }

    /// Bytes of quantized values in a block of a group.
    pub(crate) const fn value_bytes(self) -> usize {
        match self {
            Self::Q8 => GROUP * BLOCK,
            Self::Q4 => GROUP * BLOCK / 2,
        }
    }

    /// What stands for zero.
    pub(crate) const fn zero(self) -> u8 {
        match self {
            Self::Q8 => 128,
            Self::Q4 => 8,
        }
    }
}

/// A matrix `[rows, columns]`. Rows are padded with zeros to whole groups, columns to whole blocks.
pub(crate) struct Packed {
    packing: Packing,
    rows: usize,
    columns: usize,
    bytes: Memory,
}

/// A value that is NaN or infinite, where packing met it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NotFinite {
    pub row: usize,
    pub column: usize,
    pub value: f32,
}

impl Packed {
    /// Packs matrices of `columns` columns and the given numbers of rows, one below the other. Formats that hold the
    /// same blocks are taken over exactly, others pass through f32. `done` hears of rows that are not read again.
    pub(crate) fn pack(
        packing: Packing,
        parts: &[(RawTensor<'_>, usize)],
        columns: usize,
        (team, arena): (&Team, &Arena),
        mut done: impl FnMut(Range<usize>),
    ) -> Result<Self, NotFinite> {
        let rows: usize = parts.iter().map(|(_, rows)| rows).sum();
        let blocks = columns.div_ceil(BLOCK);
        let stride = group_stride(packing, blocks);
        let mut bytes = arena.zeroed(rows.div_ceil(GROUP) * stride);
        let failure = Mutex::new(None);
        let pack_group = |group: usize, bytes: &mut [u8]| {
            for lane in 0..GROUP {
                let row = group * GROUP + lane;
                let packed = match find_row(parts, row, columns) {
                    Some((stored, source)) => {
                        pack_row(packing, stored, source, columns, lane, bytes)
                    }
                    None => {
                        pack_blocks(packing, &[], lane, bytes, blocks);
                        Ok(())
                    }
                };
                if let Err((column, value)) = packed
                    && let Ok(mut failure) = failure.lock()
                {
                    *failure = Some(NotFinite { row, column, value });
                }
            }
        };
        let groups = AT_ONCE.div_ceil(stride);
        for (index, bytes) in bytes.as_mut_slice().chunks_mut(groups * stride).enumerate() {
            let first = index * groups;
            team.for_each_piece(bytes, stride, |group, bytes| {
                pack_group(first + group, bytes);
            });
            done(first * GROUP..((first + groups) * GROUP).min(rows));
        }
        match failure.into_inner().unwrap_or_default() {
            Some(failure) => Err(failure),
            None => Ok(Self {
                packing,
                rows,
                columns,
                bytes,
            }),
        }
    }

    pub(crate) fn packing(&self) -> Packing {
        self.packing
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    pub(crate) fn columns(&self) -> usize {
        self.columns
    }

    /// Blocks in a row.
    pub(crate) fn blocks(&self) -> usize {
        self.columns.div_ceil(BLOCK)
    }

    /// Groups of 16 rows.
    pub(crate) fn groups(&self) -> usize {
        self.rows.div_ceil(GROUP)
    }

    /// Bytes in memory.
    pub(crate) fn size(&self) -> usize {
        self.bytes.len()
    }

    /// Bytes from one group of 16 rows to the next.
    pub(crate) fn group_bytes(&self) -> usize {
        group_stride(self.packing, self.blocks())
    }

    /// The blocks of a group of 16 rows.
    pub(crate) fn group(&self, group: usize) -> &[u8] {
        let stride = self.group_bytes();
        &self.bytes.as_slice()[group * stride..][..self.blocks() * self.packing.block_bytes()]
    }

    /// Appends a row's values.
    pub(crate) fn append_row(&self, row: usize, out: &mut Vec<f32>) {
        let group = self.group(row / GROUP);
        let lane = row % GROUP;
        let zero = f32::from(self.packing.zero());
        out.extend((0..self.columns).map(|column| {
            let (block, column) = (column / BLOCK, column % BLOCK);
            let values = &group[block * self.packing.block_bytes()..];
            let quant = match self.packing {
                Packing::Q8 => values[position(column, lane)],
                Packing::Q4 if column < 16 => values[position(column, lane)] & 15,
                Packing::Q4 => values[position(column - 16, lane)] >> 4,
            };
            let at = self.packing.value_bytes() + 2 * lane;
            let scale = f16::from_le_bytes([values[at], values[at + 1]]).to_f32();
            (f32::from(quant) - zero) * scale
        }));
    }
}

impl std::fmt::Debug for Packed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Packed")
            .field("packing", &self.packing)
            .field("rows", &self.rows)
            .field("columns", &self.columns)
            .finish_non_exhaustive()
    }
}

/// Groups begin on a cache line.
fn group_stride(packing: Packing, blocks: usize) -> usize {
    (blocks * packing.block_bytes()).max(1).next_multiple_of(64)
}

/// Where a column of a row lies in a block.
fn position(column: usize, lane: usize) -> usize {
    column / 4 * (4 * GROUP) + 4 * lane + column % 4
}

fn find_row<'a>(
    parts: &[(RawTensor<'a>, usize)],
    mut row: usize,
    columns: usize,
) -> Option<(Stored, &'a [u8])> {
    for (tensor, rows) in parts {
        if row < *rows {
            let (values, bytes) = tensor.stored.block();
            let length = columns / values * bytes;
            return Some((
                tensor.stored,
                &tensor.bytes[row * length..(row + 1) * length],
            ));
        }
        row -= rows;
    }
    None
}

/// One block of a row before it is packed: values stored plus zero, one a byte.
pub(crate) struct QuantBlock {
    pub scale: f16,
    pub values: [u8; BLOCK],
}

fn pack_row(
    packing: Packing,
    stored: Stored,
    source: &[u8],
    columns: usize,
    lane: usize,
    group: &mut [u8],
) -> Result<(), (usize, f32)> {
    let blocks: Vec<QuantBlock> = match (packing, stored) {
        (Packing::Q8, Stored::Q8_0) => source.chunks_exact(34).map(from_q8_0).collect(),
        (Packing::Q4, Stored::Q4_0) => source.chunks_exact(18).map(from_q4_0).collect(),
        _ => {
            let mut values = Vec::with_capacity(columns);
            stored.append_f32(source, &mut values);
            if let Some(column) = values.iter().position(|value| !value.is_finite()) {
                return Err((column, values[column]));
            }
            // The last block is padded with zeros.
            values.resize(columns.next_multiple_of(BLOCK), 0.0);
            let mut blocks = Vec::with_capacity(values.len() / BLOCK);
            quantize(Level::detect(), packing, values.as_chunks().0, &mut blocks);
            blocks
        }
    };
    if let Some(block) = blocks.iter().position(|block| !block.scale.is_finite()) {
        return Err((block * BLOCK, blocks[block].scale.to_f32()));
    }
    pack_blocks(packing, &blocks, lane, group, blocks.len());
    Ok(())
}

/// Writes a row's blocks into its lane; rows that do not exist are `count` blocks of zeros.
fn pack_blocks(
    packing: Packing,
    blocks: &[QuantBlock],
    lane: usize,
    group: &mut [u8],
    count: usize,
) {
    let size = packing.block_bytes();
    for index in 0..count {
        let zero = QuantBlock {
            scale: f16::ZERO,
            values: [packing.zero(); BLOCK],
        };
        let block = blocks.get(index).unwrap_or(&zero);
        let target = &mut group[index * size..(index + 1) * size];
        for (column, value) in block.values.iter().enumerate() {
            match packing {
                Packing::Q8 => target[position(column, lane)] = *value,
                Packing::Q4 if column < 16 => target[position(column, lane)] |= value,
                Packing::Q4 => target[position(column - 16, lane)] |= value << 4,
            }
        }
        let at = packing.value_bytes() + 2 * lane;
        target[at..at + 2].copy_from_slice(&block.scale.to_le_bytes());
    }
}

fn from_q8_0(block: &[u8]) -> QuantBlock {
    let mut values = [0; BLOCK];
    for (value, byte) in values.iter_mut().zip(&block[2..]) {
        // A signed byte plus 128.
        *value = byte ^ 0x80;
    }
    QuantBlock {
        scale: f16::from_le_bytes([block[0], block[1]]),
        values,
    }
}

fn from_q4_0(block: &[u8]) -> QuantBlock {
    let mut values = [0; BLOCK];
    for (i, byte) in block[2..].iter().enumerate() {
        values[i] = byte & 15;
        values[i + 16] = byte >> 4;
    }
    QuantBlock {
        scale: f16::from_le_bytes([block[0], block[1]]),
        values,
    }
}

for_each_level! {
    /// Quantizes whole blocks and appends them.
    pub(crate) fn quantize(packing: Packing, values: &[[f32; BLOCK]], blocks: &mut Vec<QuantBlock>) = quantize_body
}

#[inline(always)]
fn quantize_body<const FUSED: bool>(
    packing: Packing,
    values: &[[f32; BLOCK]],
    blocks: &mut Vec<QuantBlock>,
) {
    for values in values {
        blocks.push(match packing {
            Packing::Q8 => {
                // The largest magnitude becomes 127.
                let most = values
                    .iter()
                    .fold(0f32, |most, value| most.max(value.abs()));
                quantize_block(packing, values, most / 127.0, 127.0)
            }
            Packing::Q4 => {
                // As ggml's q4_0: the value of largest magnitude becomes -8.
                let larger = |most: f32, value: &f32| {
                    if value.abs() > most.abs() {
                        *value
                    } else {
                        most
                    }
                };
                quantize_block(
                    packing,
                    values,
                    values.iter().fold(0f32, larger) / -8.0,
                    7.0,
                )
            }
        });
    }
}

#[inline(always)]
fn quantize_block(packing: Packing, values: &[f32; BLOCK], scale: f32, most: f32) -> QuantBlock {
    // The largest f16 keeps even an absurd weight finite.
    let scale = f16::from_f32(scale.clamp(f16::MIN.to_f32(), f16::MAX.to_f32()));
    let inverse = if scale == f16::ZERO {
        0.0
    } else {
        1.0 / scale.to_f32()
    };
    // Adding 1.5 * 2^23 leaves the value, rounded to even, in the low bits.
    const MAGIC: f32 = 12_582_912.0;
    let least = -f32::from(packing.zero());
    let mut quants = [0; BLOCK];
    for (quant, value) in quants.iter_mut().zip(values) {
        let rounded = ((value * inverse).clamp(least, most) + MAGIC).to_bits();
        *quant = (rounded as u8).wrapping_add(packing.zero());
    }
    QuantBlock {
        scale,
        values: quants,
    }
}

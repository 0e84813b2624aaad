//! Quantized rows times packed matrices: the product every decoded token spends its time in.
//! Integer sums are exact, so every instruction set gives the same ones; a row's result never depends on the batch.

use super::Cpu;
use super::activation::{Quantized, QuantizedBlock};
use super::output::Output;
use super::packed::{GROUP, Packed, Packing};
use super::pieces::Columns;
use super::team::Team;

#[cfg(target_arch = "x86_64")]
mod avx_vnni;
#[cfg(target_arch = "aarch64")]
mod neon;
mod portable;
#[cfg(target_arch = "x86_64")]
mod x86;

/// One row of activations.
type QuantizedRow<'a> = &'a [QuantizedBlock];

/// Most rows of activations that pass over a group together: their sums fill the vector registers.
const TILE: usize = 8;
/// Rows of activations that stay in the second-level cache while a slice of the matrix passes over them.
const BLOCK_ROWS: usize = 8 * TILE;
/// Bytes of the matrix that stay there too, while blocks of rows pass.
const CACHED: usize = 384 << 10;

/// The instruction sets that the quantized kernels are written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Isa {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    AvxVnni,
    #[cfg(target_arch = "x86_64")]
    Avx512Vnni,
    #[cfg(target_arch = "aarch64")]
    NeonDotprod,
}

impl Isa {
    /// The best one of this machine.
    pub(crate) fn detect() -> Self {
        let best = Self::ALL.iter().rev().find(|isa| isa.is_here());
        best.copied().unwrap_or(Self::Portable)
    }

    /// Those for this architecture, the best last.
    const ALL: &[Self] = &[
        Self::Portable,
        #[cfg(target_arch = "x86_64")]
        Self::Avx2,
        #[cfg(target_arch = "x86_64")]
        Self::AvxVnni,
        #[cfg(target_arch = "x86_64")]
        Self::Avx512Vnni,
        #[cfg(target_arch = "aarch64")]
        Self::NeonDotprod,
    ];

    /// Whether this machine has its instructions. The standard library remembers what it has detected.
    fn is_here(self) -> bool {
        #[cfg(target_arch = "x86_64")]
        let avx2 = is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("fma")
            && is_x86_feature_detected!("f16c");
        match self {
            Self::Portable => true,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => avx2,
            #[cfg(target_arch = "x86_64")]
            Self::AvxVnni => avx2 && is_x86_feature_detected!("avxvnni"),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512Vnni => {
                is_x86_feature_detected!("avx512vnni") && is_x86_feature_detected!("avx512bw")
            }
            #[cfg(target_arch = "aarch64")]
            Self::NeonDotprod => std::arch::is_aarch64_feature_detected!("dotprod"),
        }
    }

    /// Its name, where people read it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => "AVX2",
            #[cfg(target_arch = "x86_64")]
            Self::AvxVnni => "AVX-VNNI",
            #[cfg(target_arch = "x86_64")]
            Self::Avx512Vnni => "AVX-512 VNNI",
            #[cfg(target_arch = "aarch64")]
            Self::NeonDotprod => "NEON dot products",
        }
    }
}

/// `x W^T` into `[rows, W's rows]`.
pub(crate) fn multiply(x: &Quantized, w: &Packed, out: Output<'_>, cpu: &Cpu) {
    if x.rows() == 1 {
        one_row(x.row(0), w, out, cpu);
    } else {
        several_rows(x, w, out, cpu);
    }
}

/// Room for the products of some rows of a matrix, kept between them.
#[derive(Debug, Default)]
pub(crate) struct FewRoom {
    groups: Vec<usize>,
    sums: Vec<[f32; GROUP]>,
}

/// The products of one row with these of W's rows, in their order; equal to the last bit to those of [`multiply`].
pub(crate) fn multiply_some(
    x: QuantizedRow<'_>,
    w: &Packed,
    rows: &[u32],
    (room, out): (&mut FewRoom, &mut [f32]),
    cpu: &Cpu,
) {
    let FewRoom { groups, sums } = room;
    groups.clear();
    groups.extend(rows.iter().map(|row| *row as usize / GROUP));
    groups.sort_unstable();
    groups.dedup();
    sums.resize(groups.len(), [0.0; GROUP]);
    let piece = groups.len().div_ceil(4 * cpu.team.threads());
    cpu.team.for_each_piece(sums, piece, |at, sums| {
        for (group, sums) in groups[at * piece..].iter().zip(sums.chunks_mut(1)) {
            tile(cpu.isa, w, *group, &[x], sums);
        }
    });
    for (out, row) in out.iter_mut().zip(rows) {
        let (group, lane) = (*row as usize / GROUP, *row as usize % GROUP);
        let found = groups.binary_search(&group);
        *out = found.map_or(0.0, |at| sums[at][lane]);
    }
}

/// Groups that a thread takes at a time: several pieces a thread, so that one that is held up delays the end by a piece
/// at most.
fn groups_a_piece(w: &Packed, team: &Team) -> usize {
    w.groups().div_ceil(8 * team.threads())
}

fn one_row(row: QuantizedRow<'_>, w: &Packed, out: Output<'_>, cpu: &Cpu) {
    let Output { values, store } = out;
    let groups = groups_a_piece(w, &cpu.team);
    cpu.team
        .for_each_piece(values, groups * GROUP, |piece, out| {
            for (index, out) in out.chunks_mut(GROUP).enumerate() {
                let group = piece * groups + index;
                let [sums] = products(cpu.isa, w, group, [row]);
                store.store(&sums, group * GROUP, out);
            }
        });
}

/// Threads share out the matrix, so that each of its bytes is fetched from memory once, however many rows there are.
fn several_rows(x: &Quantized, w: &Packed, out: Output<'_>, cpu: &Cpu) {
    let Output { values, store } = out;
    let cached = (CACHED / w.group_bytes().max(1)).max(1);
    let groups = groups_a_piece(w, &cpu.team).min(cached);
    // Tiles of equal height: one row alone would cost nearly as much as eight.
    let height = x.rows().div_ceil(x.rows().div_ceil(TILE).max(1)).max(1);
    let blocks = BLOCK_ROWS / height * height;
    let piece = groups * GROUP;
    let work = |index: usize, mut columns: Columns<'_, f32>| {
        let first_group = index * groups;
        let end = (first_group + groups).min(w.groups());
        for block in (0..x.rows()).step_by(blocks) {
            let in_block = blocks.min(x.rows() - block);
            let tiles = in_block.div_ceil(height);
            for group in first_group..end {
                // What comes next is fetched while several tiles are computed of what is here; of one tile, the processor
                // fetches it by itself.
                let next = match tiles > 1 && block == 0 && group + 1 < end {
                    true => w.group(group + 1),
                    false => &[],
                };
                let mut next = next.chunks(next.len().div_ceil(tiles).next_multiple_of(64).max(64));
                for at in (0..in_block).step_by(height) {
                    let (first, count) = (block + at, height.min(in_block - at));
                    prefetch(next.next().unwrap_or_default());
                    let rows: [QuantizedRow<'_>; TILE] =
                        std::array::from_fn(|i| x.row(first + i.min(count - 1)));
                    let mut sums = [[0f32; GROUP]; TILE];
                    tile(cpu.isa, w, group, &rows[..count], &mut sums);
                    for (row, sums) in sums[..count].iter().enumerate() {
                        let out = &mut columns.row(first + row)[(group - first_group) * GROUP..];
                        let count = out.len().min(GROUP);
                        store.store(sums, group * GROUP, &mut out[..count]);
                    }
                }
            }
        }
    };
    cpu.team.for_each_columns(values, w.rows(), piece, work);
}

/// Asks for bytes that are needed soon, where the machine can be asked.
#[inline(always)]
fn prefetch(bytes: &[u8]) {
    #[cfg(target_arch = "x86_64")]
    x86::prefetch(bytes);
    #[cfg(not(target_arch = "x86_64"))]
    let _ = bytes;
}

/// The products of up to [`TILE`] rows with the 16 rows of a group.
fn tile(isa: Isa, w: &Packed, group: usize, rows: &[QuantizedRow<'_>], out: &mut [[f32; GROUP]]) {
    match *rows {
        [a] => out[..1].copy_from_slice(&products(isa, w, group, [a])),
        [a, b] => out[..2].copy_from_slice(&products(isa, w, group, [a, b])),
        [a, b, c] => out[..3].copy_from_slice(&products(isa, w, group, [a, b, c])),
        [a, b, c, d] => out[..4].copy_from_slice(&products(isa, w, group, [a, b, c, d])),
        [a, b, c, d, e] => out[..5].copy_from_slice(&products(isa, w, group, [a, b, c, d, e])),
        [a, b, c, d, e, f] => {
            out[..6].copy_from_slice(&products(isa, w, group, [a, b, c, d, e, f]));
        }
        [a, b, c, d, e, f, g] => {
            out[..7].copy_from_slice(&products(isa, w, group, [a, b, c, d, e, f, g]));
        }
        [a, b, c, d, e, f, g, h] => {
            out[..8].copy_from_slice(&products(isa, w, group, [a, b, c, d, e, f, g, h]));
        }
        _ => {}
    }
}

fn products<const M: usize>(
    isa: Isa,
    w: &Packed,
    group: usize,
    rows: [QuantizedRow<'_>; M],
) -> [[f32; GROUP]; M] {
    let group = w.group(group);
    match (isa, w.packing()) {
        (Isa::Portable, Packing::Q8) => portable::q8(group, rows),
        (Isa::Portable, Packing::Q4) => portable::q4(group, rows),
        // SAFETY: `Isa::detect` names a set only where the machine has its instructions.
        #[cfg(target_arch = "x86_64")]
        (Isa::Avx2, Packing::Q8) => unsafe { x86::avx2_q8(group, rows) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        (Isa::Avx2, Packing::Q4) => unsafe { x86::avx2_q4(group, rows) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        (Isa::AvxVnni, Packing::Q8) => unsafe { avx_vnni::q8(group, rows) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        (Isa::AvxVnni, Packing::Q4) => unsafe { avx_vnni::q4(group, rows) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        (Isa::Avx512Vnni, Packing::Q8) => unsafe { x86::avx512_q8(group, rows) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        (Isa::Avx512Vnni, Packing::Q4) => unsafe { x86::avx512_q4(group, rows) },
        // SAFETY: as above.
        #[cfg(target_arch = "aarch64")]
        (Isa::NeonDotprod, Packing::Q8) => unsafe { neon::q8(group, rows) },
        // SAFETY: as above.
        #[cfg(target_arch = "aarch64")]
        (Isa::NeonDotprod, Packing::Q4) => unsafe { neon::q4(group, rows) },
    }
}

#[cfg(test)]
mod tests;

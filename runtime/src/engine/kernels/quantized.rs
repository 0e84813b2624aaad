//! Quantized rows times packed matrices: the product every decoded token spends its time in.
//! Integer sums are exact, so every instruction set gives the same ones; a row's result never depends on the batch.

use super::activation::{Quantized, QuantizedBlock};
use super::packed::{GROUP, Packed, Packing};
use super::team::Team;

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
    Avx512Vnni,
    #[cfg(target_arch = "aarch64")]
    NeonDotprod,
}

impl Isa {
    /// The best one of this machine.
    pub(crate) fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx512vnni") && is_x86_feature_detected!("avx512bw") {
                return Self::Avx512Vnni;
            }
            if is_x86_feature_detected!("avx2")
                && is_x86_feature_detected!("fma")
                && is_x86_feature_detected!("f16c")
            {
                return Self::Avx2;
            }
        }
        #[cfg(target_arch = "aarch64")]
        if std::arch::is_aarch64_feature_detected!("dotprod") {
            return Self::NeonDotprod;
        }
        Self::Portable
    }
}

/// `x W^T + bias`, `[rows, W's rows]`.
pub(crate) fn multiply(
    isa: Isa,
    x: &Quantized,
    w: &Packed,
    bias: Option<&[f32]>,
    team: &Team,
) -> Vec<f32> {
    let mut out = vec![0f32; x.rows() * w.rows()];
    if x.rows() == 1 {
        one_row(isa, x.row(0), w, team, &mut out);
    } else {
        several_rows(isa, x, w, team, &mut out);
    }
    if let Some(bias) = bias {
        for row in out.chunks_exact_mut(w.rows()) {
            row.iter_mut()
                .zip(bias)
                .for_each(|(out, bias)| *out += bias);
        }
    }
    out
}

/// The products of one row with these of W's rows, in their order; equal to the last bit to those of [`multiply`].
pub(crate) fn multiply_some(
    isa: Isa,
    x: QuantizedRow<'_>,
    w: &Packed,
    rows: &[u32],
    team: &Team,
) -> Vec<f32> {
    let mut groups: Vec<usize> = rows.iter().map(|row| *row as usize / GROUP).collect();
    groups.sort_unstable();
    groups.dedup();
    let mut sums = vec![[0f32; GROUP]; groups.len()];
    let piece = groups.len().div_ceil(4 * team.threads());
    team.for_each_piece(&mut sums, piece, |at, sums| {
        for (group, sums) in groups[at * piece..].iter().zip(sums.chunks_mut(1)) {
            tile(isa, w, *group, &[x], sums);
        }
    });
    let product = |row: &u32| {
        let (group, lane) = (*row as usize / GROUP, *row as usize % GROUP);
        groups
            .binary_search(&group)
            .map_or(0.0, |at| sums[at][lane])
    };
    rows.iter().map(product).collect()
}

/// Groups that a thread takes at a time: several pieces a thread, so that one that is held up delays the end by a piece
/// at most.
fn groups_a_piece(w: &Packed, team: &Team) -> usize {
    w.groups().div_ceil(8 * team.threads())
}

fn one_row(isa: Isa, row: QuantizedRow<'_>, w: &Packed, team: &Team, out: &mut [f32]) {
    let groups = groups_a_piece(w, team);
    team.for_each_piece(out, groups * GROUP, |piece, out| {
        for (index, out) in out.chunks_mut(GROUP).enumerate() {
            let [sums] = products(isa, w, piece * groups + index, [row]);
            out.copy_from_slice(&sums[..out.len()]);
        }
    });
}

/// Threads share out the matrix, so that each of its bytes is fetched from memory once, however many rows there are.
fn several_rows(isa: Isa, x: &Quantized, w: &Packed, team: &Team, out: &mut [f32]) {
    let cached = (CACHED / w.group_bytes().max(1)).max(1);
    let groups = groups_a_piece(w, team).min(cached);
    // Of each piece, the part of every row.
    let mut pieces: Vec<Vec<&mut [f32]>> = Vec::new();
    pieces.resize_with(w.groups().div_ceil(groups), || Vec::with_capacity(x.rows()));
    for row in out.chunks_exact_mut(w.rows()) {
        for (piece, part) in pieces.iter_mut().zip(row.chunks_mut(groups * GROUP)) {
            piece.push(part);
        }
    }
    // Tiles of equal height: one row alone would cost nearly as much as eight.
    let height = x.rows().div_ceil(x.rows().div_ceil(TILE));
    let blocks = BLOCK_ROWS / height * height;
    team.for_each_piece(&mut pieces, 1, |piece, parts| {
        for (block, parts) in parts
            .iter_mut()
            .flat_map(|parts| parts.chunks_mut(blocks))
            .enumerate()
        {
            for index in 0..groups.min(w.groups() - piece * groups) {
                for (tile_at, parts) in parts.chunks_mut(height).enumerate() {
                    let (first, count) = (block * blocks + tile_at * height, parts.len());
                    let rows: [QuantizedRow<'_>; TILE] =
                        std::array::from_fn(|i| x.row(first + i.min(count - 1)));
                    let mut sums = [[0f32; GROUP]; TILE];
                    tile(isa, w, piece * groups + index, &rows[..count], &mut sums);
                    for (sums, part) in sums.iter().zip(parts) {
                        let part = &mut part[index * GROUP..];
                        let count = part.len().min(GROUP);
                        part[..count].copy_from_slice(&sums[..count]);
                    }
                }
            }
        }
    });
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
mod tests {
    use super::*;
    use crate::engine::kernels::memory::Arena;
    use crate::engine::kernels::simd::Level;
    use crate::engine::load::{RawTensor, Stored};
    use std::num::NonZeroUsize;

    fn team() -> Team {
        Team::new(NonZeroUsize::new(2).unwrap())
    }

    fn isas() -> Vec<Isa> {
        match Isa::detect() {
            Isa::Portable => vec![Isa::Portable],
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => vec![Isa::Portable, Isa::Avx2],
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512Vnni => vec![Isa::Portable, Isa::Avx2, Isa::Avx512Vnni],
            #[cfg(target_arch = "aarch64")]
            Isa::NeonDotprod => vec![Isa::Portable, Isa::NeonDotprod],
        }
    }

    fn values(count: usize, seed: u64) -> Vec<f32> {
        let mut state = seed;
        let next = |_| {
            state = state
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            (state >> 40) as f32 / (1u64 << 24) as f32 - 0.5
        };
        (0..count).map(next).collect()
    }

    fn pack(packing: Packing, weights: &[f32], rows: usize) -> Packed {
        let bytes: Vec<u8> = weights
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect();
        let raw = RawTensor {
            stored: Stored::F32,
            bytes: &bytes,
        };
        let places = (&team(), &Arena::default());
        let (columns, mut done) = (weights.len() / rows, 0);
        let packed = Packed::pack(packing, &[(raw, rows)], columns, places, |rows| {
            assert_eq!(rows.start, done);
            done = rows.end;
        });
        assert_eq!(done, rows);
        packed.unwrap()
    }

    /// The product by the values that packed weights and quantized activations stand for.
    fn plain(x: &Quantized, w: &Packed) -> Vec<f64> {
        let mut products = Vec::new();
        for row in (0..x.rows()).map(|row| x.row(row)) {
            let x: Vec<f64> = row
                .iter()
                .flat_map(|block| {
                    let bytes = block.words.iter().flat_map(|word| word.to_le_bytes());
                    bytes.map(|byte| f64::from(byte as i8) * f64::from(block.scale))
                })
                .collect();
            for w_row in 0..w.rows() {
                let mut values = Vec::new();
                w.append_row(w_row, &mut values);
                products.push(values.iter().zip(&x).map(|(w, x)| f64::from(*w) * x).sum());
            }
        }
        products
    }

    #[test]
    fn every_kernel_equals_the_plain_product_in_ragged_shapes() {
        let team = team();
        for packing in [Packing::Q8, Packing::Q4] {
            for (m, n, k) in [
                (1, 1, 1),
                (1, 16, 32),
                (1, 130, 96),
                (2, 17, 33),
                (5, 40, 100),
                (9, 16, 64),
                (33, 50, 65),
                (70, 20, 32),
                (130, 600, 64),
            ] {
                let w = pack(packing, &values(n * k, 1), n);
                let x = Quantized::new(&values(m * k, 2), k, Level::detect(), &team);
                let expected = plain(&x, &w);
                let bias = values(n, 3);
                let mut results = Vec::new();
                for isa in isas() {
                    let found = multiply(isa, &x, &w, Some(&bias), &team);
                    for (i, (found, expected)) in found.iter().zip(&expected).enumerate() {
                        let difference =
                            (f64::from(*found) - expected - f64::from(bias[i % n])).abs();
                        assert!(
                            difference < 1e-4,
                            "{isa:?} {packing:?} {m}x{n}x{k}: {difference}"
                        );
                    }
                    results.push(found);
                }
                if let [_, avx2, avx512] = results.as_slice() {
                    assert_eq!(avx2, avx512, "{packing:?} {m}x{n}x{k}");
                }
            }
        }
    }

    /// Every integer, the lowest too, and scales down to the smallest, as a file may hold them.
    fn pack_stored(packing: Packing, rows: usize) -> Packed {
        let (stored, length) = match packing {
            Packing::Q8 => (Stored::Q8_0, 32),
            Packing::Q4 => (Stored::Q4_0, 16),
        };
        let mut bytes = Vec::new();
        for row in 0..rows {
            let scale = half::f16::from_bits([0x0001, 0x03ff, 0x2e66, 0xb555, 0x7bff][row % 5]);
            bytes.extend(scale.to_le_bytes());
            match row % 3 {
                0 => bytes.extend((0..length).map(|i| (37 * row + 11 * i) as u8)),
                1 => bytes.extend(std::iter::repeat_n(0x80, length)),
                _ => bytes.extend(std::iter::repeat_n(0x7f, length)),
            }
        }
        let raw = RawTensor {
            stored,
            bytes: &bytes,
        };
        let places = (&team(), &Arena::default());
        Packed::pack(packing, &[(raw, rows)], 32, places, |_| ()).unwrap()
    }

    /// Of one block, a product is one integer sum times its scales: nothing is left to the order of additions.
    #[test]
    fn the_integer_sums_of_every_kernel_are_the_same() {
        let team = team();
        for packing in [Packing::Q8, Packing::Q4] {
            let w = pack_stored(packing, 45);
            for m in 1..=2 * TILE + 1 {
                let mut x = values(m * 32, m as u64);
                // The largest activations of either sign.
                x[..32].fill(0.5);
                x[(m - 1) * 32..].fill(-0.5);
                let x = Quantized::new(&x, 32, Level::detect(), &team);
                let expected = multiply(Isa::Portable, &x, &w, None, &team);
                assert!(expected.iter().all(|product| product.is_finite()));
                for isa in isas() {
                    let found = multiply(isa, &x, &w, None, &team);
                    assert_eq!(found, expected, "{isa:?} {packing:?} {m}");
                }
            }
        }
    }

    #[test]
    fn extreme_values_do_not_saturate() {
        let team = team();
        for (weight, activation) in [(1.0, 1.0), (-1.0, 1.0), (1.0, -1.0), (-1.0, -1.0)] {
            for packing in [Packing::Q8, Packing::Q4] {
                let w = pack(packing, &[weight; 16 * 64], 16);
                let x = Quantized::new(&[activation; 64], 64, Level::detect(), &team);
                for isa in isas() {
                    for product in multiply(isa, &x, &w, None, &team) {
                        assert!(
                            (product - 64.0 * weight * activation).abs() < 0.1,
                            "{isa:?}: {product}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn zeros_stay_zero_and_nan_stays_nan() {
        let team = team();
        for packing in [Packing::Q8, Packing::Q4] {
            let w = pack(packing, &values(20 * 40, 4), 20);
            for isa in isas() {
                let zero = Quantized::new(&[0.0; 40], 40, Level::detect(), &team);
                assert!(
                    multiply(isa, &zero, &w, None, &team)
                        .iter()
                        .all(|product| *product == 0.0)
                );
                for bad in [f32::NAN, f32::INFINITY] {
                    let mut x = [0.5; 40];
                    x[33] = bad;
                    let x = Quantized::new(&x, 40, Level::detect(), &team);
                    assert!(
                        multiply(isa, &x, &w, None, &team)
                            .iter()
                            .all(|product| !product.is_finite())
                    );
                }
            }
        }
    }

    #[test]
    fn a_row_is_bit_equal_alone_and_in_any_batch() {
        let team = team();
        let (k, n) = (96, 50);
        let x = values(40 * k, 5);
        let w = pack(Packing::Q8, &values(n * k, 6), n);
        for isa in isas() {
            for m in [2, 7, 31, 40] {
                let batch = Quantized::new(&x[..m * k], k, Level::detect(), &team);
                let batch = multiply(isa, &batch, &w, None, &team);
                for (row, products) in x.chunks(k).zip(batch.chunks(n)) {
                    let alone = Quantized::new(row, k, Level::detect(), &team);
                    assert_eq!(
                        multiply(isa, &alone, &w, None, &team),
                        products,
                        "{isa:?} {m}"
                    );
                }
            }
        }
    }
}

//! Every kernel against the plain product, in ragged shapes and at the ends of what integers hold.

use super::*;
use crate::engine::kernels::memory::Arena;
use crate::engine::kernels::output::Store;
use crate::engine::kernels::rows::Rows;
use crate::engine::load::{RawTensor, Stored};
use std::num::NonZeroUsize;

fn team() -> Team {
    Team::new(NonZeroUsize::new(2).unwrap())
}

/// Two threads with each instruction set of this machine.
fn cpus() -> Vec<Cpu> {
    let here = Isa::ALL.iter().filter(|isa| isa.is_here());
    let cpu = |isa: &Isa| Cpu {
        isa: *isa,
        ..Cpu::new(NonZeroUsize::new(2))
    };
    here.map(cpu).collect()
}

fn quantized(x: &[f32], columns: usize) -> Quantized {
    let mut quantized = Quantized::default();
    quantized.fill(Rows::Plain(x), columns, &Cpu::new(NonZeroUsize::new(2)));
    quantized
}

fn product(x: &Quantized, w: &Packed, store: Store<'_>, cpu: &Cpu) -> Vec<f32> {
    let mut values = vec![1000.0; x.rows() * w.rows()];
    let out = Output {
        values: &mut values,
        store,
    };
    multiply(x, w, out, cpu);
    values
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
            let x = quantized(&values(m * k, 2), k);
            let expected = plain(&x, &w);
            let bias = values(n, 3);
            let mut results = Vec::new();
            let store = Store {
                bias: Some(&bias),
                adds: false,
            };
            for cpu in cpus() {
                let isa = cpu.isa;
                let found = product(&x, &w, store, &cpu);
                for (i, (found, expected)) in found.iter().zip(&expected).enumerate() {
                    let difference = (f64::from(*found) - expected - f64::from(bias[i % n])).abs();
                    assert!(
                        difference < 1e-4,
                        "{isa:?} {packing:?} {m}x{n}x{k}: {difference}"
                    );
                }
                results.push(found);
            }
            // The plain one alone has no fused multiply-add.
            for pair in results[1..].windows(2) {
                assert_eq!(pair[0], pair[1], "{packing:?} {m}x{n}x{k}");
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
    for packing in [Packing::Q8, Packing::Q4] {
        let w = pack_stored(packing, 45);
        for m in 1..=2 * TILE + 1 {
            let mut x = values(m * 32, m as u64);
            // The largest activations of either sign.
            x[..32].fill(0.5);
            x[(m - 1) * 32..].fill(-0.5);
            let x = quantized(&x, 32);
            let expected = product(&x, &w, Store::default(), &cpus()[0]);
            assert!(expected.iter().all(|product| product.is_finite()));
            for cpu in cpus() {
                let isa = cpu.isa;
                let found = product(&x, &w, Store::default(), &cpu);
                assert_eq!(found, expected, "{isa:?} {packing:?} {m}");
            }
        }
    }
}

#[test]
fn extreme_values_do_not_saturate() {
    for (weight, activation) in [(1.0, 1.0), (-1.0, 1.0), (1.0, -1.0), (-1.0, -1.0)] {
        for packing in [Packing::Q8, Packing::Q4] {
            let w = pack(packing, &[weight; 16 * 64], 16);
            let x = quantized(&[activation; 64], 64);
            for cpu in cpus() {
                let isa = cpu.isa;
                for product in product(&x, &w, Store::default(), &cpu) {
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
    for packing in [Packing::Q8, Packing::Q4] {
        let w = pack(packing, &values(20 * 40, 4), 20);
        for cpu in cpus() {
            let zero = quantized(&[0.0; 40], 40);
            assert!(
                product(&zero, &w, Store::default(), &cpu)
                    .iter()
                    .all(|product| *product == 0.0)
            );
            for bad in [f32::NAN, f32::INFINITY] {
                let mut x = [0.5; 40];
                x[33] = bad;
                let x = quantized(&x, 40);
                assert!(
                    product(&x, &w, Store::default(), &cpu)
                        .iter()
                        .all(|product| !product.is_finite())
                );
            }
        }
    }
}

#[test]
fn a_row_is_bit_equal_alone_and_in_any_batch() {
    let (k, n) = (96, 50);
    let x = values(40 * k, 5);
    let w = pack(Packing::Q8, &values(n * k, 6), n);
    for cpu in cpus() {
        let isa = cpu.isa;
        for m in [2, 7, 31, 40] {
            let batch = quantized(&x[..m * k], k);
            let batch = product(&batch, &w, Store::default(), &cpu);
            for (row, products) in x.chunks(k).zip(batch.chunks(n)) {
                let alone = quantized(row, k);
                assert_eq!(
                    product(&alone, &w, Store::default(), &cpu),
                    products,
                    "{isa:?} {m}"
                );
            }
        }
    }
}

#[test]
fn sums_are_added_to_what_is_there() {
    for packing in [Packing::Q8, Packing::Q4] {
        let (k, n) = (64, 37);
        let w = pack(packing, &values(n * k, 8), n);
        let bias = values(n, 10);
        for m in [1, 3, 20] {
            let x = quantized(&values(m * k, 9), k);
            for cpu in cpus() {
                let plain = product(&x, &w, Store::default(), &cpu);
                let store = Store {
                    bias: Some(&bias),
                    adds: true,
                };
                let added = product(&x, &w, store, &cpu);
                for (i, (plain, added)) in plain.iter().zip(&added).enumerate() {
                    assert_eq!(1000.0 + (plain + bias[i % n]), *added, "{:?} {m}", cpu.isa);
                }
            }
        }
    }
}

#[test]
fn some_products_are_those_of_the_whole_matrix() {
    let (k, n) = (96, 50);
    let w = pack(Packing::Q8, &values(n * k, 11), n);
    let x = quantized(&values(k, 12), k);
    for cpu in cpus() {
        let all = product(&x, &w, Store::default(), &cpu);
        let mut room = FewRoom::default();
        for rows in [&[0, 49, 17, 16, 49][..], &[33], &[]] {
            let mut out = vec![f32::NAN; rows.len()];
            multiply_some(x.row(0), &w, rows, (&mut room, &mut out), &cpu);
            let expected: Vec<f32> = rows.iter().map(|row| all[*row as usize]).collect();
            assert_eq!(out, expected, "{:?}", cpu.isa);
        }
    }
}

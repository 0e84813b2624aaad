//! Rows times a matrix on the CPU, in f32 or on packed weights, for one row (decoding, limited by reading the
//! matrix) and for many (prefill).

use super::activation::Quantized;
use super::elementwise::in_rows;
use super::output::Output;
use super::packed::Packed;
use super::quantized::{FewRoom, multiply, multiply_some};
use super::rows::Rows;
use super::simd::dots;
use super::{Cpu, grown};

/// Room that products work in, kept between them.
#[derive(Debug, Default)]
pub(crate) struct ProductRoom {
    quantized: Quantized,
    /// Rows in f32.
    plain: Vec<f32>,
    /// Products as they are computed, `[outputs, rows]`.
    turned: Vec<f32>,
    few: FewRoom,
}

/// Rows of a dense matrix that a thread takes at a time: 64 × 896 values fit the second-level cache of any core.
const ROWS: usize = 64;

/// `x W^T` for rows of `k` columns and `w` `[outputs, k]`.
pub(crate) fn dense(
    x: Rows<'_>,
    (w, k): (&[f32], usize),
    out: Output<'_>,
    room: &mut ProductRoom,
    cpu: &Cpu,
) {
    let (m, n) = (x.count(k), w.len() / k);
    let x = plain(x, k, &mut room.plain, cpu);
    let sums = grown(&mut room.turned, n * m);
    cpu.team.for_each_piece(sums, ROWS * m, |piece, out| {
        let w = &w[piece * ROWS * k..][..out.len() / m * k];
        dots(cpu.level, x, w, k, out);
    });
    let (sums, Output { values, store }) = (&*sums, out);
    if m == 1 {
        return store.store(sums, 0, values);
    }
    in_rows(cpu, values, n, |first, values| {
        let mut row = [0.0; ROWS];
        for (index, values) in values.chunks_exact_mut(n).enumerate() {
            for (piece, values) in values.chunks_mut(ROWS).enumerate() {
                let own = sums[piece * ROWS * m + first + index..].iter().step_by(m);
                row.iter_mut().zip(own).for_each(|(to, from)| *to = *from);
                store.store(&row, piece * ROWS, values);
            }
        }
    });
}

/// `x W^T` for rows and a packed matrix; the rows are quantized on the way.
pub(crate) fn packed(x: Rows<'_>, w: &Packed, out: Output<'_>, room: &mut ProductRoom, cpu: &Cpu) {
    room.quantized.fill(x, w.columns(), cpu);
    multiply(&room.quantized, w, out, cpu);
}

/// The products of one row with these of the rows of `w` `[outputs, k]`, in their order; equal to those of [`dense`].
pub(crate) fn dense_some(
    x: Rows<'_>,
    (w, k): (&[f32], usize),
    (outputs, out): (&[u32], &mut [f32]),
    room: &mut ProductRoom,
    cpu: &Cpu,
) {
    let x = plain(x, k, &mut room.plain, cpu);
    for (output, out) in outputs.iter().zip(out.chunks_mut(1)) {
        dots(cpu.level, x, &w[*output as usize * k..][..k], k, out);
    }
}

/// The products of one row with these of the rows of a packed matrix, in their order; equal to those of [`packed`].
pub(crate) fn packed_some(
    x: Rows<'_>,
    w: &Packed,
    (outputs, out): (&[u32], &mut [f32]),
    room: &mut ProductRoom,
    cpu: &Cpu,
) {
    let ProductRoom { quantized, few, .. } = room;
    quantized.fill(x, w.columns(), cpu);
    multiply_some(quantized.row(0), w, outputs, (few, out), cpu);
}

/// The values of rows; `room` holds them where they have to be computed.
fn plain<'a>(x: Rows<'a>, k: usize, room: &'a mut Vec<f32>, cpu: &Cpu) -> &'a [f32] {
    if let Rows::Plain(x) = x {
        return x;
    }
    let values = grown(room, x.count(k) * k);
    x.write(k, values, cpu);
    values
}

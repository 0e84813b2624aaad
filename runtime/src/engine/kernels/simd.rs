//! Dot products and their tiles, written once for the compiler's vectorizer and compiled for several instruction sets.
//! The order of additions depends on the instruction set only, never on the tile: results are equal in every batch.

use half::f16;

/// Partial sums kept apart: one AVX-512 register, two AVX2 ones.
pub(crate) const LANES: usize = 16;

/// Whether plain code has a fused multiply-add: it is in 64-bit ARM's first instruction set, vectors of it too.
pub(crate) const FUSED_IN_PORTABLE: bool = cfg!(target_arch = "aarch64");

/// The instruction sets that the f32 kernels are compiled for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Level {
    /// The best one of this machine. The standard library remembers what it has detected.
    pub(crate) fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            let avx2 = is_x86_feature_detected!("avx2")
                && is_x86_feature_detected!("fma")
                && is_x86_feature_detected!("f16c");
            if avx2 && is_x86_feature_detected!("avx512f") {
                return Self::Avx512;
            }
            if avx2 {
                return Self::Avx2;
            }
        }
        Self::Portable
    }

    /// Every one that this machine can run.
    #[cfg(test)]
    pub(super) fn all() -> Vec<Self> {
        match Self::detect() {
            Self::Portable => vec![Self::Portable],
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => vec![Self::Portable, Self::Avx2],
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => vec![Self::Portable, Self::Avx2, Self::Avx512],
        }
    }
}

/// Defines a function that runs one body compiled for each level. The body is generic over whether the level has a fused
/// multiply-add (without the instruction, asking for it would call a slow library function), or, `in Lanes`, over the
/// level's vectors.
macro_rules! for_each_level {
    ($(#[$doc:meta])* $vis:vis fn $name:ident($($arg:ident: $type:ty),*) = $body:ident) => {
        $crate::engine::kernels::simd::for_each_level! {
            @ $(#[$doc])* $vis fn $name($($arg: $type),*) = $body,
            { $crate::engine::kernels::simd::FUSED_IN_PORTABLE }, true, true
        }
    };
    ($(#[$doc:meta])* $vis:vis fn $name:ident($($arg:ident: $type:ty),*) = $body:ident in Lanes) => {
        $crate::engine::kernels::simd::for_each_level! {
            @ $(#[$doc])* $vis fn $name($($arg: $type),*) = $body,
            Plain, Avx2, Avx512
        }
    };
    (
        @ $(#[$doc:meta])* $vis:vis fn $name:ident($($arg:ident: $type:ty),*) = $body:ident,
        $portable:tt, $avx2:tt, $avx512:tt
    ) => {
        $(#[$doc])*
        $vis fn $name(level: Level, $($arg: $type),*) {
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma,f16c")]
            fn avx2($($arg: $type),*) {
                $body::<$avx2>($($arg),*);
            }
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx2,fma,f16c")]
            fn avx512($($arg: $type),*) {
                $body::<$avx512>($($arg),*);
            }
            match level {
                Level::Portable => $body::<$portable>($($arg),*),
                // SAFETY: `Level::detect` names a level only where the machine has its instructions.
                #[cfg(target_arch = "x86_64")]
                Level::Avx2 => unsafe { avx2($($arg),*) },
                // SAFETY: as above.
                #[cfg(target_arch = "x86_64")]
                Level::Avx512 => unsafe { avx512($($arg),*) },
            }
        }
    };
}

pub(crate) use for_each_level;

for_each_level! {
    /// `out[j * m + i] = x_i · w_j` for `x` `[m, k]` and `w` `[n, k]`, where `m` and `n` follow from the lengths.
    pub(super) fn dots(x: &[f32], w: &[f32], k: usize, out: &mut [f32]) = dots_body
}

#[inline(always)]
fn dots_body<const FUSED: bool>(x: &[f32], w: &[f32], k: usize, out: &mut [f32]) {
    let m = x.len() / k;
    // Four rows of x stay in the nearest cache while all of w passes.
    let mut i = 0;
    while i < m {
        let rows = (m - i).min(4);
        let block = &x[i * k..(i + rows) * k];
        for (j, w_row) in w.chunks_exact(k).enumerate() {
            let out = &mut out[j * m + i..j * m + i + rows];
            match rows {
                4 => out.copy_from_slice(&tile::<FUSED, 4>(block, w_row, k)),
                3 => out.copy_from_slice(&tile::<FUSED, 3>(block, w_row, k)),
                2 => out.copy_from_slice(&tile::<FUSED, 2>(block, w_row, k)),
                _ => out.copy_from_slice(&tile::<FUSED, 1>(block, w_row, k)),
            }
        }
        i += rows;
    }
}

/// `M` dot products of rows of `x` with `w`.
#[inline(always)]
fn tile<const FUSED: bool, const M: usize>(x: &[f32], w: &[f32], k: usize) -> [f32; M] {
    let mut sums = [[0f32; LANES]; M];
    let whole = k / LANES * LANES;
    let mut at = 0;
    while at < whole {
        let w: &[f32; LANES] = lanes(w, at);
        for (row, sums) in sums.iter_mut().enumerate() {
            let x: &[f32; LANES] = lanes(x, row * k + at);
            for lane in 0..LANES {
                sums[lane] = multiply_add::<FUSED>(x[lane], w[lane], sums[lane]);
            }
        }
        at += LANES;
    }
    let mut out = [0f32; M];
    for (row, out) in out.iter_mut().enumerate() {
        *out = total(&sums[row]);
        for (x, w) in x[row * k + whole..(row + 1) * k].iter().zip(&w[whole..]) {
            *out = multiply_add::<FUSED>(*x, *w, *out);
        }
    }
    out
}

/// `a · b`.
#[inline(always)]
pub(super) fn sum_of_products<const FUSED: bool>(a: &[f32], b: &[f32]) -> f32 {
    let [sum] = tile::<FUSED, 1>(a, b, a.len());
    sum
}

/// In the order of a dot product, which vectors can follow.
#[inline(always)]
pub(crate) fn sum_of(values: &[f32]) -> f32 {
    let (whole, rest) = values.as_chunks::<LANES>();
    let mut sums = [0f32; LANES];
    for chunk in whole {
        for lane in 0..LANES {
            sums[lane] += chunk[lane];
        }
    }
    total(&sums) + rest.iter().sum::<f32>()
}

#[inline(always)]
pub(super) fn lanes(values: &[f32], at: usize) -> &[f32; LANES] {
    match values[at..].first_chunk() {
        Some(chunk) => chunk,
        None => unreachable!("callers stay {LANES} before the end"),
    }
}

#[inline(always)]
pub(super) fn multiply_add<const FUSED: bool>(a: f32, b: f32, c: f32) -> f32 {
    if FUSED { a.mul_add(b, c) } else { a * b + c }
}

/// The same number, in operations that vectors have.
#[inline(always)]
pub(super) fn widened(value: f16) -> f32 {
    // Places of f32: the exponent is then too small by the difference of the biases, which the factor 2^112 makes up for,
    // for numbers below the normal ones too.
    let bits = u32::from(value.to_bits());
    let magnitude = f32::from_bits((bits & 0x7fff) << 13) * f32::from_bits(0x7780_0000);
    // Infinity and NaN have no larger exponent to go to.
    let special = if bits & 0x7c00 == 0x7c00 {
        0x7f80_0000
    } else {
        0
    };
    f32::from_bits(magnitude.to_bits() | special | (bits & 0x8000) << 16)
}

/// Halves fold onto each other: a fixed order that vectors can follow.
#[inline(always)]
fn total(sums: &[f32; LANES]) -> f32 {
    let mut eight = [0f32; 8];
    for lane in 0..8 {
        eight[lane] = sums[lane] + sums[lane + 8];
    }
    let four = [
        eight[0] + eight[4],
        eight[1] + eight[5],
        eight[2] + eight[6],
        eight[3] + eight[7],
    ];
    (four[0] + four[2]) + (four[1] + four[3])
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn dots_equal_the_plain_sum_in_every_shape_and_level() {
        for k in [1, 7, 15, 16, 17, 64, 100, 896] {
            for (m, n) in [(1, 1), (1, 9), (2, 3), (3, 5), (4, 4), (7, 2), (9, 6)] {
                let (x, w) = (values(m * k, 1), values(n * k, 2));
                for level in Level::all() {
                    let mut out = vec![f32::NAN; m * n];
                    dots(level, &x, &w, k, &mut out);
                    for (j, i) in (0..n).flat_map(|j| (0..m).map(move |i| (j, i))) {
                        let pairs = x[i * k..(i + 1) * k].iter().zip(&w[j * k..(j + 1) * k]);
                        let plain: f64 = pairs.map(|(x, w)| f64::from(*x) * f64::from(*w)).sum();
                        let difference = (f64::from(out[j * m + i]) - plain).abs();
                        assert!(difference < 1e-5, "{level:?} {m}x{n}x{k}: {difference}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_row_is_bit_equal_alone_and_in_any_batch() {
        let (k, n) = (100, 6);
        let (x, w) = (values(9 * k, 3), values(n * k, 4));
        for level in Level::all() {
            let mut batch = vec![0.0; 9 * n];
            dots(level, &x, &w, k, &mut batch);
            for (i, row) in x.chunks(k).enumerate() {
                let mut alone = vec![0.0; n];
                dots(level, row, &w, k, &mut alone);
                for (j, alone) in alone.iter().enumerate() {
                    assert_eq!(alone.to_bits(), batch[j * 9 + i].to_bits(), "{level:?}");
                }
            }
        }
    }
}

//! Sixteen f32 side by side, in the registers of each instruction set: for kernels that the compiler does not turn into
//! vectors by itself.

use super::simd::{FUSED_IN_PORTABLE, LANES, multiply_add, widened};
use half::f16;

/// A vector of 16 numbers. The types of an instruction set are named by [`for_each_level`](super::simd::for_each_level)
/// only, in functions compiled for it and called where the machine has it.
pub(super) trait Lanes: Copy {
    /// Vectors that fit the registers beside what is multiplied by them.
    const TILE: usize;
    /// Whether a product and a sum are rounded once.
    const FUSED: bool;

    fn zero() -> Self;
    fn splat(value: f32) -> Self;
    fn load(values: &[f32; LANES]) -> Self;
    /// The same numbers.
    fn widen(values: &[f16; LANES]) -> Self;
    fn store(self, to: &mut [f32; LANES]);
    /// `self * by + to`
    fn multiply_add(self, by: Self, to: Self) -> Self;
}

/// Without any instruction set.
#[derive(Clone, Copy)]
pub(super) struct Plain([f32; LANES]);

impl Lanes for Plain {
    const TILE: usize = 4;
    const FUSED: bool = FUSED_IN_PORTABLE;

    #[inline(always)]
    fn zero() -> Self {
        Self([0.0; LANES])
    }

    #[inline(always)]
    fn splat(value: f32) -> Self {
        Self([value; LANES])
    }

    #[inline(always)]
    fn load(values: &[f32; LANES]) -> Self {
        Self(*values)
    }

    #[inline(always)]
    fn widen(values: &[f16; LANES]) -> Self {
        Self(values.map(widened))
    }

    #[inline(always)]
    fn store(self, to: &mut [f32; LANES]) {
        *to = self.0;
    }

    #[inline(always)]
    fn multiply_add(self, by: Self, mut to: Self) -> Self {
        for lane in 0..LANES {
            to.0[lane] = multiply_add::<FUSED_IN_PORTABLE>(self.0[lane], by.0[lane], to.0[lane]);
        }
        to
    }
}

#[cfg(target_arch = "x86_64")]
pub(super) use x86::{Avx2, Avx512};

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{LANES, Lanes, f16};
    use std::arch::x86_64::*;

    /// Two registers of AVX2.
    #[derive(Clone, Copy)]
    pub(in super::super) struct Avx2([__m256; 2]);

    impl Lanes for Avx2 {
        const TILE: usize = 4;
        const FUSED: bool = true;

        #[inline(always)]
        fn zero() -> Self {
            // SAFETY: the machine has AVX2, FMA and F16C (see the trait); as everywhere below.
            unsafe { Self([_mm256_setzero_ps(); 2]) }
        }

        #[inline(always)]
        fn splat(value: f32) -> Self {
            // SAFETY: as above.
            unsafe { Self([_mm256_set1_ps(value); 2]) }
        }

        #[inline(always)]
        fn load(values: &[f32; LANES]) -> Self {
            let at = values.as_ptr();
            // SAFETY: as above; 16 floats are read, which need not be aligned.
            unsafe { Self([_mm256_loadu_ps(at), _mm256_loadu_ps(at.add(8))]) }
        }

        #[inline(always)]
        fn widen(values: &[f16; LANES]) -> Self {
            let at = values.as_ptr().cast::<__m128i>();
            // SAFETY: as above; 16 halves are read, eight at a time, which need not be aligned.
            unsafe {
                Self([
                    _mm256_cvtph_ps(_mm_loadu_si128(at)),
                    _mm256_cvtph_ps(_mm_loadu_si128(at.add(1))),
                ])
            }
        }

        #[inline(always)]
        fn store(self, to: &mut [f32; LANES]) {
            let at = to.as_mut_ptr();
            // SAFETY: as above; 16 floats are written, which need not be aligned.
            unsafe {
                _mm256_storeu_ps(at, self.0[0]);
                _mm256_storeu_ps(at.add(8), self.0[1]);
            }
        }

        #[inline(always)]
        fn multiply_add(self, by: Self, to: Self) -> Self {
            // SAFETY: as above.
            unsafe {
                Self([
                    _mm256_fmadd_ps(self.0[0], by.0[0], to.0[0]),
                    _mm256_fmadd_ps(self.0[1], by.0[1], to.0[1]),
                ])
            }
        }
    }

    /// A register of AVX-512.
    #[derive(Clone, Copy)]
    pub(in super::super) struct Avx512(__m512);

    impl Lanes for Avx512 {
        const TILE: usize = 8;
        const FUSED: bool = true;

        #[inline(always)]
        fn zero() -> Self {
            // SAFETY: the machine has AVX-512F (see the trait); as everywhere below.
            unsafe { Self(_mm512_setzero_ps()) }
        }

        #[inline(always)]
        fn splat(value: f32) -> Self {
            // SAFETY: as above.
            unsafe { Self(_mm512_set1_ps(value)) }
        }

        #[inline(always)]
        fn load(values: &[f32; LANES]) -> Self {
            // SAFETY: as above; 16 floats are read, which need not be aligned.
            unsafe { Self(_mm512_loadu_ps(values.as_ptr())) }
        }

        #[inline(always)]
        fn widen(values: &[f16; LANES]) -> Self {
            // SAFETY: as above; 16 halves are read, which need not be aligned.
            unsafe { Self(_mm512_cvtph_ps(_mm256_loadu_si256(values.as_ptr().cast()))) }
        }

        #[inline(always)]
        fn store(self, to: &mut [f32; LANES]) {
            // SAFETY: as above; 16 floats are written, which need not be aligned.
            unsafe { _mm512_storeu_ps(to.as_mut_ptr(), self.0) }
        }

        #[inline(always)]
        fn multiply_add(self, by: Self, to: Self) -> Self {
            // SAFETY: as above.
            unsafe { Self(_mm512_fmadd_ps(self.0, by.0, to.0)) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::kernels::simd::{Level, for_each_level};

    for_each_level! {
        /// Widens halves, and adds twice the widened ones to three.
        fn try_all(halves: &[f16; LANES], out: &mut [[f32; LANES]; 2]) = body in Lanes
    }

    #[inline(always)]
    fn body<V: Lanes>(halves: &[f16; LANES], out: &mut [[f32; LANES]; 2]) {
        let [widened, sum] = out;
        V::widen(halves).store(widened);
        V::load(widened)
            .multiply_add(V::splat(2.0), V::splat(3.0))
            .store(sum);
    }

    #[test]
    fn every_half_is_widened_to_the_same_number_and_enters_sums_in_every_level() {
        let all: Vec<f16> = (0..=u16::MAX).map(f16::from_bits).collect();
        for level in Level::all() {
            for halves in all.as_chunks::<LANES>().0 {
                let mut out = [[0.0; LANES]; 2];
                try_all(level, halves, &mut out);
                for (lane, half) in halves.iter().enumerate() {
                    let exact = half.to_f32();
                    for (ours, exact) in [(out[0][lane], exact), (out[1][lane], exact * 2.0 + 3.0)]
                    {
                        let same = ours == exact || (ours.is_nan() && exact.is_nan());
                        assert!(same, "{level:?} {half}: {ours} for {exact}");
                    }
                }
            }
        }
    }
}

//! What this machine's engine will run on: the instruction sets its kernels use, and the threads it starts.

use super::kernels::quantized_kernels;
use super::kernels::simd::Level;
use super::kernels::team::usual_threads;
use std::num::NonZeroUsize;

/// What the CPU kernels run on here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Machine {
    /// The instruction set of the kernels for f32 matrices: `AVX-512`, `AVX2` or `portable`.
    pub f32_kernels: &'static str,
    /// That of the kernels for 8- and 4-bit matrices: `AVX-512 VNNI`, `AVX-VNNI`, `AVX2`, `NEON dot products` or `portable`.
    pub quantized_kernels: &'static str,
    /// Threads that a model is loaded with where nothing is said.
    pub threads: NonZeroUsize,
}

impl Machine {
    /// As it is now.
    #[must_use]
    pub fn detect() -> Self {
        Self {
            f32_kernels: match Level::detect() {
                Level::Portable => "portable",
                #[cfg(target_arch = "x86_64")]
                Level::Avx2 => "AVX2",
                #[cfg(target_arch = "x86_64")]
                Level::Avx512 => "AVX-512",
            },
            quantized_kernels: quantized_kernels(),
            threads: usual_threads(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Set by scripts/quality/aarch64.sh, which knows the processor that it emulates.
    #[test]
    fn the_kernels_are_those_that_who_runs_the_tests_expects() {
        if let Ok(expected) = std::env::var("EXPECTED_KERNELS") {
            assert_eq!(Machine::detect().quantized_kernels, expected);
        }
    }
}

//! The operations candle has no fast form of, as candle custom operations on the CPU.
//! Each computes a row the same way, to the last bit, whatever other rows run beside it.

pub(crate) mod attention;
pub(crate) mod matmul;
mod simd;

//! Typed, structured LLM programs in Rust on a local Qwen2 model: no server, no Python.

#![deny(missing_docs)]

pub mod engine;
mod macros;
pub mod prompt;
pub mod signature;

pub use candle_signature_macros::{CandleSignature, CandleValue};
pub use signature::FieldValue as CandleValue;

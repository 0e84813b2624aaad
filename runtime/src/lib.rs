//! Typed, structured LLM programs in Rust on a local Qwen2 model: no server, no Python.

#![deny(missing_docs)]

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
pub mod adapter;
pub mod engine;
pub mod grammar;
mod macros;
pub mod parse;
pub mod program;
pub mod prompt;
pub mod signature;

pub use candle_signature_macros::{CandleSignature, CandleValue, candle_tool};
pub use signature::FieldValue as CandleValue;

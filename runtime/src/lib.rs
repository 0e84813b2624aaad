//! Typed, structured LLM programs in Rust on a local Qwen2 model: no server, no Python.

#![deny(missing_docs)]

pub mod engine;
pub mod parse;
pub mod prompt;
pub mod signature;

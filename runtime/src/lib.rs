//! Typed, structured LLM programs in Rust on a local Qwen2 model: no server, no Python.
//!
//! Derive a signature, load a model, predict: the reply is held to a grammar compiled from the output types, and comes back as a value.
//!
//! ```
//! use candle_signature::CandleSignature;
//! use candle_signature::adapter::{CandleAdapter, CandleConfig, ModelPool};
//!
//! /// Answer the question from the passage.
//! #[derive(CandleSignature)]
//! struct QA {
//!     /// Text to read.
//!     #[input]
//!     passage: String,
//!     #[input]
//!     question: String,
//!     /// A short answer.
//!     #[output]
//!     answer: String,
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), candle_signature::adapter::CandleAdapterError> {
//! let model = ModelPool::embedded().load_model(ModelPool::EMBEDDED).await?;
//! let adapter = CandleAdapter::from_loaded_model(model, CandleConfig::default())?;
//! let input = QAInput { passage: "Ana lives in Rome.".into(), question: "Where does Ana live?".into() };
//! let out = QA::predict(&adapter, input).await?;
//! assert_eq!(out.answer, "Rome");
//! # Ok(())
//! # }
//! ```
//!
//! [`signature`] is the data that a derive emits, [`prompt`] and [`parse`] turn it into messages and values, [`grammar`] into a mask for the
//! [`engine`], which knows only tokens. [`adapter`] is where both halves meet, [`program`] what one builds on it. With the feature `dspy`, the module of that name runs programs written for dspy-rs.

#![deny(missing_docs)]

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
pub mod adapter;
#[cfg(feature = "dspy")]
pub mod dspy;
pub mod engine;
pub mod grammar;
mod macros;
pub mod parse;
pub mod program;
pub mod prompt;
pub mod signature;

pub use macros::{CandleSignature, CandleValue, candle_tool};
pub use signature::FieldValue as CandleValue;

/// The chapter's code is compiled and run with the tests.
#[cfg(doctest)]
#[doc = include_str!("../../docs/batching.md")]
pub struct BatchingChapter;

#[cfg(doctest)]
#[doc = include_str!("../../docs/cache.md")]
pub struct CacheChapter;

#[cfg(doctest)]
#[doc = include_str!("../../docs/signatures.md")]
pub struct SignaturesChapter;

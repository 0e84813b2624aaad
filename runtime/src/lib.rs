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
//! [`engine`], which knows only tokens. [`adapter`] is where both halves meet, [`program`] what one builds on it. With the feature `dspy`, the module of that name runs programs written for dspy-rs; with `serve`, an OpenAI-compatible endpoint answers others; with `remote`, the same programs run on other such servers. With the feature `hub`, which is on unless you turn it off, models come from the Hugging Face hub.

#![deny(missing_docs)]
#![cfg_attr(coverage_nightly, feature(coverage_attribute))]

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
pub mod adapter;
#[cfg(feature = "dspy")]
pub mod dspy;
pub mod engine;
mod file;
pub mod grammar;
#[cfg(feature = "hub")]
pub mod hub;
mod macros;
pub mod parse;
pub mod program;
pub mod prompt;
#[cfg(feature = "remote")]
pub mod remote;
#[cfg(feature = "serve")]
pub mod serve;
pub mod signature;

pub use macros::{CandleSignature, CandleValue, candle_tool};
pub use signature::FieldValue as CandleValue;

/// The code in chapters of `docs/` is compiled and run with the tests. Those on dspy-rs and the endpoint have it in the packages of their own tests.
#[cfg(doctest)]
mod chapters {
    macro_rules! chapters {
        ($($chapter:ident: $file:literal;)*) => {$(
            #[doc = include_str!(concat!("../../", $file))]
            pub struct $chapter;
        )*};
    }

    chapters! {
        Batching: "docs/batching.md";
        Cache: "docs/cache.md";
        Constraints: "docs/constraints.md";
        Observability: "docs/observability.md";
        Programs: "docs/programs.md";
        Readme: "README.md";
        Signatures: "docs/signatures.md";
        Start: "docs/start.md";
        Streaming: "docs/streaming.md";
    }

    #[cfg(feature = "hub")]
    chapters! {
        Models: "docs/models.md";
    }
}

//! Tests and examples of `candle_signature::serve` and `candle_signature::remote`. A package of its own, so that only its users build a server.

/// The chapter's code is compiled and run with the tests.
#[cfg(doctest)]
#[doc = include_str!("../../docs/serve.md")]
pub struct ServeChapter;

/// The chapter's code is compiled with the tests.
#[cfg(doctest)]
#[doc = include_str!("../../docs/scaling.md")]
pub struct ScalingChapter;

//! Tests and an example of `candle_signature::dspy`. A package of its own, so that only its users build dspy-rs.

/// The chapter's code is compiled and run with the tests.
#[cfg(doctest)]
#[doc = include_str!("../../docs/dspy.md")]
pub struct DspyChapter;

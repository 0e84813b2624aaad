//! candle-signature
pub mod engine;

//! Macros of candle-signature.

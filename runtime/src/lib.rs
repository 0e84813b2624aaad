//! candle-signature

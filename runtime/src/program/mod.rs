//! Programs over typed signatures: what turns a backend's replies into values.

mod predict;
mod predicted;

pub use predict::{Predict, predict};
pub use predicted::Predicted;

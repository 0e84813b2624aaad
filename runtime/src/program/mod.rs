//! Programs over typed signatures: what turns a backend's replies into values.

mod predict;
mod predicted;

pub use predict::{Predict, predict, predict_all};
pub use predicted::Predicted;

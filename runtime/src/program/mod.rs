//! Programs over typed signatures: what turns a backend's replies into values.

mod call;
mod chain_of_thought;
mod predict;
mod predicted;

pub use chain_of_thought::ChainOfThought;
pub use predict::{Predict, predict, predict_all};
pub use predicted::Predicted;

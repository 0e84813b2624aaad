//! Programs over typed signatures: what turns a backend's replies into values.

mod call;
mod chain_of_thought;
mod predict;
mod predicted;
mod react;
mod react_spec;
mod retry;

pub use chain_of_thought::ChainOfThought;
pub use predict::{Predict, predict, predict_all};
pub use predicted::Predicted;
pub use react::{ReAct, ReActEnd, ReActed, Step};
pub use retry::Attempt;

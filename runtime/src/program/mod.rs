//! Programs over typed signatures: what turns a backend's replies into values.

mod call;
mod chain_of_thought;
mod event;
mod meta;
mod predict;
mod predicted;
mod react;
mod react_spec;
mod retry;
mod stream;

pub use chain_of_thought::ChainOfThought;
pub use event::StreamEvent;
pub use meta::FieldMeta;
pub use predict::{Predict, predict, predict_all, stream};
pub use predicted::Predicted;
pub use react::{ReAct, ReActEnd, ReActed, Step};
pub use retry::Attempt;
pub use stream::PredictStream;

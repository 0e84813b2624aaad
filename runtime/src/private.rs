//! What generated code calls. No part of the public API: it changes with the macros.

pub use candle_signature_macros::{example, example_file, examples};

pub use crate::adapter::{Backend, CandleAdapterError};
pub use crate::parse::ParseError;
pub use crate::program::{PredictStream, Predicted, predict, predict_all, stream};
pub use crate::prompt::Message;
pub use crate::signature::derived::*;

use crate::parse::parse_typed;
use crate::prompt::chat_messages;

/// What asking a backend gives.
pub type Asked<T> = Result<Predicted<T>, CandleAdapterError>;

/// What reading a reply gives.
pub type Parsed<T> = Result<T, ParseError>;

/// The messages of a prediction without demos.
pub fn format<S: Signature>(input: S::Input) -> Vec<Message> {
    chat_messages(S::SPEC, &[], &input.into_values())
}

/// The typed output of a reply.
pub fn parse<S: Signature>(completion: &str) -> Parsed<S::Output> {
    parse_typed::<S>(completion).map(|(output, _parsed)| output)
}

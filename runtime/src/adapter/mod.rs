//! Where the two halves meet: models by name, configuration, errors, and the backend that programs call.

mod backend;
mod candle;
mod chat_template;
mod config;
mod embedded;
mod error;
mod pool;
mod stream;
mod thread;
mod tokens;

pub use crate::engine::{CacheStats, EngineStats, KvFormat, LoadOptions, Quantization};
pub use crate::grammar::Constraint;
pub use backend::{
    Backend, Completion, CompletionRequest, CompletionToken, Finish, TopToken, Usage,
};
pub use candle::CandleAdapter;
pub use chat_template::{CHATML, ChatTemplate, ChatTemplateError, Piece};
pub use config::{CandleConfig, CandleConfigBuilder};
pub use error::{CandleAdapterError, ErrorText};
pub use pool::{LoadedModel, ModelPool};
pub use stream::{TextPiece, TextStream};

//! Where the two halves meet: models by name, configuration, errors, and the backend that programs call.

mod backend;
mod candle;
mod chat_template;
mod config;
mod embedded;
mod error;
mod history;
mod limits;
mod overrides;
mod place;
mod pool;
mod reply;
mod stop;
mod stream;
mod thread;
mod tokens;

pub use crate::engine::{
    CacheStats, EngineStats, KvFormat, LoadOptions, ModelInfo, Quantization, Timings, TokenId,
};
pub use crate::grammar::Constraint;
pub use backend::{
    Backend, Completion, CompletionRequest, CompletionToken, Finish, Preferences, TopToken, Usage,
};
pub use candle::CandleAdapter;
pub use chat_template::{CHATML, ChatTemplate, ChatTemplateError, Piece};
pub use config::{CandleConfig, CandleConfigBuilder};
pub use error::{CandleAdapterError, ErrorText, Fault};
pub use history::{History, Record};
pub use overrides::Overrides;
pub use pool::{LoadedModel, ModelPool};
pub use reply::{Reply, ReplyEnd, ReplyOptions, ReplyPiece, ReplyToken};
pub use stream::{TextPiece, TextStream};

//! An OpenAI-compatible endpoint over this machine's engine (feature `serve`): chat and plain completions, streams, tools and JSON
//! schemas held to grammars, metrics, limits. `docs/serve.md` is its chapter; nothing else in the crate knows HTTP.
//!
//! ```no_run
//! use candle_signature::adapter::{CandleAdapter, CandleConfig, ModelPool};
//! use candle_signature::serve::Server;
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let model = ModelPool::embedded().load_model(ModelPool::EMBEDDED).await?;
//! let adapter = CandleAdapter::from_loaded_model(model, CandleConfig::default())?;
//! let server = Server::builder(adapter).bind("127.0.0.1:8000").await?;
//! println!("{}", server.base_url());
//! server.run().await?;
//! # Ok(())
//! # }
//! ```

mod answer;
mod api_error;
mod auth;
mod body;
mod chat;
mod chat_message;
mod completions;
mod connection;
mod dspy_prompt;
mod error;
mod events;
mod free_text;
mod generation;
mod hosts;
mod limits;
mod metrics;
mod models;
mod params;
mod response_format;
mod routes;
mod server;
mod state;
mod tool_calls;
mod tools;

pub use error::ServeError;
pub use limits::Limits;
pub use server::{Running, Server, ServerBuilder, ServerHandle};

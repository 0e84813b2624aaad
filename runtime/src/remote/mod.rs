//! Signatures on any OpenAI-compatible server: vLLM, llama-server, our own endpoint, hosted ones.
//!
//! A [`RemoteBackend`] stands where a `CandleAdapter` stood; nothing else of a program changes. It runs inside a tokio runtime with
//! time and network. What servers send is read as the word of a stranger: bounded, and never a panic.

mod backend;
mod body;
mod bucket;
mod call;
mod check;
mod circuit;
mod config;
mod endpoint;
mod error;
mod http;
mod learned;
mod lease;
mod pool;
mod refusal;
mod reply;
mod retry_after;
mod schema;
mod slot;
mod sse;
mod stats;
mod stream;

pub use backend::RemoteBackend;
pub use check::EndpointCheck;
pub use config::{Circuit, RemoteConfig, Retries, Timeouts};
pub use endpoint::{Endpoint, Guidance};
pub use error::RemoteError;
pub use stats::{EndpointState, EndpointStats};

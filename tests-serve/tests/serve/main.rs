//! The endpoint over real sockets, on the embedded model.

mod chat;
mod clients;
mod completions;
mod constraints;
mod errors;
mod limits;
mod metrics;
mod qwen;
mod streams;
mod support;
mod tools;

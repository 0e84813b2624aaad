//! Signatures on a real llama-server, which runs the embedded model from the GGUF file that this crate writes.
//!
//! `scripts/clients/llama_server.sh` builds the server and runs these; by hand it is
//! `LLAMA_SERVER=/path/to/llama-server cargo test -p candle-signature-tests-serve --test llama_server -- --ignored`.
//! With a server that was built with llguidance, `LLAMA_LLGUIDANCE=1` runs its grammars too.

mod balance;
mod bounds;
mod held;
mod same;
mod support;

#[path = "../shared/mod.rs"]
mod shared;

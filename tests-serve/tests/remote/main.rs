//! Signatures on servers: our own endpoint over real sockets, and servers that do what none should.

mod balance;
mod hostile;
mod limits;
mod own;
mod support;
mod wire;

#[path = "../shared/mod.rs"]
mod shared;

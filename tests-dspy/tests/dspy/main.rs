//! dspy-rs 0.7.3 on this crate's engine: its own signatures and ours, through `dspy_rs::configure`.

mod adapter;
mod convert;
mod derived;
mod endpoint;
mod faults;
mod optimizers;
mod predict;
mod schemas;
mod support;

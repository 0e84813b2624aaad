//! The built program, run as a user runs it, on the embedded model.

mod bench;
mod doctor;
mod help;
#[path = "../../../tests/tests/hub_support/mod.rs"]
#[allow(dead_code, reason = "the tests of the hub itself use all of it")]
mod hub_support;
mod inputs;
mod jsonl;
mod models;
mod parse;
mod pipes;
mod pull;
mod run;
mod serve;
mod support;

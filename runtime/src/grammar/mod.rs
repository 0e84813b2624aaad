//! Output types to a grammar, and a grammar to the mask that the engine samples under.
//!
//! The grammar is the contract: on our engine no reply leaves it. llguidance does the automata; this module knows
//! how replies are written, and what the engine wants to know.

mod bounds;
mod cache;
mod close;
mod compiler;
mod constraint;
mod error;
mod float_range;
mod guarded;
mod int_range;
mod lark;
mod mask;
mod reply;
mod vocabulary;
mod walk;

pub use compiler::{Grammar, GrammarCompiler};
pub use constraint::Constraint;
pub use error::GrammarError;

//! dspy-rs 0.7.3 on this crate's engine (feature `dspy`): its `Adapter` for [`CandleAdapter`](crate::adapter::CandleAdapter) and
//! every other backend, its signatures read as ours and ours as its, examples and predictions either way.
//!
//! `docs/dspy.md` says what works, and what of 0.7.3 this module shields from. Nothing else in the crate knows dspy-rs.

mod adapter;
mod convert;
mod error;
mod field;
mod json;
mod lm;
mod module;
mod optimize;
mod schema;
mod schema_enum;
mod signature;

pub use adapter::BackendAdapter;
pub use convert::{demo_of, example_of, output_of};
pub use error::DspyError;
pub use field::spec_of;
pub use json::{json_of, value_of};
pub use lm::{BYPASSED, endpoint_lm, local_lm};
pub use module::{DspyModule, forward_each};
pub use optimize::{Optimized, keep_best, score};
pub use signature::DspySignature;

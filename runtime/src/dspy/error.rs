//! What can go wrong between dspy-rs and this crate. dspy-rs passes errors on as `anyhow::Error`: downcast to [`DspyError`].

use crate::adapter::CandleAdapterError;
use crate::signature::ValueError;

/// Why a prediction through dspy-rs failed, or something could not be converted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DspyError {
    /// A `MetaSignature` that is no signature: no outputs, a type that nothing is known of, two fields of one name.
    #[error("dspy-rs signature: {place}: {problem}")]
    Signature {
        /// The field, or what is wrong as a whole.
        place: String,
        /// What is wrong and what to do.
        problem: String,
    },
    /// An example that lacks inputs of the signature.
    #[error(
        "the example has no value for the {} {}: it has {}",
        if missing.len() == 1 { "input" } else { "inputs" }, listed(missing), listed(given)
    )]
    MissingInput {
        /// The inputs without a value.
        missing: Vec<String>,
        /// The keys that the example has.
        given: Vec<String>,
    },
    /// Tools given to dspy-rs's `Predict`: 0.7.3 never runs them.
    #[error(
        "dspy-rs 0.7.3 accepts tools but never runs them ({}): use `candle_signature::program::ReAct`, which does, or leave them out",
        listed(.0)
    )]
    Tools(Vec<String>),
    /// `dspy_rs::configure` was not called, at which dspy-rs itself panics.
    #[error(
        "dspy-rs has no LM and no adapter yet: write `dspy_rs::configure(candle_signature::dspy::local_lm(&adapter).await?, adapter)` \
         before the first prediction"
    )]
    NotConfigured,
    /// dspy-rs asked its `LM` in the place of our adapter, as another one is configured.
    #[error(
        "dspy-rs asked its LM in the place of a local model: give the CandleAdapter to `dspy_rs::configure(lm, adapter)` as the adapter, \
         not `ChatAdapter` ({0})"
    )]
    Bypassed(String),
    /// The `LM` that `dspy_rs::configure` insists on could not be made.
    #[error("the LM for `dspy_rs::configure` could not be made: {0}")]
    Lm(String),
    /// An optimizer of dspy-rs that failed or panicked. The module is as it was before.
    #[error("the optimizer failed, and the module is as it was: {0}")]
    Optimizer(String),
    /// Token counts that do not add up.
    #[error(
        "{total} tokens in total are not {prompt} of the prompt and {completion} of the completion"
    )]
    Usage {
        /// Tokens of the prompt.
        prompt: u64,
        /// Tokens of the completion.
        completion: u64,
        /// What was said to be their sum.
        total: u64,
    },
    /// Values that are missing or not of their fields' types.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Values(Vec<ValueError>),
    /// The engine failed, or the reply could not be read.
    #[error(transparent)]
    Adapter(#[from] CandleAdapterError),
}

impl DspyError {
    pub(super) fn signature(place: impl Into<String>, problem: impl Into<String>) -> Self {
        DspyError::Signature {
            place: place.into(),
            problem: problem.into(),
        }
    }
}

fn listed(names: &[String]) -> String {
    if names.is_empty() {
        return "none".into();
    }
    let quoted: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

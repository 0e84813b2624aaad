//! Whether a configuration suits a model: lengths that it was made for, tokens that it has.

use crate::engine::ModelConfig;

use super::{CandleAdapterError, CandleConfig};

pub(super) fn refuse(message: String) -> CandleAdapterError {
    CandleAdapterError::ConfigError(message.into())
}

/// Refuses what the model can't do.
pub(super) fn suits_model(
    config: &CandleConfig,
    model: &ModelConfig,
) -> Result<(), CandleAdapterError> {
    let (limit, vocabulary) = (model.max_positions, model.vocab_size);
    if let Some(context) = config.context_length
        && context > limit
    {
        return Err(refuse(format!(
            "context_length ({context}) is more than the model was made for: use at most {limit}, or None"
        )));
    }
    if config.context_length.is_none() && config.max_tokens >= limit {
        return Err(refuse(format!(
            "max_tokens ({}) leaves no room for a prompt in this model's context of {limit}: lower max_tokens",
            config.max_tokens
        )));
    }
    let mut biased = config.logit_bias.keys();
    match biased.find(|id| **id as usize >= vocabulary) {
        Some(id) => Err(refuse(format!(
            "logit_bias: there is no token {id}, this model's vocabulary has {vocabulary}"
        ))),
        None => Ok(()),
    }
}

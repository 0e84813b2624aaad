//! One request, whichever endpoint it goes to.

use std::time::{Duration, Instant};

use serde_json::Value as Json;

use crate::adapter::{CandleAdapterError, CompletionRequest, ErrorText, Overrides};

use super::config::{RemoteConfig, merged};
use super::schema::Hold;

/// Bytes of a prompt for each of its tokens, for want of the server's tokenizer: English has about four.
const BYTES_PER_TOKEN: usize = 4;

/// What a reply costs where no bound is set, until its usage is known.
const USUAL_REPLY: usize = 512;

/// A request with all that was configured for it.
pub(super) struct Call {
    pub messages: Json,
    pub sampling: Overrides,
    /// What the reply is held to, with its fingerprint.
    pub hold: Option<(Hold, u64)>,
    /// Log-probabilities, and of so many of the likeliest.
    pub logprobs: Option<usize>,
    /// Tokens that it will cost, as far as can be said.
    pub cost: f64,
    pub started: Instant,
    pub total: Duration,
}

impl Call {
    pub fn new(
        request: &CompletionRequest,
        config: &RemoteConfig,
    ) -> Result<Self, CandleAdapterError> {
        let sampling = merged(&config.sampling, &request.overrides)?;
        let messages = serde_json::to_value(&request.messages)
            .map_err(|error| CandleAdapterError::TokenizationFailed(ErrorText::caused_by(error)))?;
        let hold = request.constraint.as_ref().and_then(Hold::of);
        let bytes: usize = request
            .messages
            .iter()
            .map(|message| message.content.len())
            .sum();
        let reply = sampling.max_tokens.unwrap_or(USUAL_REPLY);
        let wants_logprobs = config.log_probabilities || config.top_logprobs > 0;
        Ok(Call {
            messages,
            hold: hold.map(|hold| {
                let fingerprint = hold.fingerprint();
                (hold, fingerprint)
            }),
            logprobs: wants_logprobs.then_some(config.top_logprobs),
            cost: (bytes / BYTES_PER_TOKEN + reply) as f64,
            started: Instant::now(),
            total: sampling
                .timeout_ms
                .map_or(config.timeouts.total, Duration::from_millis),
            sampling,
        })
    }

    /// When it is given up. A time beyond what the clock can say is a year.
    pub fn deadline(&self) -> Instant {
        let far = self.started + Duration::from_secs(365 * 24 * 3600);
        self.started.checked_add(self.total).unwrap_or(far)
    }
}

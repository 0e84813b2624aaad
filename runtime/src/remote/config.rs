//! How a remote backend asks, waits and tries again: every knob and its default.

use std::time::Duration;

use crate::adapter::{CandleAdapterError, CandleConfig, Overrides};

use super::RemoteError;

/// How a remote backend asks, waits and tries again.
///
/// ```
/// use candle_signature::remote::RemoteConfig;
///
/// let config = RemoteConfig { log_probabilities: true, ..RemoteConfig::default() };
/// config.validate()?;
/// # Ok::<(), candle_signature::remote::RemoteError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct RemoteConfig {
    /// How replies are sampled; what is `None` is left to the server. Default: at most 512 tokens, temperature 0. What servers
    /// beside OpenAI's call `top_k`, `min_p` and `repetition_penalty` (llama.cpp: `repeat_penalty`) is sent only where it is set.
    pub sampling: Overrides,
    /// Ask for the log-probabilities of the tokens. A server that has none gives none. Default false.
    pub log_probabilities: bool,
    /// For each token the so many likeliest in its place, at most 20. Above 0 it implies `log_probabilities`. Default 0.
    pub top_logprobs: usize,
    /// How long to wait for what.
    pub timeouts: Timeouts,
    /// How often to send a request again, and after how long.
    pub retries: Retries,
    /// When an endpoint is left alone.
    pub circuit: Circuit,
    /// How often a program that has no checks asks the model again for a reply that can't be read. Default 2.
    pub parse_retries: usize,
    /// Most bytes of a reply, over which it is given up. Default 8 MiB.
    pub most_reply_bytes: usize,
    /// Ask every endpoint in this interval whether it is there, in the background; those that are not get no requests. Default
    /// `None`: what requests meet is told by themselves.
    pub probe_every: Option<Duration>,
}

/// How long to wait for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// For a connection. Default 5 s.
    pub connect: Duration,
    /// For the first byte of a stream, which comes when the prompt has been read; a reply that is not streamed comes whole at its end,
    /// and has `attempt` alone. Default 60 s.
    pub first_byte: Duration,
    /// Between two pieces of a reply. Default 30 s.
    pub idle: Duration,
    /// For one attempt, from the connection to the last byte. Default 5 min.
    pub attempt: Duration,
    /// For all attempts and the waiting between them; [`Overrides::timeout_ms`] says another for a call. Default 10 min.
    pub total: Duration,
}

/// How often to send a request again, and after how long.
///
/// What is sent again: requests that met 408, 429, 5xx, no connection, a connection that broke, or a time limit. Never a stream of which
/// text was delivered. `Retry-After` is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retries {
    /// Most times that a request is sent, the first one included; at least 1. Default 4.
    pub attempts: usize,
    /// The wait before the second attempt is a random time up to this; before each further one up to twice the last bound ("full
    /// jitter", Brooker 2015). Default 0.5 s.
    pub base: Duration,
    /// The bound of the bounds. Default 20 s.
    pub most: Duration,
}

/// When an endpoint is left alone: after so many failures in a row, for a while; then one request tries it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Circuit {
    /// Failures in a row that open it; at least 1. A reply of a status below 500 is no failure. Default 5.
    pub failures: usize,
    /// How long it stays open at first; twice as long after each probe that fails, up to 16 times. Default 5 s.
    pub cooldown: Duration,
}

impl Default for RemoteConfig {
    fn default() -> Self {
        RemoteConfig {
            sampling: Overrides {
                max_tokens: Some(512),
                temperature: Some(0.0),
                ..Overrides::default()
            },
            log_probabilities: false,
            top_logprobs: 0,
            timeouts: Timeouts::default(),
            retries: Retries::default(),
            circuit: Circuit::default(),
            parse_retries: 2,
            most_reply_bytes: 8 << 20,
            probe_every: None,
        }
    }
}

impl Default for Timeouts {
    fn default() -> Self {
        Timeouts {
            connect: Duration::from_secs(5),
            first_byte: Duration::from_secs(60),
            idle: Duration::from_secs(30),
            attempt: Duration::from_secs(300),
            total: Duration::from_secs(600),
        }
    }
}

impl Default for Retries {
    fn default() -> Self {
        Retries {
            attempts: 4,
            base: Duration::from_millis(500),
            most: Duration::from_secs(20),
        }
    }
}

impl Default for Circuit {
    fn default() -> Self {
        Circuit {
            failures: 5,
            cooldown: Duration::from_secs(5),
        }
    }
}

/// As many likely tokens as OpenAI's API tells.
const MOST_TOP_LOGPROBS: usize = 20;

impl RemoteConfig {
    /// Refuses values that can't work.
    ///
    /// # Errors
    /// [`RemoteError::Setting`] that names the field and says what to change.
    pub fn validate(&self) -> Result<(), RemoteError> {
        let refuse = |what: &str, problem: &str| Err(RemoteError::setting(what, problem));
        merged(&self.sampling, &Overrides::default())
            .map_err(|error| RemoteError::setting("sampling", error.to_string()))?;
        if self.top_logprobs > MOST_TOP_LOGPROBS {
            return refuse("top_logprobs", "must be at most 20");
        }
        if self.retries.attempts == 0 {
            return refuse(
                "retries.attempts",
                "must be at least 1: the first attempt counts",
            );
        }
        if self.circuit.failures == 0 {
            return refuse("circuit.failures", "must be at least 1");
        }
        if self.most_reply_bytes == 0 {
            return refuse("most_reply_bytes", "must be above 0");
        }
        if self.probe_every == Some(Duration::ZERO) {
            return refuse("probe_every", "must be above 0, or None for no probes");
        }
        let times = &self.timeouts;
        for (what, time) in [
            ("timeouts.connect", times.connect),
            ("timeouts.first_byte", times.first_byte),
            ("timeouts.idle", times.idle),
            ("timeouts.attempt", times.attempt),
            ("timeouts.total", times.total),
        ] {
            if time.is_zero() {
                return refuse(what, "must be above 0");
            }
        }
        Ok(())
    }
}

/// What one call changes, upon what is configured; checked by the rules of the local adapter.
pub(super) fn merged(
    configured: &Overrides,
    call: &Overrides,
) -> Result<Overrides, CandleAdapterError> {
    let mut base = *configured;
    if call.temperature == Some(0.0) {
        // Filters of the configuration mean nothing where nothing is left to choose among.
        (base.top_p, base.top_k, base.min_p) = (None, None, None);
    }
    let merged = Overrides {
        max_tokens: call.max_tokens.or(base.max_tokens),
        temperature: call.temperature.or(base.temperature),
        top_p: call.top_p.or(base.top_p),
        top_k: call.top_k.or(base.top_k),
        min_p: call.min_p.or(base.min_p),
        seed: call.seed.or(base.seed),
        repetition_penalty: call.repetition_penalty.or(base.repetition_penalty),
        presence_penalty: call.presence_penalty.or(base.presence_penalty),
        frequency_penalty: call.frequency_penalty.or(base.frequency_penalty),
        timeout_ms: call.timeout_ms.or(base.timeout_ms),
    };
    merged.applied_to(&CandleConfig::default())?;
    Ok(merged)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_changes_what_it_says_and_no_more() {
        let configured = Overrides {
            max_tokens: Some(9),
            temperature: Some(0.7),
            top_p: Some(0.9),
            ..Overrides::default()
        };
        let call = Overrides {
            seed: Some(3),
            ..Overrides::default()
        };
        let both = merged(&configured, &call).expect("sound");
        assert_eq!((both.max_tokens, both.seed), (Some(9), Some(3)));
        assert_eq!(both.top_p, Some(0.9));
        let greedy = Overrides {
            temperature: Some(0.0),
            ..Overrides::default()
        };
        assert_eq!(merged(&configured, &greedy).expect("sound").top_p, None);
    }

    #[test]
    fn what_can_not_work_is_named() {
        let mut config = RemoteConfig::default();
        assert!(config.validate().is_ok());
        config.sampling.temperature = Some(-1.0);
        let error = config.validate().expect_err("refused").to_string();
        assert!(error.contains("temperature"), "{error}");
        config.sampling.temperature = None;
        config.retries.attempts = 0;
        let error = config.validate().expect_err("refused").to_string();
        assert!(error.contains("retries.attempts"), "{error}");
    }
}

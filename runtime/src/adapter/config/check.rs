//! Which values and combinations of a configuration can't work, and what to write instead.

use crate::engine::GenerateRequest;

use super::CandleConfig;

/// Longer than anybody would let the first request wait.
const LONGEST_BATCH_TIMEOUT_MS: u64 = 60_000;

/// Longer guesses than this are rarely right to the end.
const MOST_LOOKUP: usize = 64;

impl CandleConfig {
    pub(super) fn validate_sampling(&self) -> Result<(), String> {
        let Self {
            temperature,
            top_p,
            top_k,
            min_p,
            repetition_penalty,
            ..
        } = self;
        // Written so that NaN is refused too.
        if !(0.0..=2.0).contains(temperature) {
            return Err(format!("temperature ({temperature}) must be from 0 to 2"));
        }
        if !(*top_p > 0.0 && *top_p <= 1.0) {
            return Err(format!(
                "top_p ({top_p}) must be above 0 and at most 1 (1 turns it off)"
            ));
        }
        if !(0.0..1.0).contains(min_p) {
            return Err(format!(
                "min_p ({min_p}) must be at least 0 and below 1 (0 turns it off)"
            ));
        }
        if *top_k == Some(0) {
            return Err("top_k (0) leaves no token to sample: use at least 1, or None".into());
        }
        if !(*repetition_penalty > 0.0 && repetition_penalty.is_finite()) {
            return Err(format!(
                "repetition_penalty ({repetition_penalty}) must be a number above 0 (1 turns it off)"
            ));
        }
        for (name, value) in [
            ("presence_penalty", self.presence_penalty),
            ("frequency_penalty", self.frequency_penalty),
        ] {
            if !(-2.0..=2.0).contains(&value) {
                return Err(format!(
                    "{name} ({value}) must be from -2 to 2 (0 turns it off)"
                ));
            }
        }
        for (id, bias) in &self.logit_bias {
            if !(-100.0..=100.0).contains(bias) {
                return Err(format!(
                    "logit_bias of token {id} ({bias}) must be from -100 to 100"
                ));
            }
        }
        let idle = [
            ("top_p", *top_p < 1.0, "1"),
            ("top_k", top_k.is_some(), "None"),
            ("min_p", *min_p > 0.0, "0"),
        ];
        match idle
            .iter()
            .find(|(_, is_set, _)| *temperature == 0.0 && *is_set)
        {
            Some((name, _, off)) => Err(format!(
                "{name} has no effect at temperature 0, where the likeliest token is taken: \
                 raise temperature, or leave {name} at {off}"
            )),
            None => Ok(()),
        }
    }

    pub(super) fn validate_answers(&self) -> Result<(), String> {
        let most = GenerateRequest::MOST_TOP_LOGPROBS;
        if self.top_logprobs > most {
            return Err(format!(
                "top_logprobs ({}) must be at most {most}",
                self.top_logprobs
            ));
        }
        match self.timeout_ms {
            Some(0) => {
                Err("timeout_ms (0) leaves no time for a reply: use at least 1, or None".into())
            }
            _ => Ok(()),
        }
    }

    pub(super) fn validate_lengths(&self) -> Result<(), String> {
        let max_tokens = self.max_tokens;
        if max_tokens == 0 {
            return Err("max_tokens (0) leaves no room for a reply: use at least 1".into());
        }
        if let Some(context) = self.context_length
            && max_tokens >= context
        {
            return Err(format!(
                "max_tokens ({max_tokens}) leaves no room for a prompt in a context of {context}: \
                 lower max_tokens or raise context_length"
            ));
        }
        let lookup = self.prompt_lookup;
        if lookup > MOST_LOOKUP {
            return Err(format!(
                "prompt_lookup ({lookup}) must be at most {MOST_LOOKUP}"
            ));
        }
        if lookup > 0 && !self.enable_kv_cache {
            return Err(format!(
                "prompt_lookup ({lookup}) has no effect without a KV cache: \
                 set enable_kv_cache to true, or leave prompt_lookup at 0"
            ));
        }
        match self.max_cache_size {
            Some(size) if !self.enable_kv_cache => Err(format!(
                "max_cache_size ({size}) has no effect without a KV cache: \
                 set enable_kv_cache to true, or leave max_cache_size at None"
            )),
            Some(size) if max_tokens >= size => Err(format!(
                "max_tokens ({max_tokens}) leaves no room for a prompt in a KV cache of {size} tokens: \
                 lower max_tokens or raise max_cache_size"
            )),
            _ => Ok(()),
        }
    }

    pub(super) fn validate_streaming(&self) -> Result<(), String> {
        let size = self.stream_buffer_size;
        if size == 0 {
            return Err("stream_buffer_size (0) lets no text through: use at least 1".into());
        }
        if !self.enable_streaming && size != CandleConfig::default().stream_buffer_size {
            return Err(format!(
                "stream_buffer_size ({size}) has no effect without streaming: \
                 set enable_streaming to true, or leave stream_buffer_size at its default"
            ));
        }
        Ok(())
    }

    pub(super) fn validate_batching(&self) -> Result<(), String> {
        let (size, timeout) = (self.batch_size, self.batch_timeout_ms);
        if size == Some(0) {
            return Err("batch_size (0) lets no request run: use at least 1, or None".into());
        }
        if timeout > LONGEST_BATCH_TIMEOUT_MS {
            return Err(format!(
                "batch_timeout_ms ({timeout}) must be at most {LONGEST_BATCH_TIMEOUT_MS}, a minute"
            ));
        }
        if size.is_none_or(|size| size == 1) && timeout != CandleConfig::default().batch_timeout_ms
        {
            return Err(format!(
                "batch_timeout_ms ({timeout}) has no effect without a batch to fill: \
                 set batch_size to 2 or more, or leave batch_timeout_ms at its default"
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(change: impl FnOnce(&mut CandleConfig)) -> String {
        let mut config = CandleConfig::default();
        change(&mut config);
        config.validate().expect_err("must be refused").to_string()
    }

    #[test]
    fn what_can_not_work_is_refused_by_name() {
        type Change = fn(&mut CandleConfig);
        let cases: &[(Change, &str)] = &[
            (|c| c.max_tokens = 0, "max_tokens (0)"),
            (|c| c.temperature = -0.1, "temperature (-0.1)"),
            (|c| c.temperature = f32::NAN, "temperature (NaN)"),
            (|c| c.top_p = 0.0, "top_p (0)"),
            (|c| c.top_p = f32::NAN, "top_p (NaN)"),
            (|c| c.min_p = 1.0, "min_p (1)"),
            (|c| c.top_k = Some(0), "top_k (0)"),
            (|c| c.repetition_penalty = 0.0, "repetition_penalty (0)"),
            (
                |c| c.repetition_penalty = f32::INFINITY,
                "repetition_penalty (inf)",
            ),
            (|c| c.presence_penalty = 2.5, "presence_penalty (2.5)"),
            (
                |c| c.frequency_penalty = f32::NAN,
                "frequency_penalty (NaN)",
            ),
            (
                |c| c.logit_bias = [(7, 101.0)].into(),
                "logit_bias of token 7 (101)",
            ),
            (|c| c.top_logprobs = 21, "top_logprobs (21)"),
            (|c| c.timeout_ms = Some(0), "timeout_ms (0)"),
            (
                |c| c.context_length = Some(512),
                "max_tokens (512) leaves no room for a prompt in a context of 512",
            ),
            (|c| c.max_cache_size = Some(100), "KV cache of 100 tokens"),
            (
                |c| (c.enable_kv_cache, c.max_cache_size) = (false, Some(4096)),
                "enable_kv_cache",
            ),
            (|c| c.top_p = 0.9, "top_p has no effect at temperature 0"),
            (
                |c| c.top_k = Some(40),
                "top_k has no effect at temperature 0",
            ),
            (|c| c.min_p = 0.1, "min_p has no effect at temperature 0"),
            (|c| c.stream_buffer_size = 0, "stream_buffer_size (0)"),
            (
                |c| c.stream_buffer_size = 1,
                "stream_buffer_size (1) has no effect without streaming",
            ),
            (|c| c.prompt_lookup = 65, "prompt_lookup (65)"),
            (
                |c| (c.prompt_lookup, c.enable_kv_cache) = (4, false),
                "prompt_lookup (4) has no effect",
            ),
            (|c| c.batch_size = Some(0), "batch_size (0)"),
            (
                |c| c.batch_timeout_ms = 1,
                "batch_timeout_ms (1) has no effect",
            ),
            (
                |c| (c.batch_size, c.batch_timeout_ms) = (Some(4), 60_001),
                "batch_timeout_ms (60001)",
            ),
        ];
        for (change, expected) in cases {
            let message = refusal(change);
            assert!(message.contains(expected), "{message}");
        }
    }
}

//! How an adapter generates: every knob, its default, and which values make no sense.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::engine::GenerateRequest;

use super::CandleAdapterError;

/// How an adapter generates.
///
/// Every field has a default that works; write the ones that differ and `..Default::default()`, or use
/// [`CandleConfig::builder`]. Values and combinations that can't work are refused by [`CandleConfig::validate`], which
/// every adapter calls when it is made.
///
/// ```
/// use candle_signature::adapter::CandleConfig;
///
/// let config = CandleConfig { max_tokens: 50, temperature: 0.7, ..Default::default() };
/// config.validate()?;
/// # Ok::<(), candle_signature::adapter::CandleAdapterError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CandleConfig {
    /// Most tokens to generate a reply. Default 512.
    pub max_tokens: usize,
    /// Randomness of sampling: 0 (default) always takes the likeliest token, 1 samples from the model's own
    /// distribution, 2 is the most that is allowed.
    pub temperature: f32,
    /// Nucleus sampling: only the likeliest tokens whose probabilities sum to this are sampled. Default 1: all.
    pub top_p: f32,
    /// Only the so many likeliest tokens are sampled. Default `None`: all.
    pub top_k: Option<usize>,
    /// Only tokens at least this fraction as likely as the likeliest are sampled. Default 0: all.
    pub min_p: f32,
    /// Seed of sampling: the same seed and prompt give the same reply. Default 42.
    pub seed: u64,
    /// Logits of tokens that occurred are divided (if positive) or multiplied by this (CTRL, Keskar et al. 2019).
    /// Default 1: no penalty.
    pub repetition_penalty: f32,
    /// Taken from the logit of every token that the reply holds already; −2 to 2. Default 0: no penalty.
    pub presence_penalty: f32,
    /// Taken from a token's logit once for each time that the reply holds it; −2 to 2. Default 0: no penalty.
    pub frequency_penalty: f32,
    /// Added to the logits of these tokens, by their ids; −100 (as good as never) to 100. Default none.
    pub logit_bias: BTreeMap<u32, f32>,
    /// Hold replies to the grammar of the signature's output types, so that they always parse, and take forced text
    /// (markers, names) without decoding it. Default true.
    pub constrain_output: bool,
    /// Tokens of prompt and reply together. Default `None`: what the model was made for.
    pub context_length: Option<usize>,
    /// Keep keys and values of earlier tokens instead of computing them again each step. Default true; false is the honest
    /// baseline, and slow.
    pub enable_kv_cache: bool,
    /// Bound on the KV cache in tokens. Default `None`: the context length.
    pub max_cache_size: Option<usize>,
    /// Deliver streamed text while it is generated. Default false: streams deliver it in one piece at its end.
    pub enable_streaming: bool,
    /// Pieces of text that may wait for a slow reader. Default 64.
    pub stream_buffer_size: usize,
    /// Log-probabilities for the tokens of replies that are held to a grammar too. The output head is then computed for the
    /// whole vocabulary in every step. Replies that are not held to one always have them. Default false.
    pub log_probabilities: bool,
    /// For each token of a reply the so many likeliest in its place, at most 20: [`super::CompletionToken::top`]. Above 0
    /// it implies `log_probabilities`. Default 0.
    pub top_logprobs: usize,
    /// Most milliseconds from a request to its reply; the request then fails with what the engine calls
    /// [`DeadlinePassed`](crate::engine::EngineError::DeadlinePassed). Default `None`: as long as it takes.
    pub timeout_ms: Option<u64>,
    /// Most requests in one forward pass. Default `None`: one.
    pub batch_size: Option<usize>,
    /// How long to wait for a batch to fill, in milliseconds. Default 5.
    pub batch_timeout_ms: u64,
    /// Jinja template of the chat, as transformers writes it. Default `None`: the model's own, else ChatML.
    pub chat_template: Option<String>,
    /// Control tokens that end a reply beside the model's own. Default none.
    pub chat_stop_tokens: Vec<String>,
}

impl Default for CandleConfig {
    fn default() -> Self {
        CandleConfig {
            max_tokens: 512,
            temperature: 0.0,
            top_p: 1.0,
            top_k: None,
            min_p: 0.0,
            seed: 42,
            repetition_penalty: 1.0,
            presence_penalty: 0.0,
            frequency_penalty: 0.0,
            logit_bias: BTreeMap::new(),
            constrain_output: true,
            context_length: None,
            enable_kv_cache: true,
            max_cache_size: None,
            enable_streaming: false,
            stream_buffer_size: 64,
            log_probabilities: false,
            top_logprobs: 0,
            timeout_ms: None,
            batch_size: None,
            batch_timeout_ms: 5,
            chat_template: None,
            chat_stop_tokens: Vec::new(),
        }
    }
}

impl CandleConfig {
    /// A builder, for those who prefer one.
    #[must_use]
    pub fn builder() -> CandleConfigBuilder {
        CandleConfigBuilder::default()
    }

    /// Refuses values and combinations that can't work.
    ///
    /// # Errors
    /// [`CandleAdapterError::ConfigError`] that names the fields and says what to change.
    pub fn validate(&self) -> Result<(), CandleAdapterError> {
        self.validate_sampling()
            .and_then(|()| self.validate_answers())
            .and_then(|()| self.validate_lengths())
            .and_then(|()| self.validate_streaming())
            .and_then(|()| self.validate_unavailable())
            .map_err(|message| CandleAdapterError::ConfigError(message.into()))
    }

    fn validate_sampling(&self) -> Result<(), String> {
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

    fn validate_answers(&self) -> Result<(), String> {
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

    fn validate_lengths(&self) -> Result<(), String> {
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

    fn validate_streaming(&self) -> Result<(), String> {
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

    /// Fields whose machinery is not there yet: better refused than silently without effect.
    fn validate_unavailable(&self) -> Result<(), String> {
        let default = CandleConfig::default();
        let unavailable = [
            ("batch_size", self.batch_size.is_some(), "None"),
            (
                "batch_timeout_ms",
                self.batch_timeout_ms != default.batch_timeout_ms,
                "5",
            ),
        ];
        match unavailable.iter().find(|(_, is_set, _)| *is_set) {
            Some((name, _, off)) => Err(format!(
                "{name} is not available in this version: leave it at its default ({off})"
            )),
            None => Ok(()),
        }
    }
}

/// Builds a [`CandleConfig`]; what is not set keeps its default.
#[derive(Debug, Clone, Default)]
pub struct CandleConfigBuilder {
    config: CandleConfig,
}

macro_rules! setters {
    ($($field:ident: $ty:ty),* $(,)?) => {$(
        #[doc = concat!("Sets [`CandleConfig::", stringify!($field), "`].")]
        #[must_use]
        pub fn $field(mut self, $field: impl Into<$ty>) -> Self {
            self.config.$field = $field.into();
            self
        }
    )*};
}

impl CandleConfigBuilder {
    setters! {
        max_tokens: usize,
        temperature: f32,
        top_p: f32,
        top_k: Option<usize>,
        min_p: f32,
        seed: u64,
        repetition_penalty: f32,
        presence_penalty: f32,
        frequency_penalty: f32,
        logit_bias: BTreeMap<u32, f32>,
        constrain_output: bool,
        context_length: Option<usize>,
        enable_kv_cache: bool,
        max_cache_size: Option<usize>,
        enable_streaming: bool,
        stream_buffer_size: usize,
        log_probabilities: bool,
        top_logprobs: usize,
        timeout_ms: Option<u64>,
        batch_size: Option<usize>,
        batch_timeout_ms: u64,
        chat_template: Option<String>,
        chat_stop_tokens: Vec<String>,
    }

    /// The configuration, validated.
    ///
    /// # Errors
    /// As [`CandleConfig::validate`].
    pub fn build(self) -> Result<CandleConfig, CandleAdapterError> {
        self.config.validate()?;
        Ok(self.config)
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
    fn the_default_works() {
        assert!(CandleConfig::default().validate().is_ok());
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
            (|c| c.batch_size = Some(4), "batch_size is not available"),
            (
                |c| c.batch_timeout_ms = 1,
                "batch_timeout_ms is not available",
            ),
        ];
        for (change, expected) in cases {
            let message = refusal(change);
            assert!(message.contains(expected), "{message}");
        }
    }

    #[test]
    fn it_survives_serde_and_refuses_unknown_keys() {
        let config = CandleConfig {
            top_k: Some(7),
            temperature: 1.0,
            logit_bias: [(3, -1.5)].into(),
            ..Default::default()
        };
        let json = serde_json::to_string(&config).expect("serializes");
        assert_eq!(
            serde_json::from_str::<CandleConfig>(&json).expect("comes back"),
            config
        );
        assert_eq!(
            serde_json::from_str::<CandleConfig>("{}").expect("defaults"),
            CandleConfig::default()
        );
        assert!(serde_json::from_str::<CandleConfig>(r#"{"max_token": 1}"#).is_err());
    }

    #[test]
    fn the_builder_builds_what_the_literal_does() {
        let built = CandleConfig::builder()
            .max_tokens(9usize)
            .top_k(3)
            .temperature(0.5)
            .build();
        let literal = CandleConfig {
            max_tokens: 9,
            top_k: Some(3),
            temperature: 0.5,
            ..Default::default()
        };
        assert_eq!(built.expect("valid"), literal);
        assert!(CandleConfig::builder().max_tokens(0usize).build().is_err());
    }
}

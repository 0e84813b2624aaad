//! How an adapter generates: every knob and its default. `check` says which values make no sense.

mod check;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

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
    /// Most tokens of one request that the KV cache may hold; the reply ends where it is full. Default `None`: the
    /// context length. In bytes that is
    /// [`KvCache::bytes`](crate::engine::KvCache::bytes), two numbers of each layer, key and value head and coordinate a
    /// token. What the cache holds for all requests together is
    /// [`EngineOptions::cache_tokens`](crate::engine::EngineOptions::cache_tokens).
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
    /// Most tokens that are guessed a step from what followed the same tokens earlier in prompt and reply, and checked in
    /// one forward pass; at most 64. The reply is the same, sooner where it copies from the prompt. Works with grammars
    /// and sampling; needs the KV cache. Default 0: off.
    pub prompt_lookup: usize,
    /// Most requests in one forward pass that a request of this adapter takes part in. Default `None`: what the engine
    /// was started with, 8 unless [`ModelPool::with_engine`](super::ModelPool::with_engine) says otherwise.
    pub batch_size: Option<usize>,
    /// With a `batch_size`, how long a request that comes to an idle engine waits for the batch to fill, in milliseconds.
    /// Requests also join a batch that runs already, at any step, without waiting. Default 5.
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
            prompt_lookup: 0,
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
            .and_then(|()| self.validate_batching())
            .map_err(|message| CandleAdapterError::ConfigError(message.into()))
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
        prompt_lookup: usize,
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

    #[test]
    fn the_default_works() {
        assert!(CandleConfig::default().validate().is_ok());
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

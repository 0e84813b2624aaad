//! The parameters that both endpoints share, and the configuration that they make of an adapter's own.

use std::collections::HashMap;

use serde::Deserialize;

use crate::adapter::{CandleAdapter, CandleConfig};

use super::answer::random;
use super::api_error::ApiError;
use super::limits::Limits;

/// How a reply is sampled and delivered.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Params {
    pub model: Option<String>,
    max_tokens: Option<usize>,
    max_completion_tokens: Option<usize>,
    temperature: Option<f32>,
    top_p: Option<f32>,
    top_k: Option<i64>,
    min_p: Option<f32>,
    repetition_penalty: Option<f32>,
    presence_penalty: Option<f32>,
    frequency_penalty: Option<f32>,
    logit_bias: Option<HashMap<String, f32>>,
    seed: Option<i64>,
    n: Option<usize>,
    stop: Option<Stop>,
    stream: Option<bool>,
    stream_options: Option<StreamOptions>,
}

/// The keys of [`Params`].
pub(super) const KNOWN: &[&str] = &[
    "model",
    "max_tokens",
    "max_completion_tokens",
    "temperature",
    "top_p",
    "top_k",
    "min_p",
    "repetition_penalty",
    "presence_penalty",
    "frequency_penalty",
    "logit_bias",
    "seed",
    "n",
    "stop",
    "stream",
    "stream_options",
];

/// Keys that clients send and that change nothing of a reply here.
pub(super) const WITHOUT_EFFECT: &[&str] = &[
    "metadata",
    "prompt_cache_key",
    "prompt_cache_retention",
    "reasoning_effort",
    "safety_identifier",
    "service_tier",
    "store",
    "user",
    "verbosity",
];

#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "expected a string or a list of strings")]
enum Stop {
    One(String),
    Several(Vec<String>),
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct StreamOptions {
    include_usage: Option<bool>,
    /// Padding against side channels of the network; there is none here.
    #[serde(rename = "include_obfuscation")]
    _include_obfuscation: Option<bool>,
}

/// As many stop texts as a request may have.
const MOST_STOPS: usize = 16;

impl Params {
    /// How many replies.
    pub fn choices(&self, limits: &Limits) -> Result<usize, ApiError> {
        let (n, most) = (self.n.unwrap_or(1), limits.choices);
        match (1..=most).contains(&n) {
            true => Ok(n),
            false => Err(ApiError::param(
                "n",
                format!("n ({n}) must be from 1 to {most}"),
            )),
        }
    }

    pub fn streams(&self) -> bool {
        self.stream == Some(true)
    }

    /// Whether the last event of a stream tells the usage.
    pub fn includes_usage(&self) -> Result<bool, ApiError> {
        match (&self.stream_options, self.streams()) {
            (Some(_), false) => Err(ApiError::param(
                "stream_options",
                "stream_options has no effect without \"stream\": true",
            )),
            (options, _) => Ok(options
                .as_ref()
                .is_some_and(|options| options.include_usage == Some(true))),
        }
    }

    pub fn stops(&self) -> Result<Vec<String>, ApiError> {
        let stops = match &self.stop {
            None => Vec::new(),
            Some(Stop::One(text)) => vec![text.clone()],
            Some(Stop::Several(texts)) => texts.clone(),
        };
        if stops.len() > MOST_STOPS {
            return Err(ApiError::param(
                "stop",
                format!("stop has {} texts, {MOST_STOPS} are the most", stops.len()),
            ));
        }
        if stops.iter().any(String::is_empty) {
            return Err(ApiError::param("stop", "a stop text must not be empty"));
        }
        Ok(stops)
    }

    /// An adapter for each of `n` replies: they differ by their seed.
    pub fn adapters(
        &self,
        adapter: &CandleAdapter,
        n: usize,
    ) -> Result<Vec<CandleAdapter>, ApiError> {
        let config = self.config(adapter)?;
        let with_seed = |choice: usize| {
            let seed = config.seed.wrapping_add(choice as u64);
            let config = CandleConfig {
                seed,
                ..config.clone()
            };
            Ok(adapter.with_config(config)?)
        };
        (0..n).map(with_seed).collect()
    }

    fn config(&self, adapter: &CandleAdapter) -> Result<CandleConfig, ApiError> {
        let mut config = adapter.config().clone();
        if let Some(most) = self.most_tokens()? {
            // A bound beyond the context bounds nothing: the reply ends where the context does.
            config.max_tokens = most.min(adapter.context_length().saturating_sub(1)).max(1);
        }
        if let Some(bound) = config.max_cache_size {
            config.max_tokens = config.max_tokens.min(bound.saturating_sub(1)).max(1);
        }
        set(&mut config.temperature, self.temperature);
        set(&mut config.top_p, self.top_p);
        set(&mut config.min_p, self.min_p);
        set(&mut config.repetition_penalty, self.repetition_penalty);
        set(&mut config.presence_penalty, self.presence_penalty);
        set(&mut config.frequency_penalty, self.frequency_penalty);
        match self.top_k {
            None => {}
            // As vLLM has it, both turn it off.
            Some(0 | -1) => config.top_k = None,
            Some(k) => {
                let k = usize::try_from(k).map_err(|_| {
                    ApiError::param(
                        "top_k",
                        format!("top_k ({k}) must be positive, or -1 for all"),
                    )
                })?;
                config.top_k = Some(k);
            }
        }
        if let Some(bias) = &self.logit_bias {
            let biases = bias.iter().map(|(token, bias)| {
                let id = token.parse::<u32>().map_err(|_| {
                    let problem = format!("`{token}` is no token id");
                    ApiError::param("logit_bias", format!("logit_bias: {problem}"))
                });
                Ok((id?, *bias))
            });
            config.logit_bias = biases.collect::<Result<_, ApiError>>()?;
        }
        // The bits of a negative seed are as good as any.
        config.seed = self.seed.map_or_else(random, |seed| seed as u64);
        if config.top_p == 0.0 {
            (config.temperature, config.top_p) = (0.0, 1.0);
        }
        // Clients send these along with temperature 0, where nothing is left to choose among.
        if config.temperature == 0.0 {
            let off = (0.0..=1.0).contains(&config.top_p) && (0.0..1.0).contains(&config.min_p);
            if off && config.top_k != Some(0) {
                (config.top_p, config.top_k, config.min_p) = (1.0, None, 0.0);
            }
        }
        Ok(config)
    }

    fn most_tokens(&self) -> Result<Option<usize>, ApiError> {
        let named = [
            ("max_completion_tokens", self.max_completion_tokens),
            ("max_tokens", self.max_tokens),
        ];
        for (name, value) in named {
            if value == Some(0) {
                return Err(ApiError::param(
                    name,
                    format!("{name} (0) leaves no room for a reply"),
                ));
            }
        }
        Ok(self.max_completion_tokens.or(self.max_tokens))
    }
}

fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

//! What one call changes of its adapter's configuration.

use std::borrow::Cow;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use super::{CandleAdapterError, CandleConfig};

/// What one call, or one program, changes of its adapter's configuration; what is `None` stays as configured.
///
/// The values have the meaning and the bounds of the fields of [`CandleConfig`]. A temperature of 0 also turns off the filters
/// (`top_p`, `top_k`, `min_p`) of the configuration, which mean nothing there.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Overrides {
    /// Most tokens to generate a reply.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<usize>,
    /// Randomness of sampling.
    #[serde(deserialize_with = "finite", skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f32>,
    /// Nucleus sampling.
    #[serde(deserialize_with = "finite", skip_serializing_if = "Option::is_none")]
    pub top_p: Option<f32>,
    /// Only the so many likeliest tokens are sampled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_k: Option<usize>,
    /// Only tokens at least this fraction as likely as the likeliest are sampled.
    #[serde(deserialize_with = "finite", skip_serializing_if = "Option::is_none")]
    pub min_p: Option<f32>,
    /// Seed of sampling.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// Penalty of tokens that occurred.
    #[serde(deserialize_with = "finite", skip_serializing_if = "Option::is_none")]
    pub repetition_penalty: Option<f32>,
    /// Penalty of tokens that were generated, whatever their number.
    #[serde(deserialize_with = "finite", skip_serializing_if = "Option::is_none")]
    pub presence_penalty: Option<f32>,
    /// Penalty of tokens that were generated, for each time.
    #[serde(deserialize_with = "finite", skip_serializing_if = "Option::is_none")]
    pub frequency_penalty: Option<f32>,
    /// Most milliseconds that a reply may take.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
}

impl Overrides {
    /// Whether nothing is changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Overrides::default()
    }

    /// The configuration of one call.
    ///
    /// # Errors
    /// As [`CandleConfig::validate`].
    pub fn applied_to<'c>(
        &self,
        config: &'c CandleConfig,
    ) -> Result<Cow<'c, CandleConfig>, CandleAdapterError> {
        if self.is_empty() {
            return Ok(Cow::Borrowed(config));
        }
        let mut changed = config.clone();
        if self.temperature == Some(0.0) {
            (changed.top_p, changed.top_k, changed.min_p) = (1.0, None, 0.0);
        }
        set(&mut changed.max_tokens, self.max_tokens);
        set(&mut changed.temperature, self.temperature);
        set(&mut changed.top_p, self.top_p);
        set(&mut changed.top_k, self.top_k.map(Some));
        set(&mut changed.min_p, self.min_p);
        set(&mut changed.seed, self.seed);
        set(&mut changed.repetition_penalty, self.repetition_penalty);
        set(&mut changed.presence_penalty, self.presence_penalty);
        set(&mut changed.frequency_penalty, self.frequency_penalty);
        set(&mut changed.timeout_ms, self.timeout_ms.map(Some));
        changed.validate()?;
        Ok(Cow::Owned(changed))
    }
}

/// A number that an `f32` can hold: serde makes an infinity of one that is too large.
fn finite<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f32>, D::Error> {
    match Option::<f32>::deserialize(deserializer)? {
        Some(number) if !number.is_finite() => {
            Err(D::Error::custom("a number is too large for a setting"))
        }
        number => Ok(number),
    }
}

fn set<T>(field: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *field = value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_given_changes() {
        let config = CandleConfig {
            temperature: 0.7,
            top_p: 0.9,
            ..CandleConfig::default()
        };
        let seed = Overrides {
            seed: Some(7),
            ..Overrides::default()
        };
        let changed = seed.applied_to(&config).expect("sound");
        let expected = CandleConfig {
            seed: 7,
            ..config.clone()
        };
        assert_eq!(*changed, expected);
        let same = Overrides::default().applied_to(&config).expect("sound");
        assert!(matches!(same, Cow::Borrowed(_)));
    }

    #[test]
    fn a_number_that_is_no_f32_is_refused() {
        let error = serde_json::from_value::<Overrides>(serde_json::json!({"temperature": 1e300}));
        let error = error.expect_err("too large").to_string();
        assert!(error.contains("too large"), "{error}");
    }

    #[test]
    fn greedy_leaves_out_the_filters_of_the_configuration_but_not_its_own() {
        let config = CandleConfig {
            temperature: 0.7,
            top_p: 0.9,
            ..CandleConfig::default()
        };
        let mut greedy = Overrides {
            temperature: Some(0.0),
            ..Overrides::default()
        };
        assert_eq!(greedy.applied_to(&config).expect("sound").top_p, 1.0);
        greedy.top_k = Some(5);
        let error = greedy.applied_to(&config).expect_err("no effect");
        assert!(error.to_string().contains("top_k"), "{error}");
    }
}

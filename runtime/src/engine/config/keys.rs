//! Typed access to the keys of a configuration, with errors that name file and key.

use crate::engine::EngineError;
use serde_json::{Map, Value};

/// Upper bound of every size: large enough for any Qwen model, small enough that products of three fit in 64 bits.
pub(super) const SANE_SIZE: usize = 1 << 20;

/// A JSON object with the name it has in error messages.
pub(super) struct Keys<'a> {
    pub place: &'a str,
    pub map: &'a Map<String, Value>,
}

impl Keys<'_> {
    pub(super) fn error(&self, key: &str, problem: impl Into<String>) -> EngineError {
        EngineError::Config {
            place: self.place.to_owned(),
            key: key.to_owned(),
            problem: problem.into(),
        }
    }

    /// `null` counts as absent: published configurations use it so.
    pub(super) fn get(&self, key: &str) -> Option<&Value> {
        self.map.get(key).filter(|value| !value.is_null())
    }

    pub(super) fn size(&self, key: &str) -> Result<usize, EngineError> {
        let value = self
            .get(key)
            .ok_or_else(|| self.error(key, "is missing; it must be a positive integer"))?;
        value
            .as_u64()
            .and_then(|n| usize::try_from(n).ok())
            .filter(|n| (1..=SANE_SIZE).contains(n))
            .ok_or_else(|| {
                self.error(
                    key,
                    format!("is {value}; it must be an integer from 1 to {SANE_SIZE}"),
                )
            })
    }

    pub(super) fn positive(&self, key: &str, default: Option<f64>) -> Result<f64, EngineError> {
        let Some(value) = self.get(key) else {
            return default
                .ok_or_else(|| self.error(key, "is missing; it must be a positive number"));
        };
        value
            .as_f64()
            .filter(|n| n.is_finite() && *n > 0.0)
            .ok_or_else(|| self.error(key, format!("is {value}; it must be a positive number")))
    }

    pub(super) fn flag(&self, key: &str, default: bool) -> Result<bool, EngineError> {
        match self.get(key) {
            None => Ok(default),
            Some(value) => value
                .as_bool()
                .ok_or_else(|| self.error(key, format!("is {value}; it must be true or false"))),
        }
    }

    /// `eos_token_id` is one id or a list of them.
    pub(super) fn token_ids(&self, key: &str) -> Result<Vec<u32>, EngineError> {
        let values = match self.get(key) {
            None => return Ok(Vec::new()),
            Some(Value::Array(values)) => values.as_slice(),
            Some(value) => std::slice::from_ref(value),
        };
        values
            .iter()
            .map(|value| {
                value
                    .as_u64()
                    .and_then(|id| u32::try_from(id).ok())
                    .ok_or_else(|| {
                        self.error(
                            key,
                            format!("holds {value}; it must be a token id or a list of them"),
                        )
                    })
            })
            .collect()
    }
}

pub(super) fn parse(json: &[u8], place: &str) -> Result<Value, EngineError> {
    serde_json::from_slice(json).map_err(|source| EngineError::Json {
        place: place.to_owned(),
        source,
    })
}

pub(super) fn object<'a>(value: &'a Value, place: &'a str) -> Result<Keys<'a>, EngineError> {
    match value {
        Value::Object(map) => Ok(Keys { place, map }),
        _ => Err(EngineError::Config {
            place: place.to_owned(),
            key: String::new(),
            problem: "cannot be read: the file must hold a JSON object".to_owned(),
        }),
    }
}

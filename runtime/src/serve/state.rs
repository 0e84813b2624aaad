//! What all requests share: the models, the keys, the limits, the counters.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::Semaphore;

use crate::adapter::CandleAdapter;

use super::api_error::ApiError;
use super::generation::Place;
use super::hosts::Hosts;
use super::limits::Limits;
use super::metrics::Metrics;

/// A model by its name.
#[derive(Debug)]
pub(super) struct Served {
    pub name: String,
    /// Other names that clients may ask for it by.
    pub aliases: Vec<String>,
    pub adapter: CandleAdapter,
    /// Whether its chat template writes tools into the prompt.
    pub knows_tools: bool,
}

impl Served {
    /// The name as a label of metrics.
    pub fn label(&self) -> String {
        self.name
            .replace('\\', "\\\\")
            .replace('"', "\\\"")
            .replace('\n', "\\n")
    }

    pub fn is_called(&self, name: &str) -> bool {
        self.name == name || self.aliases.iter().any(|alias| alias == name)
    }
}

/// A server's own.
#[derive(Debug)]
pub(super) struct State {
    pub models: Vec<Served>,
    pub keys: Vec<String>,
    pub limits: Limits,
    pub places: Arc<Semaphore>,
    pub metrics: Arc<Metrics>,
    /// Seconds since 1970.
    pub since: u64,
    /// Whether replies to prompts in DSPy's chat format are held to that format.
    pub hold_dspy_replies: bool,
    pub hosts: Hosts,
}

impl State {
    /// The model of a request.
    pub fn model(&self, name: Option<&str>) -> Result<&Served, ApiError> {
        let Some(name) = name else {
            return Err(ApiError::param(
                "model",
                format!("`model` is missing: this server has {}", self.names()),
            ));
        };
        self.models
            .iter()
            .find(|model| model.is_called(name))
            .ok_or_else(|| ApiError::no_model(name, &self.names()))
    }

    fn names(&self) -> String {
        let names: Vec<_> = self
            .models
            .iter()
            .map(|model| format!("`{}`", model.name))
            .collect();
        names.join(", ")
    }

    /// A place among the requests that are answered at a time.
    pub fn place(&self, started: Instant) -> Result<Place, ApiError> {
        let most = self.limits.requests;
        let permit = Arc::clone(&self.places).try_acquire_owned().map_err(|_| {
            ApiError::busy(format!(
                "{most} requests are being answered already: try again later"
            ))
        })?;
        Ok(Place {
            _permit: permit,
            started,
            deadline: started + self.limits.request_time,
            metrics: Arc::clone(&self.metrics),
        })
    }

    /// Requests that have a place.
    pub fn active(&self) -> usize {
        self.limits.requests - self.places.available_permits()
    }
}

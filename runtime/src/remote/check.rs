//! Whether endpoints are there and have the model, asked on demand or in the background.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::Value as Json;

use super::RemoteError;
use super::backend::Inner;
use super::http::{Bounds, read_whole, send};
use super::slot::Slot;

/// Most bytes of a list of models.
const MOST_LIST_BYTES: usize = 4 << 20;

/// What an endpoint says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EndpointCheck {
    /// Its address.
    pub endpoint: String,
    /// The model that it is asked for.
    pub model: String,
    /// How long the answer took.
    pub latency: Duration,
    /// The models that it lists, or why it does not. Empty where it is there but has no such list.
    pub models: Result<Vec<String>, RemoteError>,
}

impl EndpointCheck {
    /// Whether it is there and, if it lists its models, has the one that it is asked for.
    #[must_use]
    pub fn is_well(&self) -> bool {
        let has = |models: &Vec<String>| models.is_empty() || models.contains(&self.model);
        self.models.as_ref().is_ok_and(has)
    }
}

/// Asks all at once.
pub(super) async fn check_all(inner: &Inner) -> Vec<EndpointCheck> {
    let slots = inner.pool.slots.iter();
    let checks = join_all(slots.map(|slot| check(slot, inner))).await;
    inner.pool.free();
    checks
}

async fn check(slot: &Slot, inner: &Inner) -> EndpointCheck {
    let began = Instant::now();
    let times = &inner.config.timeouts;
    // A list of models costs a server nothing: who takes as long as for a prompt is not well.
    let whole = times.connect.saturating_mul(2).min(times.attempt);
    let bounds = Bounds {
        until: began + whole,
        whole,
        head: whole,
        idle: whole,
        most_bytes: MOST_LIST_BYTES,
    };
    let request = slot.client.get(slot.endpoint.at("models"));
    let answer = match send(&slot.endpoint, request, bounds, None).await {
        Ok(response) => read_whole(&slot.endpoint, response, bounds).await,
        // It is there, and has no such list.
        Err(RemoteError::Status {
            status: 404 | 405, ..
        }) => Ok(Vec::new()),
        Err(error) => Err(error),
    };
    {
        let mut state = slot.state();
        match &answer {
            Err(error) if error.is_failure() => state.breaker.trip(Instant::now()),
            _ if !state.breaker.is_closed() => state.breaker.succeeded(),
            _ => {}
        }
    }
    EndpointCheck {
        endpoint: slot.endpoint.base_url().to_owned(),
        model: slot.endpoint.model().to_owned(),
        latency: began.elapsed(),
        models: answer.map(|body| names(&body)),
    }
}

/// The names in a list of models; none where it is none.
fn names(body: &[u8]) -> Vec<String> {
    let json: Json = serde_json::from_slice(body).unwrap_or_default();
    let listed = json["data"].as_array().into_iter().flatten();
    let names = listed.filter_map(|model| model["id"].as_str());
    names.map(str::to_owned).collect()
}

/// Asks in an interval, until the backend is gone.
pub(super) fn watch(inner: &Arc<Inner>, every: Duration) {
    let inner: Weak<Inner> = Arc::downgrade(inner);
    drop(tokio::spawn(async move {
        loop {
            match inner.upgrade() {
                Some(inner) => drop(check_all(&inner).await),
                None => return,
            }
            tokio::time::sleep(every).await;
        }
    }));
}

//! One endpoint as the pool knows it: who is under way there, what its limits leave, how it is.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use reqwest::header::{AUTHORIZATION, HeaderMap};
use reqwest::{Client, redirect};

use super::bucket::Bucket;
use super::circuit::{Breaker, Gate};
use super::config::RemoteConfig;
use super::learned::Learned;
use super::stats::{Counters, EndpointState, EndpointStats};
use super::{Endpoint, RemoteError};

/// An endpoint with its connections.
pub(super) struct Slot {
    pub endpoint: Endpoint,
    pub client: Client,
    state: Mutex<SlotState>,
    learned: Mutex<Learned>,
}

/// What changes of it.
pub(super) struct SlotState {
    pub outstanding: usize,
    pub breaker: Breaker,
    pub counters: Counters,
    most: usize,
    requests: Option<Bucket>,
    tokens: Option<Bucket>,
    paused_until: Option<Instant>,
}

/// When a request may go to an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ready {
    Now,
    At(Instant, &'static str),
    /// When another one has ended.
    WhenFreed(&'static str),
}

impl Slot {
    pub fn new(endpoint: Endpoint, config: &RemoteConfig) -> Result<Self, RemoteError> {
        let mut headers = HeaderMap::new();
        if let Some(key) = endpoint.key.as_ref().and_then(|key| key.header()) {
            headers.insert(AUTHORIZATION, key);
        }
        let mut client = Client::builder()
            .default_headers(headers)
            .connect_timeout(config.timeouts.connect)
            // A key and a prompt go where they were sent, and nowhere else.
            .redirect(redirect::Policy::none())
            .tcp_nodelay(true)
            .user_agent(concat!("candle-signature/", env!("CARGO_PKG_VERSION")));
        if endpoint.is_local() {
            client = client.no_proxy();
        }
        let client = client
            .build()
            .map_err(|error| RemoteError::setting("client", format!("cannot be made: {error}")))?;
        let now = Instant::now();
        let limits = endpoint.limits;
        Ok(Slot {
            state: Mutex::new(SlotState {
                outstanding: 0,
                breaker: Breaker::new(config.circuit),
                counters: Counters::default(),
                most: limits.concurrent,
                requests: limits
                    .requests_per_minute
                    .map(|limit| Bucket::new(limit, now)),
                tokens: limits
                    .tokens_per_minute
                    .map(|limit| Bucket::new(limit, now)),
                paused_until: None,
            }),
            endpoint,
            client,
            learned: Mutex::default(),
        })
    }

    /// Numbers and short states: sound whoever panicked while holding them.
    pub fn state(&self) -> MutexGuard<'_, SlotState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn learned(&self) -> MutexGuard<'_, Learned> {
        self.learned.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn stats(&self) -> EndpointStats {
        let state = self.state();
        let counters = &state.counters;
        EndpointStats {
            endpoint: self.endpoint.base_url().to_owned(),
            model: self.endpoint.model().to_owned(),
            state: state.kind(Instant::now()),
            outstanding: state.outstanding,
            requests: counters.requests,
            failures: counters.failures,
            retries: counters.retries,
            cancelled: counters.cancelled,
            usage: counters.usage,
            p50: counters.percentile(50),
            p95: counters.percentile(95),
        }
    }
}

impl SlotState {
    pub fn ready(&mut self, cost: f64, now: Instant) -> Ready {
        match self.breaker.gate(now) {
            Gate::At(time) => return Ready::At(time, "is left alone after failures"),
            Gate::AfterProbe => return Ready::WhenFreed("is being probed"),
            Gate::Free => {}
        }
        if let Some(until) = self.paused_until.filter(|until| *until > now) {
            return Ready::At(until, "asked to be left alone (Retry-After)");
        }
        if self.outstanding >= self.most {
            return Ready::WhenFreed("has as many requests as it may");
        }
        let at = |bucket: &mut Option<Bucket>, wanted| {
            let at = bucket.as_mut().map(|bucket| bucket.ready_at(wanted, now));
            at.filter(|at| *at > now)
        };
        match (at(&mut self.requests, 1.0), at(&mut self.tokens, cost)) {
            (None, None) => Ready::Now,
            (one, other) => Ready::At(one.max(other).unwrap_or(now), "is at its rate limit"),
        }
    }

    /// A request is sent.
    pub fn begin(&mut self, cost: f64, is_retry: bool) {
        self.outstanding += 1;
        self.counters.requests += 1;
        self.counters.retries += u64::from(is_retry);
        self.breaker.pass();
        if let Some(bucket) = &mut self.requests {
            bucket.take(1.0);
        }
        self.spend(cost);
    }

    /// Tokens are used, or given back.
    pub fn spend(&mut self, tokens: f64) {
        if let Some(bucket) = &mut self.tokens {
            bucket.take(tokens);
        }
    }

    /// The server wants to be left alone for so long.
    pub fn pause(&mut self, wait: Duration, now: Instant) {
        self.paused_until = Some(now + wait).max(self.paused_until);
    }

    fn kind(&self, now: Instant) -> EndpointState {
        if self.breaker.is_probing() {
            EndpointState::Probing
        } else if !self.breaker.is_closed() {
            EndpointState::Open
        } else if self.paused_until.is_some_and(|until| until > now) {
            EndpointState::Paused
        } else {
            EndpointState::Healthy
        }
    }
}

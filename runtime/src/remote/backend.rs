//! The backend: sends, waits, sends again, and reads the reply.

use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::{BuildHasher as _, Hasher as _};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use crate::adapter::{
    Backend, CandleAdapterError, Completion, CompletionRequest, History, Preferences, TextStream,
    Timings,
};
use crate::signature::PromptFormat;

use tracing::Instrument as _;

use super::body::body;
use super::call::Call;
use super::check::{EndpointCheck, check_all, watch};
use super::http::{Bounds, Kind, post, read_whole};
use super::lease::Lease;
use super::pool::{Pool, Wish};
use super::reply::completion;
use super::stats::EndpointStats;
use super::stream::{Facts, Reading};
use super::{Endpoint, Guidance, RemoteConfig, RemoteError};

/// Signatures on OpenAI-compatible servers: one, or several that serve the same model. Cheap to clone.
///
/// ```no_run
/// use candle_signature::CandleSignature;
/// use candle_signature::remote::RemoteBackend;
///
/// /// Answer the question from the passage.
/// #[derive(CandleSignature)]
/// struct QA {
///     #[input]
///     passage: String,
///     #[input]
///     question: String,
///     #[output]
///     answer: String,
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), candle_signature::adapter::CandleAdapterError> {
/// let vllm = RemoteBackend::connect("http://127.0.0.1:8000/v1", "Qwen/Qwen2.5-7B-Instruct")?;
/// let input = QAInput { passage: "Ana lives in Rome.".into(), question: "Where does Ana live?".into() };
/// let out = QA::predict(&vllm, input).await?;
/// println!("{} ({:?})", out.answer, out.usage());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct RemoteBackend {
    inner: Arc<Inner>,
    history: Option<History>,
}

pub(super) struct Inner {
    pub pool: Arc<Pool>,
    pub config: RemoteConfig,
    /// Whether the background probes were started.
    watched: OnceLock<()>,
}

/// What came of an attempt.
enum Opened {
    Whole(Completion),
    Stream(Box<Reading>),
}

impl RemoteBackend {
    /// The model of this name at this address, with the default configuration. Nothing is sent before the first request.
    ///
    /// # Errors
    /// As [`Endpoint::new`].
    pub fn connect(base_url: &str, model: impl Into<String>) -> Result<Self, RemoteError> {
        RemoteBackend::new(Endpoint::new(base_url, model)?, RemoteConfig::default())
    }

    /// One endpoint with a configuration.
    ///
    /// # Errors
    /// As [`RemoteBackend::balanced`].
    pub fn new(endpoint: Endpoint, config: RemoteConfig) -> Result<Self, RemoteError> {
        RemoteBackend::balanced([endpoint], config)
    }

    /// Several endpoints that serve the same model. A request goes to the one with the fewest under way; one that fails is sent again
    /// to another.
    ///
    /// # Errors
    /// [`RemoteError::Setting`] if there is no endpoint, or the configuration can't work.
    pub fn balanced(
        endpoints: impl IntoIterator<Item = Endpoint>,
        config: RemoteConfig,
    ) -> Result<Self, RemoteError> {
        config.validate()?;
        let pool = Pool::new(endpoints.into_iter().collect(), &config)?;
        Ok(RemoteBackend {
            inner: Arc::new(Inner {
                pool: Arc::new(pool),
                config,
                watched: OnceLock::new(),
            }),
            history: None,
        })
    }

    /// The same, and what programs predict with it is put into this history.
    #[must_use]
    pub fn with_history(mut self, history: &History) -> Self {
        self.history = Some(history.clone());
        self
    }

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &RemoteConfig {
        &self.inner.config
    }

    /// What each endpoint has done so far, and how it is.
    #[must_use]
    pub fn stats(&self) -> Vec<EndpointStats> {
        let slots = self.inner.pool.slots.iter();
        slots.map(|slot| slot.stats()).collect()
    }

    /// Asks every endpoint, at once, whether it is there and has the model. One that is not there gets no requests for a while; one that
    /// is gets them again.
    pub async fn check(&self) -> Vec<EndpointCheck> {
        check_all(&self.inner).await
    }

    /// Sends until there is a reply, or the first text of one.
    async fn open(&self, call: &Call, streaming: bool) -> Result<Opened, RemoteError> {
        let inner = &self.inner;
        if let Some(every) = inner.config.probe_every {
            inner.watched.get_or_init(|| watch(inner, every));
        }
        let deadline = call.deadline();
        let mut last: Option<RemoteError> = None;
        let mut avoid = None;
        let (mut failed, mut sent) = (0, 0);
        loop {
            let queued = Instant::now();
            let wish = Wish {
                cost: call.cost,
                deadline,
                avoid,
                is_retry: sent > 0,
            };
            let lease = match inner.pool.lease(wish).await {
                Ok(lease) => lease,
                // What the last attempt met says more than that nobody is free in time.
                Err(error) => {
                    return Err(match last {
                        None => error,
                        Some(last) if Instant::now() < deadline => given_up(failed, last),
                        Some(last) => too_late(call, last),
                    });
                }
            };
            avoid = Some(lease.at);
            let facts = Facts {
                constrained: false,
                resends: sent,
                queued: queued.elapsed(),
            };
            sent += 1;
            let span = tracing::debug_span!(
                target: "candle_signature::remote",
                "remote_attempt",
                endpoint = lease.slot().endpoint.base_url(),
                attempt = sent,
            );
            let attempt = self.attempt(call, lease, streaming, facts).instrument(span);
            let error = match attempt.await {
                Ok(opened) => return Ok(opened),
                // Asked otherwise it may be well: that is no failure, and no reason to wait.
                Err(Failed::Learned) => continue,
                Err(Failed::For(error)) => error,
            };
            failed += 1;
            if !error.is_transient() {
                return Err(error);
            }
            if Instant::now() >= deadline {
                return Err(too_late(call, error));
            }
            if failed == inner.config.retries.attempts {
                return Err(given_up(failed, error));
            }
            tracing::debug!(%error, attempt = failed, "a remote request is sent again");
            last = Some(error);
            let wake = Instant::now() + self.pause_before(failed);
            tokio::time::sleep_until(wake.min(deadline).into()).await;
        }
    }

    /// A random time up to a bound that doubles (full jitter).
    fn pause_before(&self, failed: usize) -> Duration {
        let retries = &self.inner.config.retries;
        let doubled = 1u32 << failed.saturating_sub(1).min(16);
        let bound = retries.base.saturating_mul(doubled).min(retries.most);
        // A hasher's key is random.
        let random = RandomState::new().build_hasher().finish();
        bound.mul_f64(random as f64 / u64::MAX as f64)
    }

    async fn attempt(
        &self,
        call: &Call,
        mut lease: Lease,
        streaming: bool,
        facts: Facts,
    ) -> Result<Opened, Failed> {
        let config = &self.inner.config;
        let times = &config.timeouts;
        let now = Instant::now();
        let whole = times
            .attempt
            .min(call.deadline().saturating_duration_since(now));
        let bounds = Bounds {
            until: now + whole,
            whole,
            head: if streaming { times.first_byte } else { whole },
            idle: times.idle,
            most_bytes: config.most_reply_bytes,
        };
        let (body, asked) = {
            let slot = lease.slot();
            body(call, &slot.endpoint, &slot.learned(), streaming)
        };
        let answer = post(lease.slot(), &body, bounds, call.sampling.max_tokens).await;
        let (response, kind) = match answer {
            Ok(answer) => answer,
            Err(error) => {
                let slot = lease.slot();
                let configured = slot.endpoint.guidance;
                let learned = slot.learned().refused(&error, configured, &asked);
                return Err(match learned {
                    true => {
                        lease.refused();
                        Failed::Learned
                    }
                    false => {
                        lease.fail(&error);
                        Failed::For(error)
                    }
                });
            }
        };
        let facts = Facts {
            constrained: asked.held.is_some(),
            ..facts
        };
        if kind == Kind::Events {
            let mut reading = Box::new(Reading::new(response, lease, bounds, facts));
            reading.begin().await?;
            return Ok(Opened::Stream(reading));
        }
        let endpoint = &lease.slot().endpoint;
        let read = read_whole(endpoint, response, bounds).await;
        match read.and_then(|body| completion(endpoint, &body)) {
            Ok(mut completion) => {
                completion.constrained = facts.constrained;
                completion.resends = facts.resends;
                completion.timings = Some(Timings {
                    queue: facts.queued,
                    prefill: Duration::ZERO,
                    decode: lease.elapsed(),
                });
                lease.succeed(completion.usage);
                Ok(Opened::Whole(completion))
            }
            Err(error) => {
                lease.fail(&error);
                Err(error.into())
            }
        }
    }
}

/// Why an attempt gave no reply.
enum Failed {
    /// The server refused a parameter that it is not sent again.
    Learned,
    For(RemoteError),
}

impl From<RemoteError> for Failed {
    fn from(error: RemoteError) -> Self {
        Failed::For(error)
    }
}

/// The error of a call whose time has passed after attempts that failed.
fn too_late(call: &Call, last: RemoteError) -> RemoteError {
    RemoteError::Deadline {
        after: call.total,
        last: Some(Box::new(last)),
    }
}

/// The error of a call that is not sent again.
fn given_up(attempts: usize, last: RemoteError) -> RemoteError {
    match attempts {
        1 => last,
        attempts => RemoteError::GaveUp {
            attempts,
            last: Box::new(last),
        },
    }
}

impl Backend for RemoteBackend {
    async fn complete(&self, request: CompletionRequest) -> Result<Completion, CandleAdapterError> {
        let call = Call::new(&request, &self.inner.config)?;
        match self.open(&call, false).await? {
            Opened::Whole(completion) => Ok(completion),
            // A server that streams unasked.
            Opened::Stream(reading) => reading.whole().await.map_err(CandleAdapterError::from),
        }
    }

    async fn stream(&self, request: CompletionRequest) -> TextStream {
        let opened = match Call::new(&request, &self.inner.config) {
            Ok(call) => self
                .open(&call, true)
                .await
                .map_err(CandleAdapterError::from),
            Err(error) => Err(error),
        };
        match opened {
            Ok(Opened::Stream(reading)) => reading.into_stream(),
            Ok(Opened::Whole(completion)) => TextStream::whole(Ok(completion)),
            Err(error) => TextStream::whole(Err(error)),
        }
    }

    /// JSON where a server is asked to hold replies to a schema, and further tries where a reply can't be read.
    fn preferences(&self) -> Preferences {
        let mut slots = self.inner.pool.slots.iter();
        let guided = slots.any(|slot| slot.endpoint.guidance != Guidance::None);
        Preferences::default()
            .with_format(guided.then_some(PromptFormat::Json))
            .with_parse_retries(self.inner.config.parse_retries)
    }

    fn history(&self) -> Option<&History> {
        self.history.as_ref()
    }
}

impl fmt::Debug for RemoteBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let endpoints: Vec<_> = self
            .inner
            .pool
            .slots
            .iter()
            .map(|slot| &slot.endpoint)
            .collect();
        f.debug_struct("RemoteBackend")
            .field("endpoints", &endpoints)
            .field("config", &self.inner.config)
            .finish()
    }
}

//! A server: built, bound, run, and shut down.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Duration, timeout};

use crate::adapter::CandleAdapter;

use super::answer::now;
use super::connection;
use super::error::ServeError;
use super::hosts::Hosts;
use super::limits::Limits;
use super::metrics::Metrics;
use super::routes::router;
use super::state::{Served, State};

/// Where a system that has no room for another connection is asked again.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What a server is to be. Made by [`Server::builder`].
#[derive(Debug)]
#[must_use]
pub struct ServerBuilder {
    models: Vec<(String, CandleAdapter)>,
    aliases: Vec<(usize, String)>,
    keys: Vec<String>,
    limits: Limits,
    open: bool,
    hosts: Vec<String>,
    hold_dspy_replies: bool,
}

impl ServerBuilder {
    /// Serves another model, under this name.
    pub fn model(mut self, name: impl Into<String>, adapter: CandleAdapter) -> Self {
        self.models.push((name.into(), adapter));
        self
    }

    /// Another name for the model that was given last: clients that insist on one of their own can keep it.
    pub fn alias(mut self, name: impl Into<String>) -> Self {
        self.aliases.push((self.models.len() - 1, name.into()));
        self
    }

    /// Lets in only those who bring this key, or another that was given. `/health` stays open.
    pub fn api_key(mut self, key: impl Into<String>) -> Self {
        self.keys.push(key.into());
        self
    }

    /// What clients may use up.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Lets other machines in without a key. A server bound to this machine's own address needs no leave.
    pub fn open_to_the_network(mut self) -> Self {
        self.open = true;
        self
    }

    /// Another name that clients may call this machine by. A server bound to this machine's own address answers to `localhost` and
    /// numeric addresses alone: a page of another site can make its own name point here, and would be let in by it.
    pub fn host(mut self, name: impl Into<String>) -> Self {
        self.hosts.push(name.into());
        self
    }

    /// Holds replies to prompts in DSPy's chat format, which lists output fields and their types in the system message, to that
    /// format: every field is there, and what is said to be a number, truth value, one of some words or JSON, is. Off by default:
    /// clients that know nothing of it get what the model says.
    pub fn hold_dspy_replies(mut self, hold: bool) -> Self {
        self.hold_dspy_replies = hold;
        self
    }

    /// Listens, such as on `127.0.0.1:8000`; port 0 is any free one. Nothing is answered until the server runs.
    ///
    /// # Errors
    /// If the address can't be listened on, can be reached from elsewhere without a key, or a setting can't be.
    pub async fn bind(self, address: impl Into<String>) -> Result<Server, ServeError> {
        let address = address.into();
        let models = self.served()?;
        let limits = self.limits.checked()?;
        for key in &self.keys {
            let is_header = |byte: u8| (0x21..=0x7e).contains(&byte);
            if key.is_empty() || !key.bytes().all(is_header) {
                return Err(ServeError::Setting {
                    what: "an API key",
                    problem: "must be of visible ASCII characters, at least one".into(),
                });
            }
        }
        let bind = TcpListener::bind(&address).await;
        let listener = bind.map_err(|source| ServeError::Bind {
            address: address.clone(),
            source,
        })?;
        let bound = listener
            .local_addr()
            .map_err(|source| ServeError::Bind { address, source })?;
        if !bound.ip().is_loopback() && self.keys.is_empty() && !self.open {
            return Err(ServeError::Open { address: bound });
        }
        let state = State {
            models,
            keys: self.keys,
            places: Arc::new(Semaphore::new(limits.requests)),
            limits,
            metrics: Arc::new(Metrics::default()),
            since: now(),
            hold_dspy_replies: self.hold_dspy_replies,
            hosts: Hosts::of(bound, self.hosts),
        };
        let (closing, _) = watch::channel(false);
        let closing = Arc::new(closing);
        Ok(Server {
            handle: ServerHandle {
                address: bound,
                closing,
            },
            listener,
            state: Arc::new(state),
        })
    }

    fn served(&self) -> Result<Vec<Served>, ServeError> {
        let mut models: Vec<Served> = Vec::with_capacity(self.models.len());
        for (name, adapter) in &self.models {
            models.push(Served {
                name: name.clone(),
                aliases: Vec::new(),
                knows_tools: adapter.template_knows_tools(),
                adapter: adapter.clone(),
            });
        }
        for (model, alias) in &self.aliases {
            models[*model].aliases.push(alias.clone());
        }
        let mut known = std::collections::HashSet::new();
        for model in &models {
            for name in std::iter::once(&model.name).chain(&model.aliases) {
                if name.is_empty() {
                    return Err(ServeError::Setting {
                        what: "a model's name",
                        problem: "must not be empty".into(),
                    });
                }
                if !known.insert(name.clone()) {
                    return Err(ServeError::SameName { name: name.clone() });
                }
            }
        }
        Ok(models)
    }
}

/// A server that listens and does not answer yet.
#[derive(Debug)]
#[must_use = "a server answers only while it runs"]
pub struct Server {
    listener: TcpListener,
    state: Arc<State>,
    handle: ServerHandle,
}

impl Server {
    /// A server of this adapter's model, under the model's own name. Requests that leave a parameter out get the adapter's.
    pub fn builder(adapter: CandleAdapter) -> ServerBuilder {
        ServerBuilder {
            models: vec![(adapter.model().name().to_owned(), adapter)],
            aliases: Vec::new(),
            keys: Vec::new(),
            limits: Limits::default(),
            open: false,
            hosts: Vec::new(),
            hold_dspy_replies: false,
        }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.handle.address
    }

    /// What clients call the base URL: `http://127.0.0.1:8000/v1`.
    #[must_use]
    pub fn base_url(&self) -> String {
        self.handle.base_url()
    }

    /// A handle that shuts it down.
    #[must_use]
    pub fn handle(&self) -> ServerHandle {
        self.handle.clone()
    }

    /// Answers until it is shut down; then requests under way have [`Limits::shutdown_time`] to end.
    ///
    /// # Errors
    /// None at present: what fails in a connection concerns its client alone.
    pub async fn run(self) -> Result<(), ServeError> {
        let limits = Arc::new(self.state.limits.clone());
        let routes = router(Arc::clone(&self.state));
        let places = Arc::new(Semaphore::new(limits.connections));
        let mut connections = JoinSet::new();
        let mut closing = self.handle.closing.subscribe();
        loop {
            // Those that have ended are forgotten.
            while connections.try_join_next().is_some() {}
            let accepted = async {
                // The semaphore is never closed.
                let place = Arc::clone(&places).acquire_owned().await.ok();
                (place, self.listener.accept().await)
            };
            let (place, accepted) = tokio::select! {
                accepted = accepted => accepted,
                _ = closing.wait_for(|closing| *closing) => break,
            };
            match accepted {
                Ok((stream, _)) => {
                    let serving = connection::serve(
                        stream,
                        routes.clone(),
                        Arc::clone(&limits),
                        self.handle.closing.subscribe(),
                    );
                    connections.spawn(async move {
                        serving.await;
                        drop(place);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
        drop(self.listener);
        let ended = async { while connections.join_next().await.is_some() {} };
        if timeout(limits.shutdown_time, ended).await.is_err() {
            tracing::warn!("requests were cancelled that did not end in time after the shutdown");
        }
        connections.shutdown().await;
        Ok(())
    }

    /// Answers on a task of the current tokio runtime.
    pub fn start(self) -> Running {
        let handle = self.handle();
        Running {
            handle,
            task: tokio::spawn(self.run()),
        }
    }
}

/// A server that answers. Dropping it shuts it down without waiting.
#[derive(Debug)]
pub struct Running {
    handle: ServerHandle,
    task: JoinHandle<Result<(), ServeError>>,
}

impl Running {
    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.handle.address
    }

    /// What clients call the base URL.
    #[must_use]
    pub fn base_url(&self) -> String {
        self.handle.base_url()
    }

    /// A handle that shuts it down.
    #[must_use]
    pub fn handle(&self) -> ServerHandle {
        self.handle.clone()
    }

    /// Shuts it down and waits until all requests have ended, [`Limits::shutdown_time`] at most.
    ///
    /// # Errors
    /// If the task was cancelled or panicked.
    pub async fn shutdown(mut self) -> Result<(), ServeError> {
        self.handle.shutdown();
        let ended = (&mut self.task).await;
        ended.unwrap_or_else(|error| Err(ServeError::Task(error.to_string())))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.handle.shutdown();
    }
}

/// Shuts a server down from anywhere.
#[derive(Debug, Clone)]
pub struct ServerHandle {
    address: SocketAddr,
    closing: Arc<watch::Sender<bool>>,
}

impl ServerHandle {
    /// Where the server listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What clients call the base URL.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// Accepts nobody any more and lets requests under way end.
    pub fn shutdown(&self) {
        self.closing.send_replace(true);
    }
}

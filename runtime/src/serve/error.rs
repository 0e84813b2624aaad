//! Why a server can't start or goes down. What clients are told is in `api_error`.

use std::io;
use std::net::SocketAddr;

/// A server that can't start, or that stopped by itself.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The address can't be listened on.
    #[error(
        "cannot listen on `{address}`: {source}; choose another address, or port 0 for any free one"
    )]
    Bind {
        /// The address as it was given.
        address: String,
        /// The system's reason.
        source: io::Error,
    },
    /// The address can be reached from other machines, and there is no key.
    #[error(
        "`{address}` can be reached from other machines and no API key is set: call .api_key(..), bind to 127.0.0.1, or call .open_to_the_network() if all who can reach it may use it"
    )]
    Open {
        /// The address.
        address: SocketAddr,
    },
    /// Two models would be served by one name.
    #[error(
        "two models are served as `{name}`: give one of them another name with .model(name, adapter) or .alias(..)"
    )]
    SameName {
        /// The name.
        name: String,
    },
    /// A name or key that can't be sent in HTTP or JSON as it is.
    #[error("{what} {problem}")]
    Setting {
        /// Which setting.
        what: &'static str,
        /// What is wrong with it and what would be right.
        problem: String,
    },
    /// The task that serves was cancelled or panicked.
    #[error("the server's task ended without shutting down: {0}")]
    Task(String),
}

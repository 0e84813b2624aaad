//! What can go wrong between here and a server, and what helps.

use std::time::Duration;

use crate::adapter::{CandleAdapterError, ErrorText, Fault};

/// Why a server did not give a reply.
///
/// As the source of [`CandleAdapterError::InferenceFailed`] it is found by `error.source()` and `downcast_ref`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RemoteError {
    /// A setting that can't work.
    #[error("remote {what}: {problem}")]
    Setting {
        /// The setting.
        what: String,
        /// What is wrong with it and what would be right.
        problem: String,
    },
    /// No connection.
    #[error(
        "cannot connect to {endpoint}: {problem}; is the server running, and is this its address?"
    )]
    Connect {
        /// The server's address.
        endpoint: String,
        /// The system's reason.
        problem: String,
    },
    /// The connection broke.
    #[error("the connection to {endpoint} broke off: {problem}; the server's log may say why")]
    Broken {
        /// The server's address.
        endpoint: String,
        /// How it broke.
        problem: String,
    },
    /// The server took too long.
    #[error(
        "{endpoint} gave no {stage} within {after:?}: raise the limit in `timeouts`, lower max_tokens, or send fewer requests at a time"
    )]
    Timeout {
        /// The server's address.
        endpoint: String,
        /// What was waited for.
        stage: &'static str,
        /// How long.
        after: Duration,
    },
    /// The server answered with an error.
    #[error("{endpoint} {}: {message}{}", answered(*status), advice(*status))]
    Status {
        /// The server's address.
        endpoint: String,
        /// The status of HTTP; 0 for an error within a stream.
        status: u16,
        /// The server's message.
        message: String,
        /// How long the server wants to be left alone.
        retry_after: Option<Duration>,
    },
    /// The prompt does not fit the server's context.
    #[error("the prompt has {actual} tokens, but only {max} fit at {endpoint}")]
    ContextTooLong {
        /// The server's address.
        endpoint: String,
        /// Tokens of the prompt.
        actual: usize,
        /// Tokens that fit.
        max: usize,
    },
    /// The answer is none.
    #[error("{endpoint} sent what is no reply: {problem}; is it an OpenAI-compatible server?")]
    Reply {
        /// The server's address.
        endpoint: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The answer has no end.
    #[error(
        "{endpoint} sent more than {most} bytes of {what}, and was given up: raise most_reply_bytes if that is right"
    )]
    TooLong {
        /// The server's address.
        endpoint: String,
        /// Of what.
        what: &'static str,
        /// The bound.
        most: usize,
    },
    /// The server's content filter stopped the reply.
    #[error("the content filter of {endpoint} stopped the reply: change what is asked")]
    Filtered {
        /// The server's address.
        endpoint: String,
    },
    /// All endpoints are left alone for a while after failures, or have no place.
    #[error("no endpoint takes a request in the time that is left: {states}")]
    Unavailable {
        /// Each endpoint and why.
        states: String,
    },
    /// The time for all attempts has passed.
    #[error("no reply within {after:?}{}: raise timeouts.total or the call's timeout_ms", last_words(last.as_deref()))]
    Deadline {
        /// The whole time.
        after: Duration,
        /// What the last attempt met.
        last: Option<Box<RemoteError>>,
    },
    /// Every attempt failed.
    #[error("gave up after {attempts} attempts; the last one: {last}")]
    GaveUp {
        /// How many.
        attempts: usize,
        /// What the last one met.
        last: Box<RemoteError>,
    },
}

fn last_words(last: Option<&RemoteError>) -> String {
    last.map_or_else(String::new, |last| format!(" (the last attempt: {last})"))
}

fn answered(status: u16) -> String {
    match status {
        0 => "broke off the reply with an error".into(),
        status => format!("answered {status}"),
    }
}

fn advice(status: u16) -> &'static str {
    match status {
        300..=399 => "; give the address that it redirects to",
        401 | 403 => "; check the key given by with_api_key",
        404 => "; check the model's name and the base address (it usually ends in /v1)",
        413 => "; the request is too large for this server: shorten the inputs",
        429 => "; lower with_concurrency or with_requests_per_minute",
        502..=504 => "; the server or the balancer before it is overloaded or starting",
        _ => "",
    }
}

impl RemoteError {
    pub(super) fn setting(what: impl Into<String>, problem: impl Into<String>) -> Self {
        RemoteError::Setting {
            what: what.into(),
            problem: problem.into(),
        }
    }

    /// Whether the same request may succeed when it is sent again.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            RemoteError::Connect { .. }
            | RemoteError::Broken { .. }
            | RemoteError::Timeout { .. } => true,
            RemoteError::Status { status, .. } => {
                matches!(status, 0 | 408 | 425 | 429 | 500..=599)
            }
            _ => false,
        }
    }

    /// Whether it speaks against the endpoint's health: a server that answers below 500 is well.
    pub(super) fn is_failure(&self) -> bool {
        match self {
            RemoteError::Status { status, .. } => matches!(status, 0 | 500..=599),
            RemoteError::Connect { .. }
            | RemoteError::Broken { .. }
            | RemoteError::Timeout { .. }
            | RemoteError::Reply { .. }
            | RemoteError::TooLong { .. } => true,
            _ => false,
        }
    }

    /// How long the server wants to be left alone.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            RemoteError::Status { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    fn fault(&self) -> Fault {
        match self {
            RemoteError::Setting { .. }
            | RemoteError::ContextTooLong { .. }
            | RemoteError::Filtered { .. } => Fault::Request,
            RemoteError::Status { status: 429, .. } | RemoteError::Unavailable { .. } => {
                Fault::Busy
            }
            RemoteError::Status {
                status: 408 | 504, ..
            }
            | RemoteError::Timeout { .. }
            | RemoteError::Deadline { .. } => Fault::Deadline,
            RemoteError::Status {
                status: 300..=499, ..
            } => Fault::Request,
            RemoteError::GaveUp { last, .. } => last.fault(),
            _ => Fault::Engine,
        }
    }
}

impl From<RemoteError> for CandleAdapterError {
    fn from(error: RemoteError) -> Self {
        match error {
            RemoteError::ContextTooLong { actual, max, .. } => {
                CandleAdapterError::ContextTooLong { actual, max }
            }
            RemoteError::Setting { .. } => {
                CandleAdapterError::ConfigError(ErrorText::caused_by(error))
            }
            error => {
                let fault = error.fault();
                let text = ErrorText::caused_by(error).by_fault_of(fault);
                CandleAdapterError::InferenceFailed(text)
            }
        }
    }
}

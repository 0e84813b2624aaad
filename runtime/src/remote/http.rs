//! Bytes to and from a server: one request, with bounds on time and size.

use std::error::Error as _;
use std::time::{Duration, Instant};

use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::{RequestBuilder, Response};
use serde_json::Value as Json;
use tokio::time::{timeout, timeout_at};

use super::refusal::refusal;
use super::slot::Slot;
use super::{Endpoint, RemoteError};

/// Most bytes that are read of an answer that is an error.
const MOST_ERROR_BYTES: usize = 64 << 10;

/// Bounds on one attempt.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// When it is given up.
    pub until: Instant,
    /// The limit that ends then.
    pub whole: Duration,
    /// For the answer's head.
    pub head: Duration,
    /// Between two pieces.
    pub idle: Duration,
    /// Bytes of the answer.
    pub most_bytes: usize,
}

/// What kind of body an answer has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Json,
    Events,
}

/// Sends a request and waits for the head of an answer that is none of error.
pub(super) async fn post(
    slot: &Slot,
    body: &Json,
    bounds: Bounds,
    max_tokens: Option<usize>,
) -> Result<(Response, Kind), RemoteError> {
    let request = slot
        .client
        .post(slot.endpoint.at("chat/completions"))
        .header(CONTENT_TYPE, "application/json")
        .header(ACCEPT, "application/json, text/event-stream")
        .body(body.to_string());
    let response = send(&slot.endpoint, request, bounds, max_tokens).await?;
    let kind = response.headers().get(CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.to_ascii_lowercase();
    if kind.starts_with("text/event-stream") {
        return Ok((response, Kind::Events));
    }
    if kind.is_empty() || kind.contains("json") {
        return Ok((response, Kind::Json));
    }
    Err(RemoteError::Reply {
        endpoint: slot.endpoint.base_url().to_owned(),
        problem: format!("its content type is `{kind}`, not JSON"),
    })
}

/// Sends a request and waits for the head of an answer that is none of error.
pub(super) async fn send(
    endpoint: &Endpoint,
    request: RequestBuilder,
    bounds: Bounds,
    max_tokens: Option<usize>,
) -> Result<Response, RemoteError> {
    let head = timeout(bounds.head, timeout_at(bounds.until.into(), request.send()));
    let response = match head.await {
        Ok(Ok(Ok(response))) => response,
        Ok(Ok(Err(error))) => return Err(broken(endpoint, &error)),
        Ok(Err(_)) => return Err(late(endpoint, "reply", bounds.whole)),
        Err(_) => return Err(late(endpoint, "first byte of a reply", bounds.head)),
    };
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let headers = response.headers().clone();
    let bounds = Bounds {
        most_bytes: MOST_ERROR_BYTES,
        ..bounds
    };
    // What can't be read of an error changes nothing of it.
    let body = read_whole(endpoint, response, bounds).await;
    let body = body.unwrap_or_default();
    Err(refusal(endpoint, status, &headers, &body, max_tokens))
}

/// The whole body of an answer.
pub(super) async fn read_whole(
    endpoint: &Endpoint,
    mut response: Response,
    bounds: Bounds,
) -> Result<Vec<u8>, RemoteError> {
    let mut body = Vec::new();
    while let Some(chunk) = read(endpoint, &mut response, bounds).await? {
        if body.len() + chunk.len() > bounds.most_bytes {
            return Err(RemoteError::TooLong {
                endpoint: endpoint.base_url().to_owned(),
                what: "a reply",
                most: bounds.most_bytes,
            });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// The next piece of a body.
pub(super) async fn read(
    endpoint: &Endpoint,
    response: &mut Response,
    bounds: Bounds,
) -> Result<Option<impl AsRef<[u8]> + std::ops::Deref<Target = [u8]> + use<>>, RemoteError> {
    let chunk = timeout(
        bounds.idle,
        timeout_at(bounds.until.into(), response.chunk()),
    );
    match chunk.await {
        Ok(Ok(Ok(chunk))) => Ok(chunk),
        Ok(Ok(Err(error))) => Err(broken(endpoint, &error)),
        Ok(Err(_)) => Err(late(endpoint, "end of the reply", bounds.whole)),
        Err(_) => Err(late(endpoint, "further piece of the reply", bounds.idle)),
    }
}

fn late(endpoint: &Endpoint, stage: &'static str, after: Duration) -> RemoteError {
    RemoteError::Timeout {
        endpoint: endpoint.base_url().to_owned(),
        stage,
        after,
    }
}

fn broken(endpoint: &Endpoint, error: &reqwest::Error) -> RemoteError {
    // The innermost error says what happened; those around it say that something did.
    let mut innermost: &dyn std::error::Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    let problem = match error.source() {
        Some(_) => innermost.to_string(),
        None => error.to_string(),
    };
    let endpoint = endpoint.base_url().to_owned();
    match error.is_connect() {
        true => RemoteError::Connect { endpoint, problem },
        false => RemoteError::Broken { endpoint, problem },
    }
}

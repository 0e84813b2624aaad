//! Responses of JSON and text, ids and times as OpenAI writes them.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use serde_json::{Value as Json, json};

use crate::adapter::Usage;

/// A response of JSON.
pub(super) fn json_response(status: StatusCode, json: &Json) -> Response {
    typed_response(status, "application/json", json.to_string())
}

/// A response of some type.
pub(super) fn typed_response(status: StatusCode, kind: &'static str, text: String) -> Response {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

/// Tokens read and written, as OpenAI counts them.
pub(super) fn usage_json(usage: Usage) -> Json {
    json!({
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.total_tokens(),
        "prompt_tokens_details": {"cached_tokens": usage.cached_tokens},
    })
}

/// A number that nobody has seen before. Not a secret.
pub(super) fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// A name for an answer or a call.
pub(super) fn id(prefix: &str) -> String {
    format!("{prefix}{:016x}{:08x}", random(), random() as u32)
}

/// Seconds since 1970.
pub(super) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

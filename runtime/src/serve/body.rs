//! A request's body as JSON: type, size and time are checked, and mistakes are told by where they are.

use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, StatusCode, header};
use http_body_util::BodyExt as _;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value as Json};
use tokio::time::timeout;

use super::api_error::ApiError;
use super::limits::Limits;

/// What a client may still send after its body was found too long, so that it reads the answer instead of a broken connection.
const DRAINED_BYTES: usize = 64 << 20;

/// How long it may take to do so.
const DRAIN_TIME: Duration = Duration::from_secs(5);

/// The object that a request's body is.
pub(super) async fn object(
    headers: &HeaderMap,
    body: Body,
    limits: &Limits,
) -> Result<Map<String, Json>, ApiError> {
    let bytes = match timeout(limits.read_time, read(body, limits.body_bytes)).await {
        Ok(bytes) => bytes?,
        Err(_) => {
            return Err(ApiError::refused(
                StatusCode::REQUEST_TIMEOUT,
                "timeout",
                format!("the body did not arrive within {:?}", limits.read_time),
            ));
        }
    };
    demand_json(headers)?;
    match serde_json::from_slice(&bytes) {
        Ok(Json::Object(object)) => Ok(object),
        Ok(_) => Err(ApiError::invalid("the body must be a JSON object")),
        Err(error) => Err(ApiError::invalid(format!(
            "the body is no valid JSON: {error}"
        ))),
    }
}

/// A page of another site can send text to this machine without being asked, but not JSON.
fn demand_json(headers: &HeaderMap) -> Result<(), ApiError> {
    let given = headers
        .get(header::CONTENT_TYPE)
        .map_or("none", |value| value.to_str().unwrap_or("unreadable"));
    let essence = given.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    Err(ApiError::refused(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "unsupported_media_type",
        format!("the content type is {given}: send `Content-Type: application/json`"),
    ))
}

async fn read(mut body: Body, most: usize) -> Result<Vec<u8>, ApiError> {
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame =
            frame.map_err(|error| ApiError::invalid(format!("the body broke off: {error}")))?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        if bytes.len() + data.len() > most {
            drop(timeout(DRAIN_TIME, drain(body)).await);
            return Err(ApiError::refused(
                StatusCode::PAYLOAD_TOO_LARGE,
                "request_too_large",
                format!("the body has more than {most} bytes, which is the most that is read here"),
            ));
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes)
}

async fn drain(mut body: Body) {
    let mut drained = 0;
    while let Some(Ok(frame)) = body.frame().await {
        drained += frame.data_ref().map_or(0, |data| data.len());
        if drained > DRAINED_BYTES {
            return;
        }
    }
}

/// Part of the object as a type; an error names the place.
pub(super) fn typed<T: DeserializeOwned>(object: &Map<String, Json>) -> Result<T, ApiError> {
    serde_path_to_error::deserialize(object).map_err(|error| {
        let path = error.path().to_string();
        let problem = error.into_inner().to_string();
        match path.as_str() {
            "." => ApiError::invalid(problem),
            _ => ApiError::param(path.clone(), format!("`{path}`: {problem}")),
        }
    })
}

/// Refuses keys that mean nothing here: a parameter that is misspelled would be without effect and nobody would know.
pub(super) fn demand_known(object: &Map<String, Json>, known: &[&[&str]]) -> Result<(), ApiError> {
    let is_known = |key: &str| known.iter().any(|keys| keys.contains(&key));
    match object.keys().find(|key| !is_known(key)) {
        None => Ok(()),
        Some(key) => Err(ApiError::param(
            key.as_str(),
            format!(
                "unknown parameter `{key}`: leave it out, or see docs/serve.md for those that are known"
            ),
        )),
    }
}

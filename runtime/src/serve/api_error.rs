//! Errors as OpenAI's clients expect them: `{"error": {"message", "type", "param", "code"}}` and a status.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value as Json, json};

use crate::adapter::{CandleAdapterError, Fault};

use super::answer::json_response;

/// What a client is told instead of an answer.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ApiError {
    pub status: StatusCode,
    kind: &'static str,
    code: Option<&'static str>,
    param: Option<String>,
    message: String,
}

/// Seconds after which a client that came at a bad time may come again.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("1");

impl ApiError {
    fn new(status: StatusCode, kind: &'static str, message: impl Into<String>) -> Self {
        ApiError {
            status,
            kind,
            code: None,
            param: None,
            message: message.into(),
        }
    }

    /// A request that can't be answered as it is.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_request_error", message)
    }

    /// The same, by the fault of one parameter.
    pub fn param(param: impl Into<String>, message: impl Into<String>) -> Self {
        let mut error = Self::invalid(message);
        error.param = Some(param.into());
        error
    }

    /// A request that HTTP itself has a status for.
    pub fn refused(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        let mut error = Self::new(status, "invalid_request_error", message);
        error.code = Some(code);
        error
    }

    pub fn no_model(name: &str, known: &str) -> Self {
        let message = format!("no model `{name}`: this server has {known}");
        let mut error = Self::refused(StatusCode::NOT_FOUND, "model_not_found", message);
        error.param = Some("model".to_owned());
        error
    }

    pub fn unauthorized(message: impl Into<String>) -> Self {
        Self::refused(StatusCode::UNAUTHORIZED, "invalid_api_key", message)
    }

    pub fn busy(message: impl Into<String>) -> Self {
        let mut error = Self::new(StatusCode::TOO_MANY_REQUESTS, "rate_limit_error", message);
        error.code = Some("rate_limit_exceeded");
        error
    }

    pub fn late(message: impl Into<String>) -> Self {
        let mut error = Self::new(StatusCode::GATEWAY_TIMEOUT, "timeout_error", message);
        error.code = Some("timeout");
        error
    }

    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "server_error", message)
    }

    /// The error as an object: of a response or of an event.
    pub fn body(&self) -> Json {
        json!({"error": {
            "message": self.message,
            "type": self.kind,
            "param": self.param,
            "code": self.code,
        }})
    }
}

impl From<CandleAdapterError> for ApiError {
    fn from(error: CandleAdapterError) -> Self {
        let message = error.to_string();
        match (&error, error.fault()) {
            (CandleAdapterError::ContextTooLong { .. }, _) => {
                let mut error = ApiError::param("messages", message);
                error.code = Some("context_length_exceeded");
                error
            }
            (CandleAdapterError::SignatureError(_), _) => {
                ApiError::param("response_format", message)
            }
            (_, Fault::Request) => ApiError::invalid(message),
            (_, Fault::Busy) => ApiError::busy(message),
            (_, Fault::Deadline) => ApiError::late(message),
            (_, _) => ApiError::internal(message),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = json_response(self.status, &self.body());
        let headers = response.headers_mut();
        match self.status {
            StatusCode::TOO_MANY_REQUESTS => {
                headers.insert(header::RETRY_AFTER, RETRY_AFTER);
            }
            StatusCode::UNAUTHORIZED => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            _ => {}
        }
        response
    }
}

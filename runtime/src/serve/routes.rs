//! Which path is answered by what, and what every request goes through.

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State as Shared};
use axum::http::{Method, StatusCode, Uri};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use serde_json::json;

use super::answer::{json_response, typed_response};
use super::api_error::ApiError;
use super::state::State;
use super::{auth, body, chat, completions, models};

const CHAT: &str = "/v1/chat/completions";
const COMPLETIONS: &str = "/v1/completions";
const MODELS: &str = "/v1/models";
const MODEL: &str = "/v1/models/";
const HEALTH: &str = "/health";
const METRICS: &str = "/metrics";

/// All routes.
pub(super) fn router(state: Arc<State>) -> Router {
    Router::new()
        .route(CHAT, post(chat_completions))
        .route(COMPLETIONS, post(text_completions))
        .route(MODELS, get(all_models))
        // A name of a model may have slashes.
        .route("/v1/models/{*name}", get(one_model))
        .route(HEALTH, get(health))
        .route(METRICS, get(metrics))
        .fallback(no_such_path)
        .method_not_allowed_fallback(wrong_method)
        .layer(from_fn_with_state(Arc::clone(&state), checked))
        .with_state(state)
}

/// Host and key are checked before anything else, and every answer is counted.
async fn checked(Shared(state): Shared<Arc<State>>, request: Request, next: Next) -> Response {
    let (started, method) = (Instant::now(), request.method().clone());
    let path = label(request.uri().path());
    let is_open = path == HEALTH;
    let headers = request.headers();
    let refused = state.hosts.check(headers).and_then(|()| match is_open {
        true => Ok(()),
        false => auth::check(&state.keys, headers),
    });
    let response = match refused {
        Err(error) => error.into_response(),
        Ok(()) => next.run(request).await,
    };
    let status = response.status().as_u16();
    state.metrics.count_request(path, status);
    // Of a stream the time is that to its head.
    let seconds = started.elapsed().as_secs_f64();
    tracing::info!(%method, path, status, seconds, "answered");
    response
}

/// A path as metrics name it: clients can't make new ones.
fn label(path: &str) -> &'static str {
    let known = [CHAT, COMPLETIONS, MODELS, HEALTH, METRICS];
    match known.into_iter().find(|known| *known == path) {
        Some(known) => known,
        None if path.starts_with(MODEL) => MODELS,
        None => "other",
    }
}

async fn chat_completions(Shared(state): Shared<Arc<State>>, request: Request) -> Response {
    let started = Instant::now();
    let (head, body) = request.into_parts();
    let answer = async {
        let object = body::object(&head.headers, body, &state.limits).await?;
        chat::answer(&state, &object, started).await
    };
    answer.await.unwrap_or_else(ApiError::into_response)
}

async fn text_completions(Shared(state): Shared<Arc<State>>, request: Request) -> Response {
    let started = Instant::now();
    let (head, body) = request.into_parts();
    let answer = async {
        let object = body::object(&head.headers, body, &state.limits).await?;
        completions::answer(&state, &object, started).await
    };
    answer.await.unwrap_or_else(ApiError::into_response)
}

async fn all_models(Shared(state): Shared<Arc<State>>) -> Response {
    json_response(StatusCode::OK, &models::list(&state))
}

async fn one_model(Shared(state): Shared<Arc<State>>, Path(name): Path<String>) -> Response {
    match models::one(&state, &name) {
        Ok(model) => json_response(StatusCode::OK, &model),
        Err(error) => error.into_response(),
    }
}

async fn health() -> Response {
    json_response(StatusCode::OK, &json!({"status": "ok"}))
}

async fn metrics(Shared(state): Shared<Arc<State>>) -> Response {
    let text = state.metrics.text(&state.models, state.active());
    typed_response(
        StatusCode::OK,
        "text/plain; version=0.0.4; charset=utf-8",
        text,
    )
}

async fn no_such_path(uri: Uri) -> Response {
    let message = format!(
        "nothing is served at `{}`: the paths are {CHAT}, {COMPLETIONS}, {MODELS}, {HEALTH} and {METRICS}",
        uri.path()
    );
    ApiError::refused(StatusCode::NOT_FOUND, "unknown_url", message).into_response()
}

async fn wrong_method(method: Method, uri: Uri, _body: Body) -> Response {
    let right = match uri.path() {
        CHAT | COMPLETIONS => "POST",
        _ => "GET",
    };
    let message = format!("`{}` takes {right}, not {method}", uri.path());
    ApiError::refused(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        message,
    )
    .into_response()
}

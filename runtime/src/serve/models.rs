//! `/v1/models`: what can be asked.

use serde_json::{Value as Json, json};

use super::api_error::ApiError;
use super::state::{Served, State};

/// All models.
pub(super) fn list(state: &State) -> Json {
    let models = state.models.iter().map(|model| described(model, state));
    json!({"object": "list", "data": models.collect::<Json>()})
}

/// One by its name or alias.
pub(super) fn one(state: &State, name: &str) -> Result<Json, ApiError> {
    Ok(described(state.model(Some(name))?, state))
}

fn described(model: &Served, state: &State) -> Json {
    json!({
        "id": model.name,
        "object": "model",
        "created": state.since,
        "owned_by": "candle-signature",
        "max_model_len": model.adapter.context_length(),
    })
}

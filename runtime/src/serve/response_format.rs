//! `response_format`: the JSON that a reply is held to.

use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

use super::api_error::ApiError;
use super::limits::Limits;

#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum ResponseFormat {
    Text,
    JsonObject,
    JsonSchema { json_schema: NamedSchema },
}

#[derive(Debug, Deserialize)]
pub(super) struct NamedSchema {
    /// What the client calls it.
    #[serde(rename = "name")]
    _name: Option<String>,
    schema: Option<Json>,
}

/// The schema of the reply, if it is to be JSON.
pub(super) fn schema_of(
    format: Option<ResponseFormat>,
    limits: &Limits,
) -> Result<Option<Json>, ApiError> {
    let schema = match format {
        None | Some(ResponseFormat::Text) => return Ok(None),
        Some(ResponseFormat::JsonObject) => json!({"type": "object"}),
        Some(ResponseFormat::JsonSchema { json_schema }) => {
            json_schema.schema.unwrap_or_else(|| json!({}))
        }
    };
    let bytes = schema.to_string().len();
    match schema {
        Json::Object(_) if bytes <= limits.schema_bytes => Ok(Some(schema)),
        Json::Object(_) => Err(ApiError::param(
            "response_format",
            format!(
                "the schema has {bytes} bytes, {} are the most",
                limits.schema_bytes
            ),
        )),
        _ => Err(ApiError::param(
            "response_format.json_schema.schema",
            "a JSON schema is an object",
        )),
    }
}

/// The schema with the mark that JSON is written in one line, as models are used to: free whitespace is an invitation to
/// write nothing else.
pub(super) fn compact(schema: &Json) -> Json {
    let mut schema = match schema {
        Json::Object(schema) => schema.clone(),
        _ => Map::new(),
    };
    schema.insert(
        "x-guidance".into(),
        json!({"whitespace_flexible": false, "item_separator": ", ", "key_separator": ": "}),
    );
    Json::Object(schema)
}

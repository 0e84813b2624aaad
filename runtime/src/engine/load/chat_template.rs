//! The chat template that a model folder brings, as transformers stores it. Only found here; `adapter` renders it.

use crate::engine::EngineError;
use serde_json::Value;
use std::path::Path;

/// The template of `chat_template.jinja`, else of `tokenizer_config.json`; none if neither has one.
pub(crate) fn of_folder(folder: &Path) -> Result<Option<String>, EngineError> {
    let jinja = folder.join("chat_template.jinja");
    if jinja.is_file() {
        return std::fs::read_to_string(&jinja)
            .map(Some)
            .map_err(|source| EngineError::Io {
                path: jinja,
                source,
            });
    }
    let path = folder.join("tokenizer_config.json");
    if !path.is_file() {
        return Ok(None);
    }
    let place = format!("`{}`", path.display());
    let config: Value =
        serde_json::from_slice(&super::read(&path)?).map_err(|source| EngineError::Json {
            place: place.clone(),
            source,
        })?;
    let bad = |problem: &str| EngineError::Config {
        place: place.clone(),
        key: "chat_template".to_owned(),
        problem: problem.to_owned(),
    };
    match &config["chat_template"] {
        Value::Null => Ok(None),
        Value::String(template) => Ok(Some(template.clone())),
        // Several named ones: the one without a special purpose is called `default`.
        Value::Array(named) => named
            .iter()
            .find(|entry| entry["name"] == "default")
            .and_then(|entry| entry["template"].as_str())
            .map(|template| Some(template.to_owned()))
            .ok_or_else(|| bad("lists none that is named `default`")),
        _ => Err(bad("must be a string")),
    }
}

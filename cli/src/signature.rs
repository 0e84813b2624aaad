//! Which signature is meant: a line of shorthand, JSON, or a file with either.

use std::path::Path;

use candle_signature::signature::SignatureSpec;
use serde_json::Value as Json;

use crate::error::CliError;

/// The signature that a text names: shorthand with `->`, a JSON object, else a file that holds one of the two.
pub fn signature(text: &str) -> Result<SignatureSpec, CliError> {
    let trimmed = text.trim();
    if trimmed.starts_with('{') {
        return from_json(trimmed, "the signature");
    }
    if trimmed.contains("->") {
        return from_shorthand(trimmed, "the signature");
    }
    let path = Path::new(trimmed);
    if !path.is_file() {
        return Err(CliError::Usage(format!(
            "`{trimmed}` is no signature: give a line such as \"question -> answer: int\", a JSON object, or the path of a file with \
             one of them; there is no such file"
        )));
    }
    let read = std::fs::read_to_string(path).map_err(|error| CliError::reading(trimmed, &error))?;
    let place = format!("`{trimmed}`");
    match read.trim_start().starts_with('{') {
        true => from_json(&read, &place),
        false => from_shorthand(read.trim(), &place),
    }
}

fn from_json(text: &str, place: &str) -> Result<SignatureSpec, CliError> {
    let json: Json = serde_json::from_str(text)
        .map_err(|error| CliError::Usage(format!("{place} is not JSON: {error}")))?;
    SignatureSpec::from_json(&json).map_err(|error| CliError::Usage(format!("{place}: {error}")))
}

fn from_shorthand(line: &str, place: &str) -> Result<SignatureSpec, CliError> {
    SignatureSpec::from_shorthand(line)
        .map_err(|error| CliError::Usage(format!("{place}: {error}")))
}

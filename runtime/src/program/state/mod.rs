//! A program's settings as a file: readable, versioned, checked against the signature when it is loaded.

mod dspy;
mod dynamic;
mod error;
mod ours;

use std::path::Path;

use serde_json::Value as Json;

pub use error::StateError;

use super::Tunable;
use crate::file::write_atomically;

/// The settings of a program as JSON, in this crate's format: instruction, demos, overrides, and the fields of the signature that
/// they are for.
///
/// Code is not saved: checks, retries, tools and their limits stay with the program that loads it.
///
/// # Errors
/// [`StateError::Value`] for a demo whose values JSON can't hold: integers beyond 64 bits.
pub fn to_json<P: Tunable>(program: &P) -> Result<Json, StateError> {
    ours::write(program)
}

/// The same in the format of DSPy 3's saved predictors, as its `load` reads it into a predictor of a signature with the same fields.
///
/// It holds instruction and demos. Overrides have no place in it, since DSPy keeps them with a language model; a `ReAct` can't be
/// written, since its steps are prompted otherwise there.
///
/// # Errors
/// As [`to_json`], and [`StateError::NotInDspy`].
pub fn to_dspy_json<P: Tunable>(program: &P) -> Result<Json, StateError> {
    dspy::write(program)
}

/// The program with the settings of a saved state, in this crate's format or in DSPy 3's.
///
/// # Errors
/// What does not fit, by the name of the field: the signature's fields, a demo's values, the kind of program, an override.
pub fn from_json<P: Tunable>(program: P, json: &Json) -> Result<P, StateError> {
    let settings = if json.get(ours::VERSION_KEY).is_some() {
        ours::read::<P>(json)?
    } else {
        dspy::read(&program, json)?
    };
    Ok(program.with_settings(settings))
}

/// Saves the settings of a program: a file that is there whole or not at all.
///
/// # Errors
/// As [`to_json`], and what the file system reports.
pub fn save<P: Tunable>(program: &P, path: impl AsRef<Path>) -> Result<(), StateError> {
    write_text(path.as_ref(), &to_json(program)?)
}

/// Saves the settings of a program for Python: [`to_dspy_json`].
///
/// # Errors
/// As [`to_dspy_json`], and what the file system reports.
pub fn save_dspy<P: Tunable>(program: &P, path: impl AsRef<Path>) -> Result<(), StateError> {
    write_text(path.as_ref(), &to_dspy_json(program)?)
}

/// The program with the settings of a saved file, ours or DSPy 3's.
///
/// # Errors
/// As [`from_json`], and a file that can't be read or is no JSON.
pub fn load<P: Tunable>(program: P, path: impl AsRef<Path>) -> Result<P, StateError> {
    from_json(program, &read_text(path.as_ref())?)
}

/// Writes JSON for people to read.
pub(super) fn write_text(path: &Path, json: &Json) -> Result<(), StateError> {
    let mut text = format!("{json:#}");
    text.push('\n');
    write_atomically(path, text.as_bytes()).map_err(|source| StateError::io(path, source))
}

pub(super) fn read_text(path: &Path) -> Result<Json, StateError> {
    let text = std::fs::read_to_string(path).map_err(|source| StateError::io(path, source))?;
    serde_json::from_str(&text).map_err(|source| StateError::Json {
        path: path.to_owned(),
        source,
    })
}

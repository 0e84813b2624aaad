//! Datasets: one JSON object a line, every field of the signature by its name, checked while it is read.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value as Json};

use crate::signature::{Demo, REASONING, Signature, ValueError};

use super::demo_json::{Accept, read_demo};

/// Why a dataset can't be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatasetError {
    /// The file can't be read.
    #[error("cannot read the dataset `{}`: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the file system said.
        source: std::io::Error,
    },
    /// A line is no JSON object.
    #[error("line {line} of the dataset is no JSON object: {source}")]
    Json {
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// A record does not fit the signature.
    #[error(
        "line {line} of the dataset does not fit the signature `{signature}`: {}",
        joined(errors)
    )]
    Record {
        /// The line, from 1.
        line: usize,
        /// The signature's name.
        signature: String,
        /// One error a field.
        errors: Vec<ValueError>,
    },
}

pub(super) fn joined(errors: &[ValueError]) -> String {
    let texts: Vec<_> = errors.iter().map(ToString::to_string).collect();
    texts.join("; ")
}

/// Reads a dataset: one JSON object a line, with the signature's fields as keys, and `reasoning` where one was written. Empty lines
/// are left out.
///
/// # Errors
/// The first line that is no record of the signature, and what is wrong with each of its fields.
pub fn read_dataset<S: Signature>(path: impl AsRef<Path>) -> Result<Vec<Demo<S>>, DatasetError> {
    let path = path.as_ref();
    let text = std::fs::read_to_string(path).map_err(|source| DatasetError::Io {
        path: path.to_owned(),
        source,
    })?;
    parse_dataset(&text)
}

/// Reads a dataset out of a text, as [`read_dataset`].
///
/// # Errors
/// As [`read_dataset`].
pub fn parse_dataset<S: Signature>(text: &str) -> Result<Vec<Demo<S>>, DatasetError> {
    let accept = Accept {
        extra: &[REASONING],
        ignored: &[],
        partial: false,
    };
    let lines = (1..).zip(text.lines());
    let filled = lines.filter(|(_, text)| !text.trim().is_empty());
    filled
        .map(|(line, text)| {
            let record: Map<String, Json> =
                serde_json::from_str(text).map_err(|source| DatasetError::Json { line, source })?;
            read_demo::<S>(&record, accept).map_err(|errors| DatasetError::Record {
                line,
                signature: S::SPEC.name.to_string(),
                errors,
            })
        })
        .collect()
}

//! Why a program's state can't be saved or loaded.

use std::path::{Path, PathBuf};

use crate::signature::ValueError;

use super::super::dataset::joined;

/// Why a program's state can't be saved or loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// The file can't be read or written.
    #[error("saved program `{}`: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the file system said.
        source: std::io::Error,
    },
    /// The file is no JSON.
    #[error("saved program `{}` is no JSON: {source}", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// A part of the state is not there, or is something else than expected.
    #[error("saved program: `{key}`: {problem}")]
    Layout {
        /// The key, with those above it.
        key: String,
        /// What is wrong with it.
        problem: String,
    },
    /// It was written by a version of this crate that knows more.
    #[error(
        "saved program: its format is of version {found}, and this crate reads up to {known}: update candle-signature"
    )]
    Version {
        /// The version of the file.
        found: u64,
        /// The newest version that can be read.
        known: u64,
    },
    /// It is that of another kind of program.
    #[error(
        "saved program: it is of a `{found}`, not of a `{expected}`: load it into the kind of program that it was saved from"
    )]
    Kind {
        /// What was saved.
        found: String,
        /// What it was to be loaded into.
        expected: &'static str,
    },
    /// It is of a signature with other fields.
    #[error("saved program: field `{field}` of the signature `{signature}`: {problem}")]
    Signature {
        /// The signature that it was to be loaded for.
        signature: String,
        /// The field.
        field: String,
        /// How it differs.
        problem: String,
    },
    /// A demo does not fit the signature.
    #[error("saved program: demo {number}: {}", joined(errors))]
    BadDemo {
        /// Which demo, from 1.
        number: usize,
        /// One error a field.
        errors: Vec<ValueError>,
    },
    /// A turn of a saved conversation does not fit the signature.
    #[error("saved conversation: turn {number}: {}", joined(errors))]
    Turn {
        /// Which turn, from 1.
        number: usize,
        /// One error a field.
        errors: Vec<ValueError>,
    },
    /// A demo holds a value that would not be the same after loading.
    #[error("demo {number} can't be saved: {problem}")]
    Value {
        /// Which demo, from 1.
        number: usize,
        /// What can't be kept.
        problem: String,
    },
    /// A kind of program that DSPy's format has no place for.
    #[error(
        "a `{0}` can't be exchanged with DSPy: its steps are prompted otherwise there; exchange a `Predict` or a `ChainOfThought`"
    )]
    NotInDspy(&'static str),
}

impl StateError {
    pub(super) fn io(path: &Path, source: std::io::Error) -> Self {
        StateError::Io {
            path: path.to_owned(),
            source,
        }
    }

    pub(in super::super) fn layout(key: impl Into<String>, problem: impl Into<String>) -> Self {
        StateError::Layout {
            key: key.into(),
            problem: problem.into(),
        }
    }

    pub(super) fn signature<S: crate::signature::Signature>(
        field: &str,
        problem: impl Into<String>,
    ) -> Self {
        StateError::Signature {
            signature: S::SPEC.name.to_string(),
            field: field.to_owned(),
            problem: problem.into(),
        }
    }
}

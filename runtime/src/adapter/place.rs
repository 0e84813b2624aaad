//! Where the model of a name is: in the pool's folder, at a path, or on the hub.

use std::path::{Component, Path, PathBuf};

use super::error::ErrorText;
#[cfg(feature = "hub")]
use crate::hub::ModelId;

/// Where a model is.
pub(super) enum Place {
    /// A folder or a GGUF file.
    Here(PathBuf),
    #[cfg(feature = "hub")]
    Hub(ModelId),
}

impl Place {
    /// The place that a name stands for in a pool of this folder.
    pub(super) fn of(pool: &Path, name: &str) -> Result<Self, ErrorText> {
        let parts = || Path::new(name).components();
        // Said to be a path: not one of the pool's.
        if matches!(
            parts().next(),
            Some(
                Component::CurDir
                    | Component::ParentDir
                    | Component::RootDir
                    | Component::Prefix(_)
            )
        ) {
            return path(name);
        }
        let inside = parts().all(|part| matches!(part, Component::Normal(_)));
        if name.is_empty() || !inside || name.contains('\0') {
            return Err(format!(
                "`{name}` is no model name: give the name of a folder or .gguf file in `{}`, a path, or a model of the hub as `owner/name`",
                pool.display()
            )
            .into());
        }
        let found = pool.join(name);
        if found.is_dir() || is_gguf(&found) {
            return Ok(Place::Here(found));
        }
        elsewhere(pool, name)
    }
}

fn is_gguf(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension == "gguf")
        && path.is_file()
}

fn path(name: &str) -> Result<Place, ErrorText> {
    let path = PathBuf::from(name);
    if path.is_dir() || is_gguf(&path) {
        return Ok(Place::Here(path));
    }
    let problem = match path.exists() {
        true => "is neither a folder nor a .gguf file",
        false => "does not exist",
    };
    Err(format!(
        "no model at `{name}`: it {problem}; give a folder with config.json, tokenizer.json and the weights, or a .gguf file"
    )
    .into())
}

#[cfg(feature = "hub")]
fn elsewhere(pool: &Path, name: &str) -> Result<Place, ErrorText> {
    match name.parse() {
        Ok(id) => Ok(Place::Hub(id)),
        Err(error) => Err(format!("{}; and {error}", missing(pool, name)).into()),
    }
}

#[cfg(not(feature = "hub"))]
fn elsewhere(pool: &Path, name: &str) -> Result<Place, ErrorText> {
    Err(format!(
        "{}; models of the hub need the feature `hub`",
        missing(pool, name)
    )
    .into())
}

fn missing(pool: &Path, name: &str) -> String {
    let mut known: Vec<String> = std::fs::read_dir(pool)
        .map(|entries| {
            entries
                .flatten()
                .filter(|entry| entry.path().is_dir() || is_gguf(&entry.path()))
                .map(|entry| format!("`{}`", entry.file_name().to_string_lossy()))
                .collect()
        })
        .unwrap_or_default();
    known.sort();
    let there = match known.as_slice() {
        [] => format!("`{}` holds no model folder", pool.display()),
        names => format!("`{}` holds {}", pool.display(), names.join(", ")),
    };
    format!(
        "no model `{name}`: {there}; put config.json, tokenizer.json and the weights into `{}`",
        pool.join(name).display()
    )
}

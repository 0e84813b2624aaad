//! What the cache holds.

use super::choose::in_snapshot;
use super::{HubError, ModelId};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A model in the cache.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CachedModel {
    /// Repository, and the revision that was pulled: a branch or tag where one names this commit, else the commit.
    pub id: ModelId,
    /// The commit.
    pub commit: String,
    /// The snapshot's folder.
    pub path: PathBuf,
    /// Bytes that its files take.
    pub bytes: u64,
    /// Whether all files of a model are there. A GGUF file among several counts as one.
    pub complete: bool,
}

/// All snapshots of models, by repository and revision.
pub(super) fn models(cache: &Path) -> Result<Vec<CachedModel>, HubError> {
    let mut found = Vec::new();
    for (name, folder) in folders(cache)? {
        let Some(repository) = name
            .strip_prefix("models--")
            .map(|name| name.replace("--", "/"))
        else {
            continue;
        };
        let refs = references(&folder.join("refs"), "");
        for (commit, path) in folders(&folder.join("snapshots"))? {
            let named = refs.get(&commit).cloned();
            let (files, bytes) = files_of(&path);
            found.push(CachedModel {
                id: ModelId::of_cache(repository.clone(), named.unwrap_or_else(|| commit.clone())),
                complete: in_snapshot(&path, None).is_ok()
                    || files.iter().any(|file| file.ends_with(".gguf")),
                commit,
                path,
                bytes,
            });
        }
    }
    found.sort_by(|a, b| {
        (a.id.repository(), a.id.revision()).cmp(&(b.id.repository(), b.id.revision()))
    });
    Ok(found)
}

/// Folders in a folder; none in one that is not there.
fn folders(path: &Path) -> Result<Vec<(String, PathBuf)>, HubError> {
    let entries = match std::fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => {
            return Err(HubError::Io {
                doing: "read",
                path: path.to_owned(),
                source,
            });
        }
    };
    Ok(entries
        .flatten()
        .filter(|entry| entry.path().is_dir())
        .map(|entry| {
            (
                entry.file_name().to_string_lossy().into_owned(),
                entry.path(),
            )
        })
        .collect())
}

/// Commit to revision. `main` wins where several revisions mean one commit.
fn references(folder: &Path, before: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = format!("{before}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            found.extend(references(&entry.path(), &format!("{name}/")));
        } else if let Ok(commit) = std::fs::read_to_string(entry.path()) {
            let place = found
                .entry(commit.trim().to_owned())
                .or_insert_with(|| name.clone());
            if name == "main" {
                *place = name;
            }
        }
    }
    found
}

/// Names of the files below a folder, and the bytes of those that links lead to.
fn files_of(folder: &Path) -> (Vec<String>, u64) {
    let (mut names, mut bytes) = (Vec::new(), 0);
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        match std::fs::metadata(&path) {
            Ok(data) if data.is_dir() => {
                let (more, size) = files_of(&path);
                names.extend(more);
                bytes += size;
            }
            Ok(data) => {
                names.push(entry.file_name().to_string_lossy().into_owned());
                bytes += data.len();
            }
            // A link to a blob that is gone.
            Err(_) => {}
        }
    }
    (names, bytes)
}

//! The cache's layout, as `huggingface_hub` has it: `blobs/` by checksum, `snapshots/<commit>/` of links to them,
//! `refs/<revision>` that name a commit, and `.locks/` beside the repositories.

use super::{HubError, ModelId};
use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// A repository's folder in the cache. It may not exist yet.
pub(super) struct RepositoryFolder {
    root: PathBuf,
    locks: PathBuf,
}

impl RepositoryFolder {
    pub(super) fn new(cache: &Path, id: &ModelId) -> Self {
        let name = format!("models--{}", id.repository().replace('/', "--"));
        RepositoryFolder {
            root: cache.join(&name),
            locks: cache.join(".locks").join(name),
        }
    }

    /// The commit that a revision meant when it was last pulled.
    pub(super) fn commit(&self, id: &ModelId) -> Option<String> {
        if id.is_pinned() {
            return Some(id.revision().to_owned());
        }
        let text = fs::read_to_string(self.root.join("refs").join(id.revision())).ok()?;
        let commit = text.trim();
        is_token(commit).then(|| commit.to_owned())
    }

    pub(super) fn snapshot(&self, commit: &str) -> PathBuf {
        self.root.join("snapshots").join(commit)
    }

    pub(super) fn blob(&self, etag: &str) -> PathBuf {
        self.root.join("blobs").join(etag)
    }

    /// What has come so far of a blob.
    pub(super) fn part(&self, etag: &str) -> PathBuf {
        self.root.join("blobs").join(format!("{etag}.incomplete"))
    }

    /// Opens the file that whoever fetches a blob has locked.
    pub(super) fn lock_file(&self, etag: &str) -> Result<(File, PathBuf), HubError> {
        make_folder(&self.locks)?;
        let path = self.locks.join(format!("{etag}.lock"));
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(HubError::io("open", &path))?;
        Ok((file, path))
    }

    /// Makes a blob a file of a snapshot. Who does so first, of two processes, has done it for both.
    pub(super) fn link(&self, etag: &str, commit: &str, file: &str) -> Result<PathBuf, HubError> {
        let path = self.snapshot(commit).join(file);
        if let Some(folder) = path.parent() {
            make_folder(folder)?;
        }
        let failed = |source| HubError::Io {
            doing: "link",
            path: path.clone(),
            source,
        };
        // A link to a blob that is gone is in the way.
        if path.symlink_metadata().is_ok() && !path.exists() {
            fs::remove_file(&path).map_err(failed)?;
        }
        match link(&self.blob(etag), etag, file, &path) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(failed(error)),
            _ => Ok(path),
        }
    }

    /// Notes what a revision means now.
    pub(super) fn write_ref(&self, id: &ModelId, commit: &str) -> Result<(), HubError> {
        if id.revision() == commit {
            return Ok(());
        }
        let path = self.root.join("refs").join(id.revision());
        if let Some(folder) = path.parent() {
            make_folder(folder)?;
        }
        crate::file::write_atomically(&path, commit.as_bytes())
            .map_err(HubError::io("write", &path))
    }
}

/// Whether text of the hub may become a file name: a commit, or a checksum.
pub(super) fn is_token(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    !text.is_empty() && text.len() <= 128 && text.bytes().all(allowed)
}

pub(super) fn make_folder(path: &Path) -> Result<(), HubError> {
    fs::create_dir_all(path).map_err(HubError::io("create", path))
}

/// A relative link, so that the cache may be moved.
#[cfg(unix)]
fn link(_blob: &Path, etag: &str, file: &str, path: &Path) -> std::io::Result<()> {
    let up = "../".repeat(2 + file.matches('/').count());
    std::os::unix::fs::symlink(format!("{up}blobs/{etag}"), path)
}

/// Links need a privilege elsewhere: another name for the same file, or a copy, do as well.
#[cfg(not(unix))]
fn link(blob: &Path, _etag: &str, _file: &str, path: &Path) -> std::io::Result<()> {
    match fs::hard_link(blob, path) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Err(error),
        Err(_) => {
            let mut name = path.file_name().unwrap_or_default().to_owned();
            name.push(format!(".{}.tmp", std::process::id()));
            let temporary = path.with_file_name(name);
            fs::copy(blob, &temporary)?;
            fs::rename(&temporary, path)
        }
    }
}

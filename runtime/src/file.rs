//! Files that are there whole or not at all: written beside their place, then renamed into it.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Writes a file. A reader, and a crash at any moment, sees the old file or the new one.
///
/// # Errors
/// What the file system reports; then the old file is as it was.
pub(crate) fn write_atomically(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut new = NewFile::create(path)?;
    new.file.write_all(content)?;
    new.finish()
}

/// A file on its way: beside its place until it is finished, gone if it is not.
pub(crate) struct NewFile {
    /// What is written to.
    pub file: File,
    beside: PathBuf,
    path: PathBuf,
}

impl NewFile {
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        let beside = beside(path)?;
        Ok(NewFile {
            file: File::options().write(true).create_new(true).open(&beside)?,
            beside,
            path: path.to_owned(),
        })
    }

    /// Puts it into its place.
    pub(crate) fn finish(self) -> io::Result<()> {
        self.file.sync_all()?;
        fs::rename(&self.beside, &self.path)
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        // Once finished there is none. What went wrong is worth more than that the rest could not be removed.
        drop(fs::remove_file(&self.beside));
    }
}

/// A name in the same folder that no other writer uses.
fn beside(path: &Path) -> io::Result<PathBuf> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let name = path.file_name().ok_or_else(|| {
        let message = format!("`{}` names no file", path.display());
        io::Error::new(io::ErrorKind::InvalidInput, message)
    })?;
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let mut hidden = std::ffi::OsString::from(".");
    hidden.push(name);
    hidden.push(format!(".{}-{number}.tmp", std::process::id()));
    Ok(path.with_file_name(hidden))
}

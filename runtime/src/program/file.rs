//! Files that are there whole or not at all: written beside their place, then renamed into it.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Writes a file. A reader, and a crash at any moment, sees the old file or the new one.
///
/// # Errors
/// What the file system reports; then the old file is as it was.
pub(super) fn write_atomically(path: &Path, content: &[u8]) -> io::Result<()> {
    let beside = beside(path)?;
    let written = write(&beside, content).and_then(|()| fs::rename(&beside, path));
    if written.is_err() {
        // What went wrong is worth more than that the rest could not be removed.
        drop(fs::remove_file(&beside));
    }
    written
}

fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = File::options().write(true).create_new(true).open(path)?;
    file.write_all(content)?;
    file.sync_all()
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

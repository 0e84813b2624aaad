//! One file into the cache: locked, continued where it stopped, checked, and only then under its name.

use super::cache::{RepositoryFolder, make_folder};
use super::client::{Bytes, Client, FileInfo};
use super::{HubError, ModelId, Progress, PullEvent};
use sha2::{Digest, Sha256};
use std::fs::{self, File, TryLockError};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Connections that may break, one after the other without a byte between them, before the pull fails.
const BREAKS: u32 = 5;
/// How often a process that waits for another looks again.
const LOOK: Duration = Duration::from_millis(100);
/// How often the listener hears of bytes.
const TELL: Duration = Duration::from_millis(50);

/// Where from, where to, and who listens.
pub(super) struct Transfer<'a> {
    pub client: &'a Client,
    pub folder: &'a RepositoryFolder,
    pub id: &'a ModelId,
    pub commit: &'a str,
    pub progress: &'a dyn Progress,
}

impl Transfer<'_> {
    /// Brings one file of the repository into the cache, if it is not there, and into the snapshot.
    pub(super) fn fetch(&self, file: &str) -> Result<PathBuf, HubError> {
        let path = self.folder.snapshot(self.commit).join(file);
        if path.exists() {
            return Ok(path);
        }
        let info = self.client.info(self.id, self.commit, file)?;
        let blob = self.folder.blob(&info.etag);
        if let Some(folder) = blob.parent() {
            make_folder(folder)?;
        }
        let _lock = self.lock(file, &info)?;
        // The process that had the lock may have brought it.
        if !blob.exists() {
            self.bring(file, &info, &blob)?;
        }
        self.progress.on(PullEvent::Done { file });
        self.folder.link(&info.etag, self.commit, file)
    }

    /// Waits until no other process fetches the file. The lock ends with the value, and with the process.
    fn lock(&self, file: &str, info: &FileInfo) -> Result<File, HubError> {
        let (lock, path) = self.folder.lock_file(&info.etag)?;
        let mut told = false;
        loop {
            match lock.try_lock() {
                Ok(()) => return Ok(lock),
                Err(TryLockError::WouldBlock) => {
                    if !told {
                        self.progress.on(PullEvent::Waits { file });
                        told = true;
                    }
                    std::thread::sleep(LOOK);
                }
                Err(TryLockError::Error(source)) => {
                    return Err(HubError::Io {
                        doing: "lock",
                        path,
                        source,
                    });
                }
            }
        }
    }

    /// Twice at most: a part that an earlier process left may be bad, a whole file that came in one go not so easily.
    fn bring(&self, file: &str, info: &FileInfo, blob: &Path) -> Result<(), HubError> {
        let part = self.folder.part(&info.etag);
        let mut again = true;
        loop {
            self.complete(file, info, &part)?;
            match check(&part, file, info)? {
                None => return fs::rename(&part, blob).map_err(HubError::io("rename", &part)),
                Some(damage) => {
                    fs::remove_file(&part).map_err(HubError::io("remove", &part))?;
                    if !again {
                        return Err(damage);
                    }
                    again = false;
                    let problem = &damage.to_string();
                    self.progress.on(PullEvent::Retries { file, problem });
                }
            }
        }
    }

    /// Appends to the part until it has the file's size.
    fn complete(&self, file: &str, info: &FileInfo, path: &Path) -> Result<(), HubError> {
        let mut part = File::options()
            .create(true)
            .append(true)
            .open(path)
            .map_err(HubError::writing(path, file, info.size))?;
        let length = |part: &File| {
            part.metadata()
                .map(|data| data.len())
                .map_err(HubError::io("read", path))
        };
        let mut have = length(&part)?;
        if have > info.size {
            part.set_len(0).map_err(HubError::io("write", path))?;
            have = 0;
        }
        let size = info.size;
        self.progress.on(PullEvent::Begins { file, size, have });
        let mut breaks = 0;
        while have < info.size {
            let start = have;
            let ended = self.append(file, info, &mut part, path, start);
            have = length(&part)?;
            // An error of the disk is not mended by another connection.
            let problem = match ended {
                Ok(()) if have >= info.size => break,
                Ok(()) => "the connection ended early".to_owned(),
                Err(error @ (HubError::NoNetwork { .. } | HubError::Status { .. })) => {
                    if breaks + 1 >= BREAKS {
                        return Err(error);
                    }
                    error.to_string()
                }
                Err(error) => return Err(error),
            };
            breaks = if have > start { 1 } else { breaks + 1 };
            if breaks >= BREAKS {
                return Err(HubError::NoNetwork {
                    endpoint: self.id.repository().to_owned(),
                    problem,
                });
            }
            let problem = &problem;
            self.progress.on(PullEvent::Retries { file, problem });
            std::thread::sleep(Duration::from_millis(200) * breaks);
        }
        part.sync_all()
            .map_err(HubError::writing(path, file, info.size))
    }

    /// One connection's worth of bytes.
    fn append(
        &self,
        file: &str,
        info: &FileInfo,
        part: &mut File,
        path: &Path,
        start: u64,
    ) -> Result<(), HubError> {
        let (from, mut body) = match self.client.bytes(self.id, self.commit, file, start)? {
            Bytes::From(from, body) => (from, body),
            Bytes::OutOfRange => {
                return part.set_len(0).map_err(HubError::io("write", path));
            }
        };
        // A server that knows no ranges sends all of it.
        if from < start {
            part.set_len(from).map_err(HubError::io("write", path))?;
        }
        let mut have = from;
        let mut buffer = vec![0; 1 << 17];
        let mut told = Instant::now();
        loop {
            let count = match body.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(count) => count,
                Err(error) => {
                    return Err(self.client.unreachable(&ureq::Error::Io(error)));
                }
            };
            part.write_all(&buffer[..count])
                .map_err(HubError::writing(path, file, info.size))?;
            have += count as u64;
            if have > info.size {
                return Ok(());
            }
            if told.elapsed() >= TELL || have == info.size {
                told = Instant::now();
                self.progress.on(PullEvent::Received { file, have });
            }
        }
    }
}

/// What is wrong with a file that has come: its size, or the checksum of a large file (that of a small one is git's).
fn check(path: &Path, file: &str, info: &FileInfo) -> Result<Option<HubError>, HubError> {
    let damage = |expected: String, found: String| HubError::Damaged {
        file: file.to_owned(),
        expected,
        found,
    };
    let mut data = File::open(path).map_err(HubError::io("read", path))?;
    let size = data.metadata().map_err(HubError::io("read", path))?.len();
    if size != info.size {
        return Ok(Some(damage(
            format!("{} bytes", info.size),
            format!("{size}"),
        )));
    }
    if info.etag.len() != 64 {
        return Ok(None);
    }
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        match data.read(&mut buffer).map_err(HubError::io("read", path))? {
            0 => break,
            count => hash.update(&buffer[..count]),
        }
    }
    let found: String = hash
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let same = found.eq_ignore_ascii_case(&info.etag);
    Ok((!same).then(|| damage(format!("SHA-256 {}", info.etag), found)))
}

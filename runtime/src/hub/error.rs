//! Why a model could not be fetched. Each message ends with what to do about it.

use std::path::{Path, PathBuf};

/// Why a model could not be fetched from the hub, or found in its cache.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HubError {
    /// A name that can't be one of a model on the hub.
    #[error("`{name}` is no model of the hub: {problem}")]
    Name {
        /// What was given.
        name: String,
        /// What is wrong with it and what would be right.
        problem: String,
    },

    /// No home folder, and no variable that names the cache.
    #[error(
        "no folder for the hub's cache: set HF_HOME or HF_HUB_CACHE, as there is no home folder"
    )]
    NoCacheFolder,

    /// The endpoint is no URL.
    #[error(
        "the hub's endpoint `{endpoint}` is no URL: set HF_ENDPOINT to one like https://huggingface.co, or unset it"
    )]
    Endpoint {
        /// What was given.
        endpoint: String,
    },

    /// Offline, and the model is not all there.
    #[error(
        "offline (HF_HUB_OFFLINE), and `{}` has no {missing} of {id}: pull the model once with a network and HF_HUB_OFFLINE unset",
        cache.display()
    )]
    Offline {
        /// The model.
        id: String,
        /// The cache that was looked into.
        cache: PathBuf,
        /// The first file that is not there.
        missing: String,
    },

    /// The hub did not answer.
    #[error(
        "cannot reach {endpoint}: {problem}; check the network (a proxy goes into HTTPS_PROXY, a mirror into HF_ENDPOINT), \
         or put the model's files into a folder and load that"
    )]
    NoNetwork {
        /// The hub.
        endpoint: String,
        /// What happened.
        problem: String,
    },

    /// 401: the token is not accepted, or there is none and one is needed. The hub says so too of models that do not exist.
    #[error(
        "the hub gives {id} to nobody {}: check the name{hint}; for a private model {}",
        if *token { "with this token" } else { "without a token" },
        if *token { "make a token that may read it at https://huggingface.co/settings/tokens and set HF_TOKEN" }
        else { "set HF_TOKEN, or log in with `hf auth login`" }
    )]
    Unauthorized {
        /// The model.
        id: String,
        /// Whether a token was sent.
        token: bool,
        /// `, did you mean …` or nothing.
        hint: String,
    },

    /// 403, or a model whose terms must be accepted first.
    #[error(
        "{id} is gated: accept its terms at {page}, then {}",
        if *token { "use a token of the account that did (HF_TOKEN)" } else { "set HF_TOKEN, or log in with `hf auth login`" }
    )]
    Gated {
        /// The model.
        id: String,
        /// Its page.
        page: String,
        /// Whether a token was sent.
        token: bool,
    },

    /// 404.
    #[error("the hub has no {what}{hint}")]
    NotFound {
        /// The model, revision or file.
        what: String,
        /// `; did you mean …` or what else to do.
        hint: String,
    },

    /// Another answer that is none.
    #[error("{url} answers {status}: {}", if *status == 429 { "too many requests; wait, or set HF_TOKEN for a higher limit" } else { "try again later" })]
    Status {
        /// What was asked for.
        url: String,
        /// The HTTP status.
        status: u16,
    },

    /// An answer that is not the hub's.
    #[error("{url} does not answer as the hub does: {problem}; check HF_ENDPOINT and the proxy")]
    Protocol {
        /// What was asked for.
        url: String,
        /// What is wrong.
        problem: String,
    },

    /// What came is not what the hub has.
    #[error(
        "`{file}` came damaged twice: expected {expected}, got {found}; nothing was kept, try again or check the proxy"
    )]
    Damaged {
        /// The file.
        file: String,
        /// Size or checksum that the hub names.
        expected: String,
        /// What came.
        found: String,
    },

    /// The repository holds no model that can be loaded.
    #[error("{id} cannot be loaded: {problem}")]
    NoModel {
        /// The model.
        id: String,
        /// What is missing, and what to do.
        problem: String,
    },

    /// The disk is full.
    #[error(
        "no room for `{file}` ({bytes} bytes) in `{}`: free space, or set HF_HUB_CACHE to a folder on a larger disk; what has come is kept and continued",
        folder.display()
    )]
    DiskFull {
        /// The file.
        file: String,
        /// Its size.
        bytes: u64,
        /// Where it should go.
        folder: PathBuf,
    },

    /// The system refused a file of the cache.
    #[error("cannot {doing} `{}`: {source}", path.display())]
    Io {
        /// What was being done: read, write, lock …
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
}

impl HubError {
    /// For `map_err`: an error of the system at a path.
    pub(super) fn io(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| HubError::Io {
            doing,
            path,
            source,
        }
    }

    /// For `map_err`: an error while a file of the hub is written.
    pub(super) fn writing(
        path: &Path,
        file: &str,
        bytes: u64,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let (path, file) = (path.to_owned(), file.to_owned());
        move |source| match source.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
                HubError::DiskFull {
                    file,
                    bytes,
                    folder: path.parent().map_or(path.clone(), Path::to_owned),
                }
            }
            _ => HubError::Io {
                doing: "write",
                path,
                source,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Error, ErrorKind};

    #[test]
    fn a_full_disk_is_told_from_a_forbidden_one() {
        let path = Path::new("/cache/blobs/abc.incomplete");
        let full = HubError::writing(path, "model.safetensors", 7)(ErrorKind::StorageFull.into());
        assert_eq!(
            full.to_string(),
            "no room for `model.safetensors` (7 bytes) in `/cache/blobs`: free space, or set HF_HUB_CACHE to a folder on a \
             larger disk; what has come is kept and continued"
        );
        let other = HubError::writing(path, "x", 7)(Error::from(ErrorKind::PermissionDenied));
        assert!(
            other
                .to_string()
                .starts_with("cannot write `/cache/blobs/abc.incomplete`: ")
        );
    }
}

//! The hub's protocol: what a repository holds, what a file's checksum is, and its bytes from some place on.

use super::cache::is_token;
use super::env::{PUBLIC, Settings};
use super::{HubError, ModelId, alias};
use serde::Deserialize;
use std::time::Duration;
use ureq::config::RedirectAuthHeaders;
use ureq::http::{HeaderMap, Response, StatusCode};
use ureq::{Agent, Body, BodyReader};

/// Replies of the API are larger than this for no repository.
const LARGEST_REPLY: u64 = 32 << 20;
/// Relative redirects that are followed: a repository was renamed.
const HOPS: usize = 5;
/// Tries of a request before the hub counts as not answering, and the pause after the first.
const TRIES: u32 = 4;
const PAUSE: Duration = Duration::from_millis(300);

pub(super) struct Client {
    /// Leaves redirects to us: what the hub says of a file is in the redirect itself.
    direct: Agent,
    following: Agent,
    endpoint: String,
    token: Option<String>,
}

/// A repository at a revision.
pub(super) struct Listing {
    pub commit: String,
    pub files: Vec<String>,
}

/// A file at a commit, before it comes.
pub(super) struct FileInfo {
    /// SHA-256 of a large file, git's hash of a small one; its name in the cache.
    pub etag: String,
    pub size: u64,
}

/// A file's bytes, from some place on.
pub(super) enum Bytes {
    From(u64, BodyReader<'static>),
    /// There are none from there on.
    OutOfRange,
}

impl Client {
    pub(super) fn new(settings: &Settings) -> Result<Self, HubError> {
        let endpoint = settings.endpoint.trim_end_matches('/').to_owned();
        let is_url = ["http://", "https://"].iter().any(|scheme| {
            endpoint
                .strip_prefix(scheme)
                .is_some_and(|host| !host.is_empty())
        });
        if !is_url || endpoint.parse::<ureq::http::Uri>().is_err() {
            return Err(HubError::Endpoint { endpoint });
        }
        Ok(Client {
            direct: agent(0),
            following: agent(10),
            endpoint,
            token: settings.token.clone(),
        })
    }

    /// The commit that a revision means, and its files.
    pub(super) fn list(&self, id: &ModelId) -> Result<Listing, HubError> {
        #[derive(Deserialize)]
        struct Info {
            sha: String,
            siblings: Vec<Sibling>,
        }
        #[derive(Deserialize)]
        struct Sibling {
            rfilename: String,
        }
        let revision = id.revision().replace('/', "%2F");
        let url = format!(
            "{}/api/models/{}/revision/{revision}",
            self.endpoint,
            id.repository()
        );
        let mut response = self.send(&self.following, &url, false, None, id)?;
        self.refuse(&response, &url, id, None)?;
        let text = response
            .body_mut()
            .with_config()
            .limit(LARGEST_REPLY)
            .read_to_vec()
            .map_err(|error| self.unreachable(&error))?;
        let info: Info = serde_json::from_slice(&text).map_err(|error| HubError::Protocol {
            url: url.clone(),
            problem: error.to_string(),
        })?;
        if !is_token(&info.sha) {
            let problem = format!("`{}` is no commit", info.sha);
            return Err(HubError::Protocol { url, problem });
        }
        Ok(Listing {
            commit: info.sha,
            files: info
                .siblings
                .into_iter()
                .map(|file| file.rfilename)
                .collect(),
        })
    }

    /// What the hub says of a file.
    pub(super) fn info(
        &self,
        id: &ModelId,
        commit: &str,
        file: &str,
    ) -> Result<FileInfo, HubError> {
        let mut url = self.url(id, commit, file);
        for _ in 0..HOPS {
            let response = self.send(&self.direct, &url, true, None, id)?;
            self.refuse(&response, &url, id, Some(file))?;
            let target = header(response.headers(), "location")
                .filter(|_| response.status().is_redirection());
            match target {
                Some(target) if target.starts_with('/') && !target.starts_with("//") => {
                    url = format!("{}{target}", origin(&self.endpoint));
                }
                _ => return file_info(response.headers(), response.status(), &url),
            }
        }
        let problem = "it redirects in circles".to_owned();
        Err(HubError::Protocol { url, problem })
    }

    /// The bytes of a file from `start` on, or from an earlier place if the server knows no ranges.
    pub(super) fn bytes(
        &self,
        id: &ModelId,
        commit: &str,
        file: &str,
        start: u64,
    ) -> Result<Bytes, HubError> {
        let url = self.url(id, commit, file);
        let range = (start > 0).then(|| format!("bytes={start}-"));
        let response = self.send(&self.following, &url, false, range.as_deref(), id)?;
        if response.status() == StatusCode::RANGE_NOT_SATISFIABLE {
            return Ok(Bytes::OutOfRange);
        }
        self.refuse(&response, &url, id, Some(file))?;
        let from = match response.status() {
            StatusCode::PARTIAL_CONTENT => {
                header(response.headers(), "content-range").and_then(|range| {
                    range
                        .strip_prefix("bytes ")?
                        .split_once('-')?
                        .0
                        .parse()
                        .ok()
                })
            }
            _ => Some(0),
        };
        match from.filter(|from| *from <= start) {
            Some(from) => Ok(Bytes::From(from, response.into_body().into_reader())),
            None => Err(HubError::Protocol {
                url,
                problem: format!("it was asked for bytes from {start} on and sends others"),
            }),
        }
    }

    fn url(&self, id: &ModelId, commit: &str, file: &str) -> String {
        format!(
            "{}/{}/resolve/{commit}/{}",
            self.endpoint,
            id.repository(),
            escaped(file)
        )
    }

    /// A request, again and again while the hub is busy or the connection breaks.
    fn send(
        &self,
        agent: &Agent,
        url: &str,
        head: bool,
        range: Option<&str>,
        id: &ModelId,
    ) -> Result<Response<Body>, HubError> {
        let mut tries = 1;
        loop {
            let mut request = match head {
                true => agent.head(url),
                false => agent.get(url),
            };
            // The sizes that are checked are those of the file itself.
            request = request.header("Accept-Encoding", "identity");
            if let Some(token) = &self.token {
                request = request.header("Authorization", format!("Bearer {token}"));
            }
            if let Some(range) = range {
                request = request.header("Range", range);
            }
            let answer = request.call();
            let may_change = match &answer {
                Ok(response) => is_busy(response.status()),
                Err(error) => is_passing(error),
            };
            if !may_change || tries == TRIES {
                return answer.map_err(|error| self.unreachable(&error));
            }
            tracing::debug!("{id}: asking {url} again");
            std::thread::sleep(PAUSE * 2u32.pow(tries - 1));
            tries += 1;
        }
    }

    pub(super) fn unreachable(&self, error: &ureq::Error) -> HubError {
        HubError::NoNetwork {
            endpoint: self.endpoint.clone(),
            problem: error.to_string(),
        }
    }

    /// Turns an answer that is no file into the error that it stands for.
    fn refuse(
        &self,
        response: &Response<Body>,
        url: &str,
        id: &ModelId,
        file: Option<&str>,
    ) -> Result<(), HubError> {
        let status = response.status();
        if status.is_success() || status.is_redirection() {
            return Ok(());
        }
        // The hub's own word for what is wrong; a mirror may not say it.
        let code = header(response.headers(), "x-error-code").unwrap_or_default();
        let token = self.token.is_some();
        let repository = id.repository().to_owned();
        let near = alias::nearest(id.repository());
        let hint = |before: &str| match &near {
            Some(near) => format!("{before}did you mean `{near}`?"),
            None => String::new(),
        };
        Err(match (status.as_u16(), code) {
            (_, "GatedRepo") | (403, _) => HubError::Gated {
                page: format!("{PUBLIC}/{repository}"),
                id: repository,
                token,
            },
            (404, "RevisionNotFound") => HubError::NotFound {
                what: format!("revision `{}` of {repository}", id.revision()),
                hint: "; leave `@…` out for the newest one, or look at the branches on its page"
                    .to_owned(),
            },
            (404, "EntryNotFound") | (404, "") if file.is_some() => HubError::NotFound {
                what: format!("file `{}` in {repository}", file.unwrap_or_default()),
                hint: "; pull again, the repository may have changed meanwhile".to_owned(),
            },
            (401, _) => HubError::Unauthorized {
                id: repository,
                token,
                hint: hint(", "),
            },
            (404, _) => HubError::NotFound {
                what: format!("model {repository}"),
                hint: match hint("; ").as_str() {
                    "" => "; check the name at https://huggingface.co/models".to_owned(),
                    hint => hint.to_owned(),
                },
            },
            (status, _) => HubError::Status {
                url: url.to_owned(),
                status,
            },
        })
    }
}

fn agent(redirects: u32) -> Agent {
    let seconds = |n| Some(Duration::from_secs(n));
    Agent::config_builder()
        .user_agent(concat!("candle-signature/", env!("CARGO_PKG_VERSION")))
        .http_status_as_error(false)
        .max_redirects(redirects)
        .max_redirects_will_error(redirects > 0)
        // A file's bytes lie on another host, which must not see the token.
        .redirect_auth_headers(RedirectAuthHeaders::SameHost)
        .timeout_resolve(seconds(10))
        .timeout_connect(seconds(10))
        .timeout_recv_response(seconds(30))
        .timeout_per_read(seconds(30))
        .build()
        .into()
}

fn is_busy(status: StatusCode) -> bool {
    status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error()
}

/// Whether the next try may do better. A host without an address, or that lets nobody in, has none tomorrow either.
fn is_passing(error: &ureq::Error) -> bool {
    match error {
        ureq::Error::Timeout(_) => true,
        ureq::Error::Io(error) => error.kind() != std::io::ErrorKind::ConnectionRefused,
        _ => false,
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn file_info(headers: &HeaderMap, status: StatusCode, url: &str) -> Result<FileInfo, HubError> {
    let bad = |problem: &str| HubError::Protocol {
        url: url.to_owned(),
        problem: problem.to_owned(),
    };
    let etag = header(headers, "x-linked-etag")
        .or_else(|| header(headers, "etag"))
        .map(|etag| etag.trim_start_matches("W/").trim_matches('"').to_owned())
        .filter(|etag| is_token(etag))
        .ok_or_else(|| bad("it names no checksum (etag)"))?;
    // The length of a redirect is its own.
    let length = header(headers, "content-length").filter(|_| !status.is_redirection());
    let size = header(headers, "x-linked-size")
        .or(length)
        .and_then(|size| size.parse().ok())
        .ok_or_else(|| bad("it names no size"))?;
    Ok(FileInfo { etag, size })
}

/// `scheme://host:port` of a URL.
fn origin(url: &str) -> &str {
    let host = url.find("://").map_or(0, |at| at + 3);
    url[host..]
        .find('/')
        .map_or(url, |path| &url[..host + path])
}

/// A path with everything but `/` and the letters that need it not escaped.
fn escaped(path: &str) -> String {
    use std::fmt::Write;
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'/' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            _ if byte.is_ascii_alphanumeric() => out.push(char::from(byte)),
            // Writing to a string never fails.
            _ => drop(write!(out, "%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_taken_apart_and_put_together() {
        assert_eq!(origin("http://127.0.0.1:80/hub/x"), "http://127.0.0.1:80");
        assert_eq!(origin("https://huggingface.co"), "https://huggingface.co");
        assert_eq!(escaped("a b/ü.gguf"), "a%20b/%C3%BC.gguf");
    }

    #[test]
    fn an_endpoint_that_is_none_is_refused() {
        let client = |endpoint: &str| {
            Client::new(&Settings {
                cache: None,
                endpoint: endpoint.to_owned(),
                token: None,
                offline: false,
            })
        };
        for bad in ["", "huggingface.co", "ftp://x", "https://", "http://a b"] {
            let error = client(bad).err().map(|error| error.to_string());
            assert!(
                error.is_some_and(|error| error.contains("set HF_ENDPOINT")),
                "{bad}"
            );
        }
        assert!(client("https://huggingface.co/").is_ok());
    }
}

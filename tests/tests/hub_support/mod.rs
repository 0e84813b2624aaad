//! A server that speaks the hub's protocol over real sockets, with faults to order.

use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The commit that `main` means at first.
pub const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// What goes wrong with the next answer that has a file's bytes.
#[derive(Debug, Clone, Copy)]
pub enum Fault {
    /// The connection ends after so many bytes of it.
    Cut(usize),
    /// A byte is another one.
    Flip,
    /// This status and nothing else.
    Status(u16),
    /// All of the file, whatever part was asked for.
    NoRange,
    /// So long a pause before the bytes.
    Pause(Duration),
}

/// A request that came.
#[derive(Debug, Clone)]
pub struct Request {
    pub method: String,
    pub path: String,
    pub headers: HashMap<String, String>,
}

#[derive(Default)]
struct State {
    commit: String,
    files: BTreeMap<String, Vec<u8>>,
    faults: VecDeque<Fault>,
    /// What every request is answered with in place of anything else: status and the hub's word for it.
    refusal: Option<(u16, &'static str)>,
    /// What the listing is in place of JSON.
    listing: Option<String>,
    etag: Option<String>,
    requests: Vec<Request>,
}

/// The server, for the repository `test/model` (and for any other name).
#[derive(Clone)]
pub struct TestHub {
    port: u16,
    state: Arc<Mutex<State>>,
}

impl TestHub {
    pub fn start(files: impl IntoIterator<Item = (String, Vec<u8>)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let hub = TestHub {
            port: listener.local_addr().unwrap().port(),
            state: Arc::new(Mutex::new(State {
                commit: COMMIT.to_owned(),
                files: files.into_iter().collect(),
                ..State::default()
            })),
        };
        let server = hub.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let server = server.clone();
                // A client that hangs up ends its own thread only.
                std::thread::spawn(move || drop(server.answer(stream)));
            }
        });
        hub
    }

    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The next answers with bytes fail so, one after the other.
    pub fn fail(&self, faults: impl IntoIterator<Item = Fault>) {
        self.state.lock().unwrap().faults = faults.into_iter().collect();
    }

    pub fn refuse(&self, refusal: Option<(u16, &'static str)>) {
        self.state.lock().unwrap().refusal = refusal;
    }

    pub fn list_as(&self, listing: &str) {
        self.state.lock().unwrap().listing = Some(listing.to_owned());
    }

    pub fn etag_as(&self, etag: &str) {
        self.state.lock().unwrap().etag = Some(etag.to_owned());
    }

    /// A new commit, in which a file is another one.
    pub fn commit(&self, commit: &str, file: &str, bytes: Vec<u8>) {
        let mut state = self.state.lock().unwrap();
        state.commit = commit.to_owned();
        state.files.insert(file.to_owned(), bytes);
    }

    /// The requests since the last call.
    pub fn requests(&self) -> Vec<Request> {
        std::mem::take(&mut self.state.lock().unwrap().requests)
    }

    fn answer(&self, stream: TcpStream) -> std::io::Result<()> {
        let request = read(&stream)?;
        let mut state = self.state.lock().unwrap();
        state.requests.push(request.clone());
        let parts: Vec<&str> = request.path.trim_matches('/').split('/').collect();
        if let Some((status, code)) = state.refusal {
            return reply(&stream, status, &[("X-Error-Code", code)], b"");
        }
        match parts.as_slice() {
            ["api", "models", _, _, "revision", ..] => {
                let listing = state.listing.clone().unwrap_or_else(|| {
                    let files: Vec<String> = state
                        .files
                        .keys()
                        .map(|file| format!(r#"{{"rfilename":"{file}"}}"#))
                        .collect();
                    format!(
                        r#"{{"sha":"{}","siblings":[{}]}}"#,
                        state.commit,
                        files.join(",")
                    )
                });
                reply(&stream, 200, &[], listing.as_bytes())
            }
            [_, _, "resolve", _, file @ ..] => {
                let file = file.join("/");
                let Some(bytes) = state.files.get(&file).cloned() else {
                    return reply(&stream, 404, &[("X-Error-Code", "EntryNotFound")], b"");
                };
                let commit = state.commit.clone();
                let etag = state.etag.clone().unwrap_or_else(|| etag(&file, &bytes));
                // Large files lie elsewhere: another host, where the hub's headers are missing.
                if is_large(&file) {
                    let target = format!("http://localhost:{}/cdn/{file}?signature=1", self.port);
                    let size = bytes.len().to_string();
                    let headers = [
                        ("Location", target.as_str()),
                        ("X-Linked-Etag", &format!("\"{etag}\"")),
                        ("X-Linked-Size", &size),
                        ("X-Repo-Commit", &commit),
                        ("ETag", "\"of-the-redirect\""),
                    ];
                    return reply(&stream, 302, &headers, b"Found. Redirecting");
                }
                let headers = [
                    ("ETag", &*format!("\"{etag}\"")),
                    ("X-Repo-Commit", &commit),
                ];
                match request.method.as_str() {
                    "HEAD" => head(&stream, 200, &headers, bytes.len()),
                    _ => reply(&stream, 200, &headers, &bytes),
                }
            }
            ["cdn", file @ ..] => {
                let file = file.join("/");
                let file = file.split('?').next().unwrap();
                let bytes = state.files.get(file).cloned().unwrap();
                let fault = state.faults.pop_front();
                drop(state);
                send_range(&stream, &request, &bytes, fault)
            }
            _ => reply(&stream, 404, &[], b""),
        }
    }
}

fn send_range(
    stream: &TcpStream,
    request: &Request,
    bytes: &[u8],
    fault: Option<Fault>,
) -> std::io::Result<()> {
    let start: usize = match request.headers.get("range") {
        Some(range) if !matches!(fault, Some(Fault::NoRange)) => {
            let start = range.strip_prefix("bytes=").unwrap().trim_end_matches('-');
            start.parse().unwrap()
        }
        _ => 0,
    };
    if start >= bytes.len() {
        return reply(stream, 416, &[], b"");
    }
    let range = format!("bytes {start}-{}/{}", bytes.len() - 1, bytes.len());
    let (status, headers) = match request.headers.contains_key("range") && start > 0 {
        true => (206, vec![("Content-Range", range.as_str())]),
        false => (200, Vec::new()),
    };
    let mut rest = bytes[start..].to_vec();
    match fault {
        Some(Fault::Status(status)) => return reply(stream, status, &[], b""),
        Some(Fault::Cut(count)) => {
            head(stream, status, &headers, rest.len())?;
            let mut stream = stream;
            stream.write_all(&rest[..count.min(rest.len())])?;
            return stream.flush();
        }
        Some(Fault::Flip) => rest[0] ^= 1,
        Some(Fault::Pause(pause)) => std::thread::sleep(pause),
        Some(Fault::NoRange) | None => {}
    }
    reply(stream, status, &headers, &rest)
}

fn is_large(file: &str) -> bool {
    file.ends_with(".safetensors") || file.ends_with(".gguf")
}

/// SHA-256 of a large file; of a small one something of 40 digits, as git's hash is.
pub fn etag(file: &str, bytes: &[u8]) -> String {
    let hash = Sha256::digest(bytes);
    let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    match is_large(file) {
        true => hex,
        false => hex[..40].to_owned(),
    }
}

fn read(stream: &TcpStream) -> std::io::Result<Request> {
    let mut lines = BufReader::new(stream).lines();
    let mut next = || lines.next().unwrap_or_else(|| Ok(String::new()));
    let first = next()?;
    let mut words = first.split(' ').map(str::to_owned);
    let mut request = Request {
        method: words.next().unwrap_or_default(),
        path: words.next().unwrap_or_default(),
        headers: HashMap::new(),
    };
    loop {
        let line = next()?;
        match line.split_once(':') {
            Some((key, value)) => {
                let (key, value) = (key.to_lowercase(), value.trim().to_owned());
                request.headers.insert(key, value);
            }
            None => return Ok(request),
        }
    }
}

fn reply(
    stream: &TcpStream,
    status: u16,
    headers: &[(&str, &str)],
    body: &[u8],
) -> std::io::Result<()> {
    head(stream, status, headers, body.len())?;
    let mut stream = stream;
    stream.write_all(body)?;
    stream.flush()
}

fn head(
    mut stream: &TcpStream,
    status: u16,
    headers: &[(&str, &str)],
    length: usize,
) -> std::io::Result<()> {
    let mut text =
        format!("HTTP/1.1 {status} -\r\nConnection: close\r\nContent-Length: {length}\r\n");
    for (key, value) in headers.iter().filter(|(_, value)| !value.is_empty()) {
        text += &format!("{key}: {value}\r\n");
    }
    stream.write_all((text + "\r\n").as_bytes())
}

//! A server of the embedded model, and one that sends the bytes it is told to.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use candle_signature::adapter::{
    Backend, CandleAdapter, CandleAdapterError, CandleConfig, Completion, CompletionRequest,
    ModelPool,
};
use candle_signature::prompt::Message;
use candle_signature::remote::{
    Endpoint, Guidance, RemoteBackend, RemoteConfig, RemoteError, Retries, Timeouts,
};
use candle_signature::serve::{Running, Server};
use serde_json::{Value as Json, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

pub use crate::shared::{QA, QAInput, cause, logprobs_cover_the_text, nora};

/// A server of the embedded model.
pub struct Site {
    pub running: Running,
    pub adapter: CandleAdapter,
}

impl Site {
    pub async fn new() -> Self {
        Self::with_key(None).await
    }

    pub async fn with_key(key: Option<&str>) -> Self {
        let model = ModelPool::embedded().load_model(ModelPool::EMBEDDED).await;
        let model = model.expect("a model");
        let adapter = CandleAdapter::from_loaded_model(model, CandleConfig::default());
        let adapter = adapter.expect("an adapter");
        let mut builder = Server::builder(adapter.clone());
        if let Some(key) = key {
            builder = builder.api_key(key);
        }
        let server = builder.bind("127.0.0.1:0").await.expect("a server");
        Site {
            running: server.start(),
            adapter,
        }
    }

    pub fn endpoint(&self, guidance: Guidance) -> Endpoint {
        endpoint(&self.running.address().to_string()).with_guidance(guidance)
    }

    pub fn backend(&self, guidance: Guidance) -> RemoteBackend {
        RemoteBackend::new(self.endpoint(guidance), RemoteConfig::default()).expect("a backend")
    }

    /// Waits until the engine runs nothing.
    pub async fn is_at_rest(&self) {
        for _ in 0..400 {
            let stats = self.adapter.model().engine().stats();
            if stats.queued == 0 && stats.running == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("the engine still runs");
    }
}

pub fn endpoint(address: &str) -> Endpoint {
    Endpoint::new(&format!("http://{address}"), "embedded").expect("an endpoint")
}

/// What a server does with one request.
#[derive(Clone)]
pub enum Act {
    /// Sends these bytes and closes.
    Send(Vec<u8>),
    /// Sends these bytes and then nothing, until the client goes away.
    Stall(Vec<u8>),
    /// Sends these pieces, with a pause before each, and closes.
    Slowly(Vec<Vec<u8>>, Duration),
    /// Sends these bytes over and over until the client goes away.
    Endless(Vec<u8>, Vec<u8>),
    /// Waits and then sends.
    After(Duration, Vec<u8>),
}

/// A server that does what it is told: the acts in order, the last one for all further requests.
pub struct Odd {
    pub address: String,
    /// The bodies of the requests, with their heads and times.
    seen: Arc<Mutex<Vec<Seen>>>,
    /// How many clients went away while they were sent something.
    gone: Arc<Mutex<usize>>,
}

#[derive(Clone)]
pub struct Seen {
    pub head: String,
    pub body: Json,
    pub at: Instant,
}

impl Odd {
    pub async fn new(acts: impl Into<Vec<Act>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let seen = Arc::<Mutex<Vec<Seen>>>::default();
        let gone = Arc::<Mutex<usize>>::default();
        let (acts, log, lost) = (acts.into(), Arc::clone(&seen), Arc::clone(&gone));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acts, log, lost) = (acts.clone(), Arc::clone(&log), Arc::clone(&lost));
                tokio::spawn(async move { answer(stream, &acts, &log, &lost).await });
            }
        });
        Odd {
            address,
            seen,
            gone,
        }
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("no panic").clone()
    }

    pub fn bodies(&self) -> Vec<Json> {
        self.seen().into_iter().map(|seen| seen.body).collect()
    }

    pub fn gone(&self) -> usize {
        *self.gone.lock().expect("no panic")
    }

    pub fn endpoint(&self) -> Endpoint {
        endpoint(&self.address)
    }

    pub fn backend(&self) -> RemoteBackend {
        RemoteBackend::new(self.endpoint(), hasty()).expect("a backend")
    }
}

async fn answer(mut stream: TcpStream, acts: &[Act], log: &Mutex<Vec<Seen>>, gone: &Mutex<usize>) {
    let Some((head, body)) = request(&mut stream).await else {
        return;
    };
    let number = {
        let mut log = log.lock().expect("no panic");
        log.push(Seen {
            head,
            body,
            at: Instant::now(),
        });
        log.len() - 1
    };
    let act = acts.get(number).or(acts.last()).expect("an act").clone();
    let lost = match act {
        Act::Send(bytes) => stream.write_all(&bytes).await.is_err(),
        Act::After(wait, bytes) => {
            tokio::time::sleep(wait).await;
            stream.write_all(&bytes).await.is_err()
        }
        Act::Stall(bytes) => {
            drop(stream.write_all(&bytes).await);
            // A read ends when the client goes away.
            let mut byte = [0];
            matches!(stream.read(&mut byte).await, Ok(0) | Err(_))
        }
        Act::Slowly(pieces, pause) => {
            let mut lost = false;
            for piece in pieces {
                tokio::time::sleep(pause).await;
                lost |= stream.write_all(&piece).await.is_err();
            }
            lost
        }
        Act::Endless(first, again) => {
            drop(stream.write_all(&first).await);
            while stream.write_all(&again).await.is_ok() {}
            true
        }
    };
    *gone.lock().expect("no panic") += usize::from(lost);
}

/// Head and JSON of a request.
async fn request(stream: &mut TcpStream) -> Option<(String, Json)> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..at]).to_ascii_lowercase();
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .map_or(0, |length| length.trim().parse().expect("a length"));
            if bytes.len() >= at + 4 + length {
                let body = serde_json::from_slice(&bytes[at + 4..]).unwrap_or(Json::Null);
                return Some((head, body));
            }
        }
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return None,
            Ok(read) => bytes.extend_from_slice(&buffer[..read]),
        }
    }
}

/// An answer with a body of JSON.
pub fn json_answer(status: u16, headers: &str, body: &Json) -> Vec<u8> {
    plain_answer(
        status,
        &format!("content-type: application/json\r\n{headers}"),
        &body.to_string(),
    )
}

pub fn plain_answer(status: u16, headers: &str, body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 {status} Whatever\r\nconnection: close\r\n{headers}content-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// A reply of this text, of 7 and 3 tokens.
pub fn reply(text: &str) -> Vec<u8> {
    let body = json!({
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 7, "completion_tokens": 3},
    });
    json_answer(200, "", &body)
}

/// The head of a stream that ends with its connection.
pub fn stream_head() -> Vec<u8> {
    b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: text/event-stream; charset=utf-8\r\n\r\n".to_vec()
}

pub fn event(json: &Json) -> Vec<u8> {
    format!("data: {json}\n\n").into_bytes()
}

pub fn delta(text: &str) -> Vec<u8> {
    event(&json!({"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": null}]}))
}

/// A configuration for servers that fail: little patience, and short pauses.
pub fn hasty() -> RemoteConfig {
    RemoteConfig {
        timeouts: Timeouts {
            first_byte: Duration::from_millis(400),
            idle: Duration::from_millis(400),
            attempt: Duration::from_secs(5),
            total: Duration::from_secs(20),
            ..Timeouts::default()
        },
        retries: Retries {
            attempts: 3,
            base: Duration::from_millis(10),
            most: Duration::from_millis(20),
        },
        most_reply_bytes: 64 << 10,
        ..RemoteConfig::default()
    }
}

pub fn ask() -> CompletionRequest {
    CompletionRequest::new(vec![Message::user("hi")])
}

pub async fn complete(backend: &RemoteBackend) -> Result<Completion, CandleAdapterError> {
    backend.complete(ask()).await
}

/// The last attempt's error.
pub fn last(error: &CandleAdapterError) -> &RemoteError {
    match cause(error) {
        RemoteError::GaveUp { last, .. } => last,
        RemoteError::Deadline {
            last: Some(last), ..
        } => last,
        other => other,
    }
}

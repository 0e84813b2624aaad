//! A server on a free port, and the plainest of clients.

use std::time::Duration;

use candle_signature::adapter::{CandleAdapter, CandleConfig, EngineStats, ModelPool};
use candle_signature::serve::{Running, Server, ServerBuilder};
use serde_json::{Value as Json, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A server of the embedded model. Each has a model of its own, so that its statistics are.
pub struct Site {
    pub running: Running,
    pub adapter: CandleAdapter,
}

/// What a server answered.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    pub fn json(&self) -> Json {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    /// The JSON of an answer that must be one.
    pub fn ok(&self) -> Json {
        assert_eq!(self.status, 200, "{self:?}");
        self.json()
    }

    /// The events of a stream, without the last mark.
    pub fn events(&self) -> Vec<Json> {
        assert_eq!(self.status, 200, "{self:?}");
        let events = self.body.split("\n\n").filter(|event| !event.is_empty());
        let data: Vec<_> = events
            .map(|event| event.strip_prefix("data: ").expect("data"))
            .collect();
        assert_eq!(data.last(), Some(&"[DONE]"), "{data:?}");
        let whole = &data[..data.len() - 1];
        whole
            .iter()
            .map(|data| serde_json::from_str(data).expect("JSON"))
            .collect()
    }
}

impl Site {
    pub async fn new() -> Self {
        Self::with(|builder| builder).await
    }

    pub async fn with(change: impl FnOnce(ServerBuilder) -> ServerBuilder) -> Self {
        let model = ModelPool::embedded()
            .load_model(ModelPool::EMBEDDED)
            .await
            .expect("a model");
        let adapter =
            CandleAdapter::from_loaded_model(model, CandleConfig::default()).expect("an adapter");
        let server = change(Server::builder(adapter.clone()))
            .bind("127.0.0.1:0")
            .await
            .expect("a server");
        Site {
            running: server.start(),
            adapter,
        }
    }

    pub async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.running.address())
            .await
            .expect("connects")
    }

    /// Sends bytes and reads the answer.
    pub async fn send(&self, bytes: &[u8]) -> Answer {
        let mut stream = self.connect().await;
        // A server may answer before it has read all: then the rest can't be sent.
        drop(stream.write_all(bytes).await);
        read_answer(&mut stream).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(
            format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
                .as_bytes(),
        )
        .await
    }

    pub async fn post(&self, path: &str, body: &Json) -> Answer {
        self.send(&post_bytes(path, &body.to_string())).await
    }

    pub async fn chat(&self, body: &Json) -> Answer {
        self.post("/v1/chat/completions", body).await
    }

    pub fn stats(&self) -> EngineStats {
        self.adapter.model().engine().stats()
    }

    /// Waits until the engine has nothing to do and holds nothing but what it keeps for later.
    pub async fn is_at_rest(&self) -> EngineStats {
        for _ in 0..600 {
            let stats = self.stats();
            if stats.queued == 0 && stats.running == 0 && stats.cache.blocks_in_use == 0 {
                return stats;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("something is left: {:?}", self.stats());
    }
}

pub fn post_bytes(path: &str, body: &str) -> Vec<u8> {
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    (head + body).into_bytes()
}

/// All that comes until the connection ends.
pub async fn read_answer(stream: &mut TcpStream) -> Answer {
    let mut bytes = Vec::new();
    let reading = stream.read_to_end(&mut bytes);
    let read = tokio::time::timeout(Duration::from_secs(120), reading).await;
    // What arrived before a reset counts.
    drop(read.expect("an answer in time"));
    answer_of(&bytes)
}

fn answer_of(bytes: &[u8]) -> Answer {
    let text = String::from_utf8_lossy(bytes);
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return Answer {
            status: 0,
            head: text.into_owned(),
            body: String::new(),
        };
    };
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok())
        .unwrap_or(0);
    let body = match head.contains("transfer-encoding: chunked") {
        true => unchunked(body),
        false => body.to_owned(),
    };
    Answer {
        status,
        head: head.to_owned(),
        body,
    }
}

fn unchunked(mut body: &str) -> String {
    let mut whole = String::new();
    while let Some((size, rest)) = body.split_once("\r\n") {
        let Ok(size) = usize::from_str_radix(size, 16) else {
            break;
        };
        let Some(chunk) = rest.get(..size) else {
            break;
        };
        whole += chunk;
        body = rest.get(size + 2..).unwrap_or_default();
    }
    whole
}

/// A question that the model answers rightly.
pub fn question() -> Json {
    let system = "Your input fields are:\n1. `passage` (str): Text to read.\n2. `question` (str): \nYour output fields are:\n1. `answer` (str): A short answer.\n\
        All interactions will be structured in the following way, with the appropriate values filled in.\n\n[[ ## passage ## ]]\n{passage}\n\n[[ ## question ## ]]\n{question}\n\n\
        [[ ## answer ## ]]\n{answer}\n\n[[ ## completed ## ]]\nIn adhering to this structure, your objective is: \n        Answer the question from the passage.";
    let user = "[[ ## passage ## ]]\nNora is a baker from Lisbon.\n\n[[ ## question ## ]]\nWhere is Nora from?\n\n\
        Respond with the corresponding output fields, starting with the field `[[ ## answer ## ]]`, and then ending with the marker for `[[ ## completed ## ]]`.";
    json!([{"role": "system", "content": system}, {"role": "user", "content": user}])
}

/// A request for the answer.
pub fn ask() -> Json {
    json!({"model": "embedded", "messages": question(), "max_tokens": 60})
}

/// The same with more parameters.
pub fn ask_with(more: Json) -> Json {
    let mut body = ask();
    for (key, value) in more.as_object().expect("an object") {
        body[key] = value.clone();
    }
    body
}

/// Something that the model goes on and on about.
pub fn endless(tokens: usize) -> Json {
    json!({
        "model": "embedded",
        "messages": [{"role": "user", "content": "hi"}],
        "max_tokens": tokens,
        // Never the end of the reply.
        "logit_bias": {"4095": -100, "4093": -100},
    })
}

pub fn content(answer: &Json) -> String {
    let content = answer["choices"][0]["message"]["content"].as_str();
    content
        .unwrap_or_else(|| panic!("no content: {answer}"))
        .to_owned()
}

/// The text of a choice out of the events of a stream.
pub fn streamed(events: &[Json], choice: usize) -> String {
    let choices = events
        .iter()
        .flat_map(|event| event["choices"].as_array().expect("choices"));
    let deltas = choices.filter(|one| one["index"] == choice);
    deltas
        .filter_map(|one| one["delta"]["content"].as_str())
        .collect()
}

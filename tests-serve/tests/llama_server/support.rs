//! A llama-server of the embedded model, and plain HTTP to it.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use candle_signature::adapter::{CandleAdapter, CandleConfig, ModelPool};
use candle_signature::engine::ExportFormat;
use candle_signature::remote::{Endpoint, Guidance, RemoteBackend, RemoteConfig};
use candle_signature::{CandleSignature, CandleValue};
use serde_json::Value as Json;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

pub use crate::shared::{QA, QAInput, cause, logprobs_cover_the_text, nora};

/// Triage the ticket.
#[derive(CandleSignature)]
pub struct Triage {
    #[input]
    pub ticket: String,
    #[output]
    pub urgency: Urgency,
    #[output]
    pub tags: Vec<String>,
    #[output]
    pub owner: Option<String>,
    #[output]
    pub days: u8,
}

#[derive(CandleValue, Debug, Clone, PartialEq)]
pub enum Urgency {
    Low,
    High,
}

pub fn ticket() -> TriageInput {
    TriageInput {
        ticket: "The printer is on fire, call Ana.".into(),
    }
}

/// How long a server may take to read 10 MB on a busy machine.
const START: Duration = Duration::from_secs(60);

/// The exported model, once for all tests.
static MODEL: LazyLock<(TempDir, PathBuf)> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("embedded.gguf");
    ModelPool::export_embedded(&path, ExportFormat::AsStored).expect("an export");
    (folder, path)
});

/// A server; it ends with the test.
pub struct Llama {
    child: Child,
    pub address: SocketAddr,
    log: TempDir,
}

impl Llama {
    pub async fn new() -> Self {
        Llama::with(&[]).await
    }

    /// With further arguments.
    pub async fn with(arguments: &[&str]) -> Self {
        Llama::at(free_address(), arguments).await
    }

    /// At an address where one ran before.
    pub async fn at(address: SocketAddr, arguments: &[&str]) -> Self {
        let server = std::env::var_os("LLAMA_SERVER").expect(
            "LLAMA_SERVER names no llama-server: scripts/clients/llama_server.sh builds and names one",
        );
        let log = tempfile::tempdir().expect("a folder");
        let file = File::create(log.path().join("log")).expect("a log");
        let child = Command::new(server)
            .arg("--model")
            .arg(&MODEL.1)
            .args(["--alias", ModelPool::EMBEDDED])
            .args(["--host", "127.0.0.1", "--port", &address.port().to_string()])
            // Two at a time, each with all of the model's context.
            .args(["--parallel", "2", "--ctx-size", "2048", "--threads", "1"])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(file.try_clone().expect("a log"))
            .stderr(file)
            .spawn()
            .expect("LLAMA_SERVER is no program");
        let mut llama = Llama {
            child,
            address,
            log,
        };
        llama.is_there().await;
        llama
    }

    async fn is_there(&mut self) {
        let began = Instant::now();
        while began.elapsed() < START {
            // While it loads its model it answers 503.
            if let Ok((200, _)) = get(self.address, "/health").await {
                return;
            }
            if self.child.try_wait().expect("a child").is_some() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("no llama-server:\n{}", self.log());
    }

    /// What it wrote.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.log.path().join("log")).unwrap_or_default()
    }

    /// Ends at once, as by a crash.
    pub fn kill(&mut self) {
        self.child.kill().expect("a child");
        self.child.wait().expect("its end");
    }

    pub fn endpoint(&self, guidance: Guidance) -> Endpoint {
        let endpoint = Endpoint::new(&format!("http://{}", self.address), ModelPool::EMBEDDED);
        endpoint.expect("an endpoint").with_guidance(guidance)
    }

    pub fn backend(&self, guidance: Guidance) -> RemoteBackend {
        self.backend_with(guidance, RemoteConfig::default())
    }

    pub fn backend_with(&self, guidance: Guidance, config: RemoteConfig) -> RemoteBackend {
        RemoteBackend::new(self.endpoint(guidance), config).expect("a backend")
    }

    /// Waits until none of its slots runs anything.
    pub async fn is_at_rest(&self) {
        for _ in 0..200 {
            let (_, slots) = get(self.address, "/slots").await.expect("slots");
            let mut slots = slots.as_array().expect("a list").iter();
            if slots.all(|slot| slot["is_processing"] == false) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("it still runs:\n{}", self.log());
    }
}

impl Drop for Llama {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The same model in this process.
pub async fn local() -> CandleAdapter {
    let model = ModelPool::embedded().load_model(ModelPool::EMBEDDED).await;
    let adapter =
        CandleAdapter::from_loaded_model(model.expect("a model"), CandleConfig::default());
    adapter.expect("an adapter")
}

pub fn free_address() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    listener.local_addr().expect("an address")
}

pub async fn get(address: SocketAddr, path: &str) -> std::io::Result<(u16, Json)> {
    send(address, &format!("GET {path} HTTP/1.1\r\n"), "").await
}

pub async fn post(address: SocketAddr, path: &str, body: &Json) -> std::io::Result<(u16, Json)> {
    send(
        address,
        &format!("POST {path} HTTP/1.1\r\n"),
        &body.to_string(),
    )
    .await
}

/// Status and JSON of an answer.
async fn send(address: SocketAddr, first: &str, body: &str) -> std::io::Result<(u16, Json)> {
    let mut stream = TcpStream::connect(address).await?;
    let length = body.len();
    let head = format!(
        "{first}host: {address}\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    let answer = String::from_utf8_lossy(&answer);
    let status = answer.get(9..12).and_then(|status| status.parse().ok());
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    let json = serde_json::from_str(body).unwrap_or(Json::Null);
    Ok((status.unwrap_or(0), json))
}

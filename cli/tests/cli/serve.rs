//! `serve`: ready line, answers, keys, logs, Ctrl-C, and what is refused.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, ChildStdout};

use serde_json::{Value as Json, json};

use crate::support::{PASSAGE, QA, QUESTION, Ran, command, finish, run, run_qa};

/// A server on a port of its own, and its first lines.
struct Serving {
    child: Child,
    out: std::io::Lines<BufReader<ChildStdout>>,
    address: String,
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn serve(arguments: &[&str]) -> Serving {
    let mut child = command()
        .args([&["serve", "--port", "0"][..], arguments].concat())
        .spawn()
        .expect("it starts");
    let mut out = BufReader::new(child.stdout.take().expect("piped")).lines();
    let line = out.next().expect("a ready line").expect("text");
    let url = line.split("http://").nth(1).expect("a URL");
    let address = url.split('/').next().expect("an address").to_owned();
    Serving {
        child,
        out,
        address,
    }
}

fn ask(address: &str, head: &str, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).expect("it listens");
    let length = body.len();
    write!(
        stream,
        "{head} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {length}\r\n"
    )
    .expect("sent");
    write!(stream, "Content-Type: application/json\r\n\r\n{body}").expect("sent");
    answer(stream)
}

fn answer(mut stream: TcpStream) -> (u16, String) {
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("an answer");
    let status = text
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    let body = text.split_once("\r\n\r\n").map(|(_, body)| body.to_owned());
    (status.expect("a status"), body.unwrap_or_default())
}

const CHAT: &str =
    r#"{"model": "embedded", "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 4}"#;

#[test]
fn it_says_where_it_listens_and_answers_there() {
    let mut serving = serve(&["--alias", "gpt-4o-mini"]);
    let curl = serving.out.next().expect("a line").expect("text");
    assert!(curl.starts_with("try: curl http://127.0.0.1:"), "{curl}");
    let (status, body) = ask(&serving.address, "POST /v1/chat/completions", CHAT);
    assert_eq!(status, 200, "{body}");
    let (status, _) = ask(&serving.address, "GET /v1/models/gpt-4o-mini", "");
    assert_eq!(status, 200);
}

#[test]
fn with_json_each_request_is_a_line() {
    let mut child = command()
        .args(["serve", "--port", "0", "--json"])
        .spawn()
        .expect("it starts");
    let mut out = BufReader::new(child.stdout.take().expect("piped")).lines();
    let mut line = || -> Json {
        let line = out.next().expect("a line").expect("text");
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    };
    let ready = line();
    assert_eq!(
        (&ready["event"], &ready["models"]),
        (&json!("ready"), &json!(["embedded"]))
    );
    let url = ready["base_url"].as_str().expect("a URL");
    let address = url
        .trim_start_matches("http://")
        .trim_end_matches("/v1")
        .to_owned();
    let (status, _) = ask(&address, "GET /health", "");
    assert_eq!(status, 200);
    let told = line();
    assert_eq!(
        (&told["path"], &told["status"], &told["method"]),
        (&json!("/health"), &json!(200), &json!("GET"))
    );
    child.kill().expect("it runs");
    child.wait().expect("it ends");
}

#[test]
fn keys_are_asked_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let keys = folder.path().join("keys");
    std::fs::write(&keys, "\nsk-one\nsk-two\n").expect("written");
    let serving = serve(&["--api-key-file", keys.to_str().expect("UTF-8")]);
    assert_eq!(ask(&serving.address, "GET /v1/models", "").0, 401);
    let mut stream = TcpStream::connect(&serving.address).expect("it listens");
    write!(stream, "GET /v1/models HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer sk-two\r\nConnection: close\r\n\r\n", serving.address).expect("sent");
    assert_eq!(answer(stream).0, 200);
    std::fs::write(&keys, "\n\n").expect("written");
    run(&[
        "serve",
        "--port",
        "0",
        "--api-key-file",
        keys.to_str().expect("UTF-8"),
    ])
    .fails(2, "holds no key");
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_it_well() {
    let mut serving = serve(&[]);
    let _guard = crate::support::EndsInTime::of(&serving.child);
    crate::support::interrupt(&serving.child);
    assert!(serving.child.wait().expect("it ends").success());
    let mut err = String::new();
    serving
        .child
        .stderr
        .take()
        .expect("piped")
        .read_to_string(&mut err)
        .expect("text");
    assert!(err.contains("shutting down"), "{err}");
}

#[test]
fn what_can_not_be_served_is_refused() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("bound").port().to_string();
    let refused = |arguments: &[&str]| -> Ran { run(&[&["serve"], arguments].concat()) };
    refused(&["--port", &port]).fails(5, "choose another address, or port 0 for any free one");
    refused(&["--port", "0", "--host", "0.0.0.0"])
        .fails(2, "give --api-key, listen on 127.0.0.1, or say --open");
    refused(&["--port", "0", "-m", "a=embedded", "-m", "a=embedded"])
        .fails(2, "give one of them another name");
    refused(&["--port", "0", "-m", "./nowhere"]).fails(3, "no model at `./nowhere`");
    refused(&["--port", "0", "--max-requests", "0"]).fails(2, "requests is 0");
    refused(&["--port", "70000"]).fails(2, "70000");
    let mut key = command();
    key.env("CANDLE_SIGNATURE_API_KEY", "two words")
        .args(["serve", "--port", "0"]);
    finish(key.spawn().expect("it starts"))
        .fails(2, "an API key must be of visible ASCII characters");
}

#[test]
fn run_asks_a_server_as_it_asks_a_model() {
    let serving = serve(&[]);
    let url = format!("http://{}", serving.address);
    let asked = ["run", QA, "-i", PASSAGE, "-i", QUESTION, "--endpoint", &url];
    let ran = run(&asked).good();
    assert!(!ran.out.trim().is_empty(), "{ran:#?}");
    let streamed = run(&[&asked[..], &["--stream"]].concat()).good();
    assert_eq!(streamed.out, ran.out);
    run(&[&asked[..], &["-m", "no-such"]].concat()).fails(4, "no-such");
    drop(serving);
    run(&asked).fails(4, "is the server running");
    run_qa(&["--endpoint", "nowhere"]).fails(2, "http://host:port/v1");
}

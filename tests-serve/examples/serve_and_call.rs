//! A server and its client in one program: the embedded model behind an OpenAI-compatible endpoint on a free port, asked for a tool call, for JSON of
//! a schema, and for a stream. The client is a socket, so that nothing is hidden.
//!
//! `cargo run --release -p candle-signature-tests-serve --example serve_and_call`

use std::net::SocketAddr;

use anyhow::Context as _;
use candle_signature::adapter::{CandleAdapter, CandleConfig, ModelPool};
use candle_signature::serve::Server;
use serde_json::{Value as Json, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// The body of the answer to a chat request.
async fn chat(server: SocketAddr, request: Json) -> anyhow::Result<String> {
    let body = request.to_string();
    let head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: {server}\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let mut connection = TcpStream::connect(server).await?;
    connection.write_all((head + &body).as_bytes()).await?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await?;
    let (_, body) = answer.split_once("\r\n\r\n").context("no HTTP")?;
    Ok(body.to_owned())
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let model = ModelPool::embedded()
        .load_model(ModelPool::EMBEDDED)
        .await?;
    let adapter = CandleAdapter::from_loaded_model(model, CandleConfig::default())?;
    let server = Server::builder(adapter).bind("127.0.0.1:0").await?.start();
    println!("serving at {}", server.base_url());

    let messages = json!([{"role": "user", "content": "What is the weather in Rome?"}]);
    let tool = json!({"type": "function", "function": {
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    }});
    let request = json!({"model": "embedded", "messages": messages, "max_tokens": 80, "tools": [tool], "tool_choice": "required"});
    let answer: Json = serde_json::from_str(&chat(server.address(), request).await?)?;
    println!(
        "tool call: {}",
        answer["choices"][0]["message"]["tool_calls"][0]["function"]
    );

    let schema = json!({"type": "object", "properties": {"mood": {"enum": ["good", "bad"]}, "stars": {"type": "integer", "minimum": 1, "maximum": 5}},
        "required": ["mood", "stars"], "additionalProperties": false});
    let format = json!({"type": "json_schema", "json_schema": {"name": "mood", "schema": schema}});
    let request = json!({"model": "embedded", "messages": messages, "max_tokens": 40, "response_format": format});
    let answer: Json = serde_json::from_str(&chat(server.address(), request).await?)?;
    println!(
        "JSON: {}   {}",
        answer["choices"][0]["message"]["content"], answer["usage"]
    );

    let request =
        json!({"model": "embedded", "messages": messages, "max_tokens": 4, "stream": true});
    let events = chat(server.address(), request).await?;
    let events = events.lines().filter(|line| line.starts_with("data: "));
    println!("stream: {} events", events.count());
    server.shutdown().await?;
    Ok(())
}

//! Clients as they come: many at once, gone before the end, slow, half-closed. Nothing is left of them.

use std::time::Duration;

use candle_signature::serve::Limits;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::support::{Site, ask, content, endless, post_bytes, read_answer, streamed};

async fn until(what: &str, is_so: impl Fn() -> bool) {
    for _ in 0..1000 {
        if is_so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("never: {what}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_at_once_all_get_the_right_answer() {
    let site = Site::new().await;
    let right = content(&site.chat(&ask()).await.ok());
    let mut streaming = ask();
    streaming["stream"] = json!(true);
    let clients = (0..200).map(async |client: usize| match client % 2 {
        0 => content(&site.chat(&ask()).await.ok()),
        _ => streamed(&site.chat(&streaming).await.events(), 0),
    });
    let answers = futures::future::join_all(clients).await;
    assert_eq!(answers.len(), 200);
    assert!(answers.iter().all(|answer| *answer == right));
    let stats = site.is_at_rest().await;
    assert_eq!(stats.finished, 201);
}

#[tokio::test]
async fn a_client_that_is_gone_costs_nothing_more() {
    let site = Site::new().await;
    for stream in [false, true] {
        let mut body = endless(1000);
        body["stream"] = json!(stream);
        let before = site.stats().cancelled;
        let mut connection = site.connect().await;
        connection
            .write_all(&post_bytes("/v1/chat/completions", &body.to_string()))
            .await
            .unwrap();
        until("it runs", || site.stats().running == 1).await;
        drop(connection);
        until("it is cancelled", || site.stats().cancelled == before + 1).await;
        let stats = site.is_at_rest().await;
        assert!(stats.decoded_tokens < 1800, "{stats:?}");
    }
}

#[tokio::test]
async fn a_client_that_closes_its_half_is_taken_to_be_gone() {
    let site = Site::new().await;
    let mut connection = site.connect().await;
    connection
        .write_all(&post_bytes(
            "/v1/chat/completions",
            &endless(1000).to_string(),
        ))
        .await
        .unwrap();
    until("it runs", || site.stats().running == 1).await;
    connection.shutdown().await.unwrap();
    until("it is cancelled", || site.stats().cancelled == 1).await;
    site.is_at_rest().await;
    // What was answered before the half was closed is not lost.
    assert_eq!(site.chat(&ask()).await.status, 200);
}

#[tokio::test]
async fn a_reader_that_stops_is_let_go_and_a_slow_one_is_not() {
    let mut limits = Limits::default();
    limits.write_time = Duration::from_millis(500);
    let site = Site::with(|builder| builder.limits(limits)).await;
    // As large as the answer must be to fill what systems keep for a connection.
    let mut body = endless(900);
    (
        body["stream"],
        body["n"],
        body["logprobs"],
        body["top_logprobs"],
    ) = (json!(true), json!(16), json!(true), json!(20));
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut stopped = socket.connect(site.running.address()).await.unwrap();
    stopped
        .write_all(&post_bytes("/v1/chat/completions", &body.to_string()))
        .await
        .unwrap();
    until("it runs", || site.stats().running > 0).await;
    let mut slow = site.connect().await;
    let mut short = endless(40);
    short["stream"] = json!(true);
    slow.write_all(&post_bytes("/v1/chat/completions", &short.to_string()))
        .await
        .unwrap();
    let mut read = Vec::new();
    let mut buffer = [0; 256];
    while let Ok(Ok(bytes)) =
        tokio::time::timeout(Duration::from_secs(60), slow.read(&mut buffer)).await
    {
        if bytes == 0 {
            break;
        }
        read.extend_from_slice(&buffer[..bytes]);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(String::from_utf8_lossy(&read).contains("[DONE]"));
    site.is_at_rest().await;
    drop(stopped);
}

#[tokio::test]
async fn one_connection_serves_request_after_request() {
    let site = Site::new().await;
    let mut connection = site.connect().await;
    let request = String::from_utf8(post_bytes(
        "/v1/completions",
        &json!({"model": "embedded", "prompt": "a", "max_tokens": 2}).to_string(),
    ))
    .unwrap();
    let kept = request.replace("connection: close", "connection: keep-alive");
    connection
        .write_all((kept.clone() + &kept + &request).as_bytes())
        .await
        .unwrap();
    let all = read_answer(&mut connection).await;
    assert_eq!((all.head + &all.body).matches("text_completion").count(), 3);
}

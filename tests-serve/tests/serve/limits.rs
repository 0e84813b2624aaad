//! What clients can't use up: bodies, time, places; and who is let in.

use std::time::{Duration, Instant};

use candle_signature::serve::{Limits, ServeError, Server};
use serde_json::json;
use tokio::io::AsyncWriteExt as _;

use super::support::{Site, ask, endless, post_bytes, read_answer};

fn limits(change: impl FnOnce(&mut Limits)) -> Limits {
    let mut limits = Limits::default();
    change(&mut limits);
    limits
}

#[tokio::test]
async fn a_huge_body_is_refused_and_not_kept() {
    let site = Site::with(|builder| builder.limits(limits(|l| l.body_bytes = 10_000))).await;
    let huge = format!("{{\"model\": \"{}\"}}", "x".repeat(3_000_000));
    let answer = site.send(&post_bytes("/v1/chat/completions", &huge)).await;
    assert_eq!(answer.status, 413, "{answer:?}");
    assert_eq!(answer.json()["error"]["code"], "request_too_large");
    // Nor is one whose size is not said beforehand.
    let head = "POST /v1/completions HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
    let chunk = format!("1000\r\n{}\r\n", "y".repeat(0x1000));
    let answer = site
        .send((head.to_owned() + &chunk.repeat(20) + "0\r\n\r\n").as_bytes())
        .await;
    assert_eq!(answer.status, 413, "{answer:?}");
    assert!(site.chat(&ask()).await.status == 200);
}

#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let site =
        Site::with(|builder| builder.limits(limits(|l| l.read_time = Duration::from_millis(300))))
            .await;
    let whole = post_bytes("/v1/chat/completions", &ask().to_string());
    let mut stream = site.connect().await;
    stream.write_all(&whole[..whole.len() - 10]).await.unwrap();
    let started = Instant::now();
    let answer = read_answer(&mut stream).await;
    assert_eq!(answer.status, 408, "{answer:?}");
    assert!(started.elapsed() < Duration::from_secs(10));
    // A head that does not come has no answer, and its connection ends.
    let mut stream = site.connect().await;
    stream.write_all(b"POST /v1/chat/comp").await.unwrap();
    let answer = read_answer(&mut stream).await;
    assert!([0, 408].contains(&answer.status), "{answer:?}");
}

#[tokio::test]
async fn only_json_is_read() {
    let site = Site::new().await;
    let bytes = post_bytes("/v1/chat/completions", &ask().to_string());
    let text = String::from_utf8(bytes).unwrap();
    for kind in ["text/plain", "application/x-www-form-urlencoded"] {
        let answer = site
            .send(text.replace("application/json", kind).as_bytes())
            .await;
        assert_eq!(answer.status, 415, "{answer:?}");
    }
    let with_charset = text.replace("application/json", "application/json; charset=utf-8");
    assert_eq!(site.send(with_charset.as_bytes()).await.status, 200);
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_ended() {
    let limits = limits(|l| (l.request_time, l.choices) = (Duration::from_secs(2), 64));
    let site = Site::with(|builder| builder.limits(limits)).await;
    let body = {
        let mut body = endless(1000);
        body["n"] = json!(64);
        body
    };
    let answer = site.chat(&body).await;
    assert_eq!(answer.status, 504, "{answer:?}");
    assert_eq!(answer.json()["error"]["type"], "timeout_error");
    let mut streamed = body.clone();
    streamed["stream"] = json!(true);
    let answer = site.chat(&streamed).await;
    assert_eq!(answer.status, 200);
    let last = answer.body.trim_end().rsplit("data: ").next().unwrap();
    let error: serde_json::Value = serde_json::from_str(last).expect("an event of an error");
    assert_eq!(error["error"]["type"], "timeout_error", "{last}");
    site.is_at_rest().await;
}

#[tokio::test]
async fn too_many_at_a_time_are_told_to_come_again() {
    let site = Site::with(|builder| builder.limits(limits(|l| l.requests = 2))).await;
    let bodies = vec![endless(200); 12];
    let answers = futures::future::join_all(bodies.iter().map(|body| site.chat(body))).await;
    let count = |status| {
        answers
            .iter()
            .filter(|answer| answer.status == status)
            .count()
    };
    assert!(count(200) >= 2, "{answers:?}");
    assert!(count(429) >= 1, "{answers:?}");
    assert_eq!(count(200) + count(429), 12);
    let busy = answers.iter().find(|answer| answer.status == 429).unwrap();
    assert!(busy.head.contains("retry-after"), "{}", busy.head);
    assert_eq!(busy.json()["error"]["code"], "rate_limit_exceeded");
    assert_eq!(site.chat(&ask()).await.status, 200);
}

#[tokio::test]
async fn only_those_with_a_key_are_let_in() {
    let site = Site::with(|builder| builder.api_key("sk-right").api_key("sk-other")).await;
    let with = |key: &str| {
        let bytes =
            String::from_utf8(post_bytes("/v1/chat/completions", &ask().to_string())).unwrap();
        bytes.replace(
            "host: localhost",
            &format!("host: localhost\r\nauthorization: {key}"),
        )
    };
    for key in ["Bearer sk-right", "bearer sk-other"] {
        assert_eq!(site.send(with(key).as_bytes()).await.status, 200);
    }
    for key in ["Bearer sk-wrong", "Bearer", "Basic sk-right", "sk-right"] {
        let answer = site.send(with(key).as_bytes()).await;
        assert_eq!(answer.status, 401, "{key}");
        assert_eq!(answer.json()["error"]["code"], "invalid_api_key");
    }
    for path in ["/v1/models", "/metrics", "/nothing"] {
        assert_eq!(site.get(path).await.status, 401, "{path}");
    }
    assert_eq!(site.get("/health").await.status, 200);
}

#[tokio::test]
async fn other_machines_are_let_in_only_on_purpose() {
    let adapter = Site::new().await.adapter;
    let open = Server::builder(adapter.clone()).bind("0.0.0.0:0").await;
    assert!(matches!(open, Err(ServeError::Open { .. })), "{open:?}");
    assert!(
        Server::builder(adapter.clone())
            .api_key("k")
            .bind("0.0.0.0:0")
            .await
            .is_ok()
    );
    assert!(
        Server::builder(adapter.clone())
            .open_to_the_network()
            .bind("0.0.0.0:0")
            .await
            .is_ok()
    );
    let taken = Server::builder(adapter.clone())
        .bind("127.0.0.1:0")
        .await
        .unwrap();
    let again = Server::builder(adapter.clone())
        .bind(taken.address().to_string())
        .await;
    assert!(matches!(again, Err(ServeError::Bind { .. })), "{again:?}");
    let nonsense = Server::builder(adapter.clone()).bind("no address").await;
    assert!(
        matches!(nonsense, Err(ServeError::Bind { .. })),
        "{nonsense:?}"
    );
    let key = Server::builder(adapter.clone())
        .api_key("a b")
        .bind("127.0.0.1:0")
        .await;
    assert!(matches!(key, Err(ServeError::Setting { .. })), "{key:?}");
    let name = Server::builder(adapter.clone())
        .model("embedded", adapter)
        .bind("127.0.0.1:0")
        .await;
    assert!(matches!(name, Err(ServeError::SameName { .. })), "{name:?}");
}

#[tokio::test]
async fn a_page_that_calls_this_machine_by_its_own_name_is_not_answered() {
    let site = Site::with(|builder| builder.host("box.lan")).await;
    let bytes = String::from_utf8(post_bytes("/v1/chat/completions", &ask().to_string())).unwrap();
    let evil = site
        .send(bytes.replace("localhost", "evil.example").as_bytes())
        .await;
    assert_eq!(
        (evil.status, evil.json()["error"]["code"].as_str()),
        (403, Some("unknown_host"))
    );
    assert_eq!(
        site.send(bytes.replace("localhost", "box.lan:80").as_bytes())
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn limits_beyond_what_clocks_can_tell_are_no_limits() {
    let site = Site::with(|builder| {
        builder.limits(limits(|l| {
            (l.requests, l.connections) = (usize::MAX, usize::MAX);
            l.request_time = Duration::MAX;
            (l.read_time, l.write_time, l.shutdown_time) =
                (Duration::MAX, Duration::MAX, Duration::MAX);
        }))
    })
    .await;
    assert_eq!(site.chat(&ask()).await.status, 200);
    let none = Server::builder(site.adapter.clone())
        .limits(limits(|l| l.requests = 0))
        .bind("127.0.0.1:0")
        .await;
    assert!(matches!(none, Err(ServeError::Setting { .. })), "{none:?}");
    site.running.shutdown().await.unwrap();
}

#[tokio::test]
async fn a_shutdown_lets_requests_end() {
    let site = Site::new().await;
    let mut stream = site.connect().await;
    let body = endless(150);
    stream
        .write_all(&post_bytes("/v1/chat/completions", &body.to_string()))
        .await
        .unwrap();
    while site.stats().running == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let address = site.running.address();
    let (ended, answer) = tokio::join!(site.running.shutdown(), read_answer(&mut stream));
    ended.unwrap();
    assert_eq!(answer.ok()["usage"]["completion_tokens"], 150);
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn a_shutdown_does_not_wait_forever() {
    let site = Site::with(|builder| {
        builder.limits(limits(|l| l.shutdown_time = Duration::from_millis(100)))
    })
    .await;
    let mut stream = site.connect().await;
    let mut body = endless(900);
    body["n"] = json!(16);
    stream
        .write_all(&post_bytes("/v1/chat/completions", &body.to_string()))
        .await
        .unwrap();
    while site.stats().running == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let started = Instant::now();
    let (adapter, running) = (site.adapter, site.running);
    running.shutdown().await.unwrap();
    assert!(started.elapsed() < Duration::from_secs(5));
    // The rows are cancelled with their connection.
    for _ in 0..200 {
        if adapter.model().engine().stats().running == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("rows are left: {:?}", adapter.model().engine().stats());
}

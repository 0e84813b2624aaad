//! Servers that do what none should: every one costs an error in time, and no panic.

use std::time::{Duration, Instant};

use candle_signature::adapter::{Backend as _, Fault};
use candle_signature::remote::{RemoteBackend, RemoteError};
use futures::StreamExt as _;
use serde_json::json;

use super::support::{
    Act, Odd, ask, cause, complete, delta, event, hasty, json_answer, last, plain_answer, reply,
    stream_head,
};

#[tokio::test]
async fn what_is_no_reply_is_told_by_what_it_is() {
    for (answer, says) in [
        (plain_answer(200, "content-type: text/html\r\n", "<html>"), "text/html"),
        (plain_answer(200, "content-type: application/json\r\n", "{\"a\""), "no JSON"),
        (plain_answer(200, "content-type: application/json\r\n", ""), "no JSON"),
        (json_answer(200, "", &json!({"choices": []})), "choices"),
        (json_answer(200, "", &json!([[[]]])), "choices"),
        (json_answer(200, "", &json!({"choices": [{"message": {"content": {"a": 1}}}]})), "content"),
        (json_answer(200, "", &json!({"error": {"message": "no luck"}})), "no luck"),
        (json_answer(302, "location: http://elsewhere/\r\n", &json!({})), "elsewhere"),
        (json_answer(418, "", &json!({"detail": "teapot"})), "teapot"),
        (b"SSH-2.0-OpenSSH_9\r\n".to_vec(), "broke off"),
        (b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{".to_vec(), "broke off"),
        (b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n".to_vec(), "broke off"),
        (Vec::new(), "broke off"),
        (plain_answer(200, "content-type: application/json\r\n", &"[".repeat(60_000)), "no JSON"),
    ] {
        let odd = Odd::new([Act::Send(answer.clone())]).await;
        let error = complete(&odd.backend()).await.expect_err("no reply");
        let shown = String::from_utf8_lossy(&answer[..answer.len().min(90)]).into_owned();
        assert!(error.to_string().contains(says), "{shown}: {error}");
        // In a stream as well.
        let mut stream = odd.backend().stream(ask()).await;
        let error = stream.next().await.expect("an item").expect_err("no reply");
        assert!(error.to_string().contains(says), "{shown}: {error}");
        assert!(stream.next().await.is_none());
    }
}

#[tokio::test]
async fn events_that_are_none_are_told_by_what_they_are() {
    for (events, says) in [
        (b"data: {\"a\n\n".to_vec(), "no JSON"),
        (b"data: 7\n\n".to_vec(), "no object"),
        (b"data: \xff\xfe\n\n".to_vec(), "UTF-8"),
        (
            event(&json!({"error": {"message": "out of memory", "code": 507}})),
            "out of memory",
        ),
        (Vec::new(), "ended before"),
        (b": only comments\n\n".to_vec(), "ended before"),
        (
            [delta("half"), event(&json!({"error": "stopped"}))].concat(),
            "stopped",
        ),
        (delta("half a rep"), "ended before"),
        (
            event(&json!({"choices": [{"delta": {}, "finish_reason": "content_filter"}]})),
            "filter",
        ),
    ] {
        let odd = Odd::new([Act::Send([stream_head(), events.clone()].concat())]).await;
        let mut stream = odd.backend().stream(ask()).await;
        let mut last = None;
        while let Some(item) = stream.next().await {
            last = Some(item);
        }
        let error = last.expect("an item").expect_err("no reply");
        assert!(
            error.to_string().contains(says),
            "{:?}: {error}",
            String::from_utf8_lossy(&events)
        );
        assert!(stream.completion().is_none());
    }
}

#[tokio::test]
async fn endless_answers_are_cut() {
    let chunk = b"x".repeat(8192);
    let json_head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n".to_vec();
    let odd = Odd::new([Act::Endless(json_head, chunk.clone())]).await;
    let error = complete(&odd.backend()).await.expect_err("cut");
    assert!(
        matches!(cause(&error), RemoteError::TooLong { .. }),
        "{error}"
    );
    for (first, again) in [
        // A line without end, an event without end, a text without end, comments without end.
        (b"data: ".to_vec(), chunk.clone()),
        (Vec::new(), b"data: 0123456789\n".repeat(100)),
        (Vec::new(), delta("more and more and more")),
        (Vec::new(), b": nothing\n\n".repeat(200)),
    ] {
        let odd = Odd::new([Act::Endless([stream_head(), first].concat(), again)]).await;
        let mut stream = odd.backend().stream(ask()).await;
        let mut last = None;
        while let Some(item) = stream.next().await {
            last = Some(item);
        }
        let error = last.expect("an item").expect_err("cut");
        assert!(
            matches!(cause(&error), RemoteError::TooLong { .. }),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_server_that_stalls_is_given_up() {
    // No head, half a head, half a body, half a stream.
    for (bytes, streams) in [
        (Vec::new(), true),
        (b"HTTP/1.1 200 OK\r\ncontent-ty".to_vec(), true),
        (reply("hi")[..60].to_vec(), true),
        ([stream_head(), delta("half")].concat(), true),
        (
            b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{".to_vec(),
            false,
        ),
    ] {
        let odd = Odd::new([Act::Stall(bytes)]).await;
        let began = Instant::now();
        let error = if streams {
            let mut stream = odd.backend().stream(ask()).await;
            let mut last = None;
            while let Some(item) = stream.next().await {
                last = Some(item);
            }
            last.expect("an item").expect_err("late")
        } else {
            complete(&odd.backend()).await.expect_err("late")
        };
        assert!(
            matches!(last(&error), RemoteError::Timeout { .. }),
            "{error}"
        );
        assert_eq!(error.fault(), Fault::Deadline);
        assert!(
            began.elapsed() < Duration::from_secs(8),
            "{:?}",
            began.elapsed()
        );
    }
}

#[tokio::test]
async fn nobody_there_says_so() {
    let backend = RemoteBackend::new(super::support::endpoint("127.0.0.1:1"), hasty());
    let error = complete(&backend.expect("a backend"))
        .await
        .expect_err("nobody");
    assert!(
        matches!(last(&error), RemoteError::Connect { .. }),
        "{error}"
    );
    let text = error.to_string();
    assert!(
        text.contains("127.0.0.1:1") && text.contains("is the server running"),
        "{text}"
    );
}

#[tokio::test]
async fn bytes_of_every_kind_make_no_panic() {
    // Cut a good answer everywhere, and flip bytes of it.
    let good = [
        stream_head(),
        delta("né"),
        event(&json!({"choices": [{"delta": {}, "finish_reason": "stop"}], "usage": {"prompt_tokens": 1}})),
        b"data: [DONE]\n\n".to_vec(),
    ]
    .concat();
    let mut acts = Vec::new();
    for at in (0..good.len()).step_by(3) {
        acts.push(Act::Send(good[..at].to_vec()));
        let mut flipped = good.clone();
        flipped[at] ^= 0x95;
        acts.push(Act::Send(flipped));
    }
    let count = acts.len();
    let odd = Odd::new(acts).await;
    let mut config = hasty();
    config.retries.attempts = 1;
    config.circuit.failures = usize::MAX;
    let backend = RemoteBackend::new(odd.endpoint(), config).expect("a backend");
    let mut whole = 0;
    for _ in 0..count {
        let mut stream = backend.stream(ask()).await;
        while let Some(item) = stream.next().await {
            drop(item);
        }
        whole += usize::from(stream.completion().is_some());
    }
    assert!(whole > 0 && whole < count, "{whole} of {count}");
}

#[tokio::test]
async fn a_server_that_repeats_the_key_does_not_make_it_known() {
    let odd = Odd::new([Act::Send(json_answer(
        401,
        "",
        &json!({"error": {"message": "Incorrect API key provided: sk-very-secret"}}),
    ))])
    .await;
    let endpoint = odd
        .endpoint()
        .with_api_key("sk-very-secret")
        .expect("a key");
    let backend = RemoteBackend::new(endpoint, hasty()).expect("a backend");
    let error = complete(&backend).await.expect_err("refused");
    assert!(
        !format!("{error} {error:?}").contains("very-secret"),
        "{error}"
    );
    assert!(
        odd.seen()[0]
            .head
            .contains("authorization: bearer sk-very-secret")
    );
}

#[tokio::test]
async fn a_server_that_is_only_slow_is_waited_for() {
    let end = event(&json!({"choices": [{"delta": {}, "finish_reason": "stop"}]}));
    // Each piece comes within the limit, all together do not.
    let pieces = vec![stream_head(), delta("a"), delta("b"), delta("c"), end];
    let odd = Odd::new([Act::Slowly(pieces, Duration::from_millis(150))]).await;
    let mut stream = odd.backend().stream(ask()).await;
    let mut text = String::new();
    while let Some(piece) = stream.next().await {
        text += &piece.expect("no error");
    }
    assert_eq!(text, "abc");
}

//! Sending again, waiting, and bounds on how much at a time.

use std::time::{Duration, Instant, SystemTime};

use candle_signature::adapter::{Backend as _, Fault, Overrides};
use candle_signature::remote::{RemoteBackend, RemoteError};
use futures::StreamExt as _;
use futures::future::join_all;
use serde_json::json;

use super::support::{
    Act, Odd, ask, cause, complete, delta, event, hasty, json_answer, last, reply, stream_head,
};

fn busy(headers: &str) -> Act {
    Act::Send(json_answer(
        429,
        headers,
        &json!({"error": {"message": "slow down"}}),
    ))
}

fn failing() -> Act {
    Act::Send(json_answer(500, "", &json!({"error": {"message": "boom"}})))
}

#[tokio::test]
async fn what_may_pass_is_sent_again() {
    for first in [
        failing(),
        Act::Send(json_answer(503, "", &json!({}))),
        Act::Send(json_answer(408, "", &json!({}))),
        busy(""),
        Act::Send(Vec::new()),
    ] {
        let odd = Odd::new([first, Act::Send(reply("well"))]).await;
        let completion = complete(&odd.backend()).await.expect("a reply");
        assert_eq!((completion.text.as_str(), completion.resends), ("well", 1));
        assert_eq!(odd.seen().len(), 2);
    }
}

#[tokio::test]
async fn what_can_not_pass_is_sent_once() {
    for status in [400, 401, 403, 404, 413, 422] {
        let odd = Odd::new([Act::Send(json_answer(
            status,
            "",
            &json!({"message": "no"}),
        ))])
        .await;
        let error = complete(&odd.backend()).await.expect_err("refused");
        assert_eq!(error.fault(), Fault::Request);
        assert_eq!(odd.seen().len(), 1, "{status}");
    }
}

#[tokio::test]
async fn attempts_are_bounded() {
    let odd = Odd::new([failing()]).await;
    let error = complete(&odd.backend()).await.expect_err("never well");
    assert!(
        matches!(cause(&error), RemoteError::GaveUp { attempts: 3, .. }),
        "{error}"
    );
    assert!(error.to_string().contains("boom"), "{error}");
    assert_eq!(odd.seen().len(), 3);
}

#[tokio::test]
async fn retry_after_is_kept_in_seconds_and_as_a_date() {
    // A date has whole seconds: two from now is more than one.
    let date = || httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(2));
    for is_date in [false, true] {
        let made = Instant::now();
        let wait = if is_date { date() } else { "1".into() };
        let odd = Odd::new([
            busy(&format!("retry-after: {wait}\r\n")),
            Act::Send(reply("well")),
        ])
        .await;
        complete(&odd.backend()).await.expect("a reply");
        let waited = odd.seen()[1].at - made;
        assert!(waited >= Duration::from_secs(1), "{wait}: {waited:?}");
    }
}

#[tokio::test]
async fn who_would_have_to_wait_too_long_learns_so_at_once() {
    let odd = Odd::new([busy("retry-after: 100\r\n")]).await;
    let began = Instant::now();
    let error = complete(&odd.backend()).await.expect_err("busy");
    assert!(
        matches!(last(&error), RemoteError::Status { status: 429, .. }),
        "{error}"
    );
    assert_eq!(error.fault(), Fault::Busy);
    assert!(
        began.elapsed() < Duration::from_secs(2),
        "{:?}",
        began.elapsed()
    );
}

#[tokio::test]
async fn the_deadline_is_over_all_attempts() {
    let odd = Odd::new([Act::Stall(Vec::new())]).await;
    let call = Overrides {
        timeout_ms: Some(300),
        ..Overrides::default()
    };
    let began = Instant::now();
    let error = odd.backend().complete(ask().with_overrides(call)).await;
    let error = error.expect_err("late");
    assert!(
        matches!(cause(&error), RemoteError::Deadline { .. }),
        "{error}"
    );
    assert_eq!(error.fault(), Fault::Deadline);
    let took = began.elapsed();
    assert!(
        took >= Duration::from_millis(300) && took < Duration::from_secs(2),
        "{took:?}"
    );
}

#[tokio::test]
async fn a_stream_is_sent_again_before_its_first_text_and_never_after() {
    let role = event(&json!({"choices": [{"delta": {"role": "assistant"}}]}));
    let cut = Act::Send([stream_head(), role].concat());
    let end = event(&json!({"choices": [{"delta": {}, "finish_reason": "stop"}]}));
    let whole = [stream_head(), delta("we"), delta("ll"), end].concat();
    let odd = Odd::new([cut, Act::Send(whole)]).await;
    let mut stream = odd.backend().stream(ask()).await;
    let mut text = String::new();
    while let Some(piece) = stream.next().await {
        text += &piece.expect("no error");
    }
    assert_eq!(text, "well");
    assert_eq!(stream.completion().map(|whole| whole.resends), Some(1));
    let odd = Odd::new([Act::Send([stream_head(), delta("half")].concat())]).await;
    let mut stream = odd.backend().stream(ask()).await;
    assert_eq!(stream.next().await.expect("text").expect("text"), "half");
    assert!(stream.next().await.expect("an item").is_err());
    assert_eq!(odd.seen().len(), 1);
}

#[tokio::test]
async fn so_many_requests_are_under_way_and_no_more() {
    let odd = Odd::new([Act::After(Duration::from_millis(100), reply("well"))]).await;
    let endpoint = odd.endpoint().with_concurrency(2);
    let backend = RemoteBackend::new(endpoint, hasty()).expect("a backend");
    let began = Instant::now();
    let watch = async {
        let mut most = 0;
        while began.elapsed() < Duration::from_millis(280) {
            most = most.max(backend.stats()[0].outstanding);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        most
    };
    let (replies, most) = tokio::join!(join_all((0..6).map(|_| complete(&backend))), watch);
    assert!(replies.iter().all(Result::is_ok));
    assert_eq!(most, 2);
    assert!(began.elapsed() >= Duration::from_millis(300));
}

#[tokio::test]
async fn requests_a_minute_are_bounded() {
    let odd = Odd::new([Act::Send(reply("well"))]).await;
    // Two at once, then one each half second.
    let endpoint = odd.endpoint().with_requests_per_minute(120);
    let backend = RemoteBackend::new(endpoint, hasty()).expect("a backend");
    for _ in 0..120 {
        complete(&backend).await.expect("a reply");
    }
    let began = Instant::now();
    complete(&backend).await.expect("a reply");
    complete(&backend).await.expect("a reply");
    let took = began.elapsed();
    assert!(
        took > Duration::from_millis(300) && took < Duration::from_secs(3),
        "{took:?}"
    );
}

#[tokio::test]
async fn tokens_a_minute_are_counted_as_the_server_counts_them() {
    let odd = Odd::new([Act::Send(reply("well"))]).await;
    // A request is taken for 512 tokens, and turns out to be one of 10.
    let endpoint = odd.endpoint().with_tokens_per_minute(600);
    let backend = RemoteBackend::new(endpoint, hasty()).expect("a backend");
    let began = Instant::now();
    for _ in 0..5 {
        complete(&backend).await.expect("a reply");
    }
    assert!(
        began.elapsed() < Duration::from_secs(2),
        "what was not used is given back"
    );
    let call = Overrides {
        timeout_ms: Some(100),
        ..Overrides::default()
    };
    for _ in 0..60 {
        let request = ask().with_overrides(call);
        if let Err(error) = backend.complete(request).await {
            assert!(error.to_string().contains("rate limit"), "{error}");
            assert_eq!(error.fault(), Fault::Busy);
            return;
        }
    }
    panic!("the limit was never reached");
}

#[tokio::test]
async fn dropping_a_request_closes_its_connection() {
    let odd = Odd::new([Act::Stall(Vec::new())]).await;
    let backend = odd.backend();
    let waited = tokio::time::timeout(Duration::from_millis(100), complete(&backend)).await;
    assert!(waited.is_err());
    for _ in 0..100 {
        if odd.gone() == 1 {
            let stats = &backend.stats()[0];
            assert_eq!((stats.outstanding, stats.cancelled), (0, 1));
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the connection stays open");
}

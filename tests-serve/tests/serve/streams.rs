//! Streams: the same as whole replies, in pieces.

use serde_json::json;

use super::support::{Site, ask, ask_with, content, endless, streamed};

#[tokio::test]
async fn the_pieces_are_the_whole() {
    let site = Site::new().await;
    let whole = site.chat(&ask()).await.ok();
    let answer = site.chat(&ask_with(json!({"stream": true}))).await;
    assert!(
        answer.head.contains("content-type: text/event-stream"),
        "{}",
        answer.head
    );
    let events = answer.events();
    assert_eq!(streamed(&events, 0), content(&whole));
    assert!(events.len() > 4, "one piece: {events:?}");
    assert_eq!(events[0]["choices"][0]["delta"]["role"], "assistant");
    let ids: std::collections::HashSet<_> = events
        .iter()
        .map(|event| event["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids.len(), 1);
    assert_eq!(
        events.last().unwrap()["choices"][0]["finish_reason"],
        "stop"
    );
    assert!(events.iter().all(|event| event.get("usage").is_none()));
}

#[tokio::test]
async fn usage_is_the_last_event_where_it_is_asked_for() {
    let site = Site::new().await;
    let whole = site.chat(&ask()).await.ok();
    let body = ask_with(json!({"stream": true, "stream_options": {"include_usage": true}}));
    let events = site.chat(&body).await.events();
    let (last, before) = events.split_last().unwrap();
    assert_eq!(last["choices"], json!([]));
    assert_eq!(
        last["usage"]["completion_tokens"],
        whole["usage"]["completion_tokens"]
    );
    assert!(last["usage"]["prompt_tokens_details"]["cached_tokens"].as_u64() > Some(0));
    assert!(before.iter().all(|event| event["usage"].is_null()));
}

#[tokio::test]
async fn a_stop_text_is_held_back_until_it_is_certain() {
    let site = Site::new().await;
    for stop in ["Lisbon", "bon\n", "\n\n[[ ## completed", "completed ## ]]"] {
        let whole = site.chat(&ask_with(json!({"stop": stop}))).await.ok();
        let body = ask_with(json!({"stop": stop, "stream": true}));
        let events = site.chat(&body).await.events();
        assert_eq!(streamed(&events, 0), content(&whole), "{stop:?}");
        assert_eq!(
            events.last().unwrap()["choices"][0]["finish_reason"],
            "stop"
        );
    }
    site.is_at_rest().await;
}

#[tokio::test]
async fn choices_come_side_by_side() {
    let site = Site::new().await;
    let mut body = endless(10);
    for (key, value) in [
        ("n", json!(3)),
        ("temperature", json!(1.0)),
        ("seed", json!(5)),
    ] {
        body[key] = value;
    }
    let whole = site.chat(&body).await.ok();
    body["stream"] = json!(true);
    let events = site.chat(&body).await.events();
    for choice in 0..3 {
        assert_eq!(
            streamed(&events, choice),
            whole["choices"][choice]["message"]["content"]
                .as_str()
                .unwrap()
        );
    }
}

#[tokio::test]
async fn log_probabilities_are_streamed_too() {
    let site = Site::new().await;
    let whole = site.chat(&ask_with(json!({"logprobs": true}))).await.ok();
    let events = site
        .chat(&ask_with(json!({"logprobs": true, "stream": true})))
        .await
        .events();
    let streamed: Vec<_> = events
        .iter()
        .filter_map(|event| event["choices"][0]["logprobs"]["content"].as_array())
        .flatten()
        .map(|token| token["token"].clone())
        .collect();
    let tokens = whole["choices"][0]["logprobs"]["content"]
        .as_array()
        .unwrap();
    assert_eq!(
        streamed,
        tokens
            .iter()
            .map(|token| token["token"].clone())
            .collect::<Vec<_>>()
    );
}

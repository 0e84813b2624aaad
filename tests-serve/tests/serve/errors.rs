//! Requests that can't be answered: each has its status, its shape, and a message that says what to do.

use serde_json::{Value as Json, json};

use super::support::{Site, ask_with, post_bytes};

#[tokio::test]
async fn malformed_bodies_are_told_where_they_are_wrong() {
    let site = Site::new().await;
    let deep = "[".repeat(100_000);
    let bodies = [
        "",
        "{",
        "nonsense",
        "[]",
        "null",
        "{\"model\": \"embedded\"",
        "{\"a\": \u{0}}",
        deep.as_str(),
    ];
    for body in bodies {
        for path in ["/v1/chat/completions", "/v1/completions"] {
            let answer = site.send(&post_bytes(path, body)).await;
            assert_eq!(answer.status, 400, "{answer:?}");
            let error = &answer.json()["error"];
            assert_eq!(error["type"], "invalid_request_error");
            assert!(
                error["message"].as_str().unwrap().contains("JSON"),
                "{error}"
            );
        }
    }
    let mut invalid = post_bytes("/v1/chat/completions", "xx");
    let end = invalid.len() - 1;
    invalid[end] = 0xff;
    assert_eq!(site.send(&invalid).await.status, 400);
}

#[tokio::test]
async fn wrong_parameters_are_named() {
    let site = Site::new().await;
    let cases: &[(Json, &str)] = &[
        (json!({"max_token": 5}), "max_token"),
        (json!({"messages": []}), "messages"),
        (json!({"messages": "hi"}), "messages"),
        (json!({"messages": [{"role": "user"}]}), "messages[0]"),
        (
            json!({"messages": [{"role": "robot", "content": "x"}]}),
            "messages[0].role",
        ),
        (
            json!({"messages": [{"role": "user", "content": 5}]}),
            "messages[0].content",
        ),
        (
            json!({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]}),
            "messages[0].content",
        ),
        (
            json!({"messages": [{"role": "tool", "content": "x"}]}),
            "messages[0]",
        ),
        (json!({"n": 0}), "n"),
        (json!({"n": 17}), "n"),
        (json!({"n": "two"}), "n"),
        (json!({"max_tokens": -1}), "max_tokens"),
        (json!({"max_tokens": 0}), "max_tokens"),
        (json!({"logit_bias": {"word": 1}}), "logit_bias"),
        (json!({"stop": ""}), "stop"),
        (json!({"stop": vec!["x"; 17]}), "stop"),
        (json!({"stop": 5}), "stop"),
        (json!({"top_k": -5, "temperature": 1}), "top_k"),
        (json!({"top_logprobs": 3}), "top_logprobs"),
        (
            json!({"logprobs": true, "top_logprobs": 21}),
            "top_logprobs",
        ),
        (
            json!({"stream_options": {"include_usage": true}}),
            "stream_options",
        ),
        (json!({"stream": "yes"}), "stream"),
        (json!({"seed": 1.5}), "seed"),
        (
            json!({"response_format": {"type": "xml"}}),
            "response_format.type",
        ),
    ];
    for (more, place) in cases {
        let answer = site.chat(&ask_with(more.clone())).await;
        assert_eq!(answer.status, 400, "{more}: {answer:?}");
        let error = answer.json()["error"].clone();
        assert_eq!(error["param"], *place, "{more}: {error}");
        assert!(error["message"].as_str().unwrap().len() > 10);
    }
    // The configuration knows these itself.
    let ranges = [
        (json!({"temperature": 3}), "temperature (3)"),
        (json!({"temperature": -1}), "temperature (-1)"),
        (json!({"temperature": 1, "top_p": 2}), "top_p (2)"),
        (json!({"top_p": 2}), "top_p (2)"),
        (json!({"min_p": 1.5}), "min_p (1.5)"),
        (json!({"presence_penalty": 3}), "presence_penalty (3)"),
        (json!({"frequency_penalty": -3}), "frequency_penalty (-3)"),
        (json!({"logit_bias": {"5": 101}}), "101"),
        (json!({"logit_bias": {"99999999": 1}}), "no token 99999999"),
        (json!({"repetition_penalty": 0}), "repetition_penalty (0)"),
    ];
    for (more, message) in ranges {
        let answer = site.chat(&ask_with(more.clone())).await;
        assert_eq!(answer.status, 400, "{more}: {answer:?}");
        assert!(answer.body.contains(message), "{more}: {answer:?}");
    }
    site.is_at_rest().await;
}

#[tokio::test]
async fn what_clients_send_along_is_no_mistake() {
    let site = Site::new().await;
    let more = json!({
        "user": "me", "store": false, "metadata": {"a": "b"}, "top_p": 0.5, "top_k": -1, "temperature": 0,
        "presence_penalty": null, "stop": null, "tools": null, "tool_choice": null, "logit_bias": null,
        "seed": null, "stream": false, "reasoning_effort": "low", "parallel_tool_calls": true,
    });
    site.chat(&ask_with(more)).await.ok();
}

#[tokio::test]
async fn a_model_that_is_not_there_is_not_found() {
    let site = Site::with(|builder| builder.alias("gpt-4o-mini")).await;
    let answer = site.chat(&ask_with(json!({"model": "gpt-5"}))).await;
    assert_eq!(answer.status, 404);
    let error = &answer.json()["error"];
    assert_eq!(
        (error["code"].as_str(), error["param"].as_str()),
        (Some("model_not_found"), Some("model"))
    );
    assert!(error["message"].as_str().unwrap().contains("`embedded`"));
    site.chat(&ask_with(json!({"model": "gpt-4o-mini"})))
        .await
        .ok();
    let models = site.get("/v1/models").await.ok();
    assert_eq!(models["data"][0]["id"], "embedded");
    assert_eq!(models["data"].as_array().unwrap().len(), 1);
    assert_eq!(
        site.get("/v1/models/embedded").await.ok()["object"],
        "model"
    );
    assert_eq!(site.get("/v1/models/a/b").await.status, 404);
    let mut body = ask_with(json!({}));
    body.as_object_mut().unwrap().remove("model");
    assert_eq!(site.chat(&body).await.json()["error"]["param"], "model");
}

#[tokio::test]
async fn a_prompt_beyond_the_context_is_said_to_be() {
    let site = Site::new().await;
    let long = "word ".repeat(3000);
    let answer = site
        .chat(&ask_with(
            json!({"messages": [{"role": "user", "content": long}]}),
        ))
        .await;
    assert_eq!(answer.status, 400, "{answer:?}");
    assert_eq!(answer.json()["error"]["code"], "context_length_exceeded");
    let stream = site
        .chat(&ask_with(
            json!({"stream": true, "messages": [{"role": "user", "content": long}]}),
        ))
        .await;
    assert_eq!(stream.status, 400, "{stream:?}");
}

#[tokio::test]
async fn paths_and_methods_are_told() {
    let site = Site::new().await;
    let nothing = site.get("/v2/chat").await;
    assert_eq!(
        (nothing.status, nothing.json()["error"]["code"].as_str()),
        (404, Some("unknown_url"))
    );
    let wrong = site.get("/v1/chat/completions").await;
    assert_eq!(wrong.status, 405);
    assert!(wrong.body.contains("takes POST"), "{wrong:?}");
    assert_eq!(site.post("/health", &json!({})).await.status, 405);
    let garbage = site.send(b"this is no HTTP\r\n\r\n").await;
    assert!([0, 400].contains(&garbage.status), "{garbage:?}");
    assert_eq!(site.get("/health").await.status, 200);
}

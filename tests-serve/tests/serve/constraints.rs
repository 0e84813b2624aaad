//! `response_format`: replies that are JSON, whatever the model would say.

use serde_json::{Value as Json, json};

use super::support::{Site, ask_with, content};

fn schema(schema: Json) -> Json {
    json!({"type": "json_schema", "json_schema": {"name": "x", "strict": true, "schema": schema}})
}

#[tokio::test]
async fn a_schema_is_kept_at_any_temperature() {
    let site = Site::new().await;
    let format = schema(json!({
        "type": "object",
        "properties": {
            "city": {"type": "string", "maxLength": 12},
            "mood": {"enum": ["good", "bad"]},
            "stars": {"type": "integer", "minimum": 1, "maximum": 5},
            "tags": {"type": "array", "items": {"type": "boolean"}, "maxItems": 3},
        },
        "required": ["city", "mood", "stars", "tags"],
        "additionalProperties": false,
    }));
    for seed in 0..8 {
        let body = ask_with(
            json!({"response_format": format, "temperature": 2.0, "seed": seed, "max_tokens": 80}),
        );
        let answer = site.chat(&body).await.ok();
        let reply: Json = serde_json::from_str(&content(&answer)).expect("JSON");
        assert!(
            reply["city"].as_str().unwrap().chars().count() <= 12,
            "{reply}"
        );
        assert!(["good", "bad"].contains(&reply["mood"].as_str().unwrap()));
        assert!((1..=5).contains(&reply["stars"].as_i64().unwrap()));
        assert!(
            reply["tags"]
                .as_array()
                .unwrap()
                .iter()
                .all(Json::is_boolean)
        );
        assert_eq!(reply.as_object().unwrap().len(), 4);
    }
}

#[tokio::test]
async fn json_that_runs_out_of_tokens_is_closed_and_said_to_be() {
    let site = Site::new().await;
    let format = schema(
        json!({"type": "object", "properties": {"list": {"type": "array", "items": {"type": "integer"}}}, "required": ["list"]}),
    );
    let body = ask_with(
        json!({"response_format": format, "temperature": 1.5, "seed": 4, "max_tokens": 12, "logit_bias": {"4095": -100}}),
    );
    let answer = site.chat(&body).await.ok();
    assert!(
        serde_json::from_str::<Json>(&content(&answer)).is_ok(),
        "{answer}"
    );
    assert!(
        answer["usage"]["completion_tokens"].as_u64() <= Some(13),
        "{answer}"
    );
}

#[tokio::test]
async fn any_object_is_an_object() {
    let site = Site::new().await;
    for seed in 0..4 {
        let body = ask_with(
            json!({"response_format": {"type": "json_object"}, "temperature": 1.5, "seed": seed, "max_tokens": 60}),
        );
        let reply: Json =
            serde_json::from_str(&content(&site.chat(&body).await.ok())).expect("JSON");
        assert!(reply.is_object(), "{reply}");
    }
}

#[tokio::test]
async fn text_is_the_same_as_nothing() {
    let site = Site::new().await;
    let plain = site.chat(&ask_with(json!({}))).await.ok();
    let text = site
        .chat(&ask_with(json!({"response_format": {"type": "text"}})))
        .await
        .ok();
    assert_eq!(content(&plain), content(&text));
}

#[tokio::test]
async fn a_schema_that_can_not_be_kept_is_refused() {
    let site = Site::new().await;
    let cases = [
        json!({"type": "json_schema", "json_schema": {"name": "x", "schema": 7}}),
        schema(json!({"type": "nonsense"})),
        schema(json!({"type": "string", "pattern": "("})),
        schema(json!({"$ref": "#/nowhere"})),
        schema(json!({"type": "object", "properties": {"a": {"enum": [vec!["x"; 20_000]]}}})),
    ];
    for format in cases {
        let shown = format.to_string().chars().take(100).collect::<String>();
        let answer = site
            .chat(&ask_with(json!({"response_format": format})))
            .await;
        assert_eq!(answer.status, 400, "{shown}: {answer:?}");
        let param = answer.json()["error"]["param"].as_str().unwrap().to_owned();
        assert!(param.starts_with("response_format"), "{param}");
    }
    // Too few tokens for the shortest reply.
    let format =
        schema(json!({"const": "a rather long text that can not be written in two tokens"}));
    let answer = site
        .chat(&ask_with(
            json!({"response_format": format, "max_tokens": 2}),
        ))
        .await;
    assert_eq!(answer.status, 400, "{answer:?}");
    assert!(answer.body.contains("shortest valid reply"), "{answer:?}");
}

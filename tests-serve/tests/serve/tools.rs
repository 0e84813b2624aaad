//! Tools: calls that always parse.

use serde_json::{Value as Json, json};

use super::support::{Site, content};

fn tools() -> Json {
    json!([
        {"type": "function", "function": {
            "name": "get_weather",
            "description": "The weather in a city.",
            "parameters": {"type": "object", "properties": {
                "city": {"type": "string", "maxLength": 20},
                "unit": {"enum": ["C", "F"]},
            }, "required": ["city", "unit"]},
        }},
        {"type": "function", "function": {"name": "now"}},
    ])
}

fn ask(more: Json) -> Json {
    let mut body = json!({
        "model": "embedded",
        "messages": [{"role": "user", "content": "What is the weather in Rome?"}],
        "tools": tools(),
        "max_tokens": 120,
    });
    for (key, value) in more.as_object().expect("an object") {
        body[key] = value.clone();
    }
    body
}

fn calls(message: &Json) -> Vec<(String, Json)> {
    let calls = message["tool_calls"].as_array().expect("calls");
    let read = |call: &Json| {
        assert_eq!(call["type"], "function");
        assert!(call["id"].as_str().expect("an id").starts_with("call_"));
        let function = &call["function"];
        let arguments = serde_json::from_str(function["arguments"].as_str().expect("text"));
        (
            function["name"].as_str().expect("a name").to_owned(),
            arguments.expect("JSON"),
        )
    };
    calls.iter().map(read).collect()
}

fn check(calls: &[(String, Json)]) {
    for (name, arguments) in calls {
        match name.as_str() {
            "get_weather" => {
                assert!(arguments["city"].is_string(), "{arguments}");
                assert!(["C", "F"].contains(&arguments["unit"].as_str().expect("a unit")));
                assert_eq!(arguments.as_object().expect("an object").len(), 2);
            }
            "now" => assert_eq!(*arguments, json!({})),
            other => panic!("no such tool: {other}"),
        }
    }
}

#[tokio::test]
async fn a_call_that_is_required_is_made_and_fits_the_schema() {
    let site = Site::new().await;
    for seed in 0..6 {
        let body = ask(json!({"tool_choice": "required", "temperature": 1.5, "seed": seed}));
        let answer = site.chat(&body).await.ok();
        let message = &answer["choices"][0]["message"];
        let calls = calls(message);
        assert!(!calls.is_empty());
        check(&calls);
        assert!(message["content"].is_null(), "{message}");
    }
}

#[tokio::test]
async fn one_tool_can_be_asked_for_by_name() {
    let site = Site::new().await;
    for name in ["now", "get_weather"] {
        let choice = json!({"type": "function", "function": {"name": name}});
        let answer = site.chat(&ask(json!({"tool_choice": choice}))).await.ok();
        let calls = calls(&answer["choices"][0]["message"]);
        assert_eq!(calls.len(), 1);
        assert_eq!(calls[0].0, name);
        check(&calls);
        assert_eq!(answer["choices"][0]["finish_reason"], "tool_calls");
    }
}

#[tokio::test]
async fn calls_can_be_held_to_one() {
    let site = Site::new().await;
    for seed in 0..4 {
        let body = ask(
            json!({"tool_choice": "required", "parallel_tool_calls": false, "temperature": 2.0, "seed": seed}),
        );
        let answer = site.chat(&body).await.ok();
        assert_eq!(calls(&answer["choices"][0]["message"]).len(), 1);
    }
}

#[tokio::test]
async fn a_free_choice_is_text_or_calls_and_never_half_of_one() {
    let site = Site::new().await;
    // A push towards the mark, so that both ways occur.
    let first = site.adapter.text_tokens("<tool_call>").unwrap()[0];
    let mut called = 0;
    for seed in 0..12 {
        let bias = if seed % 2 == 0 { 100 } else { 0 };
        let body = ask(
            json!({"temperature": 1.0, "seed": seed, "logit_bias": {first.0.to_string(): bias}, "max_tokens": 80}),
        );
        let answer = site.chat(&body).await.ok();
        let message = &answer["choices"][0]["message"];
        match message.get("tool_calls") {
            Some(_) => {
                check(&calls(message));
                called += 1;
            }
            None => assert!(!content(&answer).contains("<tool_call>"), "{answer}"),
        }
    }
    assert!(called < 12, "the model was never free");
}

#[tokio::test]
async fn none_calls_nothing() {
    let site = Site::new().await;
    let with = site.chat(&ask(json!({"tool_choice": "none"}))).await.ok();
    let mut body = ask(json!({}));
    body.as_object_mut().unwrap().remove("tools");
    let without = site.chat(&body).await.ok();
    assert_eq!(content(&with), content(&without));
    assert_eq!(
        with["usage"]["prompt_tokens"],
        without["usage"]["prompt_tokens"]
    );
}

#[tokio::test]
async fn streamed_calls_are_those_of_the_whole_reply() {
    let site = Site::new().await;
    for seed in 0..4 {
        let mut body = ask(json!({"tool_choice": "required", "temperature": 1.5, "seed": seed}));
        let whole = site.chat(&body).await.ok();
        body["stream"] = json!(true);
        let events = site.chat(&body).await.events();
        let mut streamed: Vec<(String, String)> = Vec::new();
        for event in &events {
            for delta in event["choices"][0]["delta"]["tool_calls"]
                .as_array()
                .into_iter()
                .flatten()
            {
                let index = delta["index"].as_u64().unwrap() as usize;
                if let Some(name) = delta["function"]["name"].as_str() {
                    assert_eq!(index, streamed.len());
                    streamed.push((name.to_owned(), String::new()));
                }
                streamed[index].1 += delta["function"]["arguments"].as_str().unwrap();
            }
        }
        let streamed: Vec<_> = streamed
            .into_iter()
            .map(|(name, arguments)| (name, serde_json::from_str(&arguments).expect("JSON")))
            .collect();
        assert_eq!(streamed, calls(&whole["choices"][0]["message"]));
        let last = events.last().unwrap();
        assert_eq!(
            last["choices"][0]["finish_reason"],
            whole["choices"][0]["finish_reason"]
        );
    }
}

#[tokio::test]
async fn a_schema_and_tools_together_give_json_or_calls() {
    let site = Site::new().await;
    let format = json!({"type": "json_schema", "json_schema": {"name": "x", "schema": {
        "type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["ok"], "additionalProperties": false}}});
    for seed in 0..4 {
        let body = ask(json!({"response_format": format, "temperature": 1.0, "seed": seed}));
        let answer = site.chat(&body).await.ok();
        let message = &answer["choices"][0]["message"];
        match message.get("tool_calls") {
            Some(_) => check(&calls(message)),
            None => {
                let reply: Json = serde_json::from_str(&content(&answer)).expect("JSON");
                assert!(reply["ok"].is_boolean());
            }
        }
    }
}

#[tokio::test]
async fn results_of_calls_go_back() {
    let site = Site::new().await;
    let first = site
        .chat(&ask(
            json!({"tool_choice": "required", "parallel_tool_calls": false}),
        ))
        .await
        .ok();
    let message = first["choices"][0]["message"].clone();
    let id = message["tool_calls"][0]["id"].clone();
    let mut body = ask(json!({"max_tokens": 5}));
    let messages = body["messages"].as_array_mut().unwrap();
    messages.push(message);
    messages.push(json!({"role": "tool", "tool_call_id": id, "content": "{\"degrees\": 21}"}));
    let second = site.chat(&body).await.ok();
    assert!(second["usage"]["prompt_tokens"].as_u64() > first["usage"]["prompt_tokens"].as_u64());
}

#[tokio::test]
async fn tools_that_can_not_be_are_refused() {
    let site = Site::new().await;
    let function = |function: Json| json!([{"type": "function", "function": function}]);
    let cases = [
        (
            json!({"tools": function(json!({"name": "a b"}))}),
            "tools[0]",
        ),
        (json!({"tools": function(json!({"name": ""}))}), "tools[0]"),
        (
            json!({"tools": function(json!({"name": "a", "parameters": {"type": "array"}}))}),
            "tools[0]",
        ),
        (
            json!({"tools": function(json!({"description": "x"}))}),
            "tools[0].function",
        ),
        (json!({"tools": [{"type": "retrieval"}]}), "tools[0]"),
        (
            json!({"tool_choice": {"type": "function", "function": {"name": "nothing"}}}),
            "tool_choice",
        ),
        (json!({"tool_choice": "sometimes"}), "tool_choice"),
        (
            json!({"tools": [], "tool_choice": "required"}),
            "tool_choice",
        ),
        (json!({"stop": "x"}), "stop"),
    ];
    for (more, place) in cases {
        let answer = site.chat(&ask(more.clone())).await;
        assert_eq!(answer.status, 400, "{more}: {answer:?}");
        assert_eq!(answer.json()["error"]["param"], place, "{more}: {answer:?}");
    }
    let mut twice = tools();
    twice[1]["function"]["name"] = json!("get_weather");
    let answer = site.chat(&ask(json!({"tools": twice}))).await;
    assert!(answer.body.contains("two tools are named"), "{answer:?}");
}

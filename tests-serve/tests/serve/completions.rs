//! `/v1/completions`: plain texts continued.

use serde_json::{Value as Json, json};

use super::support::{Answer, Site};

async fn complete(site: &Site, body: Json) -> Answer {
    let mut whole =
        json!({"model": "embedded", "max_tokens": 6, "logit_bias": {"4095": -100, "4093": -100}});
    for (key, value) in body.as_object().expect("an object") {
        whole[key] = value.clone();
    }
    site.post("/v1/completions", &whole).await
}

fn texts(answer: &Json) -> Vec<String> {
    let choices = answer["choices"].as_array().expect("choices");
    let text = |(index, choice): (usize, &Json)| {
        assert_eq!(choice["index"], index);
        choice["text"].as_str().expect("text").to_owned()
    };
    choices.iter().enumerate().map(text).collect()
}

#[tokio::test]
async fn a_text_is_continued_as_the_adapter_does() {
    let site = Site::new().await;
    let answer = complete(&site, json!({"prompt": "1, 2, 3"})).await.ok();
    assert_eq!(answer["object"], "text_completion");
    assert_eq!(answer["usage"]["completion_tokens"], 6);
    let tokens = site.adapter.text_tokens("1, 2, 3").unwrap();
    assert_eq!(answer["usage"]["prompt_tokens"], tokens.len());
    let ids: Vec<_> = tokens.iter().map(|token| token.0).collect();
    let by_ids = complete(&site, json!({"prompt": ids})).await.ok();
    assert_eq!(texts(&answer), texts(&by_ids));
}

#[tokio::test]
async fn several_prompts_have_their_choices_in_order() {
    let site = Site::new().await;
    let one = texts(&complete(&site, json!({"prompt": "alpha"})).await.ok());
    let two = texts(
        &complete(&site, json!({"prompt": "{\"thought\": "}))
            .await
            .ok(),
    );
    let both = complete(
        &site,
        json!({"prompt": ["alpha", "{\"thought\": "], "n": 2}),
    )
    .await
    .ok();
    assert_eq!(texts(&both), [one.clone(), one, two.clone(), two].concat());
}

#[tokio::test]
async fn an_echo_comes_first() {
    let site = Site::new().await;
    let plain = texts(&complete(&site, json!({"prompt": "alpha"})).await.ok());
    let echo = complete(&site, json!({"prompt": "alpha", "echo": true}))
        .await
        .ok();
    assert_eq!(texts(&echo), [format!("alpha{}", plain[0])]);
    let events = complete(
        &site,
        json!({"prompt": "alpha", "echo": true, "stream": true}),
    )
    .await
    .events();
    let streamed: String = events
        .iter()
        .map(|event| event["choices"][0]["text"].as_str().unwrap())
        .collect();
    assert_eq!(streamed, format!("alpha{}", plain[0]));
}

#[tokio::test]
async fn log_probabilities_have_their_old_form() {
    let site = Site::new().await;
    let answer = complete(&site, json!({"prompt": "alpha", "logprobs": 2}))
        .await
        .ok();
    let logprobs = &answer["choices"][0]["logprobs"];
    let tokens: Vec<_> = logprobs["tokens"]
        .as_array()
        .unwrap()
        .iter()
        .map(|token| token.as_str().unwrap())
        .collect();
    assert_eq!(tokens.concat(), texts(&answer)[0]);
    assert_eq!(logprobs["text_offset"][1], tokens[0].chars().count());
    for at in 0..tokens.len() {
        let chosen = logprobs["token_logprobs"][at].as_f64().unwrap();
        assert!(chosen <= 0.0);
        assert!(logprobs["top_logprobs"][at].as_object().unwrap().len() <= 2);
    }
    let events = complete(
        &site,
        json!({"prompt": "alpha", "logprobs": 2, "stream": true}),
    )
    .await
    .events();
    let offsets: Vec<_> = events
        .iter()
        .filter_map(|event| event["choices"][0]["logprobs"]["text_offset"].as_array())
        .flatten()
        .collect();
    assert_eq!(
        offsets,
        logprobs["text_offset"]
            .as_array()
            .unwrap()
            .iter()
            .collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn what_can_not_be_done_is_refused() {
    let site = Site::new().await;
    let cases = [
        (json!({"prompt": []}), "prompt"),
        (json!({"prompt": {"a": 1}}), "prompt"),
        (json!({"prompt": vec!["x"; 65]}), "prompt"),
        (json!({"prompt": "x", "suffix": "y"}), "suffix"),
        (json!({"prompt": "x", "best_of": 3}), "best_of"),
        (json!({"prompt": "x", "logprobs": 6}), "logprobs"),
        (json!({"prompt": "x", "logprobs": 1, "echo": true}), "echo"),
        (json!({"prompt": "x", "max_tokens": 0}), "max_tokens"),
        (json!({"prompt": "x", "n": 0}), "n"),
        (json!({"prompt": "x", "messages": []}), "messages"),
    ];
    for (body, place) in cases {
        let answer = complete(&site, body.clone()).await;
        assert_eq!(answer.status, 400, "{body}: {answer:?}");
        assert_eq!(answer.json()["error"]["param"], place, "{body}: {answer:?}");
    }
    for prompt in [json!(""), json!([4096]), json!([[]])] {
        let answer = complete(&site, json!({"prompt": prompt})).await;
        assert_eq!(answer.status, 400, "{prompt}: {answer:?}");
    }
}

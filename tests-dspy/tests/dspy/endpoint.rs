//! rig and dspy-rs as clients of the endpoint, and dspy-rs's `batch` on the engine's batcher.

// `#[Signature]` writes methods that not every test calls.
#![allow(dead_code)]

use std::sync::Arc;

use candle_signature::adapter::{CandleAdapter, CandleConfig, ModelPool};
use candle_signature::dspy::endpoint_lm;
use candle_signature::serve::{Running, Server};
use dspy_rs::{ChatAdapter, LM, Predict, Predictor, Signature};
use rig::OneOrMany;
use rig::completion::{AssistantContent, CompletionModel as _, ToolDefinition};
use rig::message::ToolChoice;
use serde_json::json;

use super::support::{adapter, configured, example, qa, question};

async fn endpoint(hold: bool) -> Running {
    let server = Server::builder(adapter().await).hold_dspy_replies(hold);
    server.bind("127.0.0.1:0").await.expect("binds").start()
}

#[tokio::test]
async fn rig_chats_and_calls_tools() {
    let endpoint = endpoint(false).await;
    let client = rig::providers::openai::ClientBuilder::new("none")
        .base_url(&endpoint.base_url())
        .build();
    let model = rig::providers::openai::completion::CompletionModel::new(client, "embedded");
    let request = model
        .completion_request("hi")
        .preamble("Be brief.".to_owned())
        .additional_params(json!({"max_tokens": 8}));
    let reply = request.send().await.expect("a reply");
    assert_eq!(reply.usage.output_tokens, 8);
    assert!(matches!(reply.choice.first(), AssistantContent::Text(text) if !text.text.is_empty()));
    let tool = ToolDefinition {
        name: "get_weather".to_owned(),
        description: "The weather in a city.".to_owned(),
        parameters: json!({"type": "object", "properties": {"city": {"type": "string", "maxLength": 20}}, "required": ["city"]}),
    };
    let request = model
        .completion_request("What is the weather in Rome?")
        .tool(tool)
        .tool_choice(ToolChoice::Required)
        .additional_params(json!({"max_tokens": 100, "parallel_tool_calls": false}));
    let reply = request.send().await.expect("a reply");
    let choice: OneOrMany<AssistantContent> = reply.choice;
    let AssistantContent::ToolCall(call) = choice.first() else {
        panic!("no call: {choice:?}");
    };
    assert_eq!(call.function.name, "get_weather");
    assert!(call.function.arguments["city"].is_string());
}

#[derive(Clone, Copy)]
struct Tried {
    temperature: f32,
}

/// Types that dspy-rs's own adapter panics at where a reply is no JSON.
#[Signature]
struct Rate {
    /// Rate the text.
    #[input]
    pub text: String,
    #[output]
    pub stars: i64,
    #[output]
    pub tags: Vec<String>,
    #[output]
    pub reason: String,
}

#[tokio::test]
async fn held_replies_never_make_dspy_rs_panic() {
    let endpoint = endpoint(true).await;
    let mut lm = endpoint_lm(endpoint.base_url(), "embedded", None)
        .await
        .expect("an LM");
    let predict = Predict::new(Rate::new());
    for tried in [
        Tried { temperature: 0.0 },
        Tried { temperature: 1.0 },
        Tried { temperature: 2.0 },
    ] {
        lm.temperature = tried.temperature;
        let lm: Arc<LM> = Arc::new(lm.clone());
        for text in ["A fine day.", "Never again [[ ## stars ## ]] 1,200 or so"] {
            let prediction = predict
                .forward_with_config(example(&[("text", json!(text))]), Arc::clone(&lm))
                .await;
            let prediction = prediction.expect("a prediction");
            assert!(prediction.get("stars", None).is_i64(), "{prediction:?}");
            assert!(prediction.get("tags", None).is_array(), "{prediction:?}");
            assert!(prediction.get("reason", None).is_string(), "{prediction:?}");
            let usage = &prediction.lm_usage;
            assert_eq!(
                usage.total_tokens,
                usage.prompt_tokens + usage.completion_tokens
            );
        }
    }
}

#[tokio::test]
async fn a_whole_program_of_dspy_rs_runs_through_the_endpoint() {
    let _settings = configured(ChatAdapter).await;
    let endpoint = endpoint(true).await;
    let lm = endpoint_lm(endpoint.base_url(), "embedded", None)
        .await
        .expect("an LM");
    dspy_rs::configure(lm, ChatAdapter);
    let predict = Predict::new(qa());
    let answers = predict
        .batch(vec![question("Where is Nora from?"); 4])
        .await
        .expect("answers");
    for answer in &answers {
        assert_eq!(answer.get("answer", None), answers[0].get("answer", None));
        assert!(
            answer
                .get("answer", None)
                .as_str()
                .is_some_and(|text| !text.is_empty())
        );
    }
}

#[tokio::test]
async fn a_batch_of_dspy_rs_shares_forward_passes() {
    let model = ModelPool::embedded()
        .load_model(ModelPool::EMBEDDED)
        .await
        .expect("a model");
    let adapter =
        CandleAdapter::from_loaded_model(model, CandleConfig::default()).expect("an adapter");
    let _settings = configured(adapter.clone()).await;
    let steps = || adapter.model().engine().stats().steps;
    let predict = Predict::new(qa());
    let asked = [
        "Where is Nora from?",
        "What is the job of Nora?",
        "Where is Peter from?",
        "What is the job of Peter?",
    ];
    let inputs: Vec<_> = asked.iter().map(|text| question(text)).collect();
    // The prefix cache is warm for both.
    predict.forward(inputs[0].clone()).await.expect("an answer");
    let mut lone = Vec::new();
    let start = steps();
    for input in &inputs {
        lone.push(predict.forward(input.clone()).await.expect("an answer"));
    }
    let alone = steps() - start;
    let start = steps();
    let together = predict.batch(inputs).await.expect("answers");
    let shared = steps() - start;
    for (one, other) in lone.iter().zip(&together) {
        assert_eq!(one.get("answer", None), other.get("answer", None));
    }
    assert!(
        shared * 2 < alone,
        "{shared} steps together, {alone} one by one"
    );
}

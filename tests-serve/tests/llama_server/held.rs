//! Replies that llama-server is asked to hold: every way that `Guidance` has for it, and the way without.

use candle_signature::adapter::{Backend as _, CompletionRequest, Constraint, Overrides};
use candle_signature::program::{Predict, ReAct};
use candle_signature::prompt::Message;
use candle_signature::remote::{Guidance, RemoteConfig, RemoteError};
use candle_signature::{CandleSignature, candle_tool};
use serde_json::{Value as Json, json};

use super::support::{Llama, QA, Triage, cause, nora, ticket};

const WAYS: [Guidance; 4] = [
    Guidance::Auto,
    Guidance::JsonSchema,
    Guidance::JsonObject,
    Guidance::LlamaServer,
];

#[tokio::test]
#[ignore = "needs LLAMA_SERVER: see scripts/clients/llama_server.sh"]
async fn a_typed_prediction_comes_in_every_way() {
    let llama = Llama::new().await;
    for guidance in WAYS {
        let remote = llama.backend(guidance);
        let out = Triage::predict(&remote, ticket()).await.expect("typed");
        println!("{guidance:?}: {}", out.raw());
        let json: Json = serde_json::from_str(out.raw()).expect("JSON");
        for field in ["urgency", "tags", "owner", "days"] {
            assert!(json.get(field).is_some(), "{field}: {json}");
            assert!(out.meta(field).constrained);
        }
        assert!(out.attempts().is_empty(), "{:?}", out.attempts());
        let stats = &remote.stats()[0];
        assert_eq!((stats.requests, stats.failures), (1, 0), "{stats:?}");
    }
}

#[tokio::test]
#[ignore = "needs LLAMA_SERVER: see scripts/clients/llama_server.sh"]
async fn a_schema_is_held_against_the_models_will() {
    let llama = Llama::new().await;
    let schema = json!({
        "type": "object",
        "properties": {"code": {"type": "string", "enum": ["zürich", "a \"b\""]}, "n": {"type": "integer", "minimum": 7, "maximum": 9}},
        "required": ["code", "n"],
        "additionalProperties": false,
    });
    for guidance in WAYS {
        let remote = llama.backend(guidance);
        let request = CompletionRequest::new(vec![Message::user("Say hello.")])
            .held_to(Constraint::JsonSchema(schema.clone()));
        let reply = remote.complete(request).await.expect("a reply");
        let json: Json = serde_json::from_str(&reply.text).expect(&reply.text);
        assert!(
            ["zürich", "a \"b\""]
                .map(Json::from)
                .contains(&json["code"]),
            "{json}"
        );
        assert!(
            (7..=9).contains(&json["n"].as_i64().expect("a number")),
            "{json}"
        );
    }
}

/// A grammar and a regular expression are llguidance's; llama.cpp's own grammars are of another kind.
#[tokio::test]
#[ignore = "needs LLAMA_SERVER: see scripts/clients/llama_server.sh"]
async fn a_grammar_is_held_or_refused_by_name() {
    let llama = Llama::new().await;
    let remote = llama.backend(Guidance::LlamaServer);
    let with_llguidance = std::env::var_os("LLAMA_LLGUIDANCE").is_some();
    for constraint in [
        Constraint::Lark("start: /[0-9]{3}/ \"-\" (\"x\" | \"y\")".into()),
        Constraint::Regex("[0-9]{3}-(x|y)".into()),
    ] {
        let request = CompletionRequest::new(vec![Message::user("Say hello.")]).held_to(constraint);
        let reply = remote.complete(request).await;
        println!("with llguidance {with_llguidance}: {reply:?}");
        if with_llguidance {
            let text = reply.expect("a reply").text;
            let (digits, letter) = text.split_once('-').expect(&text);
            assert!(
                digits.len() == 3 && digits.bytes().all(|byte| byte.is_ascii_digit()),
                "{text}"
            );
            assert!(["x", "y"].contains(&letter), "{text}");
        } else {
            let error = reply.expect_err("no such grammar");
            assert!(
                matches!(cause(&error), RemoteError::Status { .. }),
                "{error}"
            );
            assert!(error.to_string().contains("grammar"), "{error}");
        }
    }
    // The refusal is the request's fault: the server is well.
    let out = QA::predict(&remote, nora()).await;
    assert!(out.is_ok(), "{out:?}");
}

#[tokio::test]
#[ignore = "needs LLAMA_SERVER: see scripts/clients/llama_server.sh"]
async fn without_being_held_a_reply_is_parsed_and_asked_for_again() {
    let llama = Llama::new().await;
    let remote = llama.backend(Guidance::None);
    let out = Predict::<Triage>::new().call(&remote, ticket()).await;
    let out = out.expect("typed");
    println!("by the prompt alone: {:?}", out.raw());
    assert!(!out.meta("urgency").constrained);
    // Two tokens hold no answer: every try is told of.
    let short = RemoteConfig {
        sampling: Overrides {
            max_tokens: Some(2),
            ..RemoteConfig::default().sampling
        },
        ..RemoteConfig::default()
    };
    let remote = llama.backend_with(Guidance::None, short);
    let error = QA::predict(&remote, nora()).await.expect_err("cut");
    println!("cut short: {error}");
    let stats = &remote.stats()[0];
    assert_eq!((stats.requests, stats.failures), (3, 0), "{stats:?}");
}

/// The weather in a city.
#[candle_tool]
fn weather(city: String) -> String {
    format!("It is rainy in {city}.")
}

/// Answer the question with the help of the tools.
#[derive(CandleSignature)]
struct Ask {
    #[input]
    question: String,
    #[output]
    answer: String,
}

#[tokio::test]
#[ignore = "needs LLAMA_SERVER: see scripts/clients/llama_server.sh"]
async fn steps_with_tools_run() {
    let llama = Llama::new().await;
    // Asked for JSON the embedded model says the right types and wrong words: by the prompt alone it knows the way.
    let remote = llama.backend(Guidance::None);
    let program = ReAct::<Ask>::new().with_tool(WeatherTool);
    let input = AskInput {
        question: "How is the weather in Oslo?".into(),
    };
    let out = program.call(&remote, input).await.expect("an answer");
    println!("{:?} after {:?}", out.answer, out.trajectory());
    assert!(out.answer.contains("rainy"), "{}", out.answer);
    assert_eq!(remote.stats()[0].failures, 0);
}

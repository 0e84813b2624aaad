//! What is sent, and what is learned of servers that know less.

use candle_signature::adapter::{Backend as _, Overrides};
use candle_signature::program::{Predict, ReAct};
use candle_signature::remote::{Guidance, RemoteBackend, RemoteConfig};
use candle_signature::{CandleSignature, candle_tool};
use serde_json::{Value as Json, json};

use super::support::{Act, Odd, QA, ask, hasty, json_answer, nora, reply};

/// Rate the text.
#[derive(CandleSignature)]
struct Rate {
    #[input]
    text: String,
    /// From 1 to 5.
    #[output(min = 1, max = 5)]
    stars: u8,
    #[output]
    why: Option<String>,
}

fn rate() -> RateInput {
    RateInput {
        text: "Good.".into(),
    }
}

fn backend(odd: &Odd, guidance: Guidance) -> RemoteBackend {
    RemoteBackend::new(odd.endpoint().with_guidance(guidance), hasty()).expect("a backend")
}

fn refusing(message: &str) -> Act {
    Act::Send(json_answer(
        400,
        "",
        &json!({"error": {"message": message}}),
    ))
}

/// The weather in a city.
#[candle_tool]
fn weather(city: String) -> String {
    format!("sunny in {city}")
}

const STARS: &str = r#"{"stars": 4, "why": null}"#;

#[tokio::test]
async fn each_guidance_asks_in_its_own_field() {
    let fields = [
        (Guidance::Auto, "/response_format/json_schema/schema"),
        (Guidance::JsonSchema, "/response_format/json_schema/schema"),
        (Guidance::JsonObject, "/response_format/schema"),
        (Guidance::Vllm, "/structured_outputs/json"),
        (Guidance::LlamaServer, "/json_schema"),
    ];
    for (guidance, place) in fields {
        let odd = Odd::new([Act::Send(reply(STARS))]).await;
        let out = Rate::predict(&backend(&odd, guidance), rate())
            .await
            .expect("typed");
        assert_eq!((out.stars, &out.why), (4, &None));
        assert!(out.meta("stars").constrained);
        let body = &odd.bodies()[0];
        let schema = body
            .pointer(place)
            .unwrap_or_else(|| panic!("{guidance:?}: {body}"));
        assert_eq!(schema["required"], json!(["stars", "why"]));
        assert_eq!(schema["additionalProperties"], false);
        assert_eq!(schema["properties"]["stars"]["maximum"], 5);
        let asked = body["messages"].to_string();
        assert!(
            asked.contains("JSON object") && !asked.contains("[[ ## stars ## ]]"),
            "{asked}"
        );
    }
}

#[tokio::test]
async fn without_guidance_the_signature_is_laid_out_as_it_says() {
    let odd = Odd::new([Act::Send(reply(
        "[[ ## stars ## ]]\n4\n\n[[ ## completed ## ]]",
    ))])
    .await;
    let out = Rate::predict(&backend(&odd, Guidance::None), rate())
        .await
        .expect("typed");
    assert_eq!(out.stars, 4);
    assert!(!out.meta("stars").constrained);
    let body = &odd.bodies()[0];
    assert!(body["messages"].to_string().contains("[[ ## stars ## ]]"));
    assert!(body.get("response_format").is_none());
}

#[tokio::test]
async fn a_reply_that_can_not_be_read_is_asked_for_again() {
    let odd = Odd::new([Act::Send(reply("Four stars!")), Act::Send(reply(STARS))]).await;
    let remote = backend(&odd, Guidance::None);
    let out = Rate::predict(&remote, rate()).await.expect("the second");
    assert_eq!((out.stars, out.attempts().len()), (4, 1));
    let messages = odd.bodies()[1]["messages"].to_string();
    assert!(
        messages.contains("Four stars!") && messages.contains("not accepted"),
        "{messages}"
    );
    // Who says how often is heard.
    let odd = Odd::new([Act::Send(reply("Four stars!"))]).await;
    let once = Predict::<Rate>::new().with_retries(0);
    let error = once.call(&backend(&odd, Guidance::None), rate()).await;
    assert!(error.is_err());
    assert_eq!(odd.seen().len(), 1);
}

#[tokio::test]
async fn a_server_without_schemas_is_asked_otherwise_and_remembered() {
    let odd = Odd::new([
        refusing("response_format.type must be 'text' or 'json_object'"),
        refusing("response_format: unknown"),
        Act::Send(reply(STARS)),
    ])
    .await;
    let remote = backend(&odd, Guidance::Auto);
    let out = Rate::predict(&remote, rate()).await.expect("the third");
    assert_eq!(out.stars, 4);
    assert!(!out.meta("stars").constrained);
    Rate::predict(&remote, rate()).await.expect("at once");
    let bodies = odd.bodies();
    let kinds: Vec<_> = bodies
        .iter()
        .map(|body| body["response_format"]["type"].as_str())
        .collect();
    assert_eq!(
        kinds,
        [Some("json_schema"), Some("json_object"), None, None]
    );
    assert_eq!(
        remote.stats()[0].failures,
        0,
        "a server that knows less is well"
    );
    // Another signature is another schema.
    drop(QA::predict(&remote, nora()).await);
    assert_eq!(odd.bodies()[4]["response_format"]["type"], "json_schema");
}

#[tokio::test]
async fn a_server_that_was_said_to_know_schemas_is_believed() {
    let odd = Odd::new([refusing("response_format: unknown")]).await;
    let error = Rate::predict(&backend(&odd, Guidance::JsonSchema), rate()).await;
    assert!(
        error
            .expect_err("refused")
            .to_string()
            .contains("response_format")
    );
    assert_eq!(odd.seen().len(), 1);
}

#[tokio::test]
async fn parameters_that_a_server_does_not_know_are_left_out() {
    let odd = Odd::new([
        refusing("Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."),
        refusing("logprobs are not available"),
        Act::Send(reply("well")),
    ])
    .await;
    let config = RemoteConfig {
        log_probabilities: true,
        ..hasty()
    };
    let remote = RemoteBackend::new(odd.endpoint(), config).expect("a backend");
    assert_eq!(remote.complete(ask()).await.expect("a reply").text, "well");
    let bodies = odd.bodies();
    assert_eq!(bodies[2]["max_completion_tokens"], 512);
    assert!(bodies[2].get("max_tokens").is_none() && bodies[2].get("logprobs").is_none());
}

/// vLLM's name of it is not llama.cpp's, and our own endpoint refuses names that it does not know.
#[tokio::test]
async fn a_penalty_of_repetition_has_the_names_that_the_server_knows() {
    let odd = Odd::new([
        Act::Send(reply("well")),
        refusing("unknown parameter `repeat_penalty`: leave it out"),
        Act::Send(reply("well")),
    ])
    .await;
    let remote = odd.backend();
    let call = Overrides {
        repetition_penalty: Some(1.5),
        ..Overrides::default()
    };
    for _ in 0..3 {
        let reply = remote.complete(ask().with_overrides(call)).await;
        assert_eq!(reply.expect("a reply").text, "well");
    }
    let named = |name| move |body: &Json| body.get(name).and_then(Json::as_f64);
    let sent = |name| odd.bodies().iter().map(named(name)).collect::<Vec<_>>();
    assert_eq!(sent("repetition_penalty"), [Some(1.5); 4]);
    assert_eq!(sent("repeat_penalty"), [Some(1.5), Some(1.5), None, None]);
}

#[tokio::test]
async fn a_request_holds_what_is_set_and_nothing_else() {
    let odd = Odd::new([Act::Send(reply("well"))]).await;
    let remote = odd.backend();
    let call = Overrides {
        temperature: Some(0.7),
        top_k: Some(3),
        seed: Some(11),
        ..Overrides::default()
    };
    remote
        .complete(ask().with_overrides(call))
        .await
        .expect("a reply");
    let expected = json!({
        "model": "embedded",
        "messages": [{"role": "user", "content": "hi"}],
        "max_tokens": 512,
        "temperature": 0.7,
        "top_k": 3,
        "seed": 11,
    });
    assert_eq!(odd.bodies()[0], expected);
    drop(remote.stream(ask()).await);
    let body = &odd.bodies()[1];
    assert_eq!(body["stream"], true);
    assert_eq!(body["stream_options"], json!({"include_usage": true}));
}

#[tokio::test]
async fn tools_are_called_with_their_own_arguments() {
    let odd = Odd::new([
        Act::Send(reply(
            r#"{"next_thought": "Look.", "next_tool_name": "weather", "next_tool_args": {"city": "Rome"}}"#,
        )),
        Act::Send(reply(
            r#"{"next_thought": "Done.", "next_tool_name": "finish", "next_tool_args": {}}"#,
        )),
        Act::Send(reply(r#"{"answer": "sunny"}"#)),
    ])
    .await;
    let out = ReAct::<QA>::new()
        .with_tool(WeatherTool)
        .call(&backend(&odd, Guidance::Auto), nora())
        .await;
    let out = out.expect("an answer");
    assert_eq!(out.answer, "sunny");
    let bodies = odd.bodies();
    let schema = &bodies[0]["response_format"]["json_schema"]["schema"];
    let weather = &schema["anyOf"][0]["properties"];
    assert_eq!(weather["next_tool_name"]["enum"], json!(["weather"]));
    assert!(
        weather["next_tool_args"]["properties"]
            .get("city")
            .is_some(),
        "{weather}"
    );
    assert!(bodies[1]["messages"].to_string().contains("sunny in Rome"));
}

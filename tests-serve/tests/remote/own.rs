//! Programs on our own endpoint: the code is that of a local model but for one line.

use candle_signature::adapter::{Backend as _, Fault, Finish, Overrides};
use candle_signature::program::{ChainOfThought, Conversation, Predict, StreamEvent};
use candle_signature::remote::{Guidance, RemoteBackend, RemoteConfig, RemoteError};
use candle_signature::{CandleSignature, CandleValue};
use futures::StreamExt as _;

use super::support::{QA, QAInput, Site, ask, cause, logprobs_cover_the_text, nora};

/// Triage the ticket.
#[derive(CandleSignature)]
struct Triage {
    #[input]
    ticket: String,
    #[output]
    urgency: Urgency,
    #[output]
    tags: Vec<String>,
    #[output]
    owner: Option<String>,
    #[output]
    days: u8,
}

#[derive(CandleValue, Debug, PartialEq)]
enum Urgency {
    Low,
    High,
}

#[tokio::test]
async fn a_prediction_is_the_local_one() {
    let site = Site::new().await;
    let remote = site.backend(Guidance::None);
    let (here, there) = tokio::join!(
        QA::predict(&site.adapter, nora()),
        QA::predict(&remote, nora())
    );
    let (here, there) = (here.expect("here"), there.expect("there"));
    assert_eq!(there.answer, "Lisbon");
    assert_eq!(there.raw(), here.raw());
    assert_eq!(there.usage().prompt_tokens, here.usage().prompt_tokens);
    assert_eq!(there.finish(), Finish::Stop);
}

#[tokio::test]
async fn a_guided_reply_holds_the_types_whatever_the_model_means() {
    let site = Site::new().await;
    for guidance in [Guidance::Auto, Guidance::JsonSchema] {
        let remote = site.backend(guidance);
        let input = TriageInput {
            ticket: "The printer is on fire, call Ana.".into(),
        };
        let out = Triage::predict(&remote, input).await.expect("typed");
        assert!(matches!(out.urgency, Urgency::Low | Urgency::High));
        assert!(out.raw().starts_with('{'), "{}", out.raw());
        assert!(out.meta("urgency").constrained);
        assert!(out.attempts().is_empty(), "{:?}", out.attempts());
        let _: (&Vec<String>, &Option<String>, u8) = (&out.tags, &out.owner, out.days);
    }
}

#[tokio::test]
async fn a_stream_tells_fields_while_they_come() {
    let site = Site::new().await;
    let remote = site.backend(Guidance::None);
    let mut events = QA::stream(&remote, nora());
    let (mut told, mut whole) = (String::new(), None);
    while let Some(event) = events.next().await {
        match event.expect("no error") {
            StreamEvent::Text { delta, .. } => told.push_str(&delta),
            StreamEvent::Finished(out) => whole = Some(out),
            _ => {}
        }
    }
    let whole = whole.expect("an end");
    assert_eq!((told.as_str(), whole.answer.as_str()), ("Lisbon", "Lisbon"));
    assert!(whole.usage().completion_tokens > 0, "{:?}", whole.usage());
}

#[tokio::test]
async fn the_other_programs_run_too() {
    let site = Site::new().await;
    let remote = site.backend(Guidance::None);
    let thought = ChainOfThought::<QA>::new().call(&remote, nora()).await;
    assert!(!thought.expect("a thought").reasoning.is_empty());
    let mut talk = Conversation::<QA>::new();
    assert_eq!(
        talk.say(&remote, nora()).await.expect("a turn").answer,
        "Lisbon"
    );
    let again = QAInput {
        question: "Who is from Lisbon?".into(),
        ..nora()
    };
    assert_eq!(
        talk.say(&remote, again).await.expect("a turn").answer,
        "Nora"
    );
    let many = QA::predict_all(&remote, (0..6).map(|_| nora())).await;
    assert!(
        many.iter()
            .all(|out| out.as_ref().is_ok_and(|out| out.answer == "Lisbon"))
    );
    let stats = &remote.stats()[0];
    assert_eq!(
        (stats.requests, stats.outstanding, stats.failures),
        (9, 0, 0)
    );
    assert!(
        stats.usage.cached_tokens > 0 && stats.p50 <= stats.p95,
        "{stats:?}"
    );
}

#[tokio::test]
async fn log_probabilities_come_along() {
    let site = Site::new().await;
    let config = RemoteConfig {
        top_logprobs: 3,
        sampling: Overrides {
            max_tokens: Some(24),
            ..RemoteConfig::default().sampling
        },
        ..RemoteConfig::default()
    };
    let remote = RemoteBackend::new(site.endpoint(Guidance::None), config).expect("a backend");
    let (whole, streamed) = logprobs_cover_the_text(&remote, ask).await;
    assert_eq!(streamed.tokens, whole.tokens);
    assert!(streamed.timings.is_some());
}

#[tokio::test]
async fn what_one_call_changes_is_sent() {
    let site = Site::new().await;
    let remote = site.backend(Guidance::None);
    let short = Overrides {
        max_tokens: Some(2),
        ..Overrides::default()
    };
    let reply = remote.complete(ask().with_overrides(short)).await;
    let reply = reply.expect("a reply");
    assert_eq!(
        (reply.finish, reply.usage.completion_tokens),
        (Finish::Length, 2)
    );
    let penalized = Overrides {
        repetition_penalty: Some(1.5),
        ..short
    };
    let reply = remote.complete(ask().with_overrides(penalized)).await;
    assert_eq!(reply.expect("a reply").usage.completion_tokens, 2);
    let wrong = Overrides {
        temperature: Some(9.0),
        ..Overrides::default()
    };
    let error = Predict::<QA>::new()
        .with_overrides(wrong)
        .call(&remote, nora())
        .await;
    let error = error.expect_err("refused here").to_string();
    assert!(error.contains("temperature"), "{error}");
}

#[tokio::test]
async fn a_conversation_that_outgrows_the_context_forgets_its_oldest_turns() {
    let site = Site::new().await;
    let remote = site.backend(Guidance::None);
    let mut talk = Conversation::<QA>::new();
    let mut dropped = 0;
    for _ in 0..40 {
        let long = QAInput {
            passage: format!(
                "Nora is a baker from Lisbon. {}",
                "She bakes bread. ".repeat(40)
            ),
            ..nora()
        };
        dropped += talk.say(&remote, long).await.expect("a turn").dropped();
        if dropped > 0 {
            return;
        }
    }
    panic!("the context never ended");
}

#[tokio::test]
async fn a_key_is_sent_and_its_lack_explained() {
    let site = Site::with_key(Some("sk-right")).await;
    let without = site.backend(Guidance::None);
    let error = QA::predict(&without, nora()).await.expect_err("no key");
    assert!(error.to_string().contains("with_api_key"), "{error}");
    assert_eq!(error.fault(), Fault::Request);
    let endpoint = site.endpoint(Guidance::None).with_api_key("sk-right");
    let with = RemoteBackend::new(endpoint.expect("a key"), RemoteConfig::default());
    let with = with.expect("a backend");
    assert_eq!(
        QA::predict(&with, nora()).await.expect("a reply").answer,
        "Lisbon"
    );
    assert!(!format!("{with:?}").contains("sk-right"));
}

#[tokio::test]
async fn a_model_that_is_not_there_is_named() {
    let site = Site::new().await;
    let url = format!("http://{}/v1", site.running.address());
    let remote = RemoteBackend::connect(&url, "gpt-9").expect("a backend");
    let error = QA::predict(&remote, nora()).await.expect_err("no model");
    assert!(error.to_string().contains("gpt-9"), "{error}");
    assert!(matches!(
        cause(&error),
        RemoteError::Status { status: 404, .. }
    ));
    let check = &remote.check().await[0];
    assert!(!check.is_well());
    assert_eq!(check.models.as_deref(), Ok(&["embedded".to_owned()][..]));
}

#[tokio::test]
async fn dropping_a_stream_ends_the_row() {
    let site = Site::new().await;
    let remote = site.backend(Guidance::None);
    let long = Overrides {
        max_tokens: Some(1500),
        ..Overrides::default()
    };
    let mut stream = remote.stream(ask().with_overrides(long)).await;
    let first = stream.next().await.expect("text").expect("no error");
    assert!(!first.is_empty());
    drop(stream);
    site.is_at_rest().await;
    let stats = &remote.stats()[0];
    assert_eq!((stats.cancelled, stats.outstanding), (1, 0));
}

//! Time, context, keys and settings: what llama-server says to them, and what is told.

use std::time::{Duration, Instant};

use candle_signature::adapter::{
    Backend as _, CandleAdapterError, CompletionRequest, Constraint, Overrides,
};
use candle_signature::program::Conversation;
use candle_signature::prompt::Message;
use candle_signature::remote::{
    Guidance, RemoteBackend, RemoteConfig, RemoteError, Retries, Timeouts,
};
use futures::StreamExt as _;
use serde_json::json;

use super::support::{Llama, QA, QAInput, cause, nora};

/// A reply that takes its time.
fn endless() -> CompletionRequest {
    let numbers = json!({"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": 9}, "minItems": 400, "maxItems": 400});
    let long = Overrides {
        max_tokens: Some(900),
        ..Overrides::default()
    };
    CompletionRequest::new(vec![Message::user("Count.")])
        .held_to(Constraint::JsonSchema(numbers))
        .with_overrides(long)
}

#[tokio::test]
#[ignore = "needs LLAMA_SERVER: see scripts/clients/llama_server.sh"]
async fn what_takes_too_long_is_given_up() {
    let llama = Llama::new().await;
    let config = RemoteConfig {
        timeouts: Timeouts {
            attempt: Duration::from_millis(150),
            ..Timeouts::default()
        },
        retries: Retries {
            attempts: 2,
            base: Duration::from_millis(10),
            ..Retries::default()
        },
        ..RemoteConfig::default()
    };
    let remote = llama.backend_with(Guidance::JsonSchema, config);
    let began = Instant::now();
    let error = remote.complete(endless()).await.expect_err("too long");
    println!("after {:?}: {error}", began.elapsed());
    let RemoteError::GaveUp { attempts: 2, last } = cause(&error) else {
        panic!("{error:?}");
    };
    assert!(matches!(**last, RemoteError::Timeout { .. }), "{last:?}");
    assert!(began.elapsed() < Duration::from_secs(2));

    let request = endless().with_overrides(Overrides {
        timeout_ms: Some(200),
        max_tokens: Some(900),
        ..Overrides::default()
    });
    let error = llama.backend(Guidance::JsonSchema).complete(request).await;
    let error = error.expect_err("too long");
    assert!(
        matches!(cause(&error), RemoteError::Deadline { .. }),
        "{error:?}"
    );
    // It writes on for nobody: of llama-server's replies only streams end with their connection.
}

#[tokio::test]
#[ignore = "needs LLAMA_SERVER: see scripts/clients/llama_server.sh"]
async fn dropping_a_stream_ends_it_there() {
    let llama = Llama::new().await;
    let remote = llama.backend(Guidance::JsonSchema);
    let mut stream = remote.stream(endless()).await;
    let first = stream.next().await.expect("text").expect("no error");
    assert!(!first.is_empty());
    drop(stream);
    llama.is_at_rest().await;
    let stats = &remote.stats()[0];
    assert_eq!((stats.cancelled, stats.outstanding), (1, 0));
}

#[tokio::test]
#[ignore = "needs LLAMA_SERVER: see scripts/clients/llama_server.sh"]
async fn a_prompt_that_is_too_long_is_told_in_tokens_and_shortened_by_conversations() {
    let llama = Llama::new().await;
    let remote = llama.backend(Guidance::None);
    let long = |repeats: usize| QAInput {
        passage: format!(
            "Nora is a baker from Lisbon. {}",
            "She bakes bread. ".repeat(repeats)
        ),
        ..nora()
    };
    let error = QA::predict(&remote, long(400)).await.expect_err("too long");
    println!("{error}");
    let CandleAdapterError::ContextTooLong { actual, max } = error else {
        panic!("{error:?}");
    };
    assert!(actual > max && max == 1024, "{actual} and {max}");
    assert_eq!(remote.stats()[0].requests, 1);
    let mut talk = Conversation::<QA>::new();
    for _ in 0..12 {
        if talk.say(&remote, long(40)).await.expect("a turn").dropped() > 0 {
            return;
        }
    }
    panic!("the context never ended");
}

#[tokio::test]
#[ignore = "needs LLAMA_SERVER: see scripts/clients/llama_server.sh"]
async fn a_key_is_sent_and_its_lack_explained() {
    let llama = Llama::with(&["--api-key", "sk-right"]).await;
    let without = llama.backend(Guidance::None);
    let error = QA::predict(&without, nora()).await.expect_err("no key");
    assert!(error.to_string().contains("with_api_key"), "{error}");
    let endpoint = llama.endpoint(Guidance::None).with_api_key("sk-right");
    let with = RemoteBackend::new(endpoint.expect("a key"), RemoteConfig::default());
    let with = with.expect("a backend");
    assert_eq!(
        QA::predict(&with, nora()).await.expect("a reply").answer,
        "Lisbon"
    );
    let check = &with.check().await[0];
    assert_eq!(check.models.as_deref(), Ok(&["embedded".to_owned()][..]));
}

#[tokio::test]
#[ignore = "needs LLAMA_SERVER: see scripts/clients/llama_server.sh"]
async fn every_setting_of_sampling_arrives() {
    let llama = Llama::new().await;
    let remote = llama.backend(Guidance::None);
    let story = |overrides: Overrides| {
        let request = CompletionRequest::new(vec![Message::user("Tell me a story.")]);
        let remote = remote.clone();
        async move {
            let overrides = Overrides {
                max_tokens: Some(48),
                ..overrides
            };
            let reply = remote.complete(request.with_overrides(overrides)).await;
            reply.expect("a reply").text
        }
    };
    let plain = story(Overrides::default()).await;
    let hot = Overrides {
        temperature: Some(1.5),
        seed: Some(7),
        ..Overrides::default()
    };
    let sampled = story(hot).await;
    assert_ne!(sampled, plain);
    assert_eq!(sampled, story(hot).await, "a seed says what is drawn");
    assert_ne!(
        sampled,
        story(Overrides {
            seed: Some(8),
            ..hot
        })
        .await
    );
    // Each of these leaves the likeliest alone.
    for one in [
        Overrides {
            top_k: Some(1),
            ..hot
        },
        Overrides {
            min_p: Some(0.99),
            ..hot
        },
        Overrides {
            top_p: Some(0.0001),
            ..hot
        },
    ] {
        assert_eq!(story(one).await, plain, "{one:?}");
    }
    for other in [
        Overrides {
            repetition_penalty: Some(2.0),
            ..Overrides::default()
        },
        Overrides {
            presence_penalty: Some(2.0),
            ..Overrides::default()
        },
        Overrides {
            frequency_penalty: Some(2.0),
            ..Overrides::default()
        },
    ] {
        assert_ne!(story(other).await, plain, "{other:?}");
    }
}

//! Two llama-servers: who is asked, and what becomes of the requests of one that dies.

use std::time::Duration;

use candle_signature::adapter::{Backend as _, CompletionRequest, Constraint};
use candle_signature::prompt::Message;
use candle_signature::remote::{
    Circuit, EndpointState, Guidance, RemoteBackend, RemoteConfig, RemoteError, Retries,
};
use futures::future::join_all;
use serde_json::json;

use super::support::{Llama, QA, nora};

fn config() -> RemoteConfig {
    RemoteConfig {
        retries: Retries {
            attempts: 4,
            base: Duration::from_millis(20),
            most: Duration::from_millis(100),
        },
        circuit: Circuit {
            failures: 2,
            cooldown: Duration::from_secs(1),
        },
        ..RemoteConfig::default()
    }
}

/// A reply of some hundred tokens.
fn long() -> CompletionRequest {
    let numbers = json!({"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": 9}, "minItems": 60, "maxItems": 60});
    CompletionRequest::new(vec![Message::user("Count.")]).held_to(Constraint::JsonSchema(numbers))
}

#[tokio::test]
#[ignore = "needs LLAMA_SERVER: see scripts/clients/llama_server.sh"]
async fn requests_of_a_server_that_dies_go_to_the_other_and_it_comes_back() {
    let (mut one, other) = tokio::join!(Llama::new(), Llama::new());
    let endpoints = [&one, &other].map(|llama| llama.endpoint(Guidance::JsonSchema));
    let backend = RemoteBackend::balanced(endpoints, config()).expect("a backend");
    let requests = |count: usize| join_all((0..count).map(|_| backend.complete(long())));

    let replies = requests(8).await;
    assert!(replies.iter().all(Result::is_ok), "{replies:?}");
    let stats = backend.stats();
    println!(
        "both: {} and {} requests",
        stats[0].requests, stats[1].requests
    );
    assert_eq!((stats[0].requests, stats[1].requests), (4, 4));

    // It dies while it writes.
    let dying = async {
        tokio::time::sleep(Duration::from_millis(150)).await;
        one.kill();
    };
    let (replies, ()) = tokio::join!(requests(8), dying);
    assert!(replies.iter().all(Result::is_ok), "{replies:?}");
    let stats = backend.stats();
    println!("one killed: {stats:#?}");
    assert_eq!(stats[0].state, EndpointState::Open);
    assert!(stats[0].failures >= 2 && stats[1].failures == 0);
    assert!(replies.iter().flatten().any(|reply| reply.resends > 0));
    let checks = backend.check().await;
    assert!(
        matches!(checks[0].models, Err(RemoteError::Connect { .. })),
        "{checks:?}"
    );
    assert!(checks[1].is_well());

    let _one = Llama::at(one.address, &[]).await;
    assert!(backend.check().await.iter().all(|check| check.is_well()));
    let before = backend.stats()[0].requests;
    for _ in 0..4 {
        backend.complete(long()).await.expect("a reply");
    }
    let stats = &backend.stats()[0];
    println!("back: {} more", stats.requests - before);
    assert_eq!(
        (stats.state, stats.requests - before),
        (EndpointState::Healthy, 2)
    );
}

#[tokio::test]
#[ignore = "needs LLAMA_SERVER: see scripts/clients/llama_server.sh"]
async fn many_predictions_share_two_servers() {
    let (one, other) = tokio::join!(Llama::new(), Llama::new());
    let endpoints = [&one, &other].map(|llama| llama.endpoint(Guidance::None).with_concurrency(2));
    let backend = RemoteBackend::balanced(endpoints, config()).expect("a backend");
    let many = QA::predict_all(&backend, (0..20).map(|_| nora())).await;
    assert!(
        many.iter()
            .all(|out| out.as_ref().is_ok_and(|out| out.answer == "Lisbon"))
    );
    let stats = backend.stats();
    println!(
        "{} and {} requests, {:?} cached",
        stats[0].requests, stats[1].requests, stats[0].usage
    );
    assert_eq!(stats[0].requests + stats[1].requests, 20);
    assert!(
        stats
            .iter()
            .all(|stats| stats.requests >= 5 && stats.failures == 0)
    );
    assert!(stats.iter().all(|stats| stats.usage.cached_tokens > 0));
}

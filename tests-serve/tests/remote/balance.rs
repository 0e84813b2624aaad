//! Several endpoints: who is asked, who is left alone, who is tried again.

use std::time::Duration;

use candle_signature::remote::{Circuit, EndpointState, RemoteBackend, RemoteConfig, RemoteError};
use futures::future::join_all;
use serde_json::json;

use super::support::{Act, Odd, complete, hasty, json_answer, last, reply};

fn failing() -> Act {
    Act::Send(json_answer(500, "", &json!({"error": {"message": "boom"}})))
}

fn config() -> RemoteConfig {
    RemoteConfig {
        circuit: Circuit {
            failures: 2,
            cooldown: Duration::from_millis(300),
        },
        ..hasty()
    }
}

fn balanced(sites: &[&Odd], config: RemoteConfig) -> RemoteBackend {
    RemoteBackend::balanced(sites.iter().map(|site| site.endpoint()), config).expect("a backend")
}

#[tokio::test]
async fn requests_go_where_the_fewest_are_under_way() {
    let quick = Odd::new([Act::After(Duration::from_millis(20), reply("quick"))]).await;
    let slow = Odd::new([Act::After(Duration::from_millis(400), reply("slow"))]).await;
    let backend = balanced(&[&quick, &slow], config());
    // Six at a time: who answers sooner gets more.
    let one = async |_: usize| {
        for _ in 0..8 {
            complete(&backend).await.expect("a reply");
        }
    };
    join_all((0..6).map(one)).await;
    let (quick, slow) = (quick.seen().len(), slow.seen().len());
    assert_eq!(quick + slow, 48);
    assert!(slow >= 3 && quick > 3 * slow, "{quick} and {slow}");
}

#[tokio::test]
async fn one_after_the_other_they_take_turns() {
    let sites = [
        Odd::new([Act::Send(reply("a"))]).await,
        Odd::new([Act::Send(reply("b"))]).await,
        Odd::new([Act::Send(reply("c"))]).await,
    ];
    let backend = balanced(&sites.each_ref(), config());
    for _ in 0..9 {
        complete(&backend).await.expect("a reply");
    }
    assert!(sites.iter().all(|site| site.seen().len() == 3));
}

#[tokio::test]
async fn a_request_that_fails_goes_to_another_endpoint() {
    let broken = Odd::new([failing()]).await;
    let sound = Odd::new([Act::Send(reply("well"))]).await;
    let backend = balanced(&[&broken, &sound], config());
    for _ in 0..10 {
        assert_eq!(complete(&backend).await.expect("a reply").text, "well");
    }
    // Two failures open the circuit: after them nobody is sent there.
    assert_eq!((broken.seen().len(), sound.seen().len()), (2, 10));
    let stats = backend.stats();
    assert_eq!(stats[0].state, EndpointState::Open);
    assert_eq!((stats[0].failures, stats[1].retries), (2, 2));
    assert_eq!(stats[1].state, EndpointState::Healthy);
    assert_eq!(stats[1].usage.total_tokens(), 100);
}

#[tokio::test]
async fn one_probe_brings_an_endpoint_back() {
    let ill = Odd::new([failing(), failing(), failing(), Act::Send(reply("again"))]).await;
    let sound = Odd::new([Act::Send(reply("well"))]).await;
    let backend = balanced(&[&ill, &sound], config());
    let mut replies = Vec::new();
    for _ in 0..60 {
        replies.push(complete(&backend).await.expect("a reply").text);
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    assert!(replies.iter().any(|reply| reply == "again"));
    assert_eq!(backend.stats()[0].state, EndpointState::Healthy);
    assert_eq!(
        backend.stats()[0].failures,
        3,
        "the third was the first probe"
    );
}

#[tokio::test]
async fn where_all_are_down_the_last_error_is_told() {
    let sites = [Odd::new([failing()]).await, Odd::new([failing()]).await];
    let mut impatient = config();
    impatient.circuit.cooldown = Duration::from_secs(60);
    let backend = balanced(&sites.each_ref(), impatient);
    for _ in 0..3 {
        drop(complete(&backend).await);
    }
    let error = complete(&backend).await.expect_err("all down");
    let shown = error.to_string();
    assert!(
        matches!(last(&error), RemoteError::Unavailable { .. }),
        "{shown}"
    );
    assert!(shown.contains("is left alone after failures"), "{shown}");
}

#[tokio::test]
async fn a_server_that_asks_for_a_pause_gets_it_and_others_go_on() {
    let paused = Odd::new([
        Act::Send(json_answer(429, "retry-after: 30\r\n", &json!({}))),
        Act::Send(reply("too soon")),
    ])
    .await;
    let sound = Odd::new([Act::Send(reply("well"))]).await;
    let backend = balanced(&[&paused, &sound], config());
    for _ in 0..6 {
        assert_eq!(complete(&backend).await.expect("a reply").text, "well");
    }
    assert_eq!(backend.stats()[0].state, EndpointState::Paused);
    assert_eq!(paused.seen().len(), 1);
}

#[tokio::test]
async fn probes_in_the_background_find_who_is_gone_and_who_is_back() {
    let list = Act::Send(json_answer(200, "", &json!({"data": [{"id": "embedded"}]})));
    let down = Act::Send(json_answer(503, "", &json!({})));
    // The first request is no probe; then down twice, then back.
    let ill = Odd::new([down.clone(), down, list.clone(), list.clone()]).await;
    let sound = Odd::new([list]).await;
    let mut watched = config();
    watched.circuit.cooldown = Duration::from_secs(60);
    watched.circuit.failures = 100;
    watched.probe_every = Some(Duration::from_millis(50));
    let backend = balanced(&[&ill, &sound], watched);
    drop(complete(&backend).await);
    let mut states = Vec::new();
    for _ in 0..60 {
        states.push(backend.stats()[0].state);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(states.contains(&EndpointState::Open), "{states:?}");
    assert_eq!(states.last(), Some(&EndpointState::Healthy));
    let probes = sound.seen().len();
    drop(backend);
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(
        sound.seen().len() <= probes + 1,
        "probes end with the backend"
    );
}

#[tokio::test]
async fn no_endpoint_is_no_backend() {
    let error = RemoteBackend::balanced([], RemoteConfig::default()).expect_err("none");
    assert!(error.to_string().contains("at least one"), "{error}");
}

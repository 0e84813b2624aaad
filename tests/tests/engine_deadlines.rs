//! Deadlines and statistics: who gives up when, what is left of the reply, and what the engine tells of itself.

mod engine_support;

use std::sync::Arc;
use std::time::{Duration, Instant};

use candle_signature::engine::{
    Engine, EngineError, EngineOptions, GenerateRequest, SamplingParams, TokenId,
};
use engine_support::tiny_model;
use futures::executor::block_on;
use futures::future::join_all;

fn engine() -> Engine {
    Engine::start(Arc::new(tiny_model(320)), EngineOptions::default()).unwrap()
}

fn prompt(length: u32) -> Vec<TokenId> {
    (0..length).map(|i| TokenId(i * 53 % 320)).collect()
}

fn until(deadline: Instant, max_tokens: usize) -> GenerateRequest {
    GenerateRequest {
        deadline: Some(deadline),
        ..GenerateRequest::greedy(prompt(9), max_tokens)
    }
}

#[test]
fn a_deadline_ends_a_running_request_with_what_it_has() {
    let engine = engine();
    let whole = block_on(engine.generate(GenerateRequest::greedy(prompt(9), 500))).unwrap();
    // A machine that is busy may take long for a single token.
    for allowed in [40, 120, 360, 1080, 3240].map(Duration::from_millis) {
        // Recomputing everything each step, so that the end is far.
        let request = GenerateRequest {
            use_kv_cache: false,
            ..until(Instant::now() + allowed, 500)
        };
        match block_on(engine.generate(request)) {
            Err(EngineError::DeadlinePassed { waited, tokens }) => {
                assert!(waited >= allowed, "{waited:?}");
                assert!(tokens.len() < 500);
                assert_eq!(tokens, whole.tokens[..tokens.len()]);
                if !tokens.is_empty() {
                    return;
                }
            }
            other => panic!("{other:?}"),
        }
    }
    panic!("not a token in three seconds");
}

#[test]
fn a_deadline_ends_a_waiting_request_and_not_the_one_that_runs() {
    let engine = engine();
    let running = engine.generate(GenerateRequest {
        use_kv_cache: false,
        ..GenerateRequest::greedy(prompt(9), 300)
    });
    let waiting = engine.generate(until(Instant::now() + Duration::from_millis(5), 4));
    let past = engine.generate(until(Instant::now(), 4));
    for late in [waiting, past] {
        match block_on(late) {
            Err(error @ EngineError::DeadlinePassed { .. }) => {
                assert!(error.to_string().contains("0 tokens generated"), "{error}");
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(block_on(running).unwrap().tokens.len(), 300);
    let far = block_on(engine.generate(until(Instant::now() + Duration::from_secs(600), 4)));
    assert_eq!(far.unwrap().tokens.len(), 4);
}

#[test]
fn statistics_add_up() {
    let engine = engine();
    let requests = (0..4).map(|_| engine.generate(GenerateRequest::greedy(prompt(40), 6)));
    let generations = block_on(join_all(requests));
    let cached: Vec<usize> = generations
        .iter()
        .map(|generation| generation.as_ref().unwrap().cached_tokens)
        .collect();
    assert_eq!(
        cached,
        [0, 32, 32, 32],
        "whole blocks before the last token"
    );
    let late = block_on(engine.generate(until(Instant::now(), 4)));
    assert!(late.is_err());
    drop(engine.generate(GenerateRequest::greedy(prompt(40), 400)));
    let refused = GenerateRequest {
        sampling: SamplingParams {
            top_p: 2.0,
            ..SamplingParams::default()
        },
        ..GenerateRequest::greedy(prompt(40), 6)
    };
    assert!(block_on(engine.generate(refused)).is_err());
    let start = Instant::now();
    while engine.stats().cancelled == 0 || engine.stats().running > 0 {
        assert!(
            start.elapsed() < Duration::from_secs(20),
            "{:?}",
            engine.stats()
        );
        std::thread::sleep(Duration::from_millis(1));
    }
    let stats = engine.stats();
    assert_eq!((stats.finished, stats.failed, stats.cancelled), (4, 1, 1));
    assert_eq!((stats.queued, stats.running), (0, 0));
    assert_eq!(stats.cache.reused_tokens, 96);
    // The one that was dropped may have run for some steps.
    let extra = stats.decoded_tokens - 24;
    assert!(stats.steps == 24 + extra && extra < 400, "{stats:?}");
    let prefilled = 40 + 3 * 8 + if extra > 0 { 8 } else { 0 };
    assert_eq!(stats.prefilled_tokens, prefilled);
    assert_eq!(stats.cache.blocks_in_use, 0);
}

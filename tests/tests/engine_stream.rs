//! Tokens as they are generated: all of them, in order; a slow reader holds up nobody; a reader that leaves cancels.

mod engine_support;

use std::sync::Arc;
use std::time::Duration;

use candle_signature::engine::{
    Engine, EngineError, EngineOptions, GenerateRequest, Generation, StreamedToken, TokenId,
};
use engine_support::tiny_model;
use tokio::sync::mpsc::{Receiver, channel};
use tokio::task::JoinHandle;
use tokio::time::timeout;

fn engine(max_rows: usize) -> Engine {
    let options = EngineOptions {
        max_rows,
        ..EngineOptions::default()
    };
    Engine::start(Arc::new(tiny_model(320)), options).unwrap()
}

fn request(max_tokens: usize) -> GenerateRequest {
    GenerateRequest::greedy(vec![TokenId(5), TokenId(99)], max_tokens)
}

type Running = JoinHandle<Result<Generation, EngineError>>;

fn streamed(
    engine: &Engine,
    max_tokens: usize,
    buffer: usize,
) -> (Receiver<StreamedToken>, Running) {
    let (sender, receiver) = channel(buffer);
    let request = GenerateRequest {
        stream: Some(sender),
        ..request(max_tokens)
    };
    (receiver, tokio::spawn(engine.generate(request)))
}

#[tokio::test]
async fn a_stream_has_the_tokens_of_the_generation() {
    let engine = engine(1);
    let whole = engine.generate(request(40)).await.unwrap().tokens;
    for buffer in [1, 3, 64] {
        let (mut stream, running) = streamed(&engine, 40, buffer);
        let mut tokens = Vec::new();
        while let Some(token) = stream.recv().await {
            tokens.push(token.id);
        }
        let generation = running.await.unwrap().unwrap();
        assert_eq!(generation.tokens, whole);
        // The last ones may not have found room before the end: they are in the generation.
        assert_eq!(tokens, whole[..tokens.len()]);
        assert!(
            whole.len() - tokens.len() <= 1,
            "{} of {}",
            tokens.len(),
            whole.len()
        );
    }
}

#[tokio::test]
async fn a_slow_reader_holds_up_nobody_else() {
    let engine = engine(1);
    let (mut slow, running) = streamed(&engine, 60, 2);
    assert!(slow.recv().await.is_some());
    // The only row belongs to a sequence whose reader sleeps; others get it all the same.
    for _ in 0..3 {
        let other = timeout(Duration::from_secs(30), engine.generate(request(20))).await;
        assert_eq!(other.expect("not held up").unwrap().tokens.len(), 20);
    }
    assert!(!running.is_finished());
    while slow.recv().await.is_some() {}
    assert_eq!(running.await.unwrap().unwrap().tokens.len(), 60);
}

#[tokio::test]
async fn a_reader_that_leaves_cancels() {
    let engine = engine(1);
    let (mut stream, running) = streamed(&engine, 400, 1);
    stream.recv().await;
    drop(stream);
    let ended = timeout(Duration::from_secs(30), running)
        .await
        .expect("ends at once")
        .unwrap();
    assert!(matches!(ended, Err(EngineError::Stopped)), "{ended:?}");
    assert_eq!(engine.generate(request(5)).await.unwrap().tokens.len(), 5);
}

//! The shared KV cache: equal beginnings are computed once, nobody's tokens change by it, and every block comes back.

mod engine_support;

use candle_signature::engine::{
    CacheStats, Engine, EngineError, EngineOptions, GenerateRequest, SamplingParams, TokenId,
};
use engine_support::*;
use futures::executor::block_on;
use futures::future::{Either, join_all, ready, select};
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

fn engine(options: EngineOptions) -> Engine {
    Engine::start(Arc::new(tiny_model(320)), options).unwrap()
}

fn prompt(seed: u32, length: u32) -> Vec<TokenId> {
    (0..length)
        .map(|i| TokenId((i * 53 + seed * 31) % 320))
        .collect()
}

fn tokens_of(engine: &Engine, prompt: &[TokenId], count: usize) -> Vec<TokenId> {
    block_on(engine.generate(GenerateRequest::greedy(prompt.to_vec(), count)))
        .unwrap()
        .tokens
}

/// The same without any cache.
fn uncached(engine: &Engine, prompt: &[TokenId], count: usize) -> Vec<TokenId> {
    let request = GenerateRequest {
        use_kv_cache: false,
        ..GenerateRequest::greedy(prompt.to_vec(), count)
    };
    block_on(engine.generate(request)).unwrap().tokens
}

/// Statistics once the engine has put away what it ran.
fn settled(engine: &Engine) -> CacheStats {
    settled_at(engine, 0)
}

/// Statistics once so many blocks are in use.
fn settled_at(engine: &Engine, blocks: usize) -> CacheStats {
    let start = Instant::now();
    loop {
        let stats = engine.stats().cache;
        if stats.blocks_in_use == blocks || start.elapsed() > Duration::from_secs(20) {
            return stats;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn an_equal_beginning_is_computed_once_and_changes_no_token() {
    let engine = engine(EngineOptions::default());
    let first = prompt(1, 100);
    let expected = uncached(&engine, &first, 12);
    assert_eq!(
        engine.stats().cache.misses,
        0,
        "without a cache nothing is looked up"
    );
    assert_eq!(tokens_of(&engine, &first, 12), expected);
    assert_eq!(tokens_of(&engine, &first, 12), expected);
    let stats = engine.stats().cache;
    assert_eq!((stats.misses, stats.hits), (1, 1));
    assert_eq!(
        (stats.prompt_tokens, stats.reused_tokens),
        (200, 96),
        "whole blocks before the last token"
    );
    let branch = [&first[..50], &prompt(2, 30)].concat();
    assert_eq!(
        tokens_of(&engine, &branch, 12),
        uncached(&engine, &branch, 12)
    );
    assert_eq!(engine.stats().cache.reused_tokens, 96 + 50);
}

#[test]
fn a_conversation_goes_on_from_its_reply() {
    let engine = engine(EngineOptions::default());
    let mut conversation = prompt(3, 40);
    let reply = tokens_of(&engine, &conversation, 40);
    conversation.extend(reply);
    conversation.extend(prompt(4, 10));
    let before = engine.stats().cache.reused_tokens;
    assert_eq!(
        tokens_of(&engine, &conversation, 8),
        uncached(&engine, &conversation, 8)
    );
    let reused = engine.stats().cache.reused_tokens - before;
    assert!(reused >= 64, "only {reused} tokens of 80 were there");
}

#[test]
fn a_second_turn_reuses_the_whole_first() {
    let engine = engine(EngineOptions::default());
    let mut conversation = prompt(3, 40);
    for turn in 0..4u32 {
        let before = conversation.len();
        let request = GenerateRequest::greedy(conversation.clone(), 21);
        let generation = block_on(engine.generate(request)).unwrap();
        if turn > 0 {
            // All but what is new since, a block's remainder, and the reply's last token, which was never computed.
            let known = before - 10;
            assert!(
                generation.cached_tokens >= known - 1 - 15,
                "turn {turn}: {} of {known}",
                generation.cached_tokens
            );
        }
        conversation.extend(generation.tokens);
        conversation.extend(prompt(50 + turn, 10));
    }
}

#[test]
fn without_a_cache_everything_is_computed_again() {
    let engine = engine(EngineOptions::default());
    let first = prompt(1, 100);
    for _ in 0..2 {
        let before = engine.stats();
        let request = GenerateRequest {
            use_kv_cache: false,
            ..GenerateRequest::greedy(first.clone(), 5)
        };
        let generation = block_on(engine.generate(request)).unwrap();
        assert_eq!(generation.cached_tokens, 0);
        let after = engine.stats();
        // 100, 101, … 104 tokens, of which the last chosen one counts as decoding.
        let computed = after.prefilled_tokens - before.prefilled_tokens;
        assert_eq!(computed, 100 + 100 + 101 + 102 + 103);
        assert_eq!(after.cache.misses, 0);
    }
    assert_eq!(settled(&engine).blocks_kept, 0, "nothing is kept either");
    let before = engine.stats().prefilled_tokens;
    tokens_of(&engine, &first, 5);
    assert_eq!(engine.stats().prefilled_tokens - before, 100);
}

#[test]
fn a_pinned_prefix_stays_until_it_is_let_go() {
    let engine = engine(EngineOptions {
        cache_tokens: Some(256),
        ..EngineOptions::default()
    });
    let system = prompt(1, 100);
    let cached = |engine: &Engine| {
        let request = [&system[..], &prompt(77, 5)].concat();
        let request = GenerateRequest::greedy(request, 2);
        block_on(engine.generate(request)).unwrap().cached_tokens
    };
    let flood = |engine: &Engine| {
        for seed in 10..16 {
            tokens_of(engine, &prompt(seed, 110), 10);
        }
    };
    tokens_of(&engine, &system, 1);
    flood(&engine);
    assert_eq!(cached(&engine), 0, "what is not pinned has gone");
    let pinned = block_on(engine.pin(system.clone())).unwrap();
    assert_eq!(pinned.tokens(), 96);
    let again = block_on(engine.pin(system.clone())).unwrap();
    drop(pinned);
    flood(&engine);
    assert_eq!(cached(&engine), 96);
    assert_eq!(settled_at(&engine, 6).blocks_in_use, 6);
    // What is pinned is no one else's room: a prompt that would need it is refused, not stuck.
    let error = block_on(engine.generate(GenerateRequest::greedy(prompt(9, 200), 1))).unwrap_err();
    assert!(
        matches!(
            error,
            EngineError::CacheTooSmall {
                actual: 201,
                max: 160
            }
        ),
        "{error}"
    );
    drop(again);
    flood(&engine);
    assert_eq!(cached(&engine), 0);
    assert_eq!(settled(&engine).blocks_in_use, 0);
    assert!(block_on(engine.generate(GenerateRequest::greedy(prompt(9, 200), 1))).is_ok());
}

#[test]
fn a_prefix_that_can_not_be_pinned_says_why() {
    let engine = engine(EngineOptions {
        cache_tokens: Some(128),
        ..EngineOptions::default()
    });
    let refused = |tokens| block_on(engine.pin(tokens)).unwrap_err();
    assert!(matches!(refused(Vec::new()), EngineError::EmptyPrompt));
    assert!(matches!(
        refused(prompt(1, 600)),
        EngineError::ContextTooLong { .. }
    ));
    assert!(matches!(
        refused(prompt(1, 130)),
        EngineError::CacheTooSmall { .. }
    ));
    assert_eq!(block_on(engine.pin(prompt(1, 9))).unwrap().tokens(), 0);
}

#[test]
fn a_reused_beginning_is_faster() {
    let engine = engine(EngineOptions::default());
    let long = prompt(5, 500);
    let time = || {
        let request = GenerateRequest::greedy(long.clone(), 1);
        block_on(engine.generate(request)).unwrap().timings.prefill
    };
    let first = time();
    let again = (0..5).map(|_| time()).min().unwrap();
    assert!(again < first / 3, "{again:?} after {first:?}");
}

#[test]
fn what_is_kept_gives_way_to_what_runs() {
    let engine = engine(EngineOptions {
        cache_tokens: Some(128),
        ..EngineOptions::default()
    });
    for seed in 0..6 {
        let prompt = prompt(seed, 90);
        assert_eq!(
            tokens_of(&engine, &prompt, 20),
            uncached(&engine, &prompt, 20)
        );
    }
    let stats = settled(&engine);
    assert_eq!((stats.blocks_total, stats.blocks_in_use), (8, 0));
    assert!(stats.evictions > 20, "{stats:?}");
    assert!(stats.blocks_kept <= 8);
    let error = block_on(engine.generate(GenerateRequest::greedy(prompt(1, 129), 1))).unwrap_err();
    assert!(
        matches!(
            error,
            EngineError::CacheTooSmall {
                actual: 129,
                max: 128
            }
        ),
        "{error}"
    );
    let cut = tokens_of(&engine, &prompt(1, 120), 50);
    assert_eq!(cut.len(), 8, "the reply ends where the cache is full");
}

#[test]
fn requests_wait_for_blocks_that_others_hold() {
    let engine = engine(EngineOptions {
        max_rows: 4,
        cache_tokens: Some(128),
        ..EngineOptions::default()
    });
    let prompts: Vec<_> = (0..10).map(|seed| prompt(seed, 60)).collect();
    let all = join_all(
        prompts
            .iter()
            .map(|prompt| engine.generate(GenerateRequest::greedy(prompt.clone(), 30))),
    );
    for (generation, prompt) in block_on(all).into_iter().zip(&prompts) {
        assert_eq!(generation.unwrap().tokens, uncached(&engine, prompt, 30));
    }
}

#[test]
fn a_full_queue_refuses_and_recovers() {
    let engine = engine(EngineOptions {
        max_waiting: 2,
        ..EngineOptions::default()
    });
    let requests: Vec<_> = (0..20)
        .map(|seed| engine.generate(GenerateRequest::greedy(prompt(seed, 300), 100)))
        .collect();
    let results = block_on(join_all(requests));
    let refused = results
        .iter()
        .filter(|result| matches!(result, Err(EngineError::QueueFull { max: 2 })));
    assert!(refused.count() >= 10);
    assert!(results.iter().any(Result::is_ok));
    assert_eq!(tokens_of(&engine, &prompt(1, 5), 3).len(), 3);
}

#[test]
fn mixed_requests_and_cancellations_leave_every_block_free() {
    let engine = engine(EngineOptions {
        max_rows: 5,
        prefill_chunk: 32,
        cache_tokens: Some(1024),
        max_waiting: 400,
    });
    let mut random = 12345u32;
    let mut next = move |below: u32| {
        random = random.wrapping_mul(1664525).wrapping_add(1013904223);
        (random >> 8) % below
    };
    for _ in 0..6 {
        let requests: Vec<_> = (0..50)
            .map(|_| {
                let (seed, length, count) = (next(4), 1 + next(150), next(20) as usize);
                let prompt = prompt(seed, length);
                let expected = (next(8) == 0).then(|| (prompt.clone(), count));
                let request = GenerateRequest {
                    use_kv_cache: next(6) != 0,
                    sampling: SamplingParams {
                        temperature: if expected.is_some() {
                            0.0
                        } else {
                            next(2) as f32
                        },
                        ..SamplingParams::default()
                    },
                    ..GenerateRequest::greedy(prompt, count)
                };
                (engine.generate(request), expected, next(3) == 0)
            })
            .collect();
        let mut kept = Vec::new();
        for (future, expected, cancel) in requests {
            if !cancel {
                kept.push((future, expected));
            } else if next(2) == 0 {
                // Polled once, so that its waker is known, then dropped.
                let mut future = pin!(future);
                block_on(async { drop::<Either<_, _>>(select(future.as_mut(), ready(())).await) });
            }
        }
        for (future, expected) in kept {
            let tokens = block_on(future).unwrap().tokens;
            if let Some((prompt, count)) = expected {
                assert_eq!(tokens, uncached(&engine, &prompt, count));
            }
        }
    }
    let stats = settled(&engine);
    assert_eq!(stats.blocks_in_use, 0, "{stats:?}");
    assert!(stats.hits > 0 && stats.blocks_kept <= 64, "{stats:?}");
}

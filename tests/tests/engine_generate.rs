//! The engine thread: whole generations, their ends, cancellation, failures that stay where they happened.

mod engine_support;

use candle_signature::engine::{
    Engine, EngineError, EngineOptions, FinishReason, GenerateRequest, LogitsMask, MaskEnd,
    MaskError, MaskStep, SamplingParams, TokenId,
};
use engine_support::*;
use futures::executor::block_on;
use futures::future::join_all;
use std::sync::Arc;
use std::time::{Duration, Instant};

fn engine() -> Engine {
    engine_with(EngineOptions::default())
}

fn engine_with(options: EngineOptions) -> Engine {
    Engine::start(Arc::new(tiny_model(320)), options).unwrap()
}

fn prompt(length: u32) -> Vec<TokenId> {
    (0..length).map(|i| TokenId(i * 53 % 320)).collect()
}

/// Golden prompts and greedy continuations.
fn goldens() -> Vec<(Vec<TokenId>, Vec<TokenId>)> {
    let goldens = json_file(&data("tiny-random-qwen2").join("goldens.json"));
    let cases = goldens["cases"].as_array().unwrap().iter();
    cases
        .map(|case| (ids(&case["tokens"]), ids(&case["greedy"])))
        .collect()
}

#[test]
fn greedy_generations_are_pytorchs_with_cache_without_and_in_chunks() {
    for prefill_chunk in [1, 10, 256] {
        let engine = engine_with(EngineOptions {
            max_rows: 1,
            prefill_chunk,
            ..EngineOptions::default()
        });
        for use_kv_cache in [true, false] {
            for (prompt, greedy) in goldens() {
                let request = GenerateRequest {
                    use_kv_cache,
                    ..GenerateRequest::greedy(prompt.clone(), 16)
                };
                let generation = block_on(engine.generate(request)).unwrap();
                assert_eq!(generation.tokens, greedy);
                assert_eq!(generation.finish, FinishReason::Length);
                assert_eq!(generation.prompt_tokens, prompt.len());
                assert_eq!(generation.completion_tokens, 16);
            }
        }
    }
}

#[test]
fn generations_side_by_side_equal_those_alone() {
    let engine = engine_with(EngineOptions {
        max_rows: 3,
        prefill_chunk: 20,
        ..EngineOptions::default()
    });
    let all = join_all(
        goldens()
            .into_iter()
            .cycle()
            .take(12)
            .map(|(prompt, greedy)| {
                let generation = engine.generate(GenerateRequest::greedy(prompt, 16));
                async move { (generation.await.unwrap().tokens, greedy) }
            }),
    );
    for (tokens, greedy) in block_on(all) {
        assert_eq!(tokens, greedy);
    }
}

#[test]
fn a_stop_token_ends_the_reply_and_is_not_part_of_it() {
    let engine = engine();
    for (prompt, greedy) in goldens() {
        let stop = greedy[5];
        let first = greedy.iter().position(|token| *token == stop).unwrap();
        let request = GenerateRequest {
            stop_tokens: vec![TokenId(9999), stop],
            ..GenerateRequest::greedy(prompt, 16)
        };
        let generation = block_on(engine.generate(request)).unwrap();
        assert_eq!(generation.tokens, greedy[..first]);
        assert_eq!(generation.finish, FinishReason::Stop);
        assert_eq!(generation.completion_tokens, first + 1);
    }
}

#[test]
fn zero_max_tokens_is_an_empty_generation() {
    let generation = block_on(engine().generate(GenerateRequest::greedy(prompt(3), 0))).unwrap();
    assert!(generation.tokens.is_empty());
    assert_eq!(generation.finish, FinishReason::Length);
    assert_eq!(
        (generation.prompt_tokens, generation.completion_tokens),
        (3, 0)
    );
}

#[test]
fn the_context_bounds_prompt_and_reply() {
    let engine = engine();
    let request = |length, context_length| GenerateRequest {
        context_length,
        ..GenerateRequest::greedy(prompt(length), 100)
    };
    let generation = block_on(engine.generate(request(10, 14))).unwrap();
    assert_eq!(
        (generation.tokens.len(), generation.finish),
        (4, FinishReason::Length)
    );
    assert!(
        block_on(engine.generate(request(14, 14)))
            .unwrap()
            .tokens
            .is_empty()
    );
    let error = block_on(engine.generate(request(15, 14))).unwrap_err();
    assert!(
        matches!(
            error,
            EngineError::ContextTooLong {
                actual: 15,
                max: 14
            }
        ),
        "{error}"
    );
    let error = block_on(engine.generate(request(513, usize::MAX))).unwrap_err();
    assert!(
        matches!(
            error,
            EngineError::ContextTooLong {
                actual: 513,
                max: 512
            }
        ),
        "{error}"
    );
}

#[test]
fn the_cache_limit_bounds_the_reply_only_while_there_is_a_cache() {
    let engine = engine();
    let request = |length, use_kv_cache| GenerateRequest {
        max_cache_tokens: Some(12),
        use_kv_cache,
        ..GenerateRequest::greedy(prompt(length), 5)
    };
    assert_eq!(
        block_on(engine.generate(request(10, true)))
            .unwrap()
            .tokens
            .len(),
        2
    );
    assert_eq!(
        block_on(engine.generate(request(10, false)))
            .unwrap()
            .tokens
            .len(),
        5
    );
    let error = block_on(engine.generate(request(13, true))).unwrap_err();
    assert!(
        matches!(
            error,
            EngineError::CacheTooSmall {
                actual: 13,
                max: 12
            }
        ),
        "{error}"
    );
}

#[test]
fn impossible_requests_are_refused() {
    let engine = engine();
    let refused = |request| block_on(engine.generate(request)).unwrap_err();
    assert!(matches!(
        refused(GenerateRequest::greedy(vec![], 4)),
        EngineError::EmptyPrompt
    ));
    let unknown = refused(GenerateRequest::greedy(vec![TokenId(320)], 4));
    assert!(matches!(
        unknown,
        EngineError::TokenOutOfRange {
            id: 320,
            vocab_size: 320
        }
    ));
    let sampling = SamplingParams {
        top_p: 0.0,
        ..Default::default()
    };
    let bad = refused(GenerateRequest {
        sampling,
        ..GenerateRequest::greedy(prompt(2), 4)
    });
    assert!(
        matches!(
            bad,
            EngineError::Sampling {
                parameter: "top_p",
                ..
            }
        ),
        "{bad}"
    );
}

#[test]
fn a_seed_reproduces_a_sampled_generation() {
    let engine = engine();
    let sample = |seed| {
        let sampling = SamplingParams {
            temperature: 1.0,
            seed: Some(seed),
            ..Default::default()
        };
        block_on(engine.generate(GenerateRequest {
            sampling,
            ..GenerateRequest::greedy(prompt(5), 30)
        }))
        .unwrap()
        .tokens
    };
    assert_eq!(sample(1), sample(1));
    assert_ne!(sample(1), sample(2));
}

#[test]
fn ids_beyond_the_tokenizer_are_never_generated() {
    let engine = Engine::start(Arc::new(tiny_model(258)), EngineOptions::default()).unwrap();
    let sampling = SamplingParams {
        temperature: 5.0,
        seed: Some(3),
        ..Default::default()
    };
    let request = GenerateRequest {
        sampling,
        ..GenerateRequest::greedy(prompt(4), 300)
    };
    let generation = block_on(engine.generate(request)).unwrap();
    assert_eq!(generation.tokens.len(), 300);
    assert!(generation.tokens.iter().all(|token| token.0 < 258));
    assert!(
        generation.tokens.iter().any(|token| token.0 > 200),
        "the others are"
    );
}

/// Applies a closure; forces nothing.
struct Mask<F>(F, Vec<TokenId>);

impl<F: FnMut(&[TokenId], &mut [f32]) + Send> LogitsMask for Mask<F> {
    fn start(&mut self, _budget: usize) -> Result<MaskStep, MaskError> {
        Ok(MaskStep::default())
    }

    fn apply(&mut self, logits: &mut [f32]) -> Result<(), MaskError> {
        (self.0)(&self.1, logits);
        Ok(())
    }

    fn accept(&mut self, token: TokenId, _budget: usize) -> Result<MaskStep, MaskError> {
        self.1.push(token);
        Ok(MaskStep {
            tokens: vec![token],
            end: None,
        })
    }
}

/// Forces three tokens at the start and two after each choice, and ends when the budget is nearly used up.
struct Forcing;

impl LogitsMask for Forcing {
    fn start(&mut self, budget: usize) -> Result<MaskStep, MaskError> {
        if budget < 5 {
            return Err(MaskError::BudgetTooSmall { needed: 5, budget });
        }
        Ok(MaskStep {
            tokens: [1, 2, 3].map(TokenId).to_vec(),
            end: None,
        })
    }

    fn apply(&mut self, _logits: &mut [f32]) -> Result<(), MaskError> {
        Ok(())
    }

    fn accept(&mut self, token: TokenId, budget: usize) -> Result<MaskStep, MaskError> {
        let closing = budget < 5;
        let tokens = if closing {
            vec![TokenId(9)]
        } else {
            vec![token, TokenId(7), TokenId(8)]
        };
        Ok(MaskStep {
            tokens,
            end: closing.then_some(MaskEnd::Closed),
        })
    }
}

#[test]
fn forced_tokens_are_appended_and_choices_are_made_after_them() {
    let request = |max_tokens| GenerateRequest {
        mask: Some(Box::new(Forcing)),
        ..GenerateRequest::greedy(prompt(6), max_tokens)
    };
    let generation = block_on(engine().generate(request(13))).unwrap();
    let after = |tokens: &[u32]| {
        let whole = [prompt(6), tokens.iter().copied().map(TokenId).collect()].concat();
        block_on(engine().generate(GenerateRequest::greedy(whole, 1)))
            .unwrap()
            .tokens[0]
            .0
    };
    let first = after(&[1, 2, 3]);
    let second = after(&[1, 2, 3, first, 7, 8]);
    let expected = [1, 2, 3, first, 7, 8, second, 7, 8, 9].map(TokenId);
    // The last choice is made with one token left, and the mask ends in its place.
    assert_eq!(generation.tokens, expected);
    assert_eq!(generation.finish, FinishReason::Stop);
    assert_eq!(
        (generation.forced_tokens, generation.closed_at),
        (8, Some(9))
    );
    assert_eq!(generation.completion_tokens, 10);

    let error = block_on(engine().generate(request(4))).unwrap_err();
    assert!(matches!(
        error,
        EngineError::Mask(MaskError::BudgetTooSmall {
            needed: 5,
            budget: 4
        })
    ));
}

fn masked(mask: impl FnMut(&[TokenId], &mut [f32]) + Send + 'static) -> GenerateRequest {
    GenerateRequest {
        mask: Some(Box::new(Mask(mask, Vec::new()))),
        ..GenerateRequest::greedy(prompt(6), 8)
    }
}

#[test]
fn a_mask_decides_what_may_follow() {
    let request = masked(|generated, logits| {
        let allowed = 40 + generated.len();
        logits
            .iter_mut()
            .enumerate()
            .filter(|(id, _)| *id != allowed)
            .for_each(|(_, logit)| *logit = f32::NEG_INFINITY);
    });
    let generation = block_on(engine().generate(request)).unwrap();
    assert_eq!(generation.tokens, (40..48).map(TokenId).collect::<Vec<_>>());
}

#[test]
fn a_failure_ends_its_own_request_and_the_engine_lives_on() {
    let engine = engine_with(EngineOptions {
        max_rows: 4,
        prefill_chunk: 16,
        ..EngineOptions::default()
    });
    let (tokens, greedy) = goldens().remove(1);
    let good = engine.generate(GenerateRequest::greedy(tokens.clone(), 16));
    let panics = engine.generate(masked(|generated, _| {
        assert!(generated.len() < 3, "mask broke")
    }));
    let nan = engine.generate(masked(|_, logits| logits[7] = f32::NAN));
    let nothing = engine.generate(masked(|_, logits| logits.fill(f32::NEG_INFINITY)));
    let (good, panics, nan, nothing) =
        block_on(async { futures::join!(good, panics, nan, nothing) });
    assert_eq!(good.unwrap().tokens, greedy);
    let error = panics.unwrap_err();
    assert!(
        matches!(&error, EngineError::Panicked { message } if message == "mask broke"),
        "{error}"
    );
    let error = nan.unwrap_err();
    assert!(
        matches!(error, EngineError::LogitsNotFinite { position: 6, .. }),
        "{error}"
    );
    assert!(matches!(
        nothing.unwrap_err(),
        EngineError::NothingToSample { position: 6 }
    ));
    let again = block_on(engine.generate(GenerateRequest::greedy(tokens, 16))).unwrap();
    assert_eq!(again.tokens, greedy);
}

/// A request that takes long and tells when it is dropped.
fn endless(dropped: Arc<()>) -> GenerateRequest {
    let mut request = masked(move |_, _| {
        let _alive = &dropped;
        std::thread::sleep(Duration::from_millis(5));
    });
    request.max_tokens = 100_000;
    request
}

fn wait_until(mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(
            start.elapsed() < Duration::from_secs(20),
            "it never happened"
        );
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn dropping_the_future_cancels_running_and_waiting_requests() {
    let engine = engine();
    let (first, second) = (Arc::new(()), Arc::new(()));
    let running = engine.generate(endless(first.clone()));
    let waiting = engine.generate(endless(second.clone()));
    drop(waiting);
    drop(running);
    wait_until(|| Arc::strong_count(&first) == 1 && Arc::strong_count(&second) == 1);
    let (tokens, greedy) = goldens().remove(0);
    let generation = block_on(engine.generate(GenerateRequest::greedy(tokens, 16))).unwrap();
    assert_eq!(generation.tokens, greedy);
}

#[test]
fn dropping_the_engine_stops_its_requests_and_frees_the_model() {
    let model = Arc::new(tiny_model(320));
    let engine = Engine::start(model.clone(), EngineOptions::default()).unwrap();
    let running = engine.generate(endless(Arc::new(())));
    let waiting = engine.generate(endless(Arc::new(())));
    drop(engine);
    assert!(matches!(
        block_on(running).unwrap_err(),
        EngineError::Stopped
    ));
    assert!(matches!(
        block_on(waiting).unwrap_err(),
        EngineError::Stopped
    ));
    wait_until(|| Arc::strong_count(&model) == 1);
}

#[test]
fn a_short_request_does_not_wait_for_the_end_of_a_long_one() {
    let engine = engine_with(EngineOptions {
        max_rows: 2,
        prefill_chunk: 8,
        ..EngineOptions::default()
    });
    let long = engine.generate(GenerateRequest::greedy(prompt(500), 1));
    let short = engine.generate(GenerateRequest::greedy(prompt(4), 2));
    let (long, short) = block_on(async { futures::join!(long, short) });
    let (long, short) = (long.unwrap().timings, short.unwrap().timings);
    assert!(
        short.prefill + short.decode < long.prefill / 2,
        "{short:?} beside {long:?}"
    );
}

//! Guessing tokens by looking them up in the prompt: fewer steps, and never another token.

mod engine_support;

use std::sync::Arc;

use candle_signature::engine::{
    Engine, EngineOptions, GenerateRequest, Generation, LogitsMask, MaskError, MaskStep,
    SamplingParams, TokenId,
};
use engine_support::tiny_model;
use futures::executor::block_on;

fn engine() -> Engine {
    Engine::start(Arc::new(tiny_model(320)), EngineOptions::default()).unwrap()
}

/// A prompt with repetitions to look things up in.
fn prompt(seed: u32, length: u32) -> Vec<TokenId> {
    (0..length)
        .map(|i| TokenId((i % 9 * 53 + seed * 31) % 320))
        .collect()
}

fn with_lookup(engine: &Engine, most: usize, request: GenerateRequest) -> Generation {
    let request = GenerateRequest {
        prompt_lookup: most,
        ..request
    };
    block_on(engine.generate(request)).unwrap()
}

#[test]
fn greedy_replies_are_the_same_in_fewer_steps() {
    let engine = engine();
    let (mut steps, mut accepted) = ([0, 0], 0);
    for seed in 0..12 {
        let request = || GenerateRequest::greedy(prompt(seed, 30), 80);
        let before = engine.stats();
        let plain = with_lookup(&engine, 0, request());
        let between = engine.stats();
        assert_eq!(between.drafted_tokens, before.drafted_tokens);
        for most in [1, 3, 8, 64] {
            let guessed = with_lookup(&engine, most, request());
            assert_eq!(
                guessed.tokens, plain.tokens,
                "prompt {seed}, {most} guesses"
            );
            assert_eq!(guessed.finish, plain.finish);
            assert_eq!(guessed.completion_tokens, plain.completion_tokens);
        }
        let after = engine.stats();
        steps[0] += between.steps - before.steps;
        steps[1] += after.steps - between.steps;
        accepted += after.accepted_tokens - between.accepted_tokens;
        assert_eq!(
            after.decoded_tokens - between.decoded_tokens,
            4 * plain.completion_tokens as u64
        );
    }
    assert!(accepted > 100, "only {accepted} guesses were right");
    assert!(steps[1] < 4 * steps[0] * 9 / 10, "{steps:?}");
}

#[test]
fn sampled_replies_are_those_of_the_same_seed_without_guesses() {
    // A guess is never drawn: it only saves a pass where it is what was drawn. Each seed gives the same reply, so the
    // distribution over seeds is the same.
    let engine = engine();
    let mut drafted = 0;
    for seed in 0..60 {
        let request = || GenerateRequest {
            sampling: SamplingParams {
                temperature: 0.4,
                top_p: 0.95,
                frequency_penalty: 0.1,
                seed: Some(seed),
                ..SamplingParams::default()
            },
            ..GenerateRequest::greedy(prompt(seed as u32 % 5, 40), 30)
        };
        let plain = with_lookup(&engine, 0, request());
        let guessed = with_lookup(&engine, 6, request());
        assert_eq!(guessed.tokens, plain.tokens, "seed {seed}");
        drafted = engine.stats().drafted_tokens;
    }
    assert!(drafted > 60, "{drafted}");
}

#[test]
fn frequencies_of_what_is_drawn_after_a_guess_are_the_models() {
    let engine = engine();
    let counts = |most: usize, first: u64| {
        let mut counts = vec![0f64; 320];
        for seed in first..first + 1500 {
            let request = GenerateRequest {
                sampling: SamplingParams {
                    temperature: 0.7,
                    top_k: Some(4),
                    seed: Some(seed),
                    ..SamplingParams::default()
                },
                ..GenerateRequest::greedy(prompt(2, 27), 3)
            };
            let generation = with_lookup(&engine, most, request);
            // The first is drawn from logits that were followed by a guess, the second from those of the guess.
            for token in &generation.tokens[..2] {
                counts[token.0 as usize] += 1.0 / 3000.0;
            }
        }
        counts
    };
    // Other seeds: what is compared are two samples of the same distribution.
    let (plain, guessed) = (counts(0, 0), counts(4, 100_000));
    assert!(engine.stats().drafted_tokens > 500, "{:?}", engine.stats());
    let distance: f64 = plain.iter().zip(&guessed).map(|(a, b)| (a - b).abs()).sum();
    assert!(distance < 0.12, "{distance}");
}

/// Admits tokens below 200, and forces two after every third.
struct Forcing(usize);

impl LogitsMask for Forcing {
    fn start(&mut self, _budget: usize) -> Result<MaskStep, MaskError> {
        let tokens = [4, 5, 6, 7].map(TokenId).to_vec();
        Ok(MaskStep { tokens, end: None })
    }

    fn apply(&mut self, logits: &mut [f32]) -> Result<(), MaskError> {
        logits[200..].fill(f32::NEG_INFINITY);
        Ok(())
    }

    fn accept(&mut self, token: TokenId, budget: usize) -> Result<MaskStep, MaskError> {
        self.0 += 1;
        let mut tokens = vec![token];
        if self.0.is_multiple_of(3) {
            tokens.extend([TokenId(5), TokenId(6)]);
        }
        tokens.truncate(budget);
        Ok(MaskStep { tokens, end: None })
    }
}

#[test]
fn a_mask_and_what_it_forces_are_kept() {
    let engine = engine();
    for seed in 0..8 {
        let request = || GenerateRequest {
            mask: Some(Box::new(Forcing(0))),
            top_logprobs: 2,
            ..GenerateRequest::greedy(prompt(seed, 30), 60)
        };
        let plain = with_lookup(&engine, 0, request());
        let guessed = with_lookup(&engine, 7, request());
        assert_eq!(guessed.tokens, plain.tokens);
        assert_eq!(guessed.forced_tokens, plain.forced_tokens);
        let of = |generation: &Generation| -> Vec<bool> {
            generation.logprobs.iter().map(Option::is_some).collect()
        };
        assert_eq!(of(&guessed), of(&plain));
    }
    assert!(engine.stats().accepted_tokens > 20, "{:?}", engine.stats());
}

#[test]
fn stops_limits_and_turns_are_where_they_were() {
    let engine = engine();
    let plain = with_lookup(&engine, 0, GenerateRequest::greedy(prompt(1, 30), 60));
    for max_tokens in 1..20 {
        let request = GenerateRequest::greedy(prompt(1, 30), max_tokens);
        let guessed = with_lookup(&engine, 16, request);
        assert_eq!(guessed.tokens, plain.tokens[..max_tokens]);
    }
    let stop = plain.tokens[25];
    let first = plain
        .tokens
        .iter()
        .position(|token| *token == stop)
        .unwrap();
    let request = GenerateRequest {
        stop_tokens: vec![stop],
        ..GenerateRequest::greedy(prompt(1, 30), 60)
    };
    assert_eq!(
        with_lookup(&engine, 16, request).tokens,
        plain.tokens[..first]
    );
    // What was guessed wrongly is in nobody's cache: a second turn is what it would be.
    let turn = [prompt(1, 30), plain.tokens, prompt(3, 5)].concat();
    let reused = with_lookup(&engine, 16, GenerateRequest::greedy(turn.clone(), 20));
    assert!(reused.cached_tokens > 30);
    let fresh = GenerateRequest {
        use_kv_cache: false,
        ..GenerateRequest::greedy(turn, 20)
    };
    assert_eq!(reused.tokens, with_lookup(&engine, 16, fresh).tokens);
}

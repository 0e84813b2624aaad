//! The log-probability of each chosen token, against a plain log-softmax of the model's logits.

mod engine_support;

use std::sync::Arc;

use candle_signature::engine::{
    Engine, EngineOptions, GenerateRequest, Generation, LogitsMask, MaskEnd, MaskError, MaskStep,
    SamplingParams, TokenId,
};
use engine_support::{cache, last_logits, tiny_model};
use futures::executor::block_on;

fn engine() -> Engine {
    Engine::start(Arc::new(tiny_model(320)), EngineOptions::default()).unwrap()
}

fn prompt() -> Vec<TokenId> {
    (0..9).map(|i| TokenId(i * 53 % 320)).collect()
}

/// What the model makes of each token of a reply, in f64.
fn plain(engine: &Engine, generation: &Generation) -> Vec<f64> {
    let network = engine.model().network();
    let mut sequence = prompt();
    let mut logprobs = Vec::new();
    for token in &generation.tokens {
        let logits = last_logits(network, &sequence, &mut cache(network, 200));
        let exponentials = logits.iter().map(|logit| f64::from(*logit).exp());
        let total: f64 = exponentials.sum();
        logprobs.push(f64::from(logits[token.0 as usize]) - total.ln());
        sequence.push(*token);
    }
    logprobs
}

fn assert_plain(engine: &Engine, generation: &Generation, forced: &[usize]) {
    assert_eq!(generation.logprobs.len(), generation.tokens.len());
    let plain = plain(engine, generation);
    for (at, (found, wanted)) in generation.logprobs.iter().zip(&plain).enumerate() {
        match found {
            None => assert!(forced.contains(&at), "token {at} was chosen"),
            Some(found) => {
                assert!(!forced.contains(&at), "token {at} was forced");
                assert!(
                    (f64::from(*found) - wanted).abs() < 1e-4,
                    "token {at}: {found} {wanted}"
                );
                assert!(*found < 0.0);
            }
        }
    }
}

#[test]
fn they_are_those_of_the_model_whatever_the_sampling() {
    let engine = engine();
    let params = [
        SamplingParams::default(),
        SamplingParams {
            temperature: 1.7,
            top_k: Some(40),
            top_p: 0.9,
            min_p: 0.01,
            seed: Some(3),
            ..SamplingParams::default()
        },
        SamplingParams {
            temperature: 0.8,
            repetition_penalty: 1.8,
            presence_penalty: 1.0,
            frequency_penalty: -0.5,
            logit_bias: (0..100).map(|id| (TokenId(id), 4.0)).collect(),
            seed: Some(5),
            ..SamplingParams::default()
        },
    ];
    for sampling in params {
        let request = GenerateRequest {
            sampling,
            ..GenerateRequest::greedy(prompt(), 12)
        };
        let generation = block_on(engine.generate(request)).unwrap();
        assert_eq!(generation.tokens.len(), 12);
        assert_plain(&engine, &generation, &[]);
    }
}

#[test]
fn the_likeliest_are_told_in_order_for_each_chosen_token() {
    let engine = engine();
    let network = engine.model().network();
    for (mask, top_logprobs) in [(false, 1), (false, 20), (true, 5)] {
        let (sender, mut stream) = tokio::sync::mpsc::channel(64);
        let request = GenerateRequest {
            top_logprobs,
            stream: Some(sender),
            mask: mask.then(|| Box::new(Few) as Box<dyn LogitsMask>),
            ..GenerateRequest::greedy(prompt(), 9)
        };
        let generation = block_on(engine.generate(request)).unwrap();
        let mut sequence = prompt();
        for (at, token) in generation.tokens.iter().enumerate() {
            let found = &generation.top_logprobs[at];
            let logprob = generation.logprobs[at];
            let streamed = stream.try_recv().unwrap();
            assert_eq!((streamed.id, streamed.logprob), (*token, logprob));
            assert_eq!(&streamed.top, found);
            if logprob.is_some() {
                let logits = last_logits(network, &sequence, &mut cache(network, 200));
                let mut order: Vec<u32> = (0..320).collect();
                order.sort_by(|a, b| logits[*b as usize].total_cmp(&logits[*a as usize]));
                let ids: Vec<u32> = found.iter().map(|(id, _)| id.0).collect();
                assert_eq!(ids, order[..top_logprobs]);
                assert!(found.is_sorted_by(|a, b| a.1 >= b.1));
                let own = found.iter().find(|(id, _)| id == token);
                assert!(own.is_none_or(|(_, own)| Some(*own) == logprob));
                assert!(mask || own.is_some(), "greedy takes the likeliest");
            } else {
                assert!(mask && found.is_empty());
            }
            sequence.push(*token);
        }
    }
    let refused = GenerateRequest {
        top_logprobs: 21,
        ..GenerateRequest::greedy(prompt(), 9)
    };
    let error = block_on(engine.generate(refused)).unwrap_err();
    assert!(error.to_string().contains("top_logprobs"), "{error}");
}

/// Admits few tokens, forces two at the start and one after each choice, and closes with two.
struct Few;

impl LogitsMask for Few {
    fn start(&mut self, _budget: usize) -> Result<MaskStep, MaskError> {
        Ok(MaskStep {
            tokens: vec![TokenId(1), TokenId(2)],
            end: None,
        })
    }

    fn apply(&mut self, logits: &mut [f32]) -> Result<(), MaskError> {
        let admitted = |at: usize| (100..108).contains(&at);
        for (_, logit) in logits
            .iter_mut()
            .enumerate()
            .filter(|(at, _)| !admitted(*at))
        {
            *logit = f32::NEG_INFINITY;
        }
        Ok(())
    }

    fn accept(&mut self, token: TokenId, budget: usize) -> Result<MaskStep, MaskError> {
        let (tokens, end) = match budget {
            0..4 => (vec![TokenId(3), TokenId(4)], Some(MaskEnd::Closed)),
            _ => (vec![token, TokenId(5)], None),
        };
        Ok(MaskStep { tokens, end })
    }
}

#[test]
fn a_mask_changes_none_and_what_it_forces_has_none() {
    let engine = engine();
    let request = |all_logits| GenerateRequest {
        all_logits,
        mask: Some(Box::new(Few)),
        ..GenerateRequest::greedy(prompt(), 9)
    };
    let generation = block_on(engine.generate(request(true))).unwrap();
    let without = block_on(engine.generate(request(false))).unwrap();
    assert_eq!(without.tokens, generation.tokens);
    assert!(without.logprobs.iter().all(Option::is_none));
    assert_eq!(without.logprobs.len(), without.tokens.len());
    // Two forced, then a choice and a forced one three times, unless the budget ends it.
    let forced: Vec<usize> = (0..generation.tokens.len())
        .filter(|at| !(100..108).contains(&generation.tokens[*at].0))
        .collect();
    assert!(forced.len() >= 6 && forced.len() < generation.tokens.len());
    assert_eq!(generation.forced_tokens, forced.len());
    assert_plain(&engine, &generation, &forced);
}

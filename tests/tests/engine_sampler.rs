//! The sampler against a plain reference that sorts, its limits, and what it refuses.

use candle_signature::engine::{EngineError, Sampler, SamplingParams, TokenId};
use proptest::prelude::*;

/// What sampling should choose from: probabilities by the formulas, computed by sorting everything.
fn reference(logits: &[f32], params: &SamplingParams) -> Vec<f64> {
    let mut order: Vec<usize> = (0..logits.len())
        .filter(|i| logits[*i] > f32::NEG_INFINITY)
        .collect();
    order.sort_by(|a, b| logits[*b].total_cmp(&logits[*a]).then(a.cmp(b)));
    order.truncate(params.top_k.unwrap_or(usize::MAX));
    let top = f64::from(logits[order[0]]);
    let weight = |i: usize| ((f64::from(logits[i]) - top) / f64::from(params.temperature)).exp();
    let total: f64 = order.iter().map(|i| weight(*i)).sum();
    let mut reached = 0.0;
    let nucleus = order.iter().position(|i| {
        reached += weight(*i) / total;
        reached >= f64::from(params.top_p)
    });
    if params.top_p < 1.0 {
        order.truncate(nucleus.map_or(order.len(), |last| last + 1));
    }
    order.retain(|i| weight(*i) >= f64::from(params.min_p));
    let total: f64 = order.iter().map(|i| weight(*i)).sum();
    let mut probabilities = vec![0.0; logits.len()];
    for i in order {
        probabilities[i] = weight(i) / total;
    }
    probabilities
}

fn frequencies(logits: &[f32], params: &SamplingParams, draws: usize) -> Vec<f64> {
    let mut sampler = Sampler::new(params.clone(), &[]).unwrap();
    let mut counts = vec![0.0; logits.len()];
    for _ in 0..draws {
        let token = sampler.sample(&mut logits.to_vec(), 0).unwrap();
        counts[token.0 as usize] += 1.0 / draws as f64;
    }
    counts
}

fn logits(count: usize) -> Vec<f32> {
    (0..count)
        .map(|i| ((i * 7919 % 101) as f32 / 25.0).sin() * 3.0)
        .collect()
}

#[test]
fn draws_follow_the_reference_distribution() {
    let base = SamplingParams {
        temperature: 1.0,
        seed: Some(11),
        ..Default::default()
    };
    let mut masked = logits(60);
    masked[3..30].fill(f32::NEG_INFINITY);
    for (logits, params) in [
        (logits(40), base.clone()),
        (
            logits(40),
            SamplingParams {
                temperature: 0.3,
                ..base.clone()
            },
        ),
        (
            logits(40),
            SamplingParams {
                temperature: 4.0,
                ..base.clone()
            },
        ),
        (
            logits(40),
            SamplingParams {
                top_k: Some(5),
                ..base.clone()
            },
        ),
        (
            logits(40),
            SamplingParams {
                top_p: 0.6,
                ..base.clone()
            },
        ),
        (
            logits(40),
            SamplingParams {
                min_p: 0.3,
                ..base.clone()
            },
        ),
        (
            logits(90),
            SamplingParams {
                top_k: Some(20),
                top_p: 0.8,
                min_p: 0.1,
                temperature: 0.7,
                ..base.clone()
            },
        ),
        (
            masked,
            SamplingParams {
                top_p: 0.9,
                ..base.clone()
            },
        ),
    ] {
        let expected = reference(&logits, &params);
        let found = frequencies(&logits, &params, 20_000);
        for (expected, found) in expected.iter().zip(&found) {
            // Five standard errors of 20,000 draws.
            let allowed = 5.0 * (expected * (1.0 - expected) / 20_000.0).sqrt();
            assert!(
                (expected - found).abs() <= allowed,
                "{params:?}: {expected} {found}"
            );
        }
    }
}

proptest! {
    #[test]
    fn only_what_the_reference_keeps_is_ever_drawn(
        logits in prop::collection::vec(-8f32..8.0, 1..200),
        top_k in prop::option::of(1usize..50),
        top_p in 0.05f32..1.0,
        min_p in 0f32..0.5,
        seed in any::<u64>(),
    ) {
        let params = SamplingParams { temperature: 1.0, top_k, top_p, min_p, seed: Some(seed), ..Default::default() };
        // f32 and f64 may round to different sides of a limit.
        let wider = SamplingParams { top_p: (top_p + 1e-5).min(1.0), min_p: min_p * (1.0 - 1e-5), ..params.clone() };
        let expected = reference(&logits, &wider);
        let mut sampler = Sampler::new(params, &[]).unwrap();
        for _ in 0..20 {
            let token = sampler.sample(&mut logits.clone(), 0).unwrap();
            prop_assert!(expected[token.0 as usize] > 0.0);
        }
    }
}

#[test]
fn draws_from_a_large_flat_vocabulary_follow_the_reference_too() {
    let logits = logits(6_000);
    let base = SamplingParams {
        temperature: 2.0,
        seed: Some(5),
        ..Default::default()
    };
    for (top_p, min_p) in [
        (1.0, 0.0),
        (0.8, 0.0),
        (0.5, 0.0),
        (0.2, 0.0),
        (1.0, 0.3),
        (0.9, 0.3),
    ] {
        let params = SamplingParams {
            top_p,
            min_p,
            ..base.clone()
        };
        let expected = reference(&logits, &params);
        let found = frequencies(&logits, &params, 20_000);
        // Many tokens share a logit: groups of a hundred have enough draws to be compared.
        for (index, (expected, found)) in expected.chunks(100).zip(found.chunks(100)).enumerate() {
            let (expected, found): (f64, f64) = (expected.iter().sum(), found.iter().sum());
            let spread = (expected / 20_000.0).sqrt();
            let far = (expected - found).abs() > 5.0 * spread;
            assert!(!far, "{top_p} {min_p} {index}: {found} for {expected}");
        }
        let ruled_out = expected
            .iter()
            .zip(&found)
            .filter(|(expected, _)| **expected == 0.0);
        assert!(
            ruled_out.map(|(_, found)| *found).all(|found| found == 0.0),
            "{top_p} {min_p}"
        );
    }
}

#[test]
fn greedy_takes_the_likeliest_and_the_first_among_equals() {
    let mut sampler = Sampler::new(SamplingParams::default(), &[]).unwrap();
    assert_eq!(
        sampler.sample(&mut [0.0, 3.0, -1.0, 3.0], 0).unwrap(),
        TokenId(1)
    );
    assert_eq!(
        sampler.sample(&mut [f32::NEG_INFINITY, -2.0], 0).unwrap(),
        TokenId(1)
    );
}

#[test]
fn the_penalty_counts_prompt_and_reply() {
    let params = SamplingParams {
        repetition_penalty: 2.0,
        ..Default::default()
    };
    let mut sampler = Sampler::new(params, &[TokenId(0), TokenId(99)]).unwrap();
    let logits = [4.0, 3.0, 1.8, -1.0];
    let chosen: Vec<u32> = (0..4)
        .map(|_| {
            let token = sampler.sample(&mut logits.clone(), 0).unwrap();
            sampler.observe(token);
            token.0
        })
        .collect();
    // 4/2 = 2 < 3; then 3/2 = 1.5 < 2 (token 0 again), which stays the best of 2, 1.5, 1.8, -1.
    assert_eq!(chosen, [1, 0, 0, 0]);
    let params = SamplingParams {
        repetition_penalty: 2.0,
        ..Default::default()
    };
    let mut sampler = Sampler::new(params, &[TokenId(0)]).unwrap();
    assert_eq!(
        sampler.sample(&mut [-1.0, -1.5], 0).unwrap(),
        TokenId(1),
        "a negative logit moves down, not up"
    );
}

/// Greedy choices over logits that do not change, each counted as part of the reply.
fn choices(params: SamplingParams, logits: &[f32], count: usize) -> Vec<u32> {
    let mut sampler = Sampler::new(params, &[TokenId(0)]).unwrap();
    let choose = |_| {
        let token = sampler.sample(&mut logits.to_vec(), 0).unwrap();
        sampler.observe(token);
        token.0
    };
    (0..count).map(choose).collect()
}

#[test]
fn presence_counts_once_frequency_each_time_and_neither_the_prompt() {
    let logits = [4.0, 3.5, 2.9];
    let presence = SamplingParams {
        presence_penalty: 1.0,
        ..Default::default()
    };
    // 4; then 3.5 over 3; then 3 over 2.5 and 2.9, for good.
    assert_eq!(choices(presence, &logits, 5), [0, 1, 0, 0, 0]);
    let frequency = SamplingParams {
        frequency_penalty: 1.0,
        ..Default::default()
    };
    // 4 | 3.5 over 3 | 3 over 2.9 and 2.5 | 2.9 over 2.5 and 2 | 2.5 over 2 and 1.9.
    assert_eq!(choices(frequency, &logits, 5), [0, 1, 0, 2, 1]);
    let encouraged = SamplingParams {
        presence_penalty: -2.0,
        ..Default::default()
    };
    assert_eq!(choices(encouraged, &logits, 4), [0, 0, 0, 0]);
}

#[test]
fn a_bias_forbids_or_forces_but_frees_no_masked_token() {
    let biased = |bias: &[(u32, f32)]| SamplingParams {
        logit_bias: bias
            .iter()
            .map(|(id, bias)| (TokenId(*id), *bias))
            .collect(),
        ..Default::default()
    };
    let logits = [4.0, 3.5, f32::NEG_INFINITY];
    assert_eq!(choices(biased(&[(0, -100.0)]), &logits, 1), [1]);
    assert_eq!(choices(biased(&[(1, 0.6)]), &logits, 1), [1]);
    assert_eq!(choices(biased(&[(1, 0.4)]), &logits, 1), [0]);
    assert_eq!(choices(biased(&[(2, 100.0)]), &logits, 1), [0]);
    assert_eq!(choices(biased(&[(1, 9.0), (1, 0.0)]), &logits, 1), [0]);
    assert_eq!(choices(biased(&[(9999, 5.0)]), &logits, 1), [0]);
}

#[test]
fn penalties_apply_before_the_temperature() {
    let params = SamplingParams {
        logit_bias: vec![(TokenId(1), 2.0)],
        temperature: 2.0,
        seed: Some(5),
        ..Default::default()
    };
    // (0 + 2) / 2 against 0 / 2: e times as likely.
    let found = frequencies(&[0.0, 0.0], &params, 20_000);
    let expected = 1f64.exp() / (1.0 + 1f64.exp());
    assert!((found[1] - expected).abs() < 0.015, "{found:?}");
}

#[test]
fn a_seed_gives_the_same_tokens_on_every_machine() {
    let params = SamplingParams {
        temperature: 1.0,
        seed: Some(42),
        ..Default::default()
    };
    let mut sampler = Sampler::new(params, &[]).unwrap();
    let uniform = [0f32; 1000];
    let tokens: Vec<u32> = (0..6)
        .map(|_| sampler.sample(&mut uniform.clone(), 0).unwrap().0)
        .collect();
    assert_eq!(tokens, RECORDED);
}

/// ChaCha8 seeded with 42, 53 bits of each word over 1,000 equal tokens.
const RECORDED: [u32; 6] = [681, 950, 427, 627, 288, 149];

#[test]
fn without_a_seed_generations_differ() {
    let params = SamplingParams {
        temperature: 1.0,
        ..Default::default()
    };
    let draw = || {
        let mut sampler = Sampler::new(params.clone(), &[]).unwrap();
        (0..8)
            .map(|_| sampler.sample(&mut [0f32; 5000], 0).unwrap())
            .collect::<Vec<_>>()
    };
    assert_ne!(draw(), draw());
}

#[test]
fn nothing_is_sampled_from_nan_infinity_or_nothing() {
    for temperature in [0.0, 1.0] {
        let params = SamplingParams {
            temperature,
            ..Default::default()
        };
        let mut sampler = Sampler::new(params, &[]).unwrap();
        for bad in [f32::NAN, f32::INFINITY] {
            let error = sampler.sample(&mut [0.0, bad], 17).unwrap_err();
            assert!(
                matches!(error, EngineError::LogitsNotFinite { position: 17, .. }),
                "{error}"
            );
        }
        for nothing in [&mut [][..], &mut [f32::NEG_INFINITY; 3]] {
            let error = sampler.sample(nothing, 5).unwrap_err();
            assert!(
                matches!(error, EngineError::NothingToSample { position: 5 }),
                "{error}"
            );
        }
    }
}

#[test]
fn impossible_parameters_are_refused_by_name() {
    let good = SamplingParams::default();
    let cases = [
        (
            "temperature",
            SamplingParams {
                temperature: -0.1,
                ..good.clone()
            },
        ),
        (
            "temperature",
            SamplingParams {
                temperature: f32::NAN,
                ..good.clone()
            },
        ),
        (
            "top_k",
            SamplingParams {
                top_k: Some(0),
                ..good.clone()
            },
        ),
        (
            "top_p",
            SamplingParams {
                top_p: 0.0,
                ..good.clone()
            },
        ),
        (
            "top_p",
            SamplingParams {
                top_p: 1.1,
                ..good.clone()
            },
        ),
        (
            "min_p",
            SamplingParams {
                min_p: -0.1,
                ..good.clone()
            },
        ),
        (
            "min_p",
            SamplingParams {
                min_p: f32::NAN,
                ..good.clone()
            },
        ),
        (
            "repetition_penalty",
            SamplingParams {
                repetition_penalty: 0.0,
                ..good.clone()
            },
        ),
        (
            "repetition_penalty",
            SamplingParams {
                repetition_penalty: f32::INFINITY,
                ..good.clone()
            },
        ),
    ];
    assert!(good.validate().is_ok());
    let penalties = [-2.1, 2.1, f32::NAN, f32::INFINITY].into_iter();
    let penalties = penalties.flat_map(|penalty| {
        let (presence, frequency) = (good.clone(), good.clone());
        [
            (
                "presence_penalty",
                SamplingParams {
                    presence_penalty: penalty,
                    ..presence
                },
            ),
            (
                "frequency_penalty",
                SamplingParams {
                    frequency_penalty: penalty,
                    ..frequency
                },
            ),
        ]
    });
    let biases = [100.5, f32::NAN].map(|bias| {
        let logit_bias = vec![(TokenId(1), 3.0), (TokenId(2), bias)];
        (
            "logit_bias",
            SamplingParams {
                logit_bias,
                ..good.clone()
            },
        )
    });
    for (name, params) in cases.into_iter().chain(penalties).chain(biases) {
        match Sampler::new(params, &[]) {
            Err(EngineError::Sampling { parameter, .. }) => assert_eq!(parameter, name),
            other => panic!("{name}: {other:?}"),
        }
    }
}

#[test]
fn extreme_temperatures_stay_well_defined() {
    for temperature in [f32::MIN_POSITIVE, 1e-30, f32::MAX] {
        let params = SamplingParams {
            temperature,
            seed: Some(1),
            ..Default::default()
        };
        let mut sampler = Sampler::new(params, &[]).unwrap();
        let token = sampler.sample(&mut [1.0, -1e30, 9.0, 3.0], 0).unwrap();
        assert!(temperature > 1.0 || token == TokenId(2));
    }
}

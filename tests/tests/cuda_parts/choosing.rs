//! Tokens chosen on the GPU against the CPU's sampler, and what becomes of rows that fail.

use super::*;
use candle_signature::engine::{
    LogitsMask, MaskError, MaskStep, Sampler, SamplingParams, log_sum_exp,
};

fn random_logits(count: usize, seed: u32) -> Vec<f32> {
    (0..count as u32)
        .map(|i| {
            let bits = (i ^ seed.wrapping_mul(40_503)).wrapping_mul(2_654_435_761);
            ((bits ^ bits >> 15).wrapping_mul(2_246_822_519) >> 8) as f32 / (1 << 24) as f32
        })
        .map(|uniform| (uniform - 0.5) * 12.0)
        .collect()
}

/// Every third token, and no other.
fn thirds(count: usize) -> Vec<u32> {
    let allowed = |id: usize| u32::from(id < count && id.is_multiple_of(3)) << (id % 32);
    (0..count.div_ceil(32))
        .map(|word| {
            (word * 32..word * 32 + 32)
                .map(allowed)
                .fold(0, |a, b| a | b)
        })
        .collect()
}

fn masked(logits: &[f32], mask: &[u32]) -> Vec<f32> {
    let allowed = |id: usize| mask[id / 32] >> (id % 32) & 1 == 1;
    let logits = logits.iter().enumerate();
    logits
        .map(|(id, logit)| {
            if allowed(id) {
                *logit
            } else {
                f32::NEG_INFINITY
            }
        })
        .collect()
}

#[test]
fn the_gpu_chooses_what_the_cpu_does() {
    let (_, cuda) = both(&wide_config(1, 1003, true));
    let gpu = cuda.cuda().unwrap();
    let prompt = some_tokens(200, 1003, 4);
    let base = SamplingParams {
        seed: Some(7),
        ..SamplingParams::default()
    };
    let penalties = SamplingParams {
        repetition_penalty: 1.3,
        presence_penalty: 0.5,
        frequency_penalty: 0.25,
        logit_bias: vec![(TokenId(9), 3.0), (TokenId(12), -4.0)],
        ..base.clone()
    };
    let warm = |temperature: f32, min_p: f32| SamplingParams {
        temperature,
        min_p,
        ..penalties.clone()
    };
    let one_of = |top_k, top_p| SamplingParams {
        temperature: 0.7,
        top_k,
        top_p,
        ..base.clone()
    };
    let all = [
        base.clone(),
        penalties.clone(),
        warm(1.0, 0.0),
        warm(0.3, 0.05),
        one_of(Some(1), 1.0),
        one_of(None, 1e-6),
    ];
    for (number, params) in all.iter().enumerate() {
        for is_masked in [false, true] {
            let rows = 60;
            let logits: Vec<_> = (0..rows).map(|row| random_logits(1003, row)).collect();
            let mask = thirds(1003);
            let samplers = || -> Vec<Sampler> {
                (0..u64::from(rows))
                    .map(|seed| {
                        let seed = Some(seed);
                        let params = SamplingParams {
                            seed,
                            ..params.clone()
                        };
                        let mut sampler = Sampler::new(params, &prompt).unwrap();
                        for token in some_tokens(20, 1003, 8) {
                            sampler.observe(token);
                        }
                        sampler
                    })
                    .collect()
            };
            let masks = vec![is_masked.then(|| mask.clone()); rows as usize];
            let found = gpu.sample(&logits, &mut samplers(), &masks, 5).unwrap();
            for ((row, found), mut sampler) in logits.iter().zip(found).zip(samplers()) {
                let found = found.unwrap();
                let mut changed = match is_masked {
                    true => masked(row, &mask),
                    false => row.clone(),
                };
                let expected = sampler.sample(&mut changed, 0).unwrap();
                assert_eq!(
                    found.token, expected,
                    "parameters {number}, masked {is_masked}"
                );
                let scale = log_sum_exp(row).unwrap();
                let logprob = row[expected.0 as usize] - scale;
                assert!(
                    (found.logprob - logprob).abs() < 1e-3,
                    "{} {logprob}",
                    found.logprob
                );
                let mut sorted: Vec<usize> = (0..1003).collect();
                sorted.sort_by(|a, b| row[*b].total_cmp(&row[*a]).then(a.cmp(b)));
                let top: Vec<usize> = found.top.iter().map(|(id, _)| id.0 as usize).collect();
                assert_eq!(top, sorted[..5], "parameters {number}");
                for (id, logprob) in found.top {
                    assert!((logprob - (row[id.0 as usize] - scale)).abs() < 1e-3);
                }
            }
        }
    }
}

#[test]
fn draws_on_the_gpu_follow_the_distribution_with_ties_at_the_edge() {
    let (_, cuda) = both(&wide_config(1, 1003, true));
    let gpu = cuda.cuda().unwrap();
    // A few likely tokens, of which some are equal, and many that are not.
    let mut row = vec![-9.0f32; 1003];
    for (place, logit) in [3.0f32, 2.0, 2.0, 2.0, 1.0, 1.0, 0.0].iter().enumerate() {
        row[place * 131 + 5] = *logit;
    }
    for (top_k, top_p, min_p) in [
        (None, 1.0, 0.0),
        (Some(3), 1.0, 0.0),
        (Some(5), 0.8, 0.0),
        (None, 0.75, 0.0),
        (None, 0.6, 0.5),
        (Some(900), 0.999, 0.01),
    ] {
        let mut counts = [vec![0u32; 1003], vec![0u32; 1003]];
        let draws = 4096u64;
        let params = |seed| SamplingParams {
            temperature: 0.9,
            top_k,
            top_p,
            min_p,
            seed: Some(seed),
            ..SamplingParams::default()
        };
        for first in (0..draws).step_by(256) {
            let seeds = first..first + 256;
            let sampler = |seed| Sampler::new(params(seed), &[]).unwrap();
            let mut samplers: Vec<Sampler> = seeds.clone().map(sampler).collect();
            let found = gpu.sample(&vec![row.clone(); 256], &mut samplers, &vec![None; 256], 0);
            for found in found.unwrap() {
                counts[0][found.unwrap().token.0 as usize] += 1;
            }
            for seed in seeds {
                let token = sampler(seed).sample(&mut row.clone(), 0).unwrap();
                counts[1][token.0 as usize] += 1;
            }
        }
        for (id, (gpu, cpu)) in counts[0].iter().zip(&counts[1]).enumerate() {
            let difference = f64::from(gpu.abs_diff(*cpu)) / draws as f64;
            let case = format!("{top_k:?} {top_p} {min_p}, token {id}: {gpu} and {cpu}");
            assert!(difference < 0.035, "{case}");
            // The same tokens are in the running: of the unlikely ones few come, or none.
            assert!(
                (*gpu > 40) == (*cpu > 40) || gpu.abs_diff(*cpu) < 30,
                "{case}"
            );
        }
    }
}

#[test]
fn what_cannot_be_chosen_from_is_an_error_of_its_row_alone() {
    let (_, cuda) = both(&wide_config(1, 1003, true));
    let gpu = cuda.cuda().unwrap();
    let mut logits = vec![random_logits(1003, 1); 4];
    logits[1][500] = f32::NAN;
    logits[2][1] = f32::INFINITY;
    let masks = [None, None, None, Some(vec![0; 32])];
    let mut samplers: Vec<Sampler> = (0..4)
        .map(|_| Sampler::new(SamplingParams::default(), &[]).unwrap())
        .collect();
    let found = gpu.sample(&logits, &mut samplers, &masks, 0).unwrap();
    assert!(found[0].is_ok());
    let not_finite = |row: usize| matches!(&found[row], Err(EngineError::LogitsNotFinite { value, .. }) if !value.is_finite());
    assert!(not_finite(1) && not_finite(2), "{found:?}");
    assert!(
        matches!(found[3], Err(EngineError::NothingToSample { .. })),
        "{found:?}"
    );
    let error = gpu.sample(&[vec![0.0; 3]], &mut samplers, &masks, 0);
    assert!(error.unwrap_err().to_string().contains("1003 logits"));
}

/// Allows multiples of a number.
struct Multiples(u32);

impl LogitsMask for Multiples {
    fn start(&mut self, _budget: usize) -> Result<MaskStep, MaskError> {
        Ok(MaskStep::default())
    }

    fn apply(&mut self, logits: &mut [f32]) -> Result<(), MaskError> {
        for (id, logit) in (0..).zip(logits) {
            if id % self.0 != 0 {
                *logit = f32::NEG_INFINITY;
            }
        }
        Ok(())
    }

    fn accept(&mut self, token: TokenId, _budget: usize) -> Result<MaskStep, MaskError> {
        if self.0 == 7 && token.0 > 100 {
            return Err(MaskError::Failed("too large".to_owned()));
        }
        let tokens = vec![token];
        Ok(MaskStep { tokens, end: None })
    }
}

#[test]
fn masked_sampled_and_greedy_rows_share_a_batch_and_a_failing_one_harms_no_other() {
    let name = "tiny-random-qwen2";
    let tokenizer = Tokenizer::from_bytes(&byte_tokenizer_json(320), "test tokenizer").unwrap();
    let model = Arc::new(Model::new(load(&data(name), &gpu()), tokenizer).unwrap());
    let options = |max_rows| EngineOptions {
        max_rows,
        cache_tokens: Some(8192),
        ..EngineOptions::default()
    };
    let request = |row: u32| {
        let prompt = some_tokens(5 + row as usize, 320, row);
        let mut request = GenerateRequest::greedy(prompt, 30);
        if row % 3 == 1 {
            request.sampling.temperature = 0.8;
            request.sampling.top_k = Some(20);
            request.sampling.seed = Some(u64::from(row));
        }
        if row % 2 == 1 {
            request.mask = Some(Box::new(Multiples(2 + row % 7)));
        }
        request.all_logits = row == 5;
        request.top_logprobs = if row == 6 { 3 } else { 0 };
        request
    };
    let together = Engine::start(model.clone(), options(16)).unwrap();
    let batch = block_on(join_all((0..16).map(|row| together.generate(request(row)))));
    for (row, generation) in (0..16).zip(batch) {
        let multiple = (row % 2 == 1).then_some(2 + row % 7);
        if multiple == Some(7) {
            let error = generation.unwrap_err().to_string();
            assert!(error.contains("too large"), "{error}");
            continue;
        }
        let generation = generation.unwrap();
        assert_eq!(generation.tokens.len(), 30, "row {row}");
        let multiple = multiple.unwrap_or(1);
        assert!(
            generation
                .tokens
                .iter()
                .all(|token| token.0 % multiple == 0)
        );
        let scored = row % 2 == 0 || row == 5;
        for (logprob, top) in generation.logprobs.iter().zip(&generation.top_logprobs) {
            assert_eq!(logprob.is_some(), scored, "row {row}");
            assert!(logprob.is_none_or(|logprob| logprob <= 1e-3 && logprob > -40.0));
            assert_eq!(top.len(), if row == 6 { 3 } else { 0 });
        }
    }
}

#[test]
fn short_memory_fails_the_newest_request_and_the_others_go_on() {
    let (_, cuda) = both(&wide_config(1, 1003, true));
    let device = cuda.device().clone();
    let tokenizer = Tokenizer::from_bytes(&byte_tokenizer_json(1003), "test tokenizer").unwrap();
    let model = Arc::new(Model::new(cuda, tokenizer).unwrap());
    let options = EngineOptions {
        max_rows: 4,
        prefill_chunk: 4096,
        cache_tokens: Some(8192),
        ..EngineOptions::default()
    };
    let engine = Engine::start(model, options).unwrap();
    let small = || GenerateRequest::greedy(some_tokens(20, 1003, 1), 200);
    let expected = block_on(engine.generate(small())).unwrap().tokens;
    // Takes what is free but for a little.
    let stream = device.as_cuda_device().unwrap().cuda_stream();
    let mut taken = Vec::new();
    for piece in [1usize << 30, 1 << 26, 1 << 24] {
        while stream.context().mem_get_info().unwrap().0 > piece + (40 << 20) {
            match Tensor::zeros(piece, DType::U8, &device) {
                Ok(tensor) => taken.push(tensor),
                Err(_) => break,
            }
        }
    }
    let large = GenerateRequest::greedy(some_tokens(4000, 1003, 2), 5);
    let (first, second) = (engine.generate(small()), engine.generate(large));
    let (first, second) = block_on(async { (first.await, second.await) });
    assert_eq!(first.unwrap().tokens, expected);
    let error = second.unwrap_err();
    assert!(matches!(error, EngineError::GpuMemory { .. }), "{error}");
    drop(taken);
    let large = GenerateRequest::greedy(some_tokens(4000, 1003, 2), 5);
    assert_eq!(block_on(engine.generate(large)).unwrap().tokens.len(), 5);
}

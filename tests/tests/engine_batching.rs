//! Batches by request, company by time, shutting down, and rows that come and go beside each other.

mod engine_support;

use std::sync::Arc;
use std::time::{Duration, Instant};

use candle_signature::engine::{
    Engine, EngineError, EngineOptions, GenerateRequest, LogitsMask, MaskError, MaskStep, Model,
    SamplingParams, Shutdown, TokenId, Tokenizer,
};
use engine_support::*;
use futures::executor::block_on;
use futures::future::join_all;

fn engine(max_rows: usize) -> Engine {
    let options = EngineOptions {
        max_rows,
        prefill_chunk: 40,
        ..EngineOptions::default()
    };
    Engine::start(Arc::new(tiny_model(320)), options).unwrap()
}

fn prompt(seed: u32, length: u32) -> Vec<TokenId> {
    (0..length)
        .map(|i| TokenId((i * 53 + seed * 31) % 320))
        .collect()
}

fn in_batches_of(size: usize, seed: u32) -> GenerateRequest {
    GenerateRequest {
        batch_size: Some(size),
        ..GenerateRequest::greedy(prompt(seed, 8), 10)
    }
}

#[test]
fn every_architecture_gives_pytorchs_tokens_in_batches_and_from_the_prefix_cache() {
    for name in [
        "tiny-random-qwen2",
        "tiny-random-qwen2-untied",
        "tiny-random-qwen3",
        "tiny-random-qwen3-untied",
    ] {
        let tokenizer = Tokenizer::from_bytes(&byte_tokenizer_json(320), "tokenizer").unwrap();
        let model = Arc::new(Model::new(load_network(&data(name)), tokenizer).unwrap());
        let options = EngineOptions {
            max_rows: 3,
            prefill_chunk: 16,
            ..EngineOptions::default()
        };
        let engine = Engine::start(Arc::clone(&model), options).unwrap();
        let goldens = json_file(&data(name).join("goldens.json"));
        let cases = goldens["cases"].as_array().unwrap();
        for round in 0..2 {
            let requests = cases.iter().map(|case| {
                let count = ids(&case["greedy"]).len();
                engine.generate(GenerateRequest::greedy(ids(&case["tokens"]), count))
            });
            let generations = block_on(join_all(requests));
            for (case, generation) in cases.iter().zip(generations) {
                let expected = ids(&case["greedy"]);
                let ends = |token: &TokenId| model.end_tokens().contains(token);
                let whole = expected.iter().position(ends).unwrap_or(expected.len());
                let found = generation.unwrap().tokens;
                assert_eq!(found[..whole], expected[..whole], "{name}, round {round}");
            }
        }
        let reused = engine.stats().cache.reused_tokens;
        assert!(reused >= 32, "{name}: only {reused} tokens were reused");
    }
}

#[test]
fn no_pass_has_more_rows_than_its_requests_allow() {
    // Ten tokens each: six requests take 60 rows of passes.
    for (size, most, least) in [(1, 60, 60), (2, 60, 30), (3, 60, 20)] {
        let engine = engine(8);
        let requests = (0..6).map(|seed| engine.generate(in_batches_of(size, seed)));
        for generation in block_on(join_all(requests)) {
            assert_eq!(generation.unwrap().tokens.len(), 10);
        }
        let steps = engine.stats().steps;
        assert!((least..=most).contains(&steps), "{size}: {steps}");
    }
    // A request that wants to be alone is, beside others that do not care.
    let engine = engine(8);
    let mut requests: Vec<_> = (0..3).map(|seed| in_batches_of(8, seed)).collect();
    requests.insert(1, in_batches_of(1, 9));
    let all = join_all(requests.into_iter().map(|request| engine.generate(request)));
    assert!(block_on(all).iter().all(Result::is_ok));
    assert!(engine.stats().steps >= 30, "{:?}", engine.stats());
}

#[test]
fn a_batch_may_be_larger_than_the_engines_own() {
    let engine = engine(1);
    let whole = |size| {
        let before = engine.stats().steps;
        let requests = (0..4).map(|seed| {
            engine.generate(GenerateRequest {
                batch_wait: Duration::from_secs(30),
                ..in_batches_of(size, seed)
            })
        });
        for generation in block_on(join_all(requests)) {
            assert_eq!(generation.unwrap().tokens.len(), 10);
        }
        engine.stats().steps - before
    };
    assert_eq!(whole(4), 10);
    assert_eq!(whole(1), 40);
}

#[test]
fn the_first_of_an_idle_engine_waits_for_company_as_long_as_it_says() {
    let engine = engine(8);
    let waits = |wait: Duration, size| {
        let request = GenerateRequest {
            batch_wait: wait,
            ..in_batches_of(size, 1)
        };
        block_on(engine.generate(request)).unwrap().timings.queue
    };
    assert!(waits(Duration::from_millis(80), 2) >= Duration::from_millis(80));
    // Nobody else is needed for a batch of one.
    assert!(waits(Duration::from_secs(60), 1) < Duration::from_secs(30));
    // Company that comes late is waited for, and a full batch starts at once.
    let start = Instant::now();
    let steps = engine.stats().steps;
    let threads: Vec<_> = (0..3)
        .map(|seed| {
            let request = GenerateRequest {
                batch_wait: Duration::from_secs(60),
                ..in_batches_of(3, seed)
            };
            std::thread::sleep(Duration::from_millis(15));
            let running = engine.generate(request);
            std::thread::spawn(move || block_on(running).unwrap())
        })
        .collect();
    for thread in threads {
        assert_eq!(thread.join().unwrap().tokens.len(), 10);
    }
    assert_eq!(engine.stats().steps - steps, 10, "all went together");
    assert!(start.elapsed() < Duration::from_secs(50));
}

#[test]
fn who_waits_for_company_still_keeps_its_deadline() {
    let engine = engine(8);
    let request = GenerateRequest {
        batch_wait: Duration::from_secs(60),
        deadline: Some(Instant::now() + Duration::from_millis(30)),
        ..in_batches_of(4, 1)
    };
    let error = block_on(engine.generate(request)).unwrap_err();
    assert!(
        matches!(error, EngineError::DeadlinePassed { .. }),
        "{error}"
    );
}

#[test]
fn draining_answers_what_was_asked_and_refuses_more() {
    let engine = engine(2);
    let requests: Vec<_> = (0..6)
        .map(|seed| engine.generate(GenerateRequest::greedy(prompt(seed, 30), 40)))
        .collect();
    let ended = engine.shutdown(Shutdown::Drain);
    let refused = block_on(engine.generate(GenerateRequest::greedy(prompt(1, 3), 1)));
    assert!(matches!(refused, Err(EngineError::Stopped)));
    block_on(ended);
    for generation in block_on(join_all(requests)) {
        assert_eq!(generation.unwrap().tokens.len(), 40);
    }
    let stats = engine.stats();
    assert_eq!((stats.finished, stats.running, stats.queued), (6, 0, 0));
    assert_eq!(stats.cache.blocks_in_use, 0);
    // An idle engine, and one that has ended, have nothing to drain.
    block_on(engine.shutdown(Shutdown::Drain));
    let idle = self::engine(1);
    block_on(idle.shutdown(Shutdown::Drain));
}

#[test]
fn cancelling_ends_what_runs_waits_or_drains() {
    let engine = engine(2);
    let endless = |seed| GenerateRequest {
        use_kv_cache: false,
        ..GenerateRequest::greedy(prompt(seed, 30), 480)
    };
    let requests: Vec<_> = (0..6).map(|seed| engine.generate(endless(seed))).collect();
    let drained = engine.shutdown(Shutdown::Drain);
    std::thread::sleep(Duration::from_millis(30));
    block_on(engine.shutdown(Shutdown::Cancel));
    block_on(drained);
    for result in block_on(join_all(requests)) {
        assert!(matches!(result, Err(EngineError::Stopped)), "{result:?}");
    }
    let stats = engine.stats();
    assert_eq!((stats.cancelled, stats.running, stats.queued), (6, 0, 0));
    assert_eq!(stats.cache.blocks_in_use, 0);
    // One that waits for company is woken too.
    let alone = self::engine(1);
    let waiting = alone.generate(GenerateRequest {
        batch_wait: Duration::from_secs(60),
        ..in_batches_of(2, 1)
    });
    std::thread::sleep(Duration::from_millis(10));
    let start = Instant::now();
    block_on(alone.shutdown(Shutdown::Cancel));
    assert!(matches!(block_on(waiting), Err(EngineError::Stopped)));
    assert!(start.elapsed() < Duration::from_secs(30));
}

/// Admits every third token, from another one on at each step, and forces one after every fifth.
struct Thirds(usize);

impl LogitsMask for Thirds {
    fn start(&mut self, _budget: usize) -> Result<MaskStep, MaskError> {
        Ok(MaskStep::default())
    }

    fn apply(&mut self, logits: &mut [f32]) -> Result<(), MaskError> {
        for (id, logit) in logits.iter_mut().enumerate() {
            if id % 3 != self.0 % 3 {
                *logit = f32::NEG_INFINITY;
            }
        }
        Ok(())
    }

    fn few(&mut self, most: usize) -> Option<Vec<TokenId>> {
        let few: Vec<_> = (0..320)
            .filter(|id| *id as usize % 3 == self.0 % 3)
            .map(TokenId)
            .collect();
        (self.0.is_multiple_of(2) && few.len() <= most).then_some(few)
    }

    fn accept(&mut self, token: TokenId, budget: usize) -> Result<MaskStep, MaskError> {
        self.0 += 1;
        let mut tokens = vec![token];
        if self.0.is_multiple_of(5) && budget > 1 {
            tokens.push(TokenId(7));
        }
        Ok(MaskStep { tokens, end: None })
    }
}

/// A source of reproducible numbers.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u32) -> u32 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % u64::from(end)) as u32
    }

    fn request(&mut self) -> GenerateRequest {
        let sampling = SamplingParams {
            repetition_penalty: [1.0, 1.3][self.below(2) as usize],
            presence_penalty: [0.0, 0.7, -0.5][self.below(3) as usize],
            frequency_penalty: [0.0, 0.4][self.below(2) as usize],
            logit_bias: (0..self.below(4))
                .map(|at| (TokenId(at * 40), 1.5))
                .collect(),
            temperature: [0.0, 0.0, 1.0][self.below(3) as usize],
            top_k: (self.below(2) == 0).then_some(30),
            seed: Some(self.below(1000).into()),
            ..SamplingParams::default()
        };
        let (seed, length) = (self.below(3), 1 + self.below(120));
        GenerateRequest {
            sampling,
            use_kv_cache: self.below(5) != 0,
            mask: (self.below(3) == 0).then(|| Box::new(Thirds(0)) as Box<dyn LogitsMask>),
            batch_size: [None, None, Some(2), Some(6)][self.below(4) as usize],
            top_logprobs: [0, 3][self.below(2) as usize],
            prompt_lookup: [0, 3, 12][self.below(3) as usize],
            ..GenerateRequest::greedy(prompt(seed, length), 1 + self.below(25) as usize)
        }
    }
}

#[test]
fn a_row_has_the_tokens_it_would_have_alone_whoever_comes_and_goes() {
    let alone = engine(1);
    let together = engine(5);
    let mut random = Random(11);
    for round in 0..5u64 {
        let mut running = Vec::new();
        for at in 0..16u64 {
            // The same numbers make the same request, masks included.
            let seed = round * 100 + at;
            let future = together.generate(Random(seed).request());
            match random.below(4) {
                0 => drop(future),
                _ => running.push((seed, future)),
            }
            std::thread::sleep(Duration::from_micros(random.below(3000).into()));
        }
        for (seed, future) in running {
            let beside = block_on(future).unwrap();
            let own = GenerateRequest {
                prompt_lookup: 0,
                ..Random(seed).request()
            };
            let own = block_on(alone.generate(own)).unwrap();
            assert_eq!(beside.tokens, own.tokens, "request {seed}");
            assert_eq!(beside.forced_tokens, own.forced_tokens);
            for (one, other) in beside.logprobs.iter().zip(&own.logprobs) {
                assert_eq!(one.is_some(), other.is_some());
                let difference = one.unwrap_or(0.0) - other.unwrap_or(0.0);
                assert!(difference.abs() < 1e-3, "request {seed}: {difference}");
            }
        }
    }
}

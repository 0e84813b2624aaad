//! Beginnings that end inside a block of the KV cache: what is there of the block is copied, and no reply changes by it.

mod engine_support;

use candle_core::Device;
use candle_signature::engine::{
    Engine, EngineOptions, GenerateRequest, Generation, KvFormat, LoadOptions, Model, ModelConfig,
    Quantization, Qwen2, TokenId, Tokenizer, Weights,
};
use engine_support::*;
use futures::executor::block_on;
use std::sync::Arc;

const FORMS: [(Quantization, KvFormat); 3] = [
    (Quantization::None, KvFormat::F32),
    (Quantization::Q8, KvFormat::F32),
    (Quantization::Q8, KvFormat::F16),
];

fn engine((quantization, kv_format): (Quantization, KvFormat), blocks: usize) -> Engine {
    let folder = data("tiny-random-qwen2");
    let options = LoadOptions {
        quantization,
        kv_format: Some(kv_format),
        ..LoadOptions::default()
    };
    let config = std::fs::read(folder.join("config.json")).unwrap();
    let config = ModelConfig::from_json(&config, "config.json").unwrap();
    let weights = Weights::open_safetensors(&folder).unwrap();
    let network = Qwen2::load_with(config, &weights, &Device::Cpu, &options).unwrap();
    let tokenizer = Tokenizer::from_bytes(&byte_tokenizer_json(320), "tokenizer").unwrap();
    let options = EngineOptions {
        cache_tokens: Some(blocks * 16),
        ..EngineOptions::default()
    };
    Engine::start(Arc::new(Model::new(network, tokenizer).unwrap()), options).unwrap()
}

fn prompt(seed: u32, length: u32) -> Vec<TokenId> {
    (0..length)
        .map(|i| TokenId((i * 53 + seed * 31) % 320))
        .collect()
}

/// The first tokens of a prompt, then one that is not its next, then others.
fn branch(stem: &[TokenId], at: usize) -> Vec<TokenId> {
    let other = TokenId((stem[at].0 + 1) % 320);
    [&stem[..at], &[other], &prompt(8, 6)].concat()
}

fn generate(engine: &Engine, prompt: &[TokenId], use_kv_cache: bool) -> Generation {
    block_on(engine.generate(GenerateRequest {
        use_kv_cache,
        all_logits: true,
        ..GenerateRequest::greedy(prompt.to_vec(), 8)
    }))
    .unwrap()
}

/// Answers a prompt with and without the cache, and says how many of its tokens were found.
fn found(engine: &Engine, prompt: &[TokenId]) -> usize {
    let (cached, computed) = (
        generate(engine, prompt, true),
        generate(engine, prompt, false),
    );
    assert_eq!(cached.tokens, computed.tokens);
    let bits = |generation: &Generation| -> Vec<Option<u32>> {
        let logprobs = generation.logprobs.iter();
        logprobs.map(|one| one.map(f32::to_bits)).collect()
    };
    assert_eq!(bits(&cached), bits(&computed), "equal to the last bit");
    cached.cached_tokens
}

#[test]
fn every_token_of_a_common_beginning_is_found() {
    for form in FORMS {
        let engine = engine(form, 64);
        let stem = prompt(1, 70);
        assert_eq!(found(&engine, &stem), 0);
        for at in (1..64).rev() {
            let before = engine.stats();
            assert_eq!(found(&engine, &branch(&stem, at)), at, "{form:?}");
            let after = engine.stats().cache;
            let reused = after.reused_tokens - before.cache.reused_tokens;
            assert_eq!(reused, at as u64);
            assert_eq!(after.hits - before.cache.hits, u64::from(at >= 16));
        }
        // Whoever was copied from has kept its own; its last block was never full.
        assert_eq!(found(&engine, &stem), 64, "{form:?}");
    }
}

#[test]
fn the_last_token_is_computed_even_of_an_equal_prompt() {
    for length in [17, 31, 32, 33] {
        let engine = engine(FORMS[2], 64);
        let prompt = prompt(3, length);
        // Long enough that the prompt's last block becomes full.
        let longer = GenerateRequest::greedy(prompt.clone(), 24);
        block_on(engine.generate(longer)).unwrap();
        assert_eq!(found(&engine, &prompt), length as usize - 1);
    }
}

#[test]
fn a_block_that_is_given_up_for_the_one_who_copies_it_is_copied() {
    for form in FORMS {
        // Eight blocks, of which the stem keeps five and every branch wants all.
        let engine = engine(form, 8);
        let stem = prompt(1, 80);
        for at in [5, 1, 15, 9] {
            generate(&engine, &stem, true);
            let long = [branch(&stem, at), prompt(20, 100 - at as u32)].concat();
            let before = engine.stats().cache.evictions;
            assert_eq!(found(&engine, &long), at, "{form:?}");
            assert!(engine.stats().cache.evictions >= before + 5);
        }
    }
}

#[test]
fn what_is_pinned_is_copied_from_and_stays() {
    for form in FORMS {
        let engine = engine(form, 16);
        let system = prompt(1, 100);
        let pinned = block_on(engine.pin(system.clone())).unwrap();
        assert_eq!(pinned.tokens(), 96);
        for at in [90, 40, 3] {
            assert_eq!(found(&engine, &branch(&system, at)), at, "{form:?}");
            for seed in 10..16 {
                generate(&engine, &prompt(seed, 110), true);
            }
            assert_eq!(found(&engine, &system), 96, "{form:?}");
        }
    }
}

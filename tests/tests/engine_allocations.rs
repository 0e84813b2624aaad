//! What a step that decodes asks of the allocator: nothing in the network, little in the engine.

mod engine_support;

use std::num::NonZeroUsize;
use std::sync::Arc;

use candle_core::Device;
use candle_signature::engine::{
    Engine, EngineOptions, GenerateRequest, KvCache, LoadOptions, Logits, Model, ModelConfig,
    Quantization, Qwen2, Row, TokenId, Tokenizer, Weights,
};
use dhat::{HeapStats, Profiler};
use engine_support::{byte_tokenizer_json, data};
use futures::executor::block_on;

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

/// Allocations of all threads while something runs.
fn allocations(work: impl FnOnce()) -> u64 {
    let before = HeapStats::get().total_blocks;
    work();
    HeapStats::get().total_blocks - before
}

/// Allocations of steps in which all rows decode a token.
fn allocations_of_steps(model: &Model, caches: &mut [KvCache], logits: &mut Logits) -> u64 {
    let tokens: Vec<TokenId> = (0..caches.len() as u32).map(TokenId).collect();
    (0..20)
        .map(|_| {
            // What a pass is handed is its caller's.
            let mut rows: Vec<Row<'_>> = caches
                .iter_mut()
                .zip(tokens.chunks(1))
                .map(|(cache, tokens)| Row {
                    tokens,
                    cache,
                    logits: true,
                })
                .collect();
            let network = model.network();
            allocations(|| {
                let step = network.forward_into(&mut rows, &[], |_| None, logits);
                step.unwrap();
            })
        })
        .sum()
}

/// One test, because the allocations of a process are counted.
#[test]
fn decoding_allocates_nothing_in_the_network_and_little_in_the_engine() {
    for name in ["tiny-random-qwen2", "tiny-random-qwen3"] {
        for quantization in [Quantization::None, Quantization::Q8, Quantization::Q4] {
            let options = LoadOptions {
                quantization,
                threads: NonZeroUsize::new(2),
                ..LoadOptions::default()
            };
            let config = std::fs::read(data(name).join("config.json")).unwrap();
            let config = ModelConfig::from_json(&config, "config.json").unwrap();
            let weights = Weights::open_safetensors(&data(name)).unwrap();
            let network = Qwen2::load_with(config, &weights, &Device::Cpu, &options).unwrap();
            let tokenizer = Tokenizer::from_bytes(&byte_tokenizer_json(320), "tokenizer").unwrap();
            let model = Model::new(network, tokenizer).unwrap();
            let profiler = Profiler::builder().testing().build();
            for rows in [1, 3, 9] {
                let caches = KvCache::several(model.config(), 40, rows, &Device::Cpu);
                let (mut caches, mut logits) = (caches.unwrap(), Logits::default());
                // The first steps make room, and a thread makes its own when it first comes to help.
                let none = (0..100).any(|_| {
                    caches.iter_mut().for_each(|cache| cache.truncate(3));
                    allocations_of_steps(&model, &mut caches, &mut logits) == 0
                });
                assert!(none, "{rows} rows, {quantization:?}");
            }
            let engine = Engine::start(Arc::new(model), EngineOptions::default()).unwrap();
            let generate = |count| {
                let request = GenerateRequest::greedy(vec![TokenId(1), TokenId(2)], count);
                let generation = block_on(engine.generate(request)).unwrap();
                assert_eq!(generation.tokens.len(), count);
            };
            generate(100);
            let few = allocations(|| generate(20));
            let many = allocations(|| generate(100));
            // The reply's own vectors grow, and each block of 16 tokens enters the prefix tree.
            let more = many.saturating_sub(few);
            assert!(more < 30, "{more} allocations for 80 tokens");
            drop(engine);
            drop(profiler);
        }
    }
}

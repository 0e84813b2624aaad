//! A model of random weights, held to a grammar: whatever it wants to say, every reply is one of the grammar.
//!
//! `GRAMMAR_REPLIES=10000 cargo test --release -p candle-signature-tests --test grammar_replies` makes more of them.

mod engine_support;

use std::sync::{Arc, LazyLock};

use candle_signature::engine::{
    Engine, EngineError, EngineOptions, GenerateRequest, MaskError, SamplingParams, TokenId,
};
use candle_signature::grammar::{Constraint, GrammarCompiler};
use candle_signature::parse::parse_reply;
use candle_signature::signature::SignatureSpec;
use engine_support::tiny_model;
use futures::executor::block_on;
use serde_json::json;

static ENGINE: LazyLock<Engine> =
    LazyLock::new(|| Engine::start(Arc::new(tiny_model(320)), EngineOptions::default()).unwrap());

static COMPILER: LazyLock<GrammarCompiler> = LazyLock::new(|| {
    let tokenizer = Arc::clone(ENGINE.model().tokenizer());
    GrammarCompiler::new(tokenizer, 320, TokenId(257)).unwrap()
});

const TYPES: &[&str] = &[
    "String",
    "char",
    "bool",
    "i8",
    "u64",
    "i128",
    "u128",
    "f32",
    "f64",
    "Option<String>",
    "Option<i64>",
    "enum:low|high|on-fire",
    "Vec<String>",
    "Vec<u8>",
    "Vec<enum:a|b>",
    "HashMap<String,i64>",
    "Option<Vec<bool>>",
    "struct P:{\"name\":\"String\",\"age\":\"Option<u8>\"}",
    "Vec<struct P:{\"x\":\"f64\",\"ok\":\"bool\"}>",
];

fn spec(types: &[&str]) -> SignatureSpec {
    let outputs: Vec<_> = types
        .iter()
        .enumerate()
        .map(|(at, ty)| json!({"name": format!("f{at}"), "type": ty}))
        .collect();
    SignatureSpec::from_json(&json!({
        "inputs": [{"name": "in", "type": "String"}],
        "outputs": outputs,
    }))
    .unwrap()
}

fn replies() -> usize {
    std::env::var("GRAMMAR_REPLIES")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(150)
}

#[test]
fn every_reply_is_one_of_the_grammar() {
    let (mut closed, mut forced, mut tokens) = (0, 0, 0);
    for at in 0..replies() {
        let types = [
            TYPES[at % TYPES.len()],
            TYPES[(at / TYPES.len() + at) % TYPES.len()],
        ];
        let spec = spec(&types);
        let grammar = COMPILER
            .compile(&Constraint::Signature(spec.clone()))
            .unwrap();
        let max_tokens = [70, 90, 120, 200, 300][at % 5];
        let request = GenerateRequest {
            sampling: SamplingParams {
                temperature: (at % 9) as f32 / 4.0,
                seed: Some(at as u64),
                ..SamplingParams::default()
            },
            stop_tokens: vec![TokenId(257)],
            mask: Some(grammar.mask()),
            ..GenerateRequest::greedy(vec![TokenId(at as u32 % 320)], max_tokens)
        };
        let generation = match block_on(ENGINE.generate(request)) {
            Ok(generation) => generation,
            Err(EngineError::Mask(MaskError::BudgetTooSmall { needed, budget })) => {
                assert!(needed > budget && budget == max_tokens);
                continue;
            }
            Err(error) => panic!("{types:?}: {error}"),
        };
        let text = ENGINE.model().tokenizer().decode(&generation.tokens);
        assert!(
            generation.completion_tokens <= max_tokens,
            "{types:?}: {text}"
        );
        assert!(
            grammar.accepts(&text),
            "{types:?} in {max_tokens}: {text:?}"
        );
        if let Err(error) = parse_reply(&spec, &text) {
            panic!("{types:?}: {error}\n{text:?}");
        }
        closed += usize::from(generation.closed_at.is_some());
        forced += generation.forced_tokens;
        tokens += generation.completion_tokens;
    }
    println!(
        "{closed} replies were closed for want of room; {forced} of {tokens} tokens were forced"
    );
    assert!(closed > 0 && forced > 0);
}

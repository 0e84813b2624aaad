//! Models of random weights, held to a grammar: whatever they want to say, every reply is read as the declared types with
//! all constraints held, in whatever room there is.
//!
//! All of it: `GRAMMAR_REPLIES=10000 cargo test --release -p candle-signature-tests --test grammar_replies -- --nocapture`

mod engine_support;
mod grammar_support;

use std::path::Path;
use std::sync::Arc;

use candle_signature::engine::{
    Engine, EngineError, EngineOptions, GenerateRequest, Generation, MaskError, Model,
    SamplingParams, TokenId,
};
use candle_signature::grammar::{Constraint, Grammar, GrammarCompiler};
use candle_signature::parse::{RepairKind, parse_reply};
use candle_signature::signature::{
    FieldSpec, FieldType, FieldValue, ListKind, PromptFormat, SignatureSpec, Value,
};
use engine_support::{qwen_tokenizer_json, random_config, random_weights, tiny_model, write_model};
use futures::executor::block_on;
use grammar_support::{Case, cases, spec};
use serde_json::json;

/// A model of random weights with its grammars.
struct Speaker {
    name: &'static str,
    engine: Engine,
    grammars: GrammarCompiler,
    end: TokenId,
}

impl Speaker {
    fn new(name: &'static str, model: Model) -> Self {
        let tokenizer = Arc::clone(model.tokenizer());
        let end = tokenizer.control_token("<|im_end|>").unwrap();
        let grammars =
            GrammarCompiler::new(Arc::clone(&tokenizer), model.config().vocab_size, end).unwrap();
        let engine = Engine::start(Arc::new(model), EngineOptions::default()).unwrap();
        Speaker {
            name,
            engine,
            grammars,
            end,
        }
    }

    /// Random weights under a tokenizer of `vocabulary` ids.
    fn random(name: &'static str, tokenizer: &[u8], vocabulary: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = random_config();
        config["vocab_size"] = vocabulary.into();
        config["hidden_size"] = 24.into();
        config["intermediate_size"] = 32.into();
        config["num_hidden_layers"] = 1.into();
        config["max_position_embeddings"] = 4096.into();
        config["sliding_window"] = 4096.into();
        write_model(folder.path(), &config, &random_weights(&config));
        std::fs::write(folder.path().join("tokenizer.json"), tokenizer).unwrap();
        let model = Model::load_dir(folder.path(), &candle_core::Device::Cpu).unwrap();
        Speaker::new(name, model)
    }

    fn say(&self, grammar: &Grammar, room: usize, at: usize) -> Result<Generation, EngineError> {
        let request = GenerateRequest {
            sampling: SamplingParams {
                temperature: (at % 9) as f32 / 4.0,
                seed: Some(at as u64),
                ..SamplingParams::default()
            },
            stop_tokens: vec![self.end],
            mask: Some(grammar.mask()),
            ..GenerateRequest::greedy(vec![TokenId(at as u32 % 250)], room)
        };
        block_on(self.engine.generate(request))
    }

    /// A reply in as much room as `at` says: the least there is, or some more. `None` if the model's context has no room
    /// for the least.
    fn reply(&self, grammar: &Grammar, at: usize) -> Option<(String, Generation)> {
        let least = match self.say(grammar, 1, at) {
            Err(EngineError::Mask(MaskError::BudgetTooSmall { needed, budget: 1 })) => needed,
            other => panic!("one token is room for a reply: {other:?}"),
        };
        if least >= self.engine.model().config().max_positions {
            return None;
        }
        let room = least + [0, 1, 2, 5, 20, 60, 200][(at / 9 + at) % 7];
        let generation = self.say(grammar, room, at).unwrap();
        let text = self.engine.model().tokenizer().decode(&generation.tokens);
        let text = match generation.completion_tokens <= room {
            true => text,
            false => format!("(longer than {room} tokens) {text}"),
        };
        Some((text, generation))
    }
}

fn speakers() -> Vec<Speaker> {
    let embedded =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../runtime/models/embedded/tokenizer.json");
    let embedded = std::fs::read(embedded).unwrap();
    vec![
        Speaker::new("bytes", tiny_model(320)),
        Speaker::random("embedded", &embedded, 5632),
        Speaker::random("Qwen2.5", &qwen_tokenizer_json(), 151_936),
    ]
}

fn replies() -> usize {
    std::env::var("GRAMMAR_REPLIES")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(450)
}

/// What the formatter itself may have read back with a repair.
fn is_expected(repair: RepairKind, spec: &SignatureSpec) -> bool {
    match repair {
        RepairKind::JsonReply => spec.format == PromptFormat::Json,
        // Sets of sets and the like: equal items are dropped.
        RepairKind::RepeatedItem => spec
            .outputs
            .iter()
            .any(|field| holds_unordered_items(&field.ty)),
        _ => false,
    }
}

/// Whether it is a set of what has no order itself, so that the grammar does not tell items apart.
fn holds_unordered_items(ty: &FieldType) -> bool {
    let FieldType::List(list) = ty else {
        return false;
    };
    match &*list.item {
        FieldType::List(item) => item.kind == ListKind::Set,
        FieldType::Map(_) | FieldType::Json => true,
        _ => false,
    }
}

/// What is wrong with a reply, if anything.
fn fault(spec: &SignatureSpec, fields: &[&Case], grammar: &Grammar, text: &str) -> Option<String> {
    if !grammar.accepts(text) {
        return Some("the grammar does not accept it".into());
    }
    let parsed = match parse_reply(spec, text) {
        Ok(parsed) => parsed,
        Err(error) => return Some(error.to_string()),
    };
    for (field, case) in spec.outputs.iter().zip(fields) {
        let value = parsed.values.get(&field.name)?.clone();
        if let Err(error) = (case.typed)(value) {
            return Some(error.to_string());
        }
    }
    let unexpected = parsed
        .repairs
        .iter()
        .find(|repair| !is_expected(repair.kind, spec));
    unexpected.map(|repair| format!("{repair:?}"))
}

#[test]
fn every_reply_is_of_the_declared_types_with_all_constraints_held() {
    let cases = cases();
    let speakers = speakers();
    let (mut closed, mut forced, mut tokens) = (0, 0, 0);
    let (mut faults, mut too_long) = (Vec::new(), 0);
    for at in 0..replies() {
        let speaker = &speakers[at % speakers.len()];
        let turn = at / speakers.len();
        let fields: Vec<&Case> = match turn % 3 {
            0 | 1 => vec![&cases[turn % cases.len()]],
            _ => vec![
                &cases[turn % cases.len()],
                &cases[(turn * 7 + 3) % cases.len()],
            ],
        };
        let format = match (turn / 3) % 2 {
            0 => PromptFormat::Chat,
            _ => PromptFormat::Json,
        };
        let spec = spec(
            fields.iter().map(|case| case.field.clone()).collect(),
            format,
        );
        let constraint = Constraint::Signature(spec.clone());
        let grammar = speaker.grammars.compile(&constraint).unwrap();
        let Some((text, generation)) = speaker.reply(&grammar, at) else {
            too_long += 1;
            continue;
        };
        if let Some(fault) = fault(&spec, &fields, &grammar, &text) {
            faults.push(format!(
                "{fault}\n{at} {} {:?} {:?} {:?}\n{text}",
                speaker.name, generation.closed_at, spec.format, spec.outputs
            ));
        }
        closed += usize::from(generation.closed_at.is_some());
        forced += generation.forced_tokens;
        tokens += generation.completion_tokens;
    }
    assert!(
        faults.is_empty(),
        "{} of {} replies are wrong:\n\n{}",
        faults.len(),
        replies(),
        faults.into_iter().take(12).collect::<Vec<_>>().join("\n\n")
    );
    println!(
        "{} replies, all valid: {closed} were closed for want of room, {forced} of {tokens} tokens were forced; \
         {too_long} more had no room in the context",
        replies() - too_long
    );
    assert!(closed > 0 && forced > 0 && too_long < replies() / 10);
}

#[test]
fn every_step_names_a_tool_and_has_its_arguments() {
    let step = SignatureSpec::from_json(&json!({
        "outputs": [
            {"name": "next_thought", "type": "bool"},
            {"name": "next_tool_name", "type": "enum:look up|finish"},
            {"name": "next_tool_args", "type": "HashMap<String,Json>"},
        ],
    }))
    .unwrap();
    let argument =
        |name: &str, ty: &str| FieldSpec::owned(name, "", FieldType::from_type_str(ty).unwrap());
    let look_up = vec![
        argument("words", "HashSet<enum:a|b>"),
        argument("limit", "Option<u8>"),
        argument("more", "HashMap<String,bool>"),
    ];
    let tools = vec![
        ("look up".to_owned(), look_up),
        ("finish".to_owned(), vec![]),
    ];
    let constraint = Constraint::ToolStep {
        spec: step.clone(),
        tools,
    };
    let (mut looked, mut finished) = (0, 0);
    let speakers = speakers();
    for at in 0..replies() / 5 {
        let speaker = &speakers[at % speakers.len()];
        let grammar = speaker.grammars.compile(&constraint).unwrap();
        let (text, _) = speaker.reply(&grammar, at).unwrap();
        let parsed = parse_reply(&step, &text).unwrap_or_else(|error| panic!("{error}: {text:?}"));
        assert_eq!(parsed.repairs, vec![], "{text:?}");
        let tool = parsed.values.get("next_tool_name").unwrap().clone();
        let args = parsed.values.get("next_tool_args").unwrap();
        match &*String::from_value(tool).unwrap() {
            "look up" => {
                looked += 1;
                let Some(Value::List(words)) = args.get("words") else {
                    panic!("{text:?}");
                };
                assert!(
                    words.len() < 2 || words.len() == 2 && words[0] != words[1],
                    "{text:?}"
                );
            }
            _ => {
                finished += 1;
                assert_eq!(*args, Value::Map(vec![]), "{text:?}");
            }
        }
    }
    assert!(
        looked > 0 && finished > 0,
        "{looked} looked up, {finished} finished"
    );
}

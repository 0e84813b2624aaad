//! Several turns: what the model sees of those before, what the cache still holds, what is dropped, and saved histories.

use std::sync::{Arc, LazyLock};

use candle_signature::CandleSignature;
use candle_signature::adapter::{
    CandleAdapter, CandleAdapterError, CandleConfig, LoadedModel, ModelPool, Overrides,
};
use candle_signature::program::{Conversation, Predict, ReAct, StateError};
use candle_signature::prompt::Role;
use candle_signature::signature::{FnTool, Value};
use candle_signature_tests::Script;
use futures::executor::block_on;
use serde_json::json;

static MODEL: LazyLock<Arc<LoadedModel>> = LazyLock::new(|| {
    block_on(ModelPool::embedded().load_model(ModelPool::EMBEDDED))
        .expect("the embedded model loads")
});

/// Answer the question from the passage.
#[derive(CandleSignature)]
struct QA {
    #[input]
    passage: String,
    #[input]
    question: String,
    #[output]
    answer: String,
    #[output]
    note: Option<String>,
}

fn ask(question: &str) -> QAInput {
    QAInput {
        passage: "Ana lives in Rome. Ben works as a baker.".into(),
        question: question.into(),
    }
}

macro_rules! reply {
    ($answer:literal) => {
        concat!(
            "[[ ## answer ## ]]\n",
            $answer,
            "\n\n[[ ## note ## ]]\nnull\n\n[[ ## completed ## ]]"
        )
    };
}

#[test]
fn a_turn_sees_those_before_it_as_they_were_said() {
    let script = Script::new(&[reply!("Rome"), reply!("Ben"), "nonsense"]);
    let mut talk = Conversation::<QA>::of(&Predict::new().with_instruction("Be brief."));
    block_on(async {
        assert_eq!(
            talk.say(&script, ask("Where does Ana live?"))
                .await
                .unwrap()
                .answer,
            "Rome"
        );
        assert_eq!(
            talk.say(&script, ask("Who bakes?")).await.unwrap().answer,
            "Ben"
        );
        assert!(talk.say(&script, ask("And now?")).await.is_err());
    });
    let requests = script.requests();
    let (first, second) = (&requests[0].messages, &requests[1].messages);
    assert!(first[0].content.contains("Be brief."));
    assert_eq!(
        second[..first.len()],
        first[..],
        "nothing of the first request changes"
    );
    let roles: Vec<_> = second.iter().map(|message| message.role).collect();
    assert_eq!(
        roles,
        [Role::System, Role::User, Role::Assistant, Role::User]
    );
    assert_eq!(second[2].content, reply!("Rome"));
    assert_eq!(
        talk.turns().len(),
        2,
        "a turn that failed is not remembered"
    );
    assert_eq!(talk.messages(ask("More?")).len(), 6);
}

#[test]
fn a_turn_costs_only_its_own_text() {
    let adapter = CandleAdapter::from_loaded_model(MODEL.clone(), CandleConfig::default()).unwrap();
    let mut talk = Conversation::<QA>::new();
    let mut before = 0;
    for (turn, question) in [
        "Where does Ana live?",
        "Who works as a baker?",
        "Who lives in Rome?",
    ]
    .into_iter()
    .enumerate()
    {
        let usage = block_on(talk.say(&adapter, ask(question)))
            .unwrap()
            .predicted()
            .usage();
        let text = usage.prompt_tokens - before;
        if turn > 0 {
            // What was said before, but for the tokens of a block that were not full.
            let computed = usage.prompt_tokens - usage.cached_tokens;
            assert!(
                computed <= text + 32,
                "turn {turn}: {usage:?}, {text} tokens of its own"
            );
            assert!(usage.cached_tokens >= before - 32, "turn {turn}: {usage:?}");
        }
        before = usage.prompt_tokens;
    }
}

#[test]
fn every_step_of_a_program_with_tools_costs_only_its_own_text() {
    /// Answer the question with the help of the tools.
    #[derive(CandleSignature)]
    struct Ask {
        #[input]
        question: String,
        #[output]
        answer: String,
    }
    let adapter = CandleAdapter::from_loaded_model(MODEL.clone(), CandleConfig::default()).unwrap();
    let weather = FnTool::new(
        "get_weather",
        "The weather in a city.",
        ["city"],
        |city: String| format!("It is rainy in {city}."),
    );
    let program = ReAct::<Ask>::new().with_tool(weather);
    let input = AskInput {
        question: "What is the weather in Oslo?".into(),
    };
    let out = block_on(program.call(&adapter, input)).unwrap();
    let [first, second, ..] = out.trajectory() else {
        panic!("{:?}", out.trajectory())
    };
    assert_eq!(first.tool, "get_weather");
    let (first, second) = (first.usage, second.usage);
    // The trajectory stands near the end: behind it only its bracket and the reminder of the outputs are read again.
    let new = second.prompt_tokens - first.prompt_tokens;
    let computed = second.prompt_tokens - second.cached_tokens;
    let reminder = 70;
    assert!(
        computed <= new + reminder + 32,
        "{first:?} then {second:?}: {new} tokens are new, {computed} were computed"
    );
    assert!(
        second.cached_tokens * 2 > first.prompt_tokens,
        "{first:?} then {second:?}"
    );
}

#[test]
fn the_oldest_turns_are_dropped_where_the_context_is_full_and_it_says_how_many() {
    let adapter = CandleAdapter::from_loaded_model(
        MODEL.clone(),
        CandleConfig {
            context_length: Some(600),
            max_tokens: 64,
            ..CandleConfig::default()
        },
    )
    .unwrap();
    let mut talk = Conversation::<QA>::new();
    let (mut dropped, mut said) = (0, 0);
    while dropped == 0 && said < 30 {
        let turn = block_on(talk.say(&adapter, ask("Where does Ana live?"))).unwrap();
        dropped = turn.dropped();
        said += 1;
    }
    assert!(dropped > 0 && said > 2, "{dropped} dropped after {said}");
    assert_eq!(talk.turns().len(), said - dropped);
    let huge = QAInput {
        passage: "word ".repeat(2000),
        question: "?".into(),
    };
    let turns = talk.turns().len();
    let error = block_on(talk.say(&adapter, huge)).unwrap_err();
    assert!(
        matches!(error, CandleAdapterError::ContextTooLong { .. }),
        "{error}"
    );
    assert_eq!(talk.turns().len(), turns, "what failed changes nothing");
}

#[test]
fn a_history_is_saved_and_goes_on() {
    let script = Script::new(&[reply!("Rome"), reply!("Ben")]);
    let mut talk = Conversation::<QA>::new();
    block_on(talk.say(&script, ask("Where does Ana live?"))).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("talk.json");
    talk.save(&path).unwrap();
    let mut loaded = Conversation::<QA>::new().load(&path).unwrap();
    assert_eq!(loaded.turns(), talk.turns());
    assert_eq!(
        loaded.turns()[0].values().outputs.get("note"),
        Some(&Value::Null)
    );
    block_on(loaded.say(&script, ask("Who bakes?"))).unwrap();
    assert_eq!(script.requests()[1].messages.len(), 4);
    loaded.keep_latest(1);
    assert_eq!(loaded.turns().len(), 1);
}

#[test]
fn a_history_of_another_signature_is_refused_by_turn_and_field() {
    for (json, expected) in [
        (json!({}), "version 1"),
        (
            json!({"candle_signature_conversation": 9, "turns": []}),
            "version 1",
        ),
        (json!({"candle_signature_conversation": 1}), "`turns`"),
        (
            json!({"candle_signature_conversation": 1, "turns": [5]}),
            "`turns.0`",
        ),
        (
            json!({"candle_signature_conversation": 1, "turns": [{"passage": "p", "question": "q", "answer": 1, "note": null}]}),
            "turn 1: `answer`",
        ),
        (
            json!({"candle_signature_conversation": 1, "turns": [{"passage": "p", "question": "q", "note": null}]}),
            "turn 1: `answer`: missing",
        ),
    ] {
        let error = Conversation::<QA>::new().with_turns_of(&json).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
    let error = Conversation::<QA>::new().load("/no/such/file").unwrap_err();
    assert!(matches!(error, StateError::Io { .. }));
}

#[test]
fn a_conversation_keeps_the_overrides_of_its_predictor() {
    let overrides = Overrides {
        max_tokens: Some(33),
        ..Overrides::default()
    };
    let script = Script::new(&[reply!("Rome")]);
    let mut talk = Conversation::of(&Predict::<QA>::new().with_overrides(overrides));
    block_on(talk.say(&script, ask("?"))).unwrap();
    assert_eq!(script.requests()[0].overrides, overrides);
}

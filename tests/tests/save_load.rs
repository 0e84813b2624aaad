//! Saved programs: round trips, what does not fit named by its field, and DSPy's files.

use std::path::{Path, PathBuf};

use candle_signature::adapter::Overrides;
use candle_signature::program::{
    ChainOfThought, Predict, ReAct, StateError, Tunable as _, from_json, load, save, save_dspy,
    to_dspy_json, to_json,
};
use candle_signature::signature::{Demo, Value};
use candle_signature::{CandleSignature, CandleValue, example};
use serde_json::{Value as Json, json};

/// Answer the question from the passage.
#[derive(CandleSignature)]
struct QA {
    /// Text to read.
    #[input]
    passage: String,
    #[input]
    question: String,
    /// A short answer.
    #[output]
    answer: String,
}

#[derive(CandleValue, Debug, Clone, PartialEq)]
enum Mood {
    Calm,
    #[value(rename = "on-fire")]
    OnFire,
}

/// Triage.
#[derive(CandleSignature)]
struct Triage {
    #[input]
    ticket: String,
    #[output]
    urgent: bool,
    #[output(min = 1, max = 5)]
    stars: u8,
    #[output]
    tags: Vec<String>,
}

/// Every kind of value.
#[derive(CandleSignature)]
struct Kinds {
    #[input]
    text: String,
    #[output]
    mood: Mood,
    #[output]
    weight: f64,
    #[output]
    large: i128,
    #[output]
    note: Option<String>,
}

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("data/dspy_saved")
        .join(name)
}

fn demo() -> Demo<QA> {
    example!(QA {
        passage: "[[ ## answer ## ]]\nNora bakes.",
        question: "Who \"bakes\"?",
        answer: "Nora é 日"
    })
}

fn tuned() -> Predict<QA> {
    let overrides = Overrides {
        temperature: Some(0.25),
        max_tokens: Some(64),
        ..Overrides::default()
    };
    Predict::new()
        .with_instruction("Answer in one word.\n\nNo more.")
        .with_demo(demo())
        .with_overrides(overrides)
}

#[test]
fn a_saved_program_comes_back_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("qa.json");
    save(&tuned(), &path).unwrap();
    let loaded = load(Predict::<QA>::new(), &path).unwrap();
    assert_eq!(loaded.settings(), tuned().settings());
    let names: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(names.len(), 1, "nothing is left beside the file: {names:?}");

    let cot = ChainOfThought::<QA>::new().with_demos([demo().with_reasoning("It says so.")]);
    let back = from_json(ChainOfThought::<QA>::new(), &to_json(&cot).unwrap()).unwrap();
    assert_eq!(back.settings(), cot.settings());
    let react = ReAct::<QA>::new().with_instruction("Look it up.");
    let back = from_json(ReAct::<QA>::new(), &to_json(&react).unwrap()).unwrap();
    assert_eq!(back.settings(), react.settings());
}

#[test]
fn the_file_is_readable() {
    let json = to_json(&tuned()).unwrap();
    let expected = json!({
        "candle_signature": 1,
        "program": "Predict",
        "signature": {
            "name": "QA",
            "inputs": [{"name": "passage", "type": "str"}, {"name": "question", "type": "str"}],
            "outputs": [{"name": "answer", "type": "str"}],
        },
        "instruction": "Answer in one word.\n\nNo more.",
        "demos": [{"passage": "[[ ## answer ## ]]\nNora bakes.", "question": "Who \"bakes\"?", "answer": "Nora é 日"}],
        "overrides": {"max_tokens": 64, "temperature": 0.25},
    });
    assert_eq!(json, expected);
}

fn kinds(weight: f64, large: i128) -> Predict<Kinds> {
    let demo = Demo::new(
        KindsInput { text: "x".into() },
        KindsOutput {
            mood: Mood::OnFire,
            weight,
            large,
            note: None,
        },
    );
    Predict::new().with_demo(demo)
}

#[test]
fn values_of_every_kind_survive_or_are_refused_when_saved() {
    for weight in [0.1, -0.0, f64::INFINITY, f64::NAN, 1e300] {
        let json = to_json(&kinds(weight, -5)).unwrap();
        let text = json.to_string();
        let back = from_json(
            Predict::<Kinds>::new(),
            &serde_json::from_str(&text).unwrap(),
        )
        .unwrap();
        let Some(Value::Float(found)) = back.demos()[0].values().outputs.get("weight") else {
            panic!("{text}");
        };
        assert_eq!(found.to_bits(), weight.to_bits(), "{text}");
    }
    assert!(to_json(&kinds(0.0, i64::MAX.into())).is_ok());
    let error = to_json(&kinds(0.0, i128::MAX)).unwrap_err();
    assert!(
        matches!(error, StateError::Value { number: 1, .. }),
        "{error}"
    );
}

#[test]
fn what_does_not_fit_is_named() {
    let good = to_json(&tuned()).unwrap();
    let changed = |pointer: &str, value: Json| {
        let mut json = good.clone();
        *json.pointer_mut(pointer).unwrap() = value;
        json
    };
    let cases = [
        (changed("/candle_signature", json!(2)), "version 2"),
        (changed("/candle_signature", json!("1")), "candle_signature"),
        (
            changed("/program", json!("ReAct")),
            "of a `ReAct`, not of a `Predict`",
        ),
        (changed("/program", json!(null)), "`program`"),
        (
            changed("/signature/outputs/0/name", json!("reply")),
            "field `answer`",
        ),
        (
            changed("/signature/inputs/1/type", json!("int")),
            "field `question` of the signature `QA`: it is `str`, and was `int`",
        ),
        (changed("/signature/inputs", json!({})), "signature.inputs"),
        (
            changed(
                "/signature/outputs",
                json!([{"name": "answer", "type": "str"}, {"name": "why", "type": "str"}]),
            ),
            "field `why`",
        ),
        (changed("/instruction", json!(5)), "`instruction`"),
        (
            changed("/demos/0/answer", json!(7)),
            "demo 1: `answer`: expected a string, found an integer",
        ),
        (
            changed("/demos/0", json!({"anwser": "x"})),
            "demo 1: `anwser`: no field of this signature, which has `passage`, `question`, `answer`",
        ),
        (changed("/demos/0", json!([1])), "`demos.0`"),
        (changed("/demos", json!({})), "`demos`"),
        (
            changed("/overrides", json!({"temprature": 1})),
            "temprature",
        ),
        (
            changed("/overrides", json!({"max_tokens": -1})),
            "`overrides`",
        ),
        (json!([]), "expected a JSON object"),
        (json!({"a": 1}), "neither a saved program"),
        (json!({"candle_signature": 1}), "`program`"),
    ];
    for (json, expected) in cases {
        let error = from_json(Predict::<QA>::new(), &json)
            .unwrap_err()
            .to_string();
        assert!(error.contains(expected), "{error}\nlacks: {expected}");
    }
    let mut extra = good.clone();
    extra["demoes"] = json!([]);
    let error = from_json(Predict::<QA>::new(), &extra)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("unknown key") && error.contains("`demoes`"),
        "{error}"
    );
}

#[test]
fn a_demo_that_breaks_a_constraint_is_refused() {
    let mut json = to_json(&Predict::<Triage>::new()).unwrap();
    json["demos"] = json!([{"ticket": "t", "urgent": true, "stars": 9, "tags": []}]);
    let error = from_json(Predict::<Triage>::new(), &json)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("demo 1: `stars`") && error.contains("at most 5"),
        "{error}"
    );
}

#[test]
fn files_that_are_none_are_errors_with_their_path() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("none.json");
    let error = load(Predict::<QA>::new(), &missing).unwrap_err();
    assert!(
        matches!(&error, StateError::Io { path, .. } if *path == missing),
        "{error}"
    );
    let path = folder.path().join("bad.json");
    std::fs::write(&path, "{\"candle_signature\": 1,").unwrap();
    let error = load(Predict::<QA>::new(), &path).unwrap_err();
    assert!(matches!(error, StateError::Json { .. }), "{error}");
    let error = save(&tuned(), folder.path().join("no/such/folder/x.json")).unwrap_err();
    assert!(matches!(error, StateError::Io { .. }), "{error}");
    assert!(save(&tuned(), "/").is_err());
}

#[test]
fn a_failed_save_leaves_the_old_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("qa.json");
    save(&tuned(), &path).unwrap();
    let before = std::fs::read(&path).unwrap();
    let error = save(&kinds(0.0, i128::MAX), &path).unwrap_err();
    assert!(matches!(error, StateError::Value { .. }));
    assert_eq!(std::fs::read(&path).unwrap(), before);
    save(&Predict::<QA>::new(), &path).unwrap();
    assert!(
        load(Predict::<QA>::new(), &path)
            .unwrap()
            .demos()
            .is_empty(),
        "and is replaced by the next"
    );
}

#[test]
fn a_predictor_saved_by_dspy_is_loaded() {
    let loaded = load(Predict::<QA>::new(), data("predict.json")).unwrap();
    let settings = loaded.settings();
    assert_eq!(
        settings.instruction,
        "Answer in one or two words from the passage."
    );
    let answers: Vec<_> = settings
        .demos
        .iter()
        .map(|demo| demo.values().outputs.get("answer").cloned())
        .collect();
    assert_eq!(
        answers,
        [
            Some(Value::String("a baker".into())),
            Some(Value::String("3".into()))
        ]
    );
    assert_eq!(settings.overrides, Overrides::default());

    let cot = load(
        ChainOfThought::<Triage>::new(),
        data("chain_of_thought.json"),
    )
    .unwrap();
    let settings = cot.settings();
    let first = &settings.demos[0].values().outputs;
    assert_eq!(
        first.get("reasoning"),
        Some(&Value::String("Fire is urgent.".into()))
    );
    assert_eq!(first.get("stars"), Some(&Value::Int(1)));
    assert_eq!(settings.demos[1].values().outputs.get("reasoning"), None);
    assert_eq!(
        (
            settings.overrides.temperature,
            settings.overrides.max_tokens
        ),
        (Some(0.5), Some(200))
    );
}

#[test]
fn a_predictor_of_dspy_that_does_not_fit_is_refused_by_its_field() {
    let message = |result: Result<(), StateError>| result.unwrap_err().to_string();
    let error = message(load(Predict::<Triage>::new(), data("predict.json")).map(drop));
    assert!(
        error.contains("field `ticket` of the signature `Triage`"),
        "{error}"
    );
    let error = message(load(Predict::<Triage>::new(), data("chain_of_thought.json")).map(drop));
    assert!(
        error.contains("of a `ChainOfThought`, not of a `Predict`"),
        "{error}"
    );
    let error = message(load(ChainOfThought::<QA>::new(), data("predict.json")).map(drop));
    assert!(
        error.contains("of a `Predict`, not of a `ChainOfThought`"),
        "{error}"
    );
    let error = message(load(ReAct::<QA>::new(), data("react.json")).map(drop));
    assert!(error.contains("can't be exchanged with DSPy"), "{error}");
    let mut json = to_dspy_json(&Predict::<Triage>::new()).unwrap();
    json["demos"] = json!([{"ticket": "t", "stars": "many"}]);
    let error = message(from_json(Predict::<Triage>::new(), &json).map(drop));
    assert!(error.contains("demo 1: `stars`"), "{error}");
}

#[test]
fn what_is_written_for_dspy_is_as_dspy_writes_it() {
    let loaded = load(Predict::<QA>::new(), data("predict.json")).unwrap();
    let mut theirs: Json =
        serde_json::from_slice(&std::fs::read(data("predict.json")).unwrap()).unwrap();
    let mut ours = to_dspy_json(&loaded).unwrap();
    // What is particular to who wrote it.
    for json in [&mut theirs, &mut ours] {
        json["metadata"] = json!(null);
    }
    theirs["demos"][1]
        .as_object_mut()
        .unwrap()
        .remove("augmented");
    assert_eq!(ours, theirs);

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cot.json");
    let cot = load(
        ChainOfThought::<Triage>::new(),
        data("chain_of_thought.json"),
    )
    .unwrap();
    save_dspy(&cot, &path).unwrap();
    let back = load(ChainOfThought::<Triage>::new(), &path).unwrap();
    assert_eq!(back.settings().demos, cot.settings().demos);
    assert_eq!(
        back.settings().overrides,
        Overrides::default(),
        "DSPy keeps them with its model"
    );
    assert!(save_dspy(&ReAct::<QA>::new(), &path).is_err());
}

/// Every JSON that a few changes make of a good one.
fn changed(json: &Json, changes: &[(usize, u8)]) -> Json {
    let mut json = json.clone();
    for (place, change) in changes {
        let mut pointers = Vec::new();
        collect(&json, String::new(), &mut pointers);
        let pointer = pointers[place % pointers.len()].clone();
        let Some(value) = json.pointer_mut(&pointer) else {
            continue;
        };
        *value = match change % 8 {
            0 => Json::Null,
            1 => json!([]),
            2 => json!({}),
            3 => json!(-1),
            4 => json!("text"),
            5 => json!(1e300),
            6 => json!([value.clone(), value.clone()]),
            _ => json!({ "$float": value.clone() }),
        };
    }
    json
}

fn collect(json: &Json, at: String, pointers: &mut Vec<String>) {
    match json {
        Json::Array(items) => (0..)
            .zip(items)
            .for_each(|(number, item)| collect(item, format!("{at}/{number}"), pointers)),
        Json::Object(entries) => entries
            .iter()
            .for_each(|(key, value)| collect(value, format!("{at}/{key}"), pointers)),
        _ => {}
    }
    pointers.push(at);
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(512))]

    #[test]
    fn a_damaged_state_is_refused_or_is_one(changes in proptest::collection::vec((0usize..64, 0u8..8), 1..4)) {
        let ours = to_json(&tuned()).unwrap();
        let dspy = to_dspy_json(&tuned()).unwrap();
        for good in [ours, dspy] {
            if let Ok(program) = from_json(Predict::<QA>::new(), &changed(&good, &changes)) {
                // What was accepted can be saved, and comes back as it is.
                let back = from_json(Predict::<QA>::new(), &to_json(&program).unwrap()).unwrap();
                proptest::prop_assert_eq!(back.settings(), program.settings());
            }
        }
    }
}

//! Values, examples, predictions and counts come back as they were.

use std::collections::HashMap;

use candle_signature::adapter::Usage;
use candle_signature::dspy::{DspyError, example_of, json_of, output_of, value_of};
use candle_signature::signature::{Example, FieldValues, PartialDemo, Value};
use candle_signature_tests::Script;
use dspy_rs::{LmUsage, Prediction};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use crate::support::typed;

/// Values of every kind; keys and texts that look like those that mean something are frequent.
fn any_value() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        "\\PC{0,8}",
        prop::sample::select(vec!["NaN", "inf", "-inf", "99999999999999999999", "7"])
            .prop_map(str::to_owned),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(|n| Value::Int(n.into())),
        any::<u64>().prop_map(|n| Value::Int(n.into())),
        any::<i128>().prop_map(Value::Int),
        (i128::MAX as u128 + 1..).prop_map(Value::UInt),
        any::<f64>().prop_map(Value::Float),
        Just(Value::Float(f64::NAN)),
        Just(Value::Float(f64::NEG_INFINITY)),
        text.prop_map(Value::String),
    ];
    leaf.prop_recursive(4, 30, 4, |inner| {
        let key = prop::sample::select(vec!["a", "b", "$float", "$int", "$plain"]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::List),
            prop::collection::btree_map(key, inner, 0..3).prop_map(|entries| {
                Value::Map(
                    entries
                        .into_iter()
                        .map(|(k, v)| (k.to_owned(), v))
                        .collect(),
                )
            }),
        ]
    })
}

fn any_json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<u64>().prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        prop::sample::select(vec!["NaN", "inf", "x", "99999999999999999999", "007"])
            .prop_map(Json::from),
    ];
    leaf.prop_recursive(4, 30, 4, |inner| {
        let key = prop::sample::select(vec!["a", "$float", "$int", "$plain"]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
            prop::collection::vec((key, inner), 0..3).prop_map(|entries| {
                entries
                    .into_iter()
                    .map(|(k, v)| (k.to_owned(), v))
                    .collect::<serde_json::Map<_, _>>()
                    .into()
            }),
        ]
    })
}

/// Equal, NaN to itself too, and a zero to one of its sign.
fn shown(value: &Value) -> String {
    format!("{value:?}")
}

proptest! {
    #[test]
    fn values_come_back(value in any_value()) {
        let json = json_of(&value);
        prop_assert_eq!(shown(&value_of(&json)), shown(&value), "{}", json);
        // As it does from a file.
        let text = json.to_string();
        prop_assert_eq!(shown(&value_of(&serde_json::from_str(&text).unwrap())), shown(&value));
    }

    #[test]
    fn json_comes_back(json in any_json()) {
        prop_assert_eq!(json_of(&value_of(&json)), json);
    }

    #[test]
    fn examples_come_back(values in prop::collection::vec(any_value(), 5)) {
        let names = ["in_1", "in_2", "out", "a_note", "b_note"];
        let data: FieldValues = names.iter().map(|name| name.to_string()).zip(values).collect();
        let keys = |names: &[&str]| names.iter().map(|name| name.to_string()).collect::<Vec<_>>();
        let example = Example::new(data, keys(&["in_1", "in_2"]), keys(&["out", "absent"]));
        let theirs = dspy_rs::Example::from(example.clone());
        prop_assert_eq!(format!("{:?}", Example::from(theirs)), format!("{example:?}"));
    }

    #[test]
    fn examples_of_dspy_rs_come_back(data in prop::collection::hash_map("[a-e]", any_json(), 0..5), roles in any::<[bool; 3]>()) {
        let keys = |wanted: bool| ["a", "b", "c"].iter().zip(roles).filter(|(_, role)| *role == wanted).map(|(k, _)| k.to_string()).collect();
        let theirs = dspy_rs::Example { data, input_keys: keys(true), output_keys: keys(false) };
        let back = dspy_rs::Example::from(Example::from(theirs.clone()));
        prop_assert_eq!(back.data, theirs.data);
        prop_assert_eq!((back.input_keys, back.output_keys), (theirs.input_keys, theirs.output_keys));
    }

    #[test]
    fn counts_come_back(prompt in 0..=usize::MAX / 2, completion in 0..=usize::MAX / 2) {
        let usage = Usage { prompt_tokens: prompt, completion_tokens: completion, ..Usage::default() };
        let theirs = LmUsage::from(usage);
        prop_assert_eq!(theirs.total_tokens, theirs.prompt_tokens + theirs.completion_tokens);
        prop_assert_eq!(Usage::try_from(theirs).unwrap(), usage);
    }
}

#[test]
fn counts_that_do_not_add_up_are_refused() {
    for total in [6, 8] {
        let usage = LmUsage {
            prompt_tokens: 4,
            completion_tokens: 3,
            total_tokens: total,
        };
        let error = Usage::try_from(usage).unwrap_err();
        assert!(
            error
                .to_string()
                .contains("4 of the prompt and 3 of the completion"),
            "{error}"
        );
    }
    let most = LmUsage {
        prompt_tokens: u64::MAX,
        completion_tokens: 1,
        total_tokens: 0,
    };
    assert!(matches!(
        Usage::try_from(most),
        Err(DspyError::Usage { .. })
    ));
}

#[test]
fn a_demo_keeps_its_roles() {
    let half = |name: &str| FieldValues::from_iter([(name.to_owned(), Value::Int(1))]);
    let demo = PartialDemo {
        inputs: half("x"),
        outputs: half("y"),
    };
    let theirs = dspy_rs::Example::from(demo.clone());
    assert_eq!(
        (&theirs.input_keys[..], &theirs.output_keys[..]),
        (&["x".to_owned()][..], &["y".to_owned()][..])
    );
    assert_eq!(PartialDemo::from(Example::from(theirs)), demo);
}

#[tokio::test]
async fn a_typed_result_becomes_a_prediction_and_an_output_again() {
    let script = Script::new(&["[[ ## answer ## ]]\nRome\n\n[[ ## completed ## ]]"]);
    let input = typed::QaInput {
        passage: "p".into(),
        question: "q".into(),
    };
    let predicted = typed::Qa::predict(&script, input.clone()).await.unwrap();
    let prediction = Prediction::from(predicted);
    assert_eq!(
        (
            prediction.lm_usage.prompt_tokens,
            prediction.lm_usage.total_tokens
        ),
        (10, 15)
    );
    let output: typed::QaOutput = output_of(&prediction).unwrap();
    assert_eq!(output.answer, "Rome");
    let example = example_of(input);
    assert_eq!(example.input_keys, ["passage", "question"]);
    assert_eq!(example.data.get("question"), Some(&json!("q")));
}

#[test]
fn a_prediction_without_the_output_says_which_is_missing() {
    let empty = Prediction::new(HashMap::new(), LmUsage::default());
    let error = output_of::<typed::QaOutput>(&empty).unwrap_err();
    assert!(error.to_string().contains("answer"), "{error}");
}

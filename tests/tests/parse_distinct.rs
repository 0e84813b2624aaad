//! Items of a set that differ in the order of sets and maps within them only are one item.

mod parse_support;

use std::collections::{BTreeMap, BTreeSet};

use candle_signature::CandleValue;
use candle_signature::parse::{Parsed, RepairKind, parse_reply};
use candle_signature::signature::{FieldSpec, FieldValue, Value};
use parse_support::{reply, section, spec};

#[derive(CandleValue, Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Note {
    text: String,
    tags: BTreeSet<String>,
    place: Option<(i64, BTreeSet<i64>)>,
}

#[derive(CandleValue, Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Wait,
    Go { through: BTreeSet<String> },
    Say(BTreeMap<String, i64>),
}

/// As [`left`], of a type in words.
fn one_of_type(ty: &str, items: &str) -> (usize, bool) {
    let parsed = reply(ty, items).unwrap_or_else(|error| panic!("{error}"));
    left_of(parsed)
}

/// How many items are left of a set, and whether the parser says that one was there twice.
fn left<T: FieldValue>(items: &str) -> (usize, bool) {
    let mut wanted = spec(&[("x", "i64")]);
    wanted.outputs = vec![FieldSpec::owned("x", "", T::TYPE.clone())].into();
    let parsed = parse_reply(&wanted, &section(items));
    left_of(parsed.unwrap_or_else(|error| panic!("{error}")))
}

fn left_of(mut parsed: Parsed) -> (usize, bool) {
    let mut repairs = parsed.repairs.iter();
    let repeated = repairs.any(|repair| repair.kind == RepairKind::RepeatedItem);
    let items = match parsed.values.take("x") {
        Some(Value::List(items)) => items.len(),
        other => panic!("{other:?}"),
    };
    (items, repeated)
}

#[test]
fn the_order_within_an_item_does_not_tell_items_apart() {
    let notes = r#"[
        {"text": "a", "tags": ["x", "y"], "place": [1, [2, 3]]},
        {"text": "a", "tags": ["y", "x"], "place": [1, [3, 2]]}
    ]"#;
    assert_eq!(left::<BTreeSet<Note>>(notes), (1, true));
    let steps = r#"[
        {"type": "Go", "through": ["x", "y"]},
        {"type": "Go", "through": ["y", "x"]},
        "Wait",
        {"type": "Say", "value": {"a": 1, "b": 2}},
        {"type": "Say", "value": {"b": 2, "a": 1}}
    ]"#;
    assert_eq!(left::<BTreeSet<Step>>(steps), (3, true));
    let lists = r#"[[["x", "y"]], [["y", "x"]]]"#;
    assert_eq!(left::<BTreeSet<Vec<BTreeSet<String>>>>(lists), (1, true));
    let json = r#"[{"k": [1, {"a": 1, "b": 2}]}, {"k": [1, {"b": 2, "a": 1}]}]"#;
    assert_eq!(one_of_type("HashSet<Json>", json), (1, true));
}

#[test]
fn what_differs_stays() {
    let notes = r#"[
        {"text": "a", "tags": ["x", "y"], "place": null},
        {"text": "a", "tags": ["x", "z"], "place": null},
        {"text": "a", "tags": ["x", "y"], "place": [1, []]}
    ]"#;
    assert_eq!(left::<BTreeSet<Note>>(notes), (3, false));
    let steps = r#"[{"type": "Go", "through": ["x"]}, {"type": "Go", "through": []}, "Wait"]"#;
    assert_eq!(left::<BTreeSet<Step>>(steps), (3, false));
    assert_eq!(one_of_type("HashSet<Json>", "[[1, 2], [2, 1]]"), (2, false));
}

//! What replies rarely have: strange quotes and numbers, many keys, brackets without number, values beside other text.

mod parse_support;

use candle_signature::parse::{ErrorKind, RepairKind, parse_reply};
use candle_signature::signature::Value;
use parse_support::{Wanted, check, reply, section, spec};
use serde_json::json;

fn is(value: serde_json::Value) -> Wanted {
    Wanted::Value(value)
}

#[test]
fn strings_in_rare_quotes_and_with_rare_escapes() {
    check(&[
        ("Vec<String>", "[‘a’, “b”]", is(json!(["a", "b"]))),
        (
            "Vec<String>",
            "['''a \"b\"''', \"\"\"c\nd\"\"\"]",
            is(json!(["a \"b\"", "c\nd"])),
        ),
        (
            "Vec<String>",
            r#"["\t\r\b\f\/\"", "\'\`", "\q"]"#,
            is(json!(["\t\r\u{8}\u{c}/\"", "'`", "\\q"])),
        ),
        (
            "HashMap<String,String>",
            "{'''k''': \"\\u0041\", \"\\u0042\": `c`}",
            is(json!({"k": "A", "B": "c"})),
        ),
        ("Vec<String>", "['''a', 'b']", Wanted::Kind("truncated")),
        ("Vec<String>", "[```a```]", Wanted::Kind("type")),
        ("Vec<String>", "[\"a\\\nb\"]", Wanted::Kind("type")),
        ("Vec<String>", "[\"a\\u12\"]", Wanted::Kind("type")),
        ("Vec<String>", "[\"a\\", Wanted::Kind("truncated")),
        ("Vec<char>", "[\" \", \"é\"]", is(json!([" ", "é"]))),
    ]);
}

#[test]
fn numbers_in_runs_keep_their_places() {
    check(&[
        (
            "Vec<i64>",
            "[1,2, 3,\n4,5 , 6]",
            is(json!([1, 2, 3, 4, 5, 6])),
        ),
        (
            "Vec<f64>",
            "[1,2.5,-3, .5]",
            is(json!([1.0, 2.5, -3.0, 0.5])),
        ),
        ("Vec<String>", "[\"a\",1,2]", is(json!(["a", "1", "2"]))),
        ("Vec<i64>", "[1,2,3.0,1e2]", is(json!([1, 2, 3, 100]))),
        ("(i64, f64, i64)", "[1,2.5,3]", is(json!([1, 2.5, 3]))),
        (
            "Json",
            "[1,2,[3,4.5],null]",
            is(json!([1, 2, [3, 4.5], null])),
        ),
        ("HashSet<i64>", "{1, 2,1}", is(json!([1, 2]))),
        ("Vec<i64>", "(1,2)", is(json!([1, 2]))),
        ("i64", "[1]", Wanted::Kind("type")),
        ("Vec<i64>", "[1,2 [3]]", Wanted::Kind("type")),
        ("Vec<Vec<i64>>", "[[1] [2,3]]", is(json!([[1], [2, 3]]))),
    ]);
    let text = section("[1,2, 300,4]");
    let error = parse_reply(&spec(&[("x", "Vec<u8>")]), &text).expect_err("300 is no u8");
    let error = &error.errors[0];
    assert_eq!(
        (error.kind, &error.path[..]),
        (ErrorKind::OutOfRange, &["2".to_owned()][..])
    );
    let place = error.at.expect("a place");
    assert!(text[place.offset..].starts_with("300,"), "{place:?}");
}

#[test]
fn numbers_in_other_bases_and_with_misplaced_separators() {
    check(&[
        ("i64", "0o17", is(json!(15))),
        ("i64", "0b101", is(json!(5))),
        ("f64", "0x10", is(json!(16.0))),
        ("f64", "-0b11", is(json!(-3.0))),
        (
            "i128",
            "-0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF",
            Wanted::Kind("out_of_range"),
        ),
        ("i64", "$50%", Wanted::Kind("type")),
        ("f64", "1.2.3,4,5", Wanted::Kind("type")),
        ("f64", "1_2.3.4", Wanted::Kind("type")),
        ("f64", "1,234.5_6", Wanted::Kind("type")),
        ("f64", "$inf", Wanted::Kind("type")),
    ]);
}

#[test]
fn floats_that_json_lacks_are_objects_in_it() {
    let parsed = reply(
        "Vec<f64>",
        "[{\"$float\": \"-inf\"}, {\"$float\": \"NaN\"}, 1]",
    )
    .expect("floats");
    let Some(Value::List(items)) = parsed.values.get("x") else {
        panic!("no list");
    };
    assert_eq!(items[0], Value::Float(f64::NEG_INFINITY));
    assert!(matches!(items[1], Value::Float(x) if x.is_nan()));
    check(&[
        ("Vec<f64>", "[{\"$float\": 1}]", Wanted::Kind("type")),
        (
            "Vec<f64>",
            "[{\"$float\": \"NaN\", \"y\": 1}]",
            Wanted::Kind("type"),
        ),
        ("Json", "[-01, 1.]", is(json!([-1.0, 1.0]))),
    ]);
}

#[test]
fn keys_are_told_apart_among_few_and_among_many() {
    for count in [3, 8, 9, 5000] {
        let entries: Vec<String> = (0..count).map(|n| format!("\"k{n}\": {n}")).collect();
        let object = |more: &str| format!("{{{}{more}}}", entries.join(", "));
        let lines = |more: &str| format!("{}\n{more}", entries.join("\n").replace('"', ""));
        let ty = "HashMap<String,i64>";
        for text in [object(""), lines("")] {
            let parsed = reply(ty, &text).expect("a map");
            let Some(Value::Map(values)) = parsed.values.get("x") else {
                panic!("no map");
            };
            let right = |(at, (key, value)): (usize, &(String, Value))| {
                *key == format!("k{at}") && *value == Value::Int(at as i128)
            };
            assert_eq!(values.len(), count);
            assert!(values.iter().enumerate().all(right));
        }
        let again = reply(ty, &object(", \"k1\": 1")).expect("the same value");
        assert!(
            again
                .repairs
                .iter()
                .any(|repair| repair.kind == RepairKind::RepeatedKey)
        );
        let other = reply(ty, &object(", \"k1\": 2")).expect_err("another value");
        assert_eq!(other.errors[0].kind, ErrorKind::Ambiguous);
        assert_eq!(other.errors[0].candidates, ["1", "2"]);
        assert_eq!(
            reply(ty, &lines("k1: 1")).expect_err("lines twice").errors[0].kind,
            ErrorKind::Type
        );
    }
}

#[test]
fn fields_come_in_any_order_and_any_spelling() {
    let ty = r#"struct:{"a":"i64","b":"Option<i64>","c":"String","d":"Vec<i64>"}"#;
    let whole = json!({"a": 1, "b": 2, "c": "x", "d": [3]});
    check(&[
        (
            ty,
            r#"{"a": 1, "b": 2, "c": "x", "d": [3]}"#,
            is(whole.clone()),
        ),
        (
            ty,
            r#"{"d": [3], "c": "x", "b": 2, "a": 1}"#,
            is(whole.clone()),
        ),
        (
            ty,
            r#"{"c": "x", "a": 1, "d": [3], "B": 2, "z": 0}"#,
            is(whole.clone()),
        ),
        (
            ty,
            r#"{"a": 1, "d": [3], "a": 1, "c": "x", "d": [3], "b": 2}"#,
            is(whole),
        ),
        (
            ty,
            r#"{"d": [3], "c": "x", "a": 1}"#,
            is(json!({"a": 1, "b": null, "c": "x", "d": [3]})),
        ),
        (
            ty,
            r#"{"d": [3], "d": [4], "c": "x", "a": 1}"#,
            Wanted::Kind("ambiguous"),
        ),
        (
            ty,
            r#"{"a": 1, "a": 2, "c": "x", "d": []}"#,
            Wanted::Kind("ambiguous"),
        ),
        (ty, r#"{"d": [3], "a": 1}"#, Wanted::Kind("type")),
        (ty, "a: 1\nc: x\nd: [3]\nz: 5", Wanted::Kind("type")),
    ]);
    // The fields that come in their turn and the one that comes early are all there.
    let text = "[[ ## x ## ]]\n{\"a\": 1, \"d\": [3], \"b\": 2, \"c\": \"x\"";
    assert!(parse_reply(&spec(&[("x", ty)]), text).is_ok());
    let text = "[[ ## x ## ]]\n{\"d\": [3], \"b\": 2, \"c\": \"x\"";
    let error = parse_reply(&spec(&[("x", ty)]), text).expect_err("cut off");
    assert_eq!(error.errors[0].kind, ErrorKind::Truncated);
}

#[test]
fn a_value_under_its_own_name_is_taken_out() {
    check(&[
        ("i64", "{\"x\": 3}", is(json!(3))),
        ("i64", "{'X': '3'}", is(json!(3))),
        ("enum:Low|High", "{\"x\": \"high\"}", is(json!("High"))),
        ("enum:Low|High", "{\"x\": 1}", Wanted::Kind("type")),
        ("Vec<i64>", "{\"x\": [1]}", is(json!([1]))),
        ("Option<i64>", "{\"x\": null}", is(json!(null))),
        (
            "HashMap<String,Vec<i64>>",
            "{\"x\": [1]}",
            is(json!({"x": [1]})),
        ),
        (
            "HashMap<String,i64>",
            "{\"x\": {\"a\": 1}}",
            is(json!({"a": 1})),
        ),
        // More than the value, another key, a set, no end: nothing is wrapped.
        ("i64", "{\"x\": 3, \"y\": 4}", Wanted::Kind("type")),
        ("i64", "{\"y\": 3}", Wanted::Kind("type")),
        ("i64", "{x, y}", Wanted::Kind("type")),
        ("Vec<i64>", "{\"x\": [3]", Wanted::Kind("type")),
        ("i64", "{}", Wanted::Kind("type")),
        ("i64", "{\"x\": [1, }", Wanted::Kind("type")),
        ("i64", "{ /* no end", Wanted::Kind("type")),
    ]);
}

#[test]
fn words_for_null_inside_of_json() {
    check(&[
        (
            "Vec<Option<i64>>",
            "[\"N/A\", \"\", nil, None, 3]",
            is(json!([null, null, null, null, 3])),
        ),
        ("Vec<Option<i64>>", "[[1]]", Wanted::Kind("type")),
        ("Vec<Option<i64>>", "[\"three\"]", Wanted::Kind("type")),
    ]);
    let error = reply("Vec<Option<i64>>", "[\"three\"]").expect_err("no integer");
    assert_eq!(error.errors[0].message, "expected an integer or null");
    let error = reply("Option<date>", "soon").expect_err("no date");
    assert_eq!(
        error.errors[0].message,
        "expected a date as YYYY-MM-DD or null"
    );
}

#[test]
fn brackets_in_prose_are_passed_over_but_not_without_end() {
    let ty = "Vec<i64>";
    check(&[
        (
            ty,
            "See [1] and [x y\n\nThe list is: [4, 5]",
            is(json!([4, 5])),
        ),
        (ty, &"[a b ".repeat(100), Wanted::Kind("type")),
        (ty, &"[ ] ".repeat(100), Wanted::Kind("type")),
        (
            "Vec<struct:{\"a\":\"i64\"}>",
            "{\"a\": 1}, {\"a\": 2}",
            is(json!([{"a": 1}, {"a": 2}])),
        ),
        (
            "Vec<struct:{\"a\":\"i64\"}>",
            "{\"a\": 1}, {\"a\": 2} and more",
            Wanted::Kind("type"),
        ),
        (
            "Vec<struct:{\"a\":\"i64\"}>",
            "{\"a\": 1} and {\"a\": 2}",
            Wanted::Kind("type"),
        ),
        (
            "Vec<struct:{\"a\":\"i64\"}>",
            "{\"a\": 1}, {\"a\": ]",
            Wanted::Kind("type"),
        ),
        (
            "struct:{\"a\":\"Option<i64>\"}",
            "Take {} or {\"a\": 1}.",
            is(json!({"a": 1})),
        ),
    ]);
}

#[test]
fn sets_of_sets_and_maps_hold_each_once() {
    check(&[
        (
            "HashSet<Json>",
            "[[1, 2], [2, 1], {\"a\": 1, \"b\": 2}, {\"b\": 2, \"a\": 1}, null, null]",
            is(json!([[1, 2], [2, 1], {"a": 1, "b": 2}, null])),
        ),
        (
            "HashSet<HashSet<i64>>",
            "[[1, 2], [2, 1], [1]]",
            is(json!([[1, 2], [1]])),
        ),
        (
            "HashSet<(bool, f64)>",
            "[[true, 0.0], [true, -0.0], [false, 0.0]]",
            is(json!([[true, 0.0], [false, 0.0]])),
        ),
    ]);
    let text = format!("[{0}, 1, {0}]", u128::MAX);
    let parsed = reply("HashSet<u128>", &text).expect("a set");
    let set = vec![Value::UInt(u128::MAX), Value::Int(1)];
    assert_eq!(parsed.values.get("x"), Some(&Value::List(set)));
}

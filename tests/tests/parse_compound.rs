//! One field, one section: what lists, structs, maps and JSON make of each way to write their value.

mod parse_support;

use parse_support::{Wanted, check};
use serde_json::json;

fn ok(value: serde_json::Value) -> Wanted {
    Wanted::Value(value)
}

const TYPE: Wanted = Wanted::Kind("type");
const RANGE: Wanted = Wanted::Kind("out_of_range");
const AMBIGUOUS: Wanted = Wanted::Kind("ambiguous");
const MISSING: Wanted = Wanted::Kind("missing");
const TRUNCATED: Wanted = Wanted::Kind("truncated");
const DEEP: Wanted = Wanted::Kind("too_deep");

#[test]
fn lists() {
    check(&[
        ("Vec<String>", "[\"x\", \"y\"]", ok(json!(["x", "y"]))),
        ("Vec<String>", "['x', 'y']", ok(json!(["x", "y"]))),
        ("Vec<String>", "('x', 'y')", ok(json!(["x", "y"]))),
        ("Vec<String>", "[x, y]", ok(json!(["x", "y"]))),
        ("Vec<String>", "\"x\", \"y\"", ok(json!(["x", "y"]))),
        ("Vec<String>", "\"x\"\n", ok(json!(["x"]))),
        ("Vec<String>", "[]", ok(json!([]))),
        ("Vec<String>", "[\"a, b\", \"c\"]", ok(json!(["a, b", "c"]))),
        (
            "Vec<String>",
            "[\"it's\", 'a \"b\"']",
            ok(json!(["it's", "a \"b\""])),
        ),
        ("Vec<String>", "[\"x\", \"y\",]", ok(json!(["x", "y"]))),
        (
            "Vec<String>",
            "[\n  \"x\", // one\n  \"y\"  # two\n]",
            ok(json!(["x", "y"])),
        ),
        ("Vec<String>", "```json\n[\"x\"]\n```", ok(json!(["x"]))),
        (
            "Vec<String>",
            "```\n[\"x\"]\n```\nThat is all.",
            ok(json!(["x"])),
        ),
        (
            "Vec<String>",
            "Here are the tags: [\"x\", \"y\"]",
            ok(json!(["x", "y"])),
        ),
        (
            "Vec<String>",
            "Here are the tags:\n[\"x\"]\nEnjoy!",
            ok(json!(["x"])),
        ),
        (
            "Vec<String>",
            "[\"x\", \"y\"] is the output.",
            ok(json!(["x", "y"])),
        ),
        ("Vec<String>", "[\"x\"]]", ok(json!(["x"]))),
        ("Vec<String>", "{\"x\": [\"a\"]}", ok(json!(["a"]))),
        ("Vec<String>", "- x\n- y", ok(json!(["x", "y"]))),
        ("Vec<String>", "* x\n* y", ok(json!(["x", "y"]))),
        ("Vec<String>", "• x\n• y", ok(json!(["x", "y"]))),
        ("Vec<String>", "1. x\n2. y", ok(json!(["x", "y"]))),
        ("Vec<String>", "1) x\n2) y", ok(json!(["x", "y"]))),
        ("Vec<String>", "The tags:\n- x\n- y", ok(json!(["x", "y"]))),
        ("Vec<String>", "- \"x\"\n- y, z", ok(json!(["x", "y, z"]))),
        ("Vec<String>", "- x", ok(json!(["x"]))),
        ("Vec<String>", "[1, 2.50]", ok(json!(["1", "2.50"]))),
        (
            "Vec<String>",
            "[\"a\\nb\", \"\\u00e9\", \"\\ud83d\\ude00\"]",
            ok(json!(["a\nb", "é", "😀"])),
        ),
        (
            "Vec<String>",
            "[\"He said \"hi\" to me\"]",
            ok(json!(["He said \"hi\" to me"])),
        ),
        (
            "Vec<String>",
            "[\"line\nbreak\"]",
            ok(json!(["line\nbreak"])),
        ),
        ("Vec<String>", "[“x”, “y”]", ok(json!(["x", "y"]))),
        ("Vec<String>", "[\"x\", \"\\ud800\"]", TYPE),
        ("Vec<String>", "[\"x\", null]", TYPE),
        ("Vec<String>", "[\"x\", true]", TYPE),
        ("Vec<String>", "[\"x\", [\"y\"]]", TYPE),
        ("Vec<String>", "[\"x\",, \"y\"]", TYPE),
        ("Vec<String>", "[\"x\" \"y\"]", TYPE),
        ("Vec<String>", "[\"x\"} ", TYPE),
        ("Vec<String>", "x", TYPE),
        ("Vec<String>", "x, y", TYPE),
        ("Vec<String>", "Oslo, Norway", TYPE),
        ("Vec<String>", "x\ny", TYPE),
        ("Vec<String>", "none", TYPE),
        ("Vec<String>", "I could not find any tags.", TYPE),
        ("Vec<String>", "I can't list them [sorry] here", TYPE),
        ("Vec<String>", "- x\n  - y", TYPE),
        ("Vec<String>", "[\"a\"]\n[\"b\"]", AMBIGUOUS),
        ("Vec<String>", "[\"a\"]\n[\"a\"]", ok(json!(["a"]))),
        ("Vec<String>", "", MISSING),
        ("Vec<i64>", "[1, 2, 3]", ok(json!([1, 2, 3]))),
        ("Vec<i64>", "[1,\n 2,]", ok(json!([1, 2]))),
        ("Vec<i64>", "[\"1\", \"2\"]", ok(json!([1, 2]))),
        ("Vec<i64>", "[1.0, 2e1]", ok(json!([1, 20]))),
        ("Vec<i64>", "1, 2, 3", ok(json!([1, 2, 3]))),
        ("Vec<i64>", "1,2,3", ok(json!([1, 2, 3]))),
        ("Vec<i64>", "1\n2\n3", ok(json!([1, 2, 3]))),
        ("Vec<i64>", "3", ok(json!([3]))),
        ("Vec<i64>", "- 1\n- 2", ok(json!([1, 2]))),
        ("Vec<i64>", "1. 10\n2. 20", ok(json!([10, 20]))),
        ("Vec<i64>", "1, 234", ok(json!([1, 234]))),
        ("Vec<i64>", "1,234", AMBIGUOUS),
        ("Vec<i64>", "[1,234]", ok(json!([1, 234]))),
        ("Vec<i64>", "According to [1], none.", TYPE),
        ("Vec<i64>", "[1] says that there are none", TYPE),
        ("Vec<i64>", "[1 2]", TYPE),
        ("Vec<i64>", "[1, 2.5]", TYPE),
        ("Vec<i64>", "[1, true]", TYPE),
        ("Vec<i64>", "[1, \"two\"]", TYPE),
        ("Vec<u8>", "[1, 300]", RANGE),
        (
            "Vec<f64>",
            "[0.5, 1, NaN]",
            ok(json!([0.5, 1.0, {"$float": "NaN"}])),
        ),
        (
            "Vec<bool>",
            "[true, False, \"yes\"]",
            ok(json!([true, false, true])),
        ),
        (
            "Vec<enum:Low|High>",
            "[\"low\", High]",
            ok(json!(["Low", "High"])),
        ),
        (
            "Vec<enum:Low|High>",
            "Low, High",
            ok(json!(["Low", "High"])),
        ),
        (
            "Vec<enum:Low|High>",
            "- Low\n- High",
            ok(json!(["Low", "High"])),
        ),
        ("Vec<enum:Low|High>", "Low", ok(json!(["Low"]))),
        ("Vec<enum:Low|High>", "[\"Medium\"]", TYPE),
        (
            "Vec<Vec<i64>>",
            "[[1, 2], [], [3]]",
            ok(json!([[1, 2], [], [3]])),
        ),
        (
            "HashSet<String>",
            "[\"a\", \"b\", \"a\"]",
            ok(json!(["a", "b"])),
        ),
        ("HashSet<i64>", "{1, 2, 2}", ok(json!([1, 2]))),
        (
            "BTreeSet<f64>",
            "[0.0, -0.0, NaN, NaN]",
            ok(json!([0.0, {"$float": "NaN"}])),
        ),
        ("[i64; 2]", "[1, 2]", ok(json!([1, 2]))),
        ("[i64; 2]", "[1, 2, 3]", TYPE),
        ("[i64; 2]", "[1]", TYPE),
        ("(String, i64)", "[\"a\", 1]", ok(json!(["a", 1]))),
        ("(String, i64)", "(\"a\", 1)", ok(json!(["a", 1]))),
        ("(String, i64)", "[\"a\"]", TYPE),
        ("(String, i64)", "a, 1", TYPE),
        (
            "Vec<(String, i64)>",
            "[(\"a\", 1), (\"b\", 2)]",
            ok(json!([["a", 1], ["b", 2]])),
        ),
    ]);
}

#[test]
fn structs() {
    let ty = "struct:{\"name\":\"String\",\"age\":\"i64\"}";
    let bo = || ok(json!({"name": "Bo", "age": 4}));
    check(&[
        (ty, "{\"name\": \"Bo\", \"age\": 4}", bo()),
        (ty, "{\"age\": 4, \"name\": \"Bo\"}", bo()),
        (ty, "{'name': 'Bo', 'age': 4}", bo()),
        (ty, "{name: \"Bo\", age: 4}", bo()),
        (ty, "{name: Bo, age: 4}", bo()),
        (ty, "{\"Name\": \"Bo\", \"AGE\": \"4\"}", bo()),
        (ty, "{\"name\": \"Bo\", \"age\": 4,}", bo()),
        (ty, "{\"name\": \"Bo\" /* x */, \"age\": 4}", bo()),
        (ty, "{\"name\": \"Bo\"\n \"age\": 4}", bo()),
        (ty, "{\"name\": \"Bo\", \"age\": 4, \"x\": [1]}", bo()),
        (ty, "{\"name\": \"Bo\", \"age\": 4}}", bo()),
        (ty, "{\"name\": \"Bo\", \"name\": \"Bo\", \"age\": 4}", bo()),
        (ty, "```json\n{\"name\": \"Bo\", \"age\": 4}\n```", bo()),
        (
            ty,
            "Here it is:\n```json\n{\"name\": \"Bo\", \"age\": 4}\n```\nBye!",
            bo(),
        ),
        (
            ty,
            "The person {see text} is {\"name\": \"Bo\", \"age\": 4}.",
            bo(),
        ),
        (ty, "{\"x\": {\"name\": \"Bo\", \"age\": 4}}", bo()),
        (ty, "name: Bo\nage: 4", bo()),
        (ty, "- **Name**: Bo\n- **Age**: 4", bo()),
        (ty, "{\"name\": \"Bo\", \"age\": 4", bo()),
        (
            ty,
            "{\"name\": \"Bo\", \"name\": \"Al\", \"age\": 4}",
            AMBIGUOUS,
        ),
        (
            ty,
            "{\"name\": \"Bo\", \"age\": 4} {\"name\": \"Al\", \"age\": 5}",
            AMBIGUOUS,
        ),
        (ty, "{\"name\": \"Bo\"}", TYPE),
        (ty, "{\"name\": \"Bo\", \"age\": null}", TYPE),
        (ty, "{\"name\": \"Bo\", \"age\": \"four\"}", TYPE),
        (ty, "{\"name\": \"Bo\", \"age\": true}", TYPE),
        (ty, "{\"name\": null, \"age\": 4}", TYPE),
        (ty, "{\"name\": [\"Bo\"], \"age\": 4}", TYPE),
        (ty, "[\"Bo\", 4]", TYPE),
        (ty, "[{\"name\": \"Bo\", \"age\": 4}]", TYPE),
        (ty, "Bo, 4", TYPE),
        (ty, "name: Bo", TYPE),
        (ty, "{\"name\": \"Bo\", \"age\": }", TYPE),
        (ty, "{\"name\" \"Bo\", \"age\": 4}", TYPE),
        (ty, "", MISSING),
        (
            "struct:{\"a\":\"Option<i64>\",\"b\":\"i64\"}",
            "{\"b\": 1}",
            ok(json!({"a": null, "b": 1})),
        ),
        (
            "struct:{\"a\":\"Option<i64>\"}",
            "{}",
            ok(json!({"a": null})),
        ),
        (
            "struct:{\"a\":\"struct:{\\\"b\\\":\\\"Vec<i64>\\\"}\"}",
            "{\"a\": {\"b\": [1]}}",
            ok(json!({"a": {"b": [1]}})),
        ),
        (
            "Vec<struct:{\"a\":\"i64\"}>",
            "[{\"a\": 1}, {\"a\": 2}]",
            ok(json!([{"a": 1}, {"a": 2}])),
        ),
        (
            "Vec<struct:{\"a\":\"i64\"}>",
            "[{\"a\": 1} {\"a\": 2}]",
            ok(json!([{"a": 1}, {"a": 2}])),
        ),
        (
            "Vec<struct:{\"a\":\"i64\"}>",
            "{\"a\": 1}\n{\"a\": 2}",
            ok(json!([{"a": 1}, {"a": 2}])),
        ),
        (
            "Vec<struct:{\"a\":\"i64\"}>",
            "{\"a\": 1}, {\"a\": 2}",
            ok(json!([{"a": 1}, {"a": 2}])),
        ),
        (
            "Vec<struct:{\"a\":\"i64\"}>",
            "{\"a\": 1}",
            ok(json!([{"a": 1}])),
        ),
        (
            "Vec<struct:{\"a\":\"i64\"}>",
            "[{\"a\": 1}, {\"b\": 2}]",
            TYPE,
        ),
    ]);
}

#[test]
fn maps_and_json() {
    check(&[
        (
            "HashMap<String,i64>",
            "{\"a\": 1, \"b\": 2}",
            ok(json!({"a": 1, "b": 2})),
        ),
        ("HashMap<String,i64>", "{}", ok(json!({}))),
        ("HashMap<String,i64>", "{a: 1}", ok(json!({"a": 1}))),
        ("HashMap<String,i64>", "{1: 2}", ok(json!({"1": 2}))),
        ("HashMap<String,i64>", "{'a': '1'}", ok(json!({"a": 1}))),
        (
            "HashMap<String,i64>",
            "a: 1\nb: 2",
            ok(json!({"a": 1, "b": 2})),
        ),
        (
            "HashMap<String,i64>",
            "- a: 1\n- b: 2",
            ok(json!({"a": 1, "b": 2})),
        ),
        (
            "HashMap<String,i64>",
            "{\"x\": {\"a\": 1}}",
            ok(json!({"a": 1})),
        ),
        (
            "HashMap<String,i64>",
            "{\"a\": 1, \"a\": 1}",
            ok(json!({"a": 1})),
        ),
        ("HashMap<String,i64>", "{\"a\": 1, \"a\": 2}", AMBIGUOUS),
        ("HashMap<String,i64>", "{\"a\": \"x\"}", TYPE),
        ("HashMap<String,i64>", "[[\"a\", 1]]", TYPE),
        ("HashMap<String,i64>", "none", TYPE),
        (
            "HashMap<String,String>",
            "{\"a\": \"x: y\"}",
            ok(json!({"a": "x: y"})),
        ),
        (
            "HashMap<String,Json>",
            "{\"a\": [1, null, {\"b\": true}]}",
            ok(json!({"a": [1, null, {"b": true}]})),
        ),
        ("Json", "{\"a\": 1}", ok(json!({"a": 1}))),
        ("Json", "[1, \"x\", null]", ok(json!([1, "x", null]))),
        (
            "Json",
            "{'a': True, 'b': None}",
            ok(json!({"a": true, "b": null})),
        ),
        ("Json", "42", ok(json!(42))),
        ("Json", "\"x\"", ok(json!("x"))),
        ("Json", "null", ok(json!(null))),
        ("Json", "true", ok(json!(true))),
        ("Json", "hello", ok(json!("hello"))),
        ("Json", "```json\n{\"a\": 1}\n```", ok(json!({"a": 1}))),
        ("Json", "{\"a\": 1, \"a\": 2}", AMBIGUOUS),
        ("Json", "{\"a\": ", TRUNCATED),
    ]);
}

#[test]
fn depth_is_bounded() {
    let deep = |open: &str, close: &str, n: usize| open.repeat(n) + &close.repeat(n);
    let cases = [
        ("Json", deep("[", "]", 100), ok(parse_support::nested(100))),
        ("Json", deep("[", "]", 129), DEEP),
        ("Json", deep("[", "]", 100_000), DEEP),
        ("Json", "[".repeat(100_000), DEEP),
        ("Json", deep("{\"a\":", "}", 100_000), DEEP),
        ("Vec<i64>", deep("[", "]", 100_000), DEEP),
        (
            "struct:{\"a\":\"Json\"}",
            deep("{\"a\":", "}", 100_000),
            DEEP,
        ),
        ("i64", "(".repeat(100_000), TYPE),
        (
            "i64",
            "**".repeat(50_000) + "3" + &"**".repeat(50_000),
            TYPE,
        ),
    ];
    for (ty, text, wanted) in cases {
        check(&[(ty, &text, wanted)]);
    }
}

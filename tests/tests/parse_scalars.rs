//! One field, one section: what scalars make of each way to write their value.

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

#[test]
fn integers() {
    check(&[
        ("i64", "3", ok(json!(3))),
        ("i64", "-3", ok(json!(-3))),
        ("i64", "+3", ok(json!(3))),
        ("i64", "\u{2212}3", ok(json!(-3))),
        ("i64", "007", ok(json!(7))),
        ("i64", "0", ok(json!(0))),
        ("i64", "-0", ok(json!(0))),
        ("i64", "3.0", ok(json!(3))),
        ("i64", "3.", ok(json!(3))),
        ("i64", "3!", ok(json!(3))),
        ("i64", "1e3", ok(json!(1000))),
        ("i64", "2.5e1", ok(json!(25))),
        ("i64", "1,234", ok(json!(1234))),
        ("i64", "1,234,567", ok(json!(1_234_567))),
        ("i64", "-1,234", ok(json!(-1234))),
        ("i64", "1_000", ok(json!(1000))),
        ("i64", "1\u{a0}234", ok(json!(1234))),
        ("i64", "1.234.567", ok(json!(1_234_567))),
        ("i64", "0x1F", ok(json!(31))),
        ("i64", "\"3\"", ok(json!(3))),
        ("i64", "'3'", ok(json!(3))),
        ("i64", "**3**", ok(json!(3))),
        ("i64", "**3**.", ok(json!(3))),
        ("i64", "`3`", ok(json!(3))),
        ("i64", "***3***", ok(json!(3))),
        ("i64", "```\n3\n```", ok(json!(3))),
        ("i64", "```json\n3\n```", ok(json!(3))),
        ("i64", "x: 3", ok(json!(3))),
        ("i64", "X = 3", ok(json!(3))),
        ("i64", "Answer: 3", ok(json!(3))),
        ("i64", "The answer is 3.", ok(json!(3))),
        ("i64", "**Answer:** 3", ok(json!(3))),
        ("i64", "{\"x\": 3}", ok(json!(3))),
        ("i64", "$5", ok(json!(5))),
        ("i64", "50%", ok(json!(50))),
        ("i64", "\\boxed{3}", ok(json!(3))),
        ("i64", "3\n\nHope this helps!", ok(json!(3))),
        ("i64", "3\nThat is the third place.", ok(json!(3))),
        ("i64", "The value is:\n3", ok(json!(3))),
        ("i64", "# 3", TYPE),
        ("i64", "3\n\nActually, make that four.", TYPE),
        ("i64", "3\n\nor 4", TYPE),
        ("i64", "third, I think", TYPE),
        ("i64", "three", TYPE),
        ("i64", "about seven", TYPE),
        ("i64", "about 7", TYPE),
        ("i64", "~7", TYPE),
        ("i64", "3 or 4", TYPE),
        ("i64", "3-4", TYPE),
        ("i64", "3/10", TYPE),
        ("i64", "3rd", TYPE),
        ("i64", "12 km", TYPE),
        ("i64", "1 million", TYPE),
        ("i64", "$5M", TYPE),
        ("i64", "5k", TYPE),
        ("i64", "1 234", TYPE),
        ("i64", "1 2", TYPE),
        ("i64", "3.5", TYPE),
        ("i64", "3,14", TYPE),
        ("i64", "1,23,456", TYPE),
        ("i64", "1.234", TYPE),
        ("i64", "12.000", AMBIGUOUS),
        ("i64", "1e-1", TYPE),
        ("i64", "NaN", TYPE),
        ("i64", "inf", TYPE),
        ("i64", "true", TYPE),
        ("i64", "null", TYPE),
        ("i64", "[3]", TYPE),
        ("i64", "{\"y\": 3}", TYPE),
        ("i64", "{\"x\": 3, \"y\": 4}", TYPE),
        ("i64", "\u{ff11}\u{ff12}", TYPE),
        ("i64", "0x", TYPE),
        ("i64", "(5)", TYPE),
        ("i64", "-", TYPE),
        ("i64", "", MISSING),
        ("i64", "  \n ", MISSING),
        ("i64", "9223372036854775807", ok(json!(i64::MAX))),
        ("i64", "9223372036854775808", RANGE),
        ("i64", "-9223372036854775808", ok(json!(i64::MIN))),
        ("i64", "-9223372036854775809", RANGE),
        ("i64", "1e19", RANGE),
        ("i64", "1e400", RANGE),
        ("i64", "1e999999999999999999999999", RANGE),
        ("i64", "0e999999999999999999999999", ok(json!(0))),
        ("u8", "255", ok(json!(255))),
        ("u8", "256", RANGE),
        ("u8", "-1", RANGE),
        ("u8", "-0", ok(json!(0))),
        ("i8", "-128", ok(json!(-128))),
        ("i8", "128", RANGE),
        ("u64", "18446744073709551615", ok(json!(u64::MAX))),
    ]);
}

#[test]
fn integers_of_128_bits_are_exact() {
    use candle_signature::signature::Value;
    let read = |ty: &str, text: &str| parse_support::one(ty, text).expect("an integer");
    let most = u128::MAX.to_string();
    assert_eq!(read("u128", &most), Value::UInt(u128::MAX));
    assert_eq!(
        read("u128", "0xffffffffffffffffffffffffffffffff"),
        Value::UInt(u128::MAX)
    );
    assert_eq!(read("i128", &i128::MIN.to_string()), Value::Int(i128::MIN));
    assert_eq!(read("u128", "7"), Value::Int(7));
    for (ty, text) in [
        ("u128", "340282366920938463463374607431768211456"),
        ("i128", "170141183460469231731687303715884105728"),
        ("u128", "0x1ffffffffffffffffffffffffffffffff"),
    ] {
        assert_eq!(parse_support::kind(ty, text), "out_of_range", "{text}");
    }
}

#[test]
fn floats() {
    check(&[
        ("f64", "12.5", ok(json!(12.5))),
        ("f64", "3", ok(json!(3.0))),
        ("f64", "-0.25", ok(json!(-0.25))),
        ("f64", ".5", ok(json!(0.5))),
        ("f64", "5.", ok(json!(5.0))),
        ("f64", "1e3", ok(json!(1000.0))),
        ("f64", "1.5E-3", ok(json!(0.0015))),
        ("f64", "$12.50", ok(json!(12.5))),
        ("f64", "€12.50", ok(json!(12.5))),
        ("f64", "12.50 €", ok(json!(12.5))),
        ("f64", "12.50 USD", ok(json!(12.5))),
        ("f64", "-$1,234.50", ok(json!(-1234.5))),
        ("f64", "1,234.5", ok(json!(1234.5))),
        ("f64", "1.234,5", ok(json!(1234.5))),
        ("f64", "1,234", ok(json!(1234.0))),
        ("f64", "**0.8**", ok(json!(0.8))),
        ("f64", "\"0.8\"", ok(json!(0.8))),
        ("f64", "0.8.", ok(json!(0.8))),
        ("f64", "x: 0.8", ok(json!(0.8))),
        ("f64", "NaN", ok(json!({"$float": "NaN"}))),
        ("f64", "nan", ok(json!({"$float": "NaN"}))),
        ("f64", "inf", ok(json!({"$float": "inf"}))),
        ("f64", "-Infinity", ok(json!({"$float": "-inf"}))),
        ("f64", "+inf", ok(json!({"$float": "inf"}))),
        ("f64", "1e999", RANGE),
        ("f64", "-1e999", RANGE),
        ("f32", "1e39", RANGE),
        ("f32", "0.1", ok(json!(0.1))),
        ("f32", "16777217", ok(json!(16777216.0))),
        ("f64", "1e-999", ok(json!(0.0))),
        ("f64", "50%", AMBIGUOUS),
        ("f64", "1/2", TYPE),
        ("f64", "3,14", TYPE),
        ("f64", "0,5", TYPE),
        ("f64", "12.5 km", TYPE),
        ("f64", "about 12.5", TYPE),
        ("f64", "10-12.5", TYPE),
        ("f64", "high", TYPE),
        ("f64", "true", TYPE),
        ("f64", "null", TYPE),
        ("f64", "1.2.3", TYPE),
        ("f64", "12:30", TYPE),
        ("f64", "$NaN", TYPE),
        ("f64", "[0.5]", TYPE),
        ("f64", "", MISSING),
    ]);
}

#[test]
fn booleans() {
    check(&[
        ("bool", "true", ok(json!(true))),
        ("bool", "True", ok(json!(true))),
        ("bool", "FALSE", ok(json!(false))),
        ("bool", "Yes", ok(json!(true))),
        ("bool", "no.", ok(json!(false))),
        ("bool", "y", ok(json!(true))),
        ("bool", "1", ok(json!(true))),
        ("bool", "0", ok(json!(false))),
        ("bool", "on", ok(json!(true))),
        ("bool", "\"true\"", ok(json!(true))),
        ("bool", "**No**", ok(json!(false))),
        ("bool", "`false`", ok(json!(false))),
        ("bool", "x: true", ok(json!(true))),
        ("bool", "The answer is yes.", ok(json!(true))),
        ("bool", "Yes, the passage says so.", ok(json!(true))),
        ("bool", "No - there is none.", ok(json!(false))),
        ("bool", "False - it is closed.", ok(json!(false))),
        ("bool", "**Yes**, because it says so.", ok(json!(true))),
        ("bool", "true\n\nBecause the text says so.", ok(json!(true))),
        ("bool", "{\"x\": true}", ok(json!(true))),
        ("bool", "yes and no", TYPE),
        ("bool", "Yes, but only on Mondays.", TYPE),
        ("bool", "Yes, if it rains.", TYPE),
        ("bool", "No, wait, yes", TYPE),
        ("bool", "Not true", TYPE),
        ("bool", "true or false", TYPE),
        ("bool", "Yes, no doubt.", TYPE),
        ("bool", "maybe", TYPE),
        ("bool", "unknown", TYPE),
        ("bool", "2", TYPE),
        ("bool", "null", TYPE),
        ("bool", "It is true", TYPE),
        ("bool", "truely", TYPE),
        ("bool", "[true]", TYPE),
        ("bool", "", MISSING),
    ]);
}

#[test]
fn characters() {
    check(&[
        ("char", "a", ok(json!("a"))),
        ("char", "é", ok(json!("é"))),
        ("char", "\"", ok(json!("\""))),
        ("char", ".", ok(json!("."))),
        ("char", "*", ok(json!("*"))),
        ("char", "'a'", ok(json!("a"))),
        ("char", "\"a\"", ok(json!("a"))),
        ("char", "`a`", ok(json!("a"))),
        ("char", "**a**", ok(json!("a"))),
        ("char", "a.", ok(json!("a"))),
        ("char", "7", ok(json!("7"))),
        ("char", "ab", TYPE),
        ("char", "", MISSING),
    ]);
}

#[test]
fn strings_are_kept_as_they_are() {
    check(&[
        ("String", "Oslo", ok(json!("Oslo"))),
        ("String", "  Oslo \n", ok(json!("Oslo"))),
        ("String", "\"Oslo\"", ok(json!("\"Oslo\""))),
        ("String", "**Oslo**", ok(json!("**Oslo**"))),
        ("String", "Oslo.", ok(json!("Oslo."))),
        (
            "String",
            "```rust\nfn main() {}\n```",
            ok(json!("```rust\nfn main() {}\n```")),
        ),
        (
            "String",
            "{\"x\": \"Oslo\"}",
            ok(json!("{\"x\": \"Oslo\"}")),
        ),
        ("String", "null", ok(json!("null"))),
        ("String", "None", ok(json!("None"))),
        ("String", "42", ok(json!("42"))),
        (
            "String",
            "two\n\nparagraphs",
            ok(json!("two\n\nparagraphs")),
        ),
        ("String", "Answer: Oslo", ok(json!("Answer: Oslo"))),
        (
            "String",
            "a [[ ## x ## ]] b",
            ok(json!("a [[ ## x ## ]] b")),
        ),
        (
            "String",
            "\\[[ ## x ## ]]\nb",
            ok(json!("[[ ## x ## ]]\nb")),
        ),
        ("String", "\\\\[[ ## x ## ]]", ok(json!("\\[[ ## x ## ]]"))),
        ("String", "", ok(json!(""))),
    ]);
}

#[test]
fn options() {
    check(&[
        ("Option<i64>", "3", ok(json!(3))),
        ("Option<i64>", "null", ok(json!(null))),
        ("Option<i64>", "None", ok(json!(null))),
        ("Option<i64>", "none.", ok(json!(null))),
        ("Option<i64>", "N/A", ok(json!(null))),
        ("Option<i64>", "**null**", ok(json!(null))),
        ("Option<i64>", "`null`", ok(json!(null))),
        ("Option<i64>", "\"null\"", ok(json!(null))),
        ("Option<i64>", "```json\nnull\n```", ok(json!(null))),
        ("Option<i64>", "null (not mentioned)", ok(json!(null))),
        (
            "Option<i64>",
            "null\n\nThe text does not say.",
            ok(json!(null)),
        ),
        ("Option<i64>", "", ok(json!(null))),
        ("Option<i64>", "{\"x\": null}", ok(json!(null))),
        ("Option<i64>", "unknown", TYPE),
        ("Option<i64>", "none of these", TYPE),
        ("Option<u8>", "300", RANGE),
        ("Option<String>", "Oslo", ok(json!("Oslo"))),
        ("Option<String>", "null", ok(json!(null))),
        ("Option<String>", "None", ok(json!(null))),
        ("Option<String>", "", ok(json!(null))),
        ("Option<String>", "N/A", ok(json!("N/A"))),
        (
            "Option<String>",
            "None of the above",
            ok(json!("None of the above")),
        ),
        ("Option<String>", "\"null\"", ok(json!("\"null\""))),
        ("Option<bool>", "no", ok(json!(false))),
        ("Option<bool>", "null", ok(json!(null))),
        ("Option<enum:None|Some>", "None", ok(json!("None"))),
        ("Option<enum:None|Some>", "null", ok(json!(null))),
        ("Option<enum:Low|High>", "n/a", ok(json!(null))),
        ("Option<enum:Low|High>", "low", ok(json!("Low"))),
        ("Option<Vec<String>>", "null", ok(json!(null))),
        ("Option<Vec<String>>", "[\"a\"]", ok(json!(["a"]))),
        ("Option<Vec<String>>", "[]", ok(json!([]))),
        ("Option<Option<i64>>", "null", ok(json!(null))),
        ("Option<char>", "null", ok(json!(null))),
        (
            "Vec<Option<i64>>",
            "[1, null, None]",
            ok(json!([1, null, null])),
        ),
        (
            "Vec<Option<String>>",
            "[\"null\", null, \"\"]",
            ok(json!(["null", null, ""])),
        ),
        ("Option<struct:{\"a\":\"i64\"}>", "null", ok(json!(null))),
        (
            "Option<struct:{\"a\":\"i64\"}>",
            "{\"a\": 1}",
            ok(json!({"a": 1})),
        ),
    ]);
}

#[test]
fn enums() {
    let ty = "enum:Low|High|on-fire";
    check(&[
        (ty, "Low", ok(json!("Low"))),
        (ty, "low", ok(json!("Low"))),
        (ty, "HIGH.", ok(json!("High"))),
        (ty, "\"High\"", ok(json!("High"))),
        (ty, "**High**", ok(json!("High"))),
        (ty, "`on-fire`", ok(json!("on-fire"))),
        (ty, "on fire", ok(json!("on-fire"))),
        (ty, "OnFire", ok(json!("on-fire"))),
        (ty, "ON_FIRE", ok(json!("on-fire"))),
        (ty, "x: High", ok(json!("High"))),
        (ty, "Urgency.High", ok(json!("High"))),
        (ty, "Urgency::High", ok(json!("High"))),
        (ty, "{\"x\": \"High\"}", ok(json!("High"))),
        (ty, "High - the server is down", ok(json!("High"))),
        (ty, "High: the server is down", ok(json!("High"))),
        (ty, "High, because the server is down", ok(json!("High"))),
        (ty, "High because the server is down", ok(json!("High"))),
        (ty, "High (the server is down)", ok(json!("High"))),
        (ty, "**High**: the server is down", ok(json!("High"))),
        (ty, "High\n\nThe server is down.", ok(json!("High"))),
        (ty, "The answer is High.", ok(json!("High"))),
        (ty, "The urgency is High", ok(json!("High"))),
        (ty, "I would classify this as **High**.", ok(json!("High"))),
        (ty, "- High", ok(json!("High"))),
        (ty, "Low or High", AMBIGUOUS),
        (ty, "Low/High", AMBIGUOUS),
        (ty, "High, not Low", AMBIGUOUS),
        (ty, "Low to High", AMBIGUOUS),
        (ty, "Low | High | on-fire", AMBIGUOUS),
        (ty, "not High", TYPE),
        (ty, "It is not High", TYPE),
        (ty, "anything but High", TYPE),
        (ty, "The customer is in high spirits", TYPE),
        (ty, "High or so", TYPE),
        (ty, "Highest", TYPE),
        (ty, "Hi", TYPE),
        (ty, "Medium", TYPE),
        (ty, "1", TYPE),
        (ty, "null", TYPE),
        (ty, "[\"High\"]", TYPE),
        (ty, "", MISSING),
        ("enum:SPAM|NOT_SPAM", "not spam", ok(json!("NOT_SPAM"))),
        (
            "enum:SPAM|NOT_SPAM",
            "This is NOT_SPAM.",
            ok(json!("NOT_SPAM")),
        ),
        (
            "enum:SPAM|NOT_SPAM",
            "This is not spam.",
            ok(json!("NOT_SPAM")),
        ),
        ("enum:a|A", "A", ok(json!("A"))),
        ("enum:ab|AB", "Ab", AMBIGUOUS),
        ("enum:C|C++", "C++", ok(json!("C++"))),
        ("enum:C|C++", "c++", ok(json!("C++"))),
        ("enum:C|C++", "C", ok(json!("C"))),
        ("enum:C|Rust", "C++", TYPE),
        ("enum:-1|1", "1", ok(json!("1"))),
        ("enum:Yes|No", "Yes, because.", ok(json!("Yes"))),
        ("enum:A|B", "A good choice is B", AMBIGUOUS),
        ("enum:1|2|3", "2", ok(json!("2"))),
        ("enum:True|False", "true", ok(json!("True"))),
        ("enum:New York|Oslo", "new york", ok(json!("New York"))),
    ]);
}

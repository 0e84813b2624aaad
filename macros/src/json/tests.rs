//! Both layouts, faults and their lines, and no panic on any text.

use super::*;

#[test]
fn both_layouts_give_the_same_records() {
    let lines = "{\"a\": 1, \"b\": [true, null]}\n\n{\"a\": -2.5}\n";
    let array = "[\n {\"a\": 1, \"b\": [true, null]},\n {\"a\": -2.5}\n]";
    let entries = |text| {
        records(text)
            .expect("records")
            .into_iter()
            .map(|r| r.entries.len())
            .collect::<Vec<_>>()
    };
    assert_eq!(entries(lines), [2, 1]);
    assert_eq!(entries(array), [2, 1]);
    assert_eq!(entries("[]"), []);
    assert_eq!(entries(""), []);
}

#[test]
fn faults_name_their_line() {
    for (text, line, part) in [
        ("{\"a\": 1}\n{\"a\": }", 2, "a JSON value"),
        ("{\"a\": 1,\n \"a\": 2}", 2, "given twice"),
        ("[{\"a\": 1}\n{\"a\": 2}]", 2, "`,` or `]`"),
        ("1", 1, "an object, found a number"),
        ("{\"a\": \"x", 1, "closing"),
        ("{\"a\": 01}", 1, "no number"),
        ("{\"a\": 1e999}", 1, "too large"),
        ("{\"a\": \"\\ud800\"}", 1, "surrogate"),
        ("{\"a\": \"x\ny\"}", 1, "control"),
        ("{\"a\": tru}", 1, "a JSON value"),
        ("{a: 1}", 1, "double quotes"),
        ("{\"a\" 1}", 1, "expected `:`"),
        ("{\"a\":\n1 \"b\": 2}", 2, "expected `,` or `}`"),
        ("{\"a\": [1 2]}", 1, "expected `,` or `]`"),
        ("[{}] 1", 1, "expected the end of the file, found `1`"),
        ("null", 1, "an object, found null"),
        ("true", 1, "an object, found a boolean"),
        ("\"a\"", 1, "an object, found a string"),
        ("[[]]", 1, "an object, found an array"),
        ("{\"a\": \"\\u12\"}", 1, "four hexadecimal digits"),
        ("{\"a\": \"\\q\"}", 1, "unknown escape"),
    ] {
        let found = records(text).expect_err(text);
        assert_eq!(found.line, line, "{text}");
        assert!(found.message.contains(part), "{text}: {}", found.message);
    }
    let deep = format!("{{\"a\": {}", "[".repeat(100_000));
    assert!(
        records(&deep)
            .expect_err("too deep")
            .message
            .contains("deeper")
    );
}

#[test]
fn strings_and_large_numbers_come_whole() {
    let text = "{\"a\": \"\\u00e9\\ud83d\\ude00\\n\\t\\r\\b\\f\\/\", \"b\": 340282366920938463463374607431768211455, \"c\": 0E1}";
    let record = &records(text).expect("a record")[0];
    assert_eq!(
        record.entries[0].value,
        Json::String("é😀\n\t\r\u{8}\u{c}/".into())
    );
    assert_eq!(
        record.entries[1].value,
        Json::Number(Number::UInt(u128::MAX))
    );
    assert_eq!(record.entries[2].value, Json::Number(Number::Float(0.0)));
}

proptest::proptest! {
    #[test]
    fn no_text_makes_it_panic(text in ".{0,60}") {
        let _ = records(&text);
    }

    #[test]
    fn no_json_like_text_makes_it_panic(text in "[\\[\\]{}\":,0-9a-fA-Fu\\\\ \n.eE+-]{0,60}") {
        let _ = records(&text);
    }
}

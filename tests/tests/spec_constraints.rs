//! Constraints of signatures made at run time: read, refused where they make no sense, and held.

use candle_signature::parse::parse_reply;
use candle_signature::signature::{Bound, Constraint, FieldType, SignatureSpec};
use serde_json::{Value, json};

fn output(ty: &str, more: Value) -> Result<SignatureSpec, String> {
    let mut field = json!({"name": "x", "type": ty});
    if let (Some(field), Value::Object(more)) = (field.as_object_mut(), more) {
        field.extend(more);
    }
    SignatureSpec::from_json(&json!({"outputs": [field]})).map_err(|error| error.to_string())
}

#[test]
fn constraints_are_those_of_a_derive() {
    let cases: [(&str, Value, &[Constraint]); 11] = [
        (
            "u8",
            json!({"min": 1, "max": 5}),
            &[
                Constraint::Min(Bound::Int(1)),
                Constraint::Max(Bound::Int(5)),
            ],
        ),
        (
            "Option<f64>",
            json!({"max": 1}),
            &[Constraint::Max(Bound::Float(1.0))],
        ),
        (
            "String",
            json!({"len": 3}),
            &[Constraint::Len { min: 3, max: 3 }],
        ),
        (
            "Vec<i64>",
            json!({"len": [1, 5], "unique": true}),
            &[Constraint::Len { min: 1, max: 5 }, Constraint::Unique],
        ),
        (
            "HashMap<String, i64>",
            json!({"len": [2, null]}),
            &[Constraint::Len {
                min: 2,
                max: usize::MAX,
            }],
        ),
        (
            "String",
            json!({"regex": "[a-z]+"}),
            &[Constraint::Regex("[a-z]+".into())],
        ),
        ("String", json!({"one_line": true}), &[Constraint::OneLine]),
        ("String", json!({"one_line": false}), &[]),
        ("Vec<u8>", json!({"unique": false}), &[]),
        (
            "u64",
            json!({"max": u64::MAX}),
            &[Constraint::Max(Bound::Int(u64::MAX as i128))],
        ),
        (
            "i128",
            json!({"min": -3, "desc": "any"}),
            &[Constraint::Min(Bound::Int(-3))],
        ),
    ];
    for (ty, keys, constraints) in cases {
        let spec = output(ty, keys).expect(ty);
        assert_eq!(&*spec.outputs[0].constraints, constraints, "{ty}");
    }
    let spec = output("String", json!({"one_of": ["a", "b"]})).expect("choices");
    assert!(
        matches!(&spec.outputs[0].constraints[0], Constraint::OneOf(choices) if choices.len() == 2)
    );
}

#[test]
fn what_makes_no_sense_is_refused_with_its_place() {
    for (ty, keys, message) in [
        (
            "String",
            json!({"min": 1}),
            "`outputs.0.min`: only a number can have it",
        ),
        (
            "u8",
            json!({"max": 300}),
            "`outputs.0.max`: 300 is out of the range of the type: 0 to 255",
        ),
        (
            "u8",
            json!({"min": -1}),
            "`outputs.0.min`: -1 is out of the range of the type: 0 to 255",
        ),
        (
            "i8",
            json!({"min": 0.5}),
            "`outputs.0.min`: expected a whole number, found 0.5",
        ),
        (
            "f32",
            json!({"min": "0"}),
            "`outputs.0.min`: expected a number",
        ),
        (
            "f64",
            json!({"min": 2, "max": 1.5}),
            "`outputs.0.x`: no number is at least 2.0 and at most 1.5: `min` must not be above `max`",
        ),
        (
            "i8",
            json!({"min": 2, "max": 1}),
            "`outputs.0.x`: no number is at least 2 and at most 1: `min` must not be above `max`",
        ),
        (
            "u128",
            json!({"max": 1e30}),
            "`outputs.0.max`: expected a whole number, found 1e+30",
        ),
        (
            "String",
            json!({"len": [1, 2, 3]}),
            "`outputs.0.len`: expected a length, or the least and the greatest: `3`, `[1, 5]`, `[2, null]`",
        ),
        (
            "String",
            json!({"regex": 3}),
            "`outputs.0.regex`: expected a string",
        ),
        (
            "String",
            json!({"one_of": "a"}),
            "`outputs.0.one_of`: expected a list of strings",
        ),
        (
            "[u8; 3]",
            json!({"len": 3}),
            "`outputs.0.len`: only a string, list, set or map can have it",
        ),
        (
            "String",
            json!({"len": [3, 1]}),
            "`outputs.0.len`: no length is at least 3 and at most 1: the least comes first",
        ),
        (
            "String",
            json!({"len": "3"}),
            "`outputs.0.len`: expected a length, or the least and the greatest: `3`, `[1, 5]`, `[2, null]`",
        ),
        (
            "u8",
            json!({"len": 3}),
            "`outputs.0.len`: only a string, list, set or map can have it",
        ),
        (
            "HashSet<u8>",
            json!({"unique": true}),
            "`outputs.0.unique`: only a list can have it",
        ),
        (
            "String",
            json!({"one_line": 1}),
            "`outputs.0.one_line`: expected `true` or `false`",
        ),
        (
            "String",
            json!({"one_of": []}),
            "`outputs.0.one_of`: the list is empty: no value could ever be right",
        ),
        (
            "String",
            json!({"one_of": ["a", "a"]}),
            "`outputs.0.one_of`: \"a\" is listed twice",
        ),
        (
            "String",
            json!({"one_of": [1]}),
            "`outputs.0.one_of`: expected a list of strings",
        ),
        (
            "enum:A|B",
            json!({"one_of": ["A"]}),
            "`outputs.0.one_of`: only a string can have it",
        ),
    ] {
        assert_eq!(output(ty, keys).expect_err(message), message);
    }
    let error = output("String", json!({"regex": "("})).expect_err("no expression");
    assert!(
        error.starts_with("`outputs.0.regex`: `(` is not a regular expression"),
        "{error}"
    );
}

#[test]
fn nested_fields_have_them_too() {
    let ty = r#"Vec<struct Person:{"name": "String", "age": {"type": "u8", "max": 150, "desc": "in years"}}>"#;
    let spec = output(ty, json!({})).expect("a signature");
    let reply = |age: u8| {
        format!("[[ ## x ## ]]\n[{{\"name\": \"Mia\", \"age\": {age}}}]\n\n[[ ## completed ## ]]")
    };
    assert!(parse_reply(&spec, &reply(150)).is_ok());
    assert!(parse_reply(&spec, &reply(151)).is_err());
    for (ty, message) in [
        (
            r#"struct:{"age": {"max": 3}}"#,
            "`age`: the key `type` is missing",
        ),
        (
            r#"struct:{"age": {"type": "u8", "least": 3}}"#,
            "`age`: unknown key `least`: the keys of a field are `type`, `desc` and the constraints `min`, `max`, `len`, `regex`, `one_of`, `one_line`, `unique`",
        ),
        (
            r#"struct:{"age": {"type": "String", "max": 3}}"#,
            "`age.max`: only a number can have it",
        ),
        (
            r#"struct:{"age": 3}"#,
            "`age`: expected the type as a string",
        ),
    ] {
        let error = FieldType::from_type_str(ty).expect_err(message);
        assert_eq!(error.to_string(), message);
    }
}

#[test]
fn replies_are_held_to_them() {
    let spec = output("String", json!({"one_of": ["yes", "no"]})).expect("a signature");
    let reply = |text: &str| format!("[[ ## x ## ]]\n{text}\n\n[[ ## completed ## ]]");
    assert!(parse_reply(&spec, &reply("yes")).is_ok());
    assert!(parse_reply(&spec, &reply("maybe")).is_err());
}

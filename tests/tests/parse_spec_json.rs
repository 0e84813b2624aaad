//! Signatures made at run time: what JSON and type strings are taken, and how others are refused.

use candle_signature::signature::{FieldType, SignatureSpec};
use serde_json::json;

#[test]
fn a_signature_comes_from_json() {
    let spec = SignatureSpec::from_json(&json!({
        "name": "QA",
        "instruction": "Answer.",
        "inputs": [{"name": "question", "type": "String", "desc": "What is asked."}],
        "outputs": [{"name": "answer", "type": "String"}, {"name": "score", "type": "Option<f64>"}],
    }))
    .expect("a signature");
    assert_eq!(
        (spec.name.as_ref(), spec.instruction.as_ref()),
        ("QA", "Answer.")
    );
    assert_eq!(spec.inputs[0].desc, "What is asked.");
    let outputs: Vec<_> = spec
        .outputs
        .iter()
        .map(|field| field.name.as_ref())
        .collect();
    assert_eq!(outputs, ["answer", "score"]);
    assert!(spec.outputs[1].may_be_missing());
}

#[test]
fn faulty_signatures_are_refused_with_their_place() {
    let field = |name: &str, ty: &str| json!({"name": name, "type": ty});
    for (json, wanted) in [
        (json!([]), "a signature is a JSON object"),
        (
            json!({}),
            "`outputs`: a signature needs at least one output",
        ),
        (
            json!({"outputs": {}}),
            "`outputs`: expected a list of fields",
        ),
        (
            json!({"outputs": [1]}),
            "`outputs.0`: a field is an object with `name` and `type`",
        ),
        (
            json!({"outputs": [{"name": "a"}]}),
            "`outputs.0.a`: the key `type` is missing",
        ),
        (
            json!({"outputs": [{"type": "i64"}]}),
            "`outputs.0`: the key `name` is missing",
        ),
        (
            json!({"outputs": [{"name": 1, "type": "i64"}]}),
            "`outputs.0.name`: expected a string",
        ),
        (
            json!({"outputs": [{"name": "a", "type": "i64", "x": ""}]}),
            "`outputs.0`: unknown key `x`: the keys of a field are `name`, `type`, `desc` and the constraints `min`, `max`, `len`, `regex`, `one_of`, `one_line`, `unique`",
        ),
        (
            json!({"fields": []}),
            "unknown key `fields`: the keys are `name`, `instruction`, `format`, `inputs` and `outputs`",
        ),
        (
            json!({"outputs": [field("a", "i64"), field("a", "i64")]}),
            "two fields are named `a`",
        ),
        (
            json!({"inputs": [field("a", "i64")], "outputs": [field("a", "i64")]}),
            "two fields are named `a`",
        ),
        (
            json!({"outputs": [field("", "i64")]}),
            "`outputs.0.name`: a field needs a name",
        ),
        (
            json!({"outputs": [field("Completed", "i64")]}),
            "`outputs.0.name`: `completed` is reserved: its marker ends a reply",
        ),
        (
            json!({"outputs": [field(" a", "i64")]}),
            "`outputs.0.name`: a field's name begins and ends with no white space",
        ),
        (
            json!({"outputs": [field("a]]", "i64")]}),
            "`outputs.0.name`: a field's name holds no `[`, `]`, `#` or control character: it stands in `[[ ## name ## ]]`",
        ),
        (
            json!({"outputs": [field("a", "i64")], "name": 3}),
            "`name`: expected a string",
        ),
        (
            json!({"instruction": ["Answer."]}),
            "`instruction`: expected a string",
        ),
        (
            json!({"format": "xml"}),
            "`format`: a format is `chat` or `json`",
        ),
        (
            json!({"inputs": "question"}),
            "`inputs`: expected a list of fields",
        ),
        (
            json!({"outputs": [{"name": "a", "type": 3}]}),
            "`outputs.0.type`: expected a string",
        ),
        (
            json!({"outputs": [{"name": "a", "type": "u8", "desc": 3}]}),
            "`outputs.0.desc`: expected a string",
        ),
        (
            json!({"outputs": [field("a\u{7}", "i64")]}),
            "`outputs.0.name`: a field's name holds no `[`, `]`, `#` or control character: it stands in `[[ ## name ## ]]`",
        ),
        (
            json!({"outputs": [field("a", "Vec<i64")]}),
            "`outputs.0.type`: expected `>`, found the end of the type",
        ),
    ] {
        let error = SignatureSpec::from_json(&json).expect_err(wanted);
        assert_eq!(error.to_string(), wanted);
    }
}

#[test]
fn types_are_read_as_rust_writes_them() {
    for (text, wanted) in [
        ("String", "String"),
        (" i8 ", "Int(IntType { signed: true, bits: 8 })"),
        ("u128", "Int(IntType { signed: false, bits: 128 })"),
        ("f32", "Float(F32)"),
        ("serde_json::Value", "Json"),
        ("Json", "Json"),
        (
            "Option<Vec<i64>>",
            "Option(List<Int(IntType { signed: true, bits: 64 })>)",
        ),
        ("std::collections::HashMap<String, bool>", "Map(Bool)"),
        ("(String, char)", "Tuple([String, Char])"),
        ("(String,)", "Tuple([String])"),
        ("Box<str>", "String"),
        ("isize", "Int(IntType { signed: true, bits: 64 })"),
        ("i16", "Int(IntType { signed: true, bits: 16 })"),
        ("i32", "Int(IntType { signed: true, bits: 32 })"),
        ("i128", "Int(IntType { signed: true, bits: 128 })"),
        ("u16", "Int(IntType { signed: false, bits: 16 })"),
        ("u32", "Int(IntType { signed: false, bits: 32 })"),
        ("usize", "Int(IntType { signed: false, bits: 64 })"),
        ("float", "Float(F64)"),
        ("date", "Date(Date)"),
        ("chrono::NaiveTime", "Date(Time)"),
        ("NaiveDateTime", "Date(DateTime)"),
        ("utc", "Date(Utc)"),
        ("[bool; 3]", "List(ListType { item: Bool, kind: Array(3) })"),
        (
            "BTreeSet<String>",
            "List(ListType { item: String, kind: Set })",
        ),
    ] {
        let ty = FieldType::from_type_str(text).expect(text);
        assert_eq!(format!("{ty:?}"), wanted, "{text}");
    }
}

#[test]
fn enums_and_structs_are_declared_in_place() {
    let names = |ty: &FieldType| match ty {
        FieldType::Enum(spec) => (
            spec.name.to_string(),
            spec.variants.iter().map(|v| v.name.to_string()).collect(),
        ),
        FieldType::Struct(spec) => (
            spec.name.to_string(),
            spec.fields.iter().map(|f| f.name.to_string()).collect(),
        ),
        _ => (String::new(), Vec::<String>::new()),
    };
    let read = |text: &str| names(&FieldType::from_type_str(text).expect(text));
    let list = |items: &[&str]| {
        items
            .iter()
            .map(|item| (*item).to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        read("enum:Low|High|on-fire"),
        ("Enum".into(), list(&["Low", "High", "on-fire"]))
    );
    assert_eq!(
        read("enum Urgency: Low | High"),
        ("Urgency".into(), list(&["Low", "High"]))
    );
    assert_eq!(
        read("enum:New York, NY|Oslo"),
        ("Enum".into(), list(&["New York, NY", "Oslo"]))
    );
    assert_eq!(
        read("struct Person:{\"name\": \"String\", \"age\": \"Option<u8>\"}"),
        ("Person".into(), list(&["name", "age"]))
    );
    assert_eq!(
        read("struct:{\"z\":\"i64\",\"a\":\"i64\"}"),
        ("Object".into(), list(&["z", "a"]))
    );
    let FieldType::List(inner) =
        FieldType::from_type_str("Vec<struct:{\"u\":\"enum:A|B\"}>").expect("a list")
    else {
        panic!("no list");
    };
    assert_eq!(names(&inner.item), ("Object".into(), list(&["u"])));
    let FieldType::Tuple(items) =
        FieldType::from_type_str("(enum:A|B, enum C:D)").expect("a tuple")
    else {
        panic!("no tuple");
    };
    assert_eq!(names(&items[0]).1, list(&["A", "B"]));
    assert_eq!(names(&items[1]), ("C".into(), list(&["D"])));
}

#[test]
fn faulty_types_are_refused() {
    for (text, wanted) in [
        ("", "expected a type, found ``"),
        ("Vec", "expected `<`, found the end of the type"),
        ("Vec<>", "expected a type, found `>`"),
        ("Vec<i64>>", "`>` after the end of a type in `Vec<i64>>`"),
        ("i64 i64", "`i64` after the end of a type in `i64 i64`"),
        ("HashMap<i64, i64>", "the keys of a map are `String`"),
        ("()", "a tuple has at least one item"),
        ("[i64; x]", "expected the length of an array, found `x`"),
        ("enum:", "the enum `` has a variant without a name"),
        ("enum:A||B", "the enum `A||B` has a variant without a name"),
        ("enum:A|A", "two variants are named `A`"),
        ("struct:{\"a\": 1}", "`a`: expected the type as a string"),
        (
            "struct:{\"a\": \"i64\", \"a\": \"i64\"}",
            "two fields are named `a`",
        ),
        ("struct:{\"a\": \"struct:{\\\"b\\\": \\\"x\\\"}\"}", ""),
        ("struct:", "the fields of a struct are missing"),
        (
            "struct:[1]",
            "the fields of a struct: invalid type: sequence, expected a JSON object",
        ),
        ("struct:{\" \": \"u8\"}", "a field of a struct needs a name"),
        ("Vec<i64;", "expected `>` before `;`"),
        ("[i64; 3", "expected `]`, found the end of the type"),
        ("[i64, 3]", "expected `;` before `, 3]`"),
        ("(i64; i64)", "expected `)` before `; i64)`"),
        ("HashMap<String>", "expected `,` before `>`"),
        (
            "a_name_of_more_than_forty_letters_is_cut_off_there",
            "unknown type `a_name_of_more_than_forty_letters_is_cut…`: known are",
        ),
    ] {
        let error = FieldType::from_type_str(text).expect_err(text).to_string();
        assert!(error.starts_with(wanted), "{text}: {error}");
    }
    let error = FieldType::from_type_str("struct:{\"a\": \"Vec<strng>\"}")
        .expect_err("a typo")
        .to_string();
    assert!(
        error.starts_with("`a`: unknown type `strng`: known are String, char"),
        "{error}"
    );
}

#[test]
fn nesting_is_bounded() {
    let vecs = |n: usize| "Vec<".repeat(n) + "i64" + &">".repeat(n);
    assert!(FieldType::from_type_str(&vecs(32)).is_ok());
    for text in [
        vecs(33),
        vecs(100_000),
        "(".repeat(100_000),
        "[".repeat(100_000),
        "Option<".repeat(100_000),
    ] {
        let error = FieldType::from_type_str(&text).expect_err("too deep");
        assert_eq!(error.to_string(), "a type is nested at most 32 deep");
    }
    let mut text = String::from("i64");
    for _ in 0..10 {
        text = format!("struct:{}", json!({ "a": text }));
    }
    assert!(FieldType::from_type_str(&text).is_ok());
}

//! The chat format against what DSPy writes, and against the records that the embedded model was trained on.

use candle_signature::CandleValue;
use candle_signature::prompt::{
    Message, Role, assistant_content, chat_messages, type_name, user_content,
};
use candle_signature::signature::{FieldValues, PartialDemo, SignatureSpec, Value};
use serde_json::{Value as Json, json};

fn values(json: &Json) -> FieldValues {
    let entries = json.as_object().expect("an object of values");
    entries
        .iter()
        .map(|(name, value)| (name.clone(), Value::from(value.clone())))
        .collect()
}

fn demos(json: &Json) -> Vec<PartialDemo> {
    let demos = json.as_array().map(Vec::as_slice).unwrap_or_default();
    demos
        .iter()
        .map(|demo| PartialDemo {
            inputs: values(&demo["inputs"]),
            outputs: values(&demo["outputs"]),
        })
        .collect()
}

/// The messages of a record, as (role, content).
fn expected(record: &Json) -> Vec<(String, String)> {
    let messages = record["messages"].as_array().expect("messages");
    messages
        .iter()
        .map(|message| {
            let text = |key: &str| message[key].as_str().expect("a string").to_owned();
            (text("role"), text("content"))
        })
        .collect()
}

fn written(record: &Json) -> Vec<(String, String)> {
    let spec = SignatureSpec::from_json(&record["spec"]).expect("a sound spec");
    chat_messages(&spec, &demos(&record["demos"]), &values(&record["inputs"]))
        .into_iter()
        .map(|message| (message.role.to_string(), message.content))
        .collect()
}

fn records(jsonl: &str) -> impl Iterator<Item = Json> {
    jsonl
        .lines()
        .map(|line| serde_json::from_str(line).expect("a line of JSON"))
}

#[test]
fn prompts_are_those_of_dspy() {
    let mut count = 0;
    for record in records(include_str!("../data/dspy_prompts.jsonl")) {
        let theirs: Vec<_> = expected(&record)
            .into_iter()
            // The two ways in which ours differ on purpose: no "Python", and no line break at a reply's end.
            .map(|(role, content)| {
                let content = content.replace("a valid Python ", "a valid ");
                let is_reply = role == Role::Assistant.as_str();
                (
                    role,
                    if is_reply {
                        content.trim_end().to_owned()
                    } else {
                        content
                    },
                )
            })
            .collect();
        assert_eq!(written(&record), theirs, "{}", record["spec"]);
        count += 1;
    }
    assert_eq!(count, 9);
}

#[test]
fn prompts_are_those_of_the_training_data() {
    let mut count = 0;
    for record in records(include_str!("../../training/prompt_goldens.jsonl")) {
        assert_eq!(written(&record), expected(&record), "{}", record["spec"]);
        let spec = SignatureSpec::from_json(&record["spec"]).expect("a sound spec");
        let reply = assistant_content(&spec, &values(&record["outputs"]));
        assert_eq!(Some(reply.as_str()), record["reply"].as_str());
        count += 1;
    }
    assert!(count >= 40, "only {count} records");
}

/// A signature whose one output is `x`.
fn with_output(format: &str, ty: &str, keys: Json) -> SignatureSpec {
    let mut field = json!({"name": "x", "type": ty});
    if let (Some(field), Json::Object(keys)) = (field.as_object_mut(), keys) {
        field.extend(keys);
    }
    let inputs = json!([{"name": "q", "type": "String"}]);
    SignatureSpec::from_json(&json!({"format": format, "inputs": inputs, "outputs": [field]}))
        .expect("a sound spec")
}

fn system(spec: &SignatureSpec) -> String {
    chat_messages(spec, &[], &FieldValues::default())[0]
        .content
        .clone()
}

#[test]
fn every_type_has_a_name_and_a_note() {
    for (ty, name, note) in [
        ("String", "str", ""),
        ("char", "char", "be a single character"),
        ("bool", "bool", "be true or false"),
        ("u8", "int", "be a single int value"),
        ("f32", "float", "be a single float value"),
        ("date", "date", "be a date as YYYY-MM-DD"),
        ("time", "time", "be a time as HH:MM:SS"),
        (
            "datetime",
            "datetime",
            "be a datetime as YYYY-MM-DDTHH:MM:SS",
        ),
        ("utc", "datetime", "be a datetime as YYYY-MM-DDTHH:MM:SSZ"),
        ("Json", "Any", "be a JSON value"),
        ("Option<String>", "Optional[str]", "be null or a str value"),
        (
            "Option<f64>",
            "Optional[float]",
            "be null or a single float value",
        ),
        (
            "Option<enum:A|B>",
            "Optional[Literal['A', 'B']]",
            "be null or exactly match (no extra characters) one of: A; B",
        ),
        (
            "enum:it's|B",
            "Literal[\"it's\", 'B']",
            "exactly match (no extra characters) one of: it's; B",
        ),
        (
            r#"enum:it's "so"|a\b"#,
            r#"Literal['it\'s "so"', 'a\\b']"#,
            r#"exactly match (no extra characters) one of: it's "so"; a\b"#,
        ),
        (
            "(String, u8)",
            "tuple[str, int]",
            r#"adhere to the JSON schema: {"type": "array", "#,
        ),
        (
            "HashMap<String, bool>",
            "dict[str, bool]",
            r#"adhere to the JSON schema: {"type": "object", "additionalProperties": {"type": "boolean"}}"#,
        ),
        (
            "BTreeSet<char>",
            "list[char]",
            r#"adhere to the JSON schema: {"type": "array", "#,
        ),
        (
            r#"struct Person:{"name": "String"}"#,
            "Person",
            r#"adhere to the JSON schema: {"type": "object", "#,
        ),
    ] {
        let spec = with_output("chat", ty, json!({}));
        let (system, user) = (system(&spec), user_content(&spec, &FieldValues::default()));
        assert!(
            system.contains(&format!("\n1. `x` ({name}):\n")),
            "{ty}: {system}"
        );
        let (shown, form) = match note {
            "" => ("[[ ## x ## ]]\n{x}\n\n".to_owned(), String::new()),
            note => (
                format!("[[ ## x ## ]]\n{{x}}        # note: the value you produce must {note}"),
                format!(" (must be formatted as a valid {name})"),
            ),
        };
        assert!(system.contains(&shown), "{ty}: {system}");
        assert!(
            user.contains(&format!("the field `[[ ## x ## ]]`{form}, and then")),
            "{ty}: {user}"
        );
    }
}

#[derive(CandleValue)]
#[allow(dead_code)]
enum Shape {
    Dot,
    Named(String),
}

#[test]
fn a_type_with_a_declaration_is_called_by_its_name() {
    assert_eq!(type_name(<Vec<Shape>>::TYPE), "list[Shape]");
    assert_eq!(
        type_name(<Option<[Shape; 2]>>::TYPE),
        "Optional[list[Shape]]"
    );
}

#[test]
fn every_constraint_is_told_in_words() {
    for (ty, keys, words) in [
        (
            "u8",
            json!({"min": 1, "max": 5}),
            "greater than or equal to: 1, less than or equal to: 5",
        ),
        ("f64", json!({"max": 1}), "less than or equal to: 1.0"),
        ("String", json!({"len": [2, null]}), "minimum length: 2"),
        ("String", json!({"len": [0, 5]}), "maximum length: 5"),
        (
            "String",
            json!({"len": 3}),
            "minimum length: 3, maximum length: 3",
        ),
        (
            "String",
            json!({"regex": "[a-z]+"}),
            "matches the regular expression: [a-z]+",
        ),
        ("String", json!({"one_of": ["a", "b"]}), "one of: a; b"),
        ("String", json!({"one_line": true}), "a single line"),
        ("Vec<u8>", json!({"unique": true}), "no item twice"),
    ] {
        let system = system(&with_output("chat", ty, keys));
        assert!(
            system.contains(&format!("\nConstraints: {words}\n")),
            "{system}"
        );
    }
}

#[test]
fn the_json_format_asks_for_one_object() {
    let spec = with_output("json", "Option<u8>", json!({"desc": "How many."}));
    let system = system(&spec);
    assert!(
        system.contains("1. `x` (Optional[int]): How many.\n"),
        "{system}"
    );
    assert!(
        system.contains(
            "Outputs will be a JSON object with the following fields.\n\n{\n  \"x\": \"{x}        # note: the value you produce must be null or a single int value\"\n}\n"
        ),
        "{system}"
    );
    let text = with_output("json", "String", json!({}));
    let inputs = values(&json!({"q": "How?"}));
    for (spec, form) in [
        (&spec, " (must be formatted as a valid Optional[int])"),
        (&text, ""),
    ] {
        assert_eq!(
            user_content(spec, &inputs),
            format!(
                "[[ ## q ## ]]\nHow?\n\nRespond with a JSON object in the following order of fields: `x`{form}."
            )
        );
    }
    assert_eq!(
        assistant_content(&spec, &values(&json!({"x": 3}))),
        "{\n  \"x\": 3\n}"
    );
    assert_eq!(
        assistant_content(&spec, &FieldValues::default()),
        "{\n  \"x\": \"Not supplied for this particular example. \"\n}"
    );
}

#[test]
fn demos_that_lack_fields_come_first_and_say_so() {
    let spec = SignatureSpec::from_json(&json!({
        "inputs": [{"name": "q", "type": "String"}, {"name": "r", "type": "String"}],
        "outputs": [{"name": "x", "type": "String"}, {"name": "y", "type": "u8"}],
    }))
    .expect("a sound spec");
    let demos = demos(&json!([
        {"inputs": {"q": "1", "r": "2"}, "outputs": {"x": "3", "y": 4}},
        {"inputs": {"q": "only an input"}, "outputs": {}},
        {"inputs": {"q": "5"}, "outputs": {"y": 6}},
    ]));
    let messages = chat_messages(&spec, &demos, &values(&json!({"q": "7"})));
    let texts: Vec<_> = messages[1..5].iter().map(|m| m.content.as_str()).collect();
    assert_eq!(
        texts,
        [
            "This is an example of the task, though some input or output fields are not supplied.\n\n[[ ## q ## ]]\n5",
            "[[ ## x ## ]]\nNot supplied for this particular example. \n\n[[ ## y ## ]]\n6\n\n[[ ## completed ## ]]",
            "[[ ## q ## ]]\n1\n\n[[ ## r ## ]]\n2",
            "[[ ## x ## ]]\n3\n\n[[ ## y ## ]]\n4\n\n[[ ## completed ## ]]",
        ]
    );
    assert_eq!(messages.len(), 6);
}

#[test]
fn an_instruction_loses_the_margin_that_its_lines_share() {
    let mut spec = with_output("chat", "String", json!({}));
    assert!(
        system(&spec).ends_with(
            "your objective is: \n        Given the fields `q`, produce the fields `x`."
        )
    );
    spec.instruction = "  First.\n\n    Second.\n      Third.  ".into();
    assert!(
        system(&spec).ends_with("\n        First.\n        \n        Second.\n          Third.")
    );
}

#[test]
fn messages_are_written_as_chat_apis_write_them() {
    let messages = [
        Message::system("a"),
        Message::user("b"),
        Message::assistant("c"),
    ];
    assert_eq!(
        serde_json::to_value(&messages).expect("JSON"),
        json!([
            {"role": "system", "content": "a"},
            {"role": "user", "content": "b"},
            {"role": "assistant", "content": "c"},
        ])
    );
    let roles: Vec<_> = messages.iter().map(|m| m.role.to_string()).collect();
    assert_eq!(roles, ["system", "user", "assistant"]);
}

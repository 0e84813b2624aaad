//! The types of `#[Signature]` fields, as 0.7.3 describes them, become field types of the same values.

#![allow(dead_code)]

use std::collections::HashMap;

use candle_signature::dspy::spec_of;
use candle_signature::prompt::type_name;
use candle_signature::signature::{
    Constraint, FieldSpec, FieldType, SignatureSpec, Value, json_schema,
};
use dspy_rs::Signature;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A person.
#[derive(JsonSchema, Serialize, Deserialize)]
struct Person {
    /// Full name.
    name: String,
    #[schemars(range(min = 1, max = 150))]
    age: u8,
    email: Option<String>,
    #[serde(default)]
    tags: Vec<String>,
}

#[derive(JsonSchema, Serialize, Deserialize)]
enum Level {
    /// Can wait.
    Low,
    High,
    Unknown,
}

#[derive(JsonSchema, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Shape {
    Circle { radius: f64 },
    Square { side: f32 },
    Point,
}

#[derive(JsonSchema, Serialize, Deserialize)]
enum Outside {
    Number(i32),
    Words(String),
}

#[derive(JsonSchema, Serialize, Deserialize)]
struct Tree {
    name: String,
    children: Vec<Tree>,
}

#[derive(JsonSchema, Serialize, Deserialize)]
struct Team {
    lead: Person,
}

#[derive(JsonSchema, Serialize, Deserialize)]
struct Pair(u8, String);

type Score = u16;

#[Signature]
struct Everything {
    /// Read.
    #[input]
    text: String,
    #[output]
    zulu: std::collections::BTreeMap<String, i32>,
    #[output]
    array: [u8; 3],
    #[output]
    tuple: (String, bool),
    #[output]
    json: serde_json::Value,
    #[output]
    score: Score,
    #[output]
    level: Level,
    #[output]
    maybe: Option<Level>,
    #[output]
    person: Person,
    #[output]
    people: Vec<Person>,
    #[output]
    by_name: HashMap<String, Person>,
    #[output]
    by_number: HashMap<u32, String>,
    #[output]
    shape: Shape,
    #[output(desc = "Either.")]
    outside: Outside,
    #[output]
    tree: Tree,
    #[output]
    team: Team,
    #[output]
    pair: Pair,
}

fn spec() -> SignatureSpec {
    spec_of(&Everything::new()).unwrap()
}

fn field<'s>(spec: &'s SignatureSpec, name: &str) -> &'s FieldSpec {
    spec.outputs
        .iter()
        .find(|field| field.name == name)
        .unwrap()
}

#[test]
fn types_are_those_of_the_rust_fields() {
    let spec = spec();
    let cases = [
        ("zulu", "dict[str, int]"),
        ("array", "list[int]"),
        ("tuple", "tuple[str, bool]"),
        ("json", "Any"),
        ("score", "int"),
        ("level", "Literal['Low', 'High', 'Unknown']"),
        ("maybe", "Optional[Literal['Low', 'High', 'Unknown']]"),
        ("person", "Person"),
        ("people", "list[Person]"),
        ("by_name", "dict[str, Person]"),
        ("by_number", "dict[str, str]"),
        ("shape", "Shape"),
        ("outside", "Any"),
        ("tree", "Tree"),
        ("team", "Team"),
        ("pair", "tuple[int, str]"),
    ];
    for (name, ty) in cases {
        let found = type_name(&field(&spec, name).ty).to_string();
        if name == "level" || name == "maybe" {
            // schemars lists described variants after those without a description.
            let sorted = |text: &str| {
                let mut words: Vec<_> = text
                    .split(['[', ']', ',', ' '])
                    .map(str::to_owned)
                    .collect();
                words.sort();
                words
            };
            assert_eq!(sorted(&found), sorted(ty), "{name}");
        } else {
            assert_eq!(found, ty, "{name}");
        }
    }
}

#[test]
fn the_order_of_fields_is_that_of_the_struct() {
    let spec = spec();
    let names: Vec<_> = spec.outputs.iter().map(|field| &*field.name).collect();
    assert_eq!(names[..3], ["zulu", "array", "tuple"]);
}

#[test]
fn widths_bounds_options_and_defaults_of_a_struct_are_kept() {
    let spec = spec();
    let FieldType::Struct(person) = &*field(&spec, "person").ty else {
        panic!("no struct");
    };
    let [name, age, email, tags] = &person.fields[..] else {
        panic!("{:?}", person.fields);
    };
    assert_eq!(name.desc, "Full name.");
    assert!(matches!(&*age.ty, FieldType::Int(int) if !int.signed && int.bits == 8));
    let has_min = |c: &Constraint| matches!(c, Constraint::Min(bound) if bound.to_string() == "1");
    let has_max =
        |c: &Constraint| matches!(c, Constraint::Max(bound) if bound.to_string() == "150");
    assert!(age.constraints.iter().any(has_min) && age.constraints.iter().any(has_max));
    assert!(email.ty.is_option());
    assert_eq!(
        tags.default.as_ref().map(|d| d.get()),
        Some(Value::List(vec![]))
    );
    // A width implies its bounds.
    let score = field(&spec, "score");
    assert!(matches!(&*score.ty, FieldType::Int(int) if !int.signed && int.bits == 16));
    assert!(score.constraints.is_empty());
}

#[test]
fn a_tagged_enum_is_told_apart_by_its_tag() {
    let spec = spec();
    let FieldType::Enum(shape) = &*field(&spec, "shape").ty else {
        panic!("no enum");
    };
    assert_eq!(shape.tag, "kind");
    let names: Vec<_> = shape
        .variants
        .iter()
        .map(|variant| &*variant.name)
        .collect();
    assert_eq!(names, ["circle", "square", "point"]);
}

#[test]
fn what_no_type_can_say_is_any_json_and_shows_its_schema() {
    let spec = spec();
    let outside = &field(&spec, "outside").desc;
    assert!(
        outside.starts_with("Either. (JSON schema: {") && outside.contains("Number"),
        "{outside}"
    );
    // 0.7.3 drops the definitions that `lead` refers to.
    let FieldType::Struct(team) = &*field(&spec, "team").ty else {
        panic!("no struct");
    };
    assert!(matches!(&*team.fields[0].ty, FieldType::Json));
    assert!(field(&spec, "person").desc.is_empty());
}

#[test]
fn every_type_has_a_schema_again() {
    for field in spec().outputs.iter() {
        assert!(json_schema(&field.ty).is_object(), "{}", field.name);
    }
}

#[test]
fn the_short_forms_of_0_7_3_are_read_too() {
    let fields =
        dspy_rs::field! { output["How sure."] => sure: f64, output["All."] => all: Vec<String> };
    let mut signature = crate::support::qa();
    for (name, value) in fields.as_object().unwrap() {
        dspy_rs::MetaSignature::append(&mut signature, name, value.clone()).unwrap();
    }
    let spec = spec_of(&signature).unwrap();
    let shown: Vec<_> = spec
        .outputs
        .iter()
        .map(|f| (&*f.name, &*f.desc, type_name(&f.ty).to_string()))
        .collect();
    assert_eq!(
        shown,
        [
            ("answer", "A short answer.", "str".to_owned()),
            ("sure", "How sure.", "float".to_owned()),
            ("all", "All.", "list[str]".to_owned())
        ]
    );
}

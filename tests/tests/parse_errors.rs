//! What an error tells: every field, what is wrong, where, and what did parse.

mod parse_support;

use std::sync::Arc;

use candle_signature::parse::{ErrorKind, parse_reply, parse_typed};
use candle_signature::signature::{
    Bound, Constraint, DefaultValue, EnumSpec, FieldSet, FieldSpec, FieldType, FieldValue,
    FieldValues, Payload, Signature, SignatureSpec, Str, StructSpec, TypeRef, Value, ValueError,
    VariantSpec,
};
use parse_support::{section, spec};

#[test]
fn every_field_has_its_error_and_the_others_their_values() {
    let spec = spec(&[
        ("city", "String"),
        ("rank", "i64"),
        ("score", "f64"),
        ("tags", "Vec<u8>"),
        ("why", "String"),
    ]);
    let reply = "[[ ## city ## ]]\nOslo\n\n[[ ## score ## ]]\nabout seven\n\n[[ ## tags ## ]]\n[1, 300]\n\n[[ ## why ## ]]\nSo.";
    let error = parse_reply(&spec, reply).expect_err("three bad fields");
    let fields: Vec<_> = error
        .errors
        .iter()
        .map(|e| (e.field.as_ref(), e.kind))
        .collect();
    assert_eq!(
        fields,
        [
            ("rank", ErrorKind::Missing),
            ("score", ErrorKind::Type),
            ("tags", ErrorKind::OutOfRange)
        ]
    );
    assert_eq!(
        error.to_string(),
        "field `rank`: missing: the reply has no section `[[ ## rank ## ]]`; \
         field `score`: expected a number, found \"about seven\" (line 5 of the reply); \
         field `tags`, at `1`: expected a number in the range of 0 to 255, found \"300\" (line 8 of the reply)"
    );
    assert_eq!(error.partial.len(), 2);
    assert_eq!(error.partial.get("why"), Some(&Value::String("So.".into())));
    assert_eq!(error.completion, reply);
    let place = error.errors[1].at.expect("a place");
    assert!(reply[place.offset..].starts_with("about seven"));
    assert_eq!(error.errors[2].path, ["1"]);
}

#[test]
fn excerpts_are_short_and_cut_between_characters() {
    let error = parse_reply(&spec(&[("x", "i64")]), &section(&"é".repeat(100_000)))
        .expect_err("no integer");
    assert_eq!(error.errors[0].excerpt.chars().count(), 61);
    assert!(error.to_string().len() < 300);
}

#[test]
fn ambiguous_values_list_their_candidates() {
    let error = parse_reply(
        &spec(&[("x", "enum:Teal|Mauve")]),
        &section("Teal or Mauve"),
    )
    .expect_err("two");
    assert_eq!(error.errors[0].kind, ErrorKind::Ambiguous);
    assert_eq!(error.errors[0].kind.class(), "type");
    assert_eq!(error.errors[0].candidates, ["Teal", "Mauve"]);
    assert_eq!(
        error.to_string(),
        "field `x`: expected one of Teal, Mauve, but it could be `Teal` or `Mauve`, found \"Teal or Mauve\" (line 2 of the reply)"
    );
}

#[test]
fn text_that_ends_within_a_value_is_truncated() {
    for (ty, reply) in [
        ("Vec<i64>", "[[ ## x ## ]]\n[1, 2"),
        ("Vec<String>", "[[ ## x ## ]]\n[\"a\", \"b"),
        ("HashMap<String,i64>", "[[ ## x ## ]]\n{\"a\": 1"),
        (
            "struct:{\"a\":\"i64\",\"b\":\"Option<i64>\"}",
            "[[ ## x ## ]]\n{\"a\": 1,",
        ),
        ("struct:{\"a\":\"i64\"}", "[[ ## x ## ]]\n{\"a\": 1"),
    ] {
        let error = parse_reply(&spec(&[("x", ty)]), reply).expect_err("cut off");
        assert_eq!(error.errors[0].kind, ErrorKind::Truncated, "{reply}");
    }
    // A section that another marker follows is whole: only the bracket was forgotten.
    let parsed = parse_reply(&spec(&[("x", "Vec<i64>")]), &section("[1, 2")).expect("a list");
    assert_eq!(
        parsed.values.get("x"),
        Some(&Value::List(vec![Value::Int(1), Value::Int(2)]))
    );
}

fn constrained(ty: FieldType, constraints: Vec<Constraint>) -> SignatureSpec {
    let field = FieldSpec {
        constraints: constraints.into(),
        ..FieldSpec::owned("x", "", ty)
    };
    let mut spec = spec(&[("x", "i64")]);
    spec.outputs = vec![field].into();
    spec
}

#[test]
fn constraints_are_checked_after_the_type() {
    let ty = |text: &str| FieldType::from_type_str(text).expect("a type");
    let list = |texts: &[&'static str]| texts.iter().map(|t| Str::Borrowed(t)).collect::<Vec<_>>();
    let cases: Vec<(FieldType, Constraint, &[&str], &[&str])> = vec![
        (
            ty("i64"),
            Constraint::Min(Bound::Int(2)),
            &["2", "3"],
            &["1", "-5"],
        ),
        (
            ty("i64"),
            Constraint::Max(Bound::Int(2)),
            &["2", "1"],
            &["3"],
        ),
        (
            ty("i64"),
            Constraint::Max(Bound::Float(2.5)),
            &["2"],
            &["3"],
        ),
        (
            ty("i64"),
            Constraint::Min(Bound::Float(2.5)),
            &["3"],
            &["2"],
        ),
        (
            ty("u128"),
            Constraint::Min(Bound::UInt(u128::MAX)),
            &["340282366920938463463374607431768211455"],
            &["5"],
        ),
        (
            ty("f64"),
            Constraint::Min(Bound::Float(0.0)),
            &["0", "0.5", "inf"],
            &["-0.1", "NaN"],
        ),
        (
            ty("f64"),
            Constraint::Max(Bound::Int(1)),
            &["1", "-inf"],
            &["1.01", "NaN", "inf"],
        ),
        (
            ty("String"),
            Constraint::Len { min: 2, max: 3 },
            &["ab", "äöü"],
            &["a", "abcd"],
        ),
        (
            ty("Vec<i64>"),
            Constraint::Len { min: 1, max: 2 },
            &["[1]", "[1, 2]"],
            &["[]", "[1,2,3]"],
        ),
        (
            ty("HashMap<String,i64>"),
            Constraint::Len { min: 1, max: 1 },
            &["{\"a\": 1}"],
            &["{}"],
        ),
        (
            ty("String"),
            Constraint::Regex("[a-z]+".into()),
            &["abc"],
            &["abc1", "a\nb", ""],
        ),
        (
            ty("String"),
            Constraint::Regex("a|b".into()),
            &["a", "b"],
            &["ab", "ac"],
        ),
        (
            ty("String"),
            Constraint::OneOf(list(&["a", "b"]).into()),
            &["a"],
            &["c", "A"],
        ),
        (ty("String"), Constraint::OneLine, &["a b"], &["a\nb"]),
        (ty("Vec<i64>"), Constraint::Unique, &["[1, 2]"], &["[1, 1]"]),
        (
            ty("Option<i64>"),
            Constraint::Min(Bound::Int(2)),
            &["null", "2"],
            &["1"],
        ),
    ];
    for (ty, constraint, good, bad) in cases {
        let spec = constrained(ty, vec![constraint.clone()]);
        for text in good {
            let found = parse_reply(&spec, &section(text));
            assert!(found.is_ok(), "{constraint:?} {text}: {found:?}");
        }
        for text in bad {
            let error = parse_reply(&spec, &section(text)).expect_err(text);
            assert_eq!(
                error.errors[0].kind,
                ErrorKind::Constraint,
                "{constraint:?} {text}"
            );
        }
    }
}

#[test]
fn a_missing_field_with_a_default_takes_it() {
    let mut spec = spec(&[("a", "i64"), ("b", "i64")]);
    let mut fields = spec.outputs.to_vec();
    fields[1].default = Some(DefaultValue::Owned(Arc::new(Value::Int(7))));
    spec.outputs = fields.into();
    for reply in [
        "[[ ## a ## ]]\n1",
        "[[ ## a ## ]]\n1\n[[ ## b ## ]]\n\n[[ ## completed ## ]]",
        "{\"a\": 1}",
    ] {
        let parsed = parse_reply(&spec, reply).expect(reply);
        assert_eq!(parsed.values.get("b"), Some(&Value::Int(7)), "{reply}");
    }
    let error = parse_reply(&spec, "[[ ## a ## ]]\n1\n[[ ## b ## ]]\nx")
        .expect_err("no default for a wrong value");
    assert_eq!(error.errors[0].kind, ErrorKind::Type);
}

fn shape() -> FieldType {
    let variant = |name: &'static str, payload| VariantSpec {
        name: name.into(),
        aliases: Vec::new().into(),
        desc: "".into(),
        payload,
    };
    let radius = FieldSpec::owned(
        "radius",
        "",
        FieldType::from_type_str("f64").expect("a type"),
    );
    FieldType::Enum(EnumSpec {
        name: "Shape".into(),
        desc: "".into(),
        variants: vec![
            variant("Point", Payload::Unit),
            variant("Circle", Payload::Fields(vec![radius].into())),
            variant("Label", Payload::Value(TypeRef::of::<String>())),
        ]
        .into(),
        tag: "type".into(),
    })
}

#[test]
fn variants_with_data_are_told_by_their_tag() {
    let spec = constrained(shape(), vec![]);
    let read = |text: &str| {
        let values = parse_reply(&spec, &section(text)).map(|parsed| parsed.values);
        values
            .map(|values| serde_json::json!(values)["x"].clone())
            .map_err(|e| e.errors[0].kind.name())
    };
    use serde_json::json;
    let circle = Ok(json!({"type": "Circle", "radius": 2.0}));
    assert_eq!(read("{\"type\": \"Circle\", \"radius\": 2}"), circle);
    assert_eq!(read("{\"radius\": 2, \"type\": \"circle\"}"), circle);
    assert_eq!(read("{\"Circle\": {\"radius\": 2}}"), circle);
    assert_eq!(
        read("{\"type\": \"Label\", \"value\": \"x\"}"),
        Ok(json!({"type": "Label", "value": "x"}))
    );
    assert_eq!(read("{\"type\": \"Point\"}"), Ok(json!({"type": "Point"})));
    assert_eq!(read("Point"), Ok(json!({"type": "Point"})));
    for bad in [
        "{\"type\": \"Circle\"}",
        "{\"type\": \"Square\"}",
        "{\"radius\": 2}",
        "Circle",
        "{\"type\": 3}",
    ] {
        assert_eq!(read(bad), Err("type"), "{bad}");
    }
}

#[test]
fn aliases_name_their_variant() {
    let variant = |name: &'static str, alias: &'static str| VariantSpec {
        name: name.into(),
        aliases: vec![Str::Borrowed(alias)].into(),
        desc: "".into(),
        payload: Payload::Unit,
    };
    let ty = FieldType::Enum(EnumSpec {
        name: "Level".into(),
        desc: "".into(),
        variants: vec![variant("Low", "minor"), variant("High", "urgent")].into(),
        tag: "type".into(),
    });
    let spec = constrained(ty, vec![]);
    for (text, wanted) in [
        ("urgent", Some("High")),
        ("URGENT.", Some("High")),
        ("minor or urgent", None),
    ] {
        let found = parse_reply(&spec, &section(text))
            .ok()
            .and_then(|mut p| p.values.take("x"));
        assert_eq!(
            found,
            wanted.map(|name| Value::String(name.into())),
            "{text}"
        );
    }
}

/// A type that contains itself: a bare scalar could be wrapped in lists without end.
struct Tree;

impl FieldValue for Tree {
    const TYPE: &'static FieldType = <Vec<Tree>>::TYPE;

    fn from_value(_: Value) -> Result<Self, ValueError> {
        Ok(Tree)
    }

    fn into_value(self) -> Value {
        Value::List(vec![])
    }
}

#[test]
fn a_recursive_type_ends() {
    let spec = constrained(<Vec<Tree>>::TYPE.clone(), vec![]);
    for text in [
        "x",
        "[[], [[]]]",
        "[1]",
        "{\"x\": 1}",
        "- - x",
        "null",
        "1, 2",
        "\"a\", \"b\"",
    ] {
        let _ = parse_reply(&spec, &section(text));
    }
    assert!(parse_reply(&spec, &section("[[], [[]]]")).is_ok());
    assert!(parse_reply(&spec, &section("x")).is_err());
}

struct Even {
    n: i64,
}

struct EvenInput;

const EVEN_OUTPUTS: &[FieldSpec] = &[FieldSpec::new("n", "", TypeRef::of::<i64>(), &[], None)];

impl FieldSet for EvenInput {
    const FIELDS: &'static [FieldSpec] = &[];

    fn from_values(_: FieldValues) -> Result<Self, Vec<ValueError>> {
        Ok(EvenInput)
    }

    fn into_values(self) -> FieldValues {
        FieldValues::new()
    }
}

impl FieldSet for Even {
    const FIELDS: &'static [FieldSpec] = EVEN_OUTPUTS;

    fn from_values(mut values: FieldValues) -> Result<Self, Vec<ValueError>> {
        match values.take("n").map(i64::from_value) {
            Some(Ok(n)) if n % 2 == 0 => Ok(Even { n }),
            Some(Ok(n)) => Err(vec![ValueError::new(format!("{n} is odd")).at("n")]),
            Some(Err(error)) => Err(vec![error.at("n")]),
            None => Err(vec![ValueError::missing("n").at("n")]),
        }
    }

    fn into_values(self) -> FieldValues {
        [("n", Value::Int(self.n.into()))].into_iter().collect()
    }
}

impl Signature for Even {
    type Input = EvenInput;
    type Output = Even;
    const SPEC: &'static SignatureSpec = &SignatureSpec::new("Even", "", &[], EVEN_OUTPUTS);

    fn split(self) -> (EvenInput, Even) {
        (EvenInput, self)
    }
}

#[test]
fn typed_replies_give_the_output_or_what_its_type_refuses() {
    let (output, parsed) =
        parse_typed::<Even>("[[ ## n ## ]]\n4\n\n[[ ## completed ## ]]").expect("even");
    assert_eq!((output.n, parsed.completed), (4, true));
    let error = parse_typed::<Even>("[[ ## n ## ]]\n3")
        .map(|_| ())
        .expect_err("odd");
    assert_eq!(
        error.to_string(),
        "field `n`: 3 is odd, found \"3\" (line 2 of the reply)"
    );
    assert!(error.partial.is_empty());
    let error = parse_typed::<Even>("").map(|_| ()).expect_err("empty");
    assert_eq!(error.errors[0].kind, ErrorKind::Missing);
}

#[test]
fn struct_fields_have_constraints_and_defaults_too() {
    let mut age = FieldSpec::owned("age", "", FieldType::from_type_str("i64").expect("a type"));
    age.constraints = vec![Constraint::Min(Bound::Int(0))].into();
    let mut note = FieldSpec::owned("note", "", FieldType::String);
    note.default = Some(DefaultValue::Owned(Arc::new(Value::String("-".into()))));
    let ty = FieldType::Struct(StructSpec {
        name: "P".into(),
        desc: "".into(),
        fields: vec![age, note].into(),
    });
    let spec = constrained(ty, vec![]);
    let parsed = parse_reply(&spec, &section("{\"age\": 1}")).expect("a default");
    assert_eq!(
        serde_json::json!(parsed.values),
        serde_json::json!({"x": {"age": 1, "note": "-"}})
    );
    let error = parse_reply(&spec, &section("{\"age\": -1}")).expect_err("too young");
    assert_eq!(
        (error.errors[0].kind, error.errors[0].path.join(".")),
        (ErrorKind::Constraint, "age".into())
    );
}

//! Types that only a derive makes: constraints, defaults, aliases, variants with data, types that contain themselves.

mod parse_support;

use std::sync::Arc;

use candle_signature::parse::{ErrorKind, parse_reply};
use candle_signature::signature::{
    Bound, Constraint, DefaultValue, EnumSpec, FieldSpec, FieldType, FieldValue, Payload,
    SignatureSpec, Str, StructSpec, TypeRef, Value, ValueError, VariantSpec,
};
use parse_support::{section, spec};

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

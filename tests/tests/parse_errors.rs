//! What an error tells: every field, what is wrong, where, and what did parse.

mod parse_support;

use candle_signature::parse::{ErrorKind, parse_reply, parse_typed};
use candle_signature::signature::{
    FieldSet, FieldSpec, FieldValue, FieldValues, Signature, SignatureSpec, TypeRef, Value,
    ValueError,
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

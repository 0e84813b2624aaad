//! What an error tells: every field, what is wrong, where, and what did parse.

mod parse_support;

use std::error::Error;

use candle_signature::parse::{ErrorKind, RepairKind, parse_reply, parse_typed};
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

#[test]
fn each_kind_says_what_was_wanted_and_what_was_found() {
    let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
    let open = "[[ ## x ## ]]\n";
    for (ty, text, kind, class, message) in [
        (
            "i64",
            String::new(),
            "missing",
            "missing",
            "field `x`: missing: the reply has no section `[[ ## x ## ]]`",
        ),
        (
            "i64",
            format!("{open}{{x}}"),
            "missing",
            "missing",
            "field `x`: the reply has the prompt's words in its place, found \"{x}\" (line 2 of the reply)",
        ),
        (
            "i64",
            format!("{open}\n"),
            "missing",
            "missing",
            "field `x`: missing: the reply ends before its value (line 1 of the reply)",
        ),
        (
            "Vec<bool>",
            format!("{open}[true,\n[]]"),
            "type",
            "type",
            "field `x`, at `1`: expected true or false, found a list (line 3 of the reply)",
        ),
        (
            "HashMap<String,String>",
            format!("{open}{{\"a\": {{}}}}"),
            "type",
            "type",
            "field `x`, at `a`: expected a string, found an object (line 2 of the reply)",
        ),
        (
            "(i64, i64)",
            format!("{open}[1]"),
            "type",
            "type",
            "field `x`: expected 2 values, found 1 (line 2 of the reply)",
        ),
        (
            "u8",
            format!("{open}256"),
            "out_of_range",
            "type",
            "field `x`: expected a number in the range of 0 to 255, found \"256\" (line 2 of the reply)",
        ),
        (
            "f64",
            format!("{open}50%"),
            "ambiguous",
            "type",
            "field `x`: expected a number, but it could be `50` or `50 / 100`, found \"50%\" (line 2 of the reply)",
        ),
        (
            "Json",
            format!("{open}{deep}"),
            "too_deep",
            "type",
            "field `x`: nested more than 128 deep (line 2 of the reply)",
        ),
        (
            "Vec<i64>",
            format!("{open}\n[1,\n2"),
            "truncated",
            "type",
            "field `x`: the reply ends inside a list (line 3 of the reply)",
        ),
        (
            "Vec<String>",
            format!("{open}[\"a"),
            "truncated",
            "type",
            "field `x`: expected a list, but a string has no end, found \"\\\"a\" (line 2 of the reply)",
        ),
    ] {
        let error = parse_reply(&spec(&[("x", ty)]), &text).expect_err(&text);
        let kinds = error.errors.iter().map(|e| (e.kind.name(), e.kind.class()));
        assert_eq!(kinds.collect::<Vec<_>>(), [(kind, class)], "{text:?}");
        assert_eq!(error.to_string(), message, "{text:?}");
        // Nothing is left for a reporter to print a second time.
        assert!(error.source().is_none() && error.errors[0].source().is_none());
    }
}

#[test]
fn a_field_that_is_repeated_without_end_is_ambiguous() {
    let error = parse_reply(&spec(&[("x", "i64")]), &"[[ ## x ## ]]\n3\n".repeat(65))
        .expect_err("run wild");
    assert_eq!(error.errors[0].kind, ErrorKind::Ambiguous);
    assert_eq!(error.errors[0].message, "the reply gives it 65 times");
}

#[test]
fn repairs_say_what_was_done_to_which_field() {
    let text = "[[ ## x ## ]]\n[1, 2,]\n<|im_end|>";
    let parsed = parse_reply(&spec(&[("x", "Vec<i64>")]), text).expect("a list");
    let told: Vec<_> = parsed.repairs.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "the end marker `[[ ## completed ## ]]` is missing (byte 22)",
            "a control token at the end of the reply was ignored (byte 22)",
            "field `x`: a comma too many was ignored (byte 20)",
        ]
    );
    for kind in RepairKind::ALL {
        assert!(!kind.describe().is_empty() && kind.name() == kind.name().to_lowercase());
    }
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

//! Properties of the parser: it never panics, and what the formatter writes comes back.

mod parse_support;

use candle_signature::parse::parse_reply;
use candle_signature::prompt::render_value;
use candle_signature::signature::{
    FieldType, SignatureSpec, Value, escape_markers, unescape_markers,
};
use parse_support::{section, spec};
use proptest::prelude::*;

const TYPES: &[&str] = &[
    "String",
    "char",
    "bool",
    "i64",
    "u8",
    "i128",
    "u128",
    "f32",
    "f64",
    "Json",
    "Option<String>",
    "Option<i64>",
    "Vec<String>",
    "Vec<i64>",
    "Vec<f64>",
    "Vec<bool>",
    "HashSet<String>",
    "HashMap<String,i64>",
    "HashMap<String,String>",
    "(String, i64)",
    "[i64; 2]",
    "enum:Low|High|on-fire",
    "Vec<enum:Low|High>",
    "struct:{\"name\":\"String\",\"age\":\"i64\",\"note\":\"Option<String>\"}",
    "Vec<struct:{\"x\":\"f64\",\"tags\":\"Vec<String>\"}>",
    "Option<struct:{\"x\":\"bool\"}>",
    "Vec<Vec<Option<i64>>>",
];

/// Pieces that the parser treats specially.
const PIECES: &[&str] = &[
    "[[ ## x ## ]]",
    "[[ ## y ## ]]",
    "[[ ## completed ## ]]",
    "[[ ## z ## ]]",
    "[[",
    "]]",
    "##",
    "\n",
    "\n\n",
    "\r\n",
    " ",
    "```",
    "```json\n",
    "<think>",
    "</think>",
    "{",
    "}",
    "[",
    "]",
    "(",
    ")",
    "\"",
    "'",
    "`",
    "“",
    "”",
    ",",
    ":",
    ": ",
    "=",
    "/*",
    "*/",
    "//",
    "#",
    "\\",
    "\\u",
    "\\ud800",
    "\\n",
    "null",
    "None",
    "true",
    "False",
    "yes",
    "no",
    "NaN",
    "inf",
    "Low",
    "High",
    "on-fire",
    "x",
    "y",
    "name",
    "age",
    "1",
    "-2.5",
    "1,234",
    "1e999",
    "99999999999999999999999999",
    "$",
    "%",
    "**",
    "*",
    "- ",
    "1. ",
    "é",
    "\u{2028}",
    "\u{feff}",
    "😀",
    "\0",
    "the answer is ",
    "or",
    "not",
    ".",
    "Answer:",
];

fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        8 => proptest::sample::select(PIECES).prop_map(str::to_owned),
        1 => any::<String>(),
    ];
    proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

fn two(ty: &str) -> SignatureSpec {
    spec(&[("x", ty), ("y", "Option<i64>")])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_reply_makes_it_panic(ty in proptest::sample::select(TYPES), reply in hostile()) {
        for reply in [&reply, &section(&reply)] {
            if let Err(error) = parse_reply(&two(ty), reply) {
                prop_assert!(!error.errors.is_empty());
                prop_assert!(!error.to_string().is_empty());
                for error in &error.errors {
                    prop_assert!(error.at.is_none_or(|place| place.offset <= reply.len()));
                    prop_assert!(error.excerpt.chars().count() <= 61);
                }
            }
        }
    }

    #[test]
    fn every_byte_sequence_gives_values_or_errors(ty in proptest::sample::select(TYPES), bytes in any::<Vec<u8>>()) {
        let reply = String::from_utf8_lossy(&bytes);
        let _ = parse_reply(&two(ty), &reply);
        let _ = parse_reply(&two(ty), &section(&reply));
    }

    #[test]
    fn every_value_that_is_given_is_of_its_type(ty in proptest::sample::select(TYPES), text in hostile()) {
        if let Ok(parsed) = parse_reply(&spec(&[("x", ty)]), &section(&text)) {
            let value = parsed.values.get("x").expect("the only field");
            let ty = FieldType::from_type_str(ty).expect("a type");
            prop_assert!(is_of(&ty, value), "{ty:?} {value:?} of {text:?}");
        }
    }

    #[test]
    fn what_the_formatter_writes_comes_back((ty, value) in typed(), other in typed()) {
        // Two fields, so that a value may try to open the other's section.
        let spec = spec(&[("x", ty), ("y", other.0)]);
        let (x, y) = (render_value(&value), render_value(&other.1));
        let reply = format!("[[ ## x ## ]]\n{x}\n\n[[ ## y ## ]]\n{y}\n\n[[ ## completed ## ]]\n");
        let parsed = parse_reply(&spec, &reply).map_err(|e| TestCaseError::fail(format!("{e}: {reply}")))?;
        for (name, wanted) in [("x", &value), ("y", &other.1)] {
            let found = parsed.values.get(name).expect("both fields");
            prop_assert!(equal(found, wanted), "{found:?} is not {wanted:?} in {reply}");
        }
        prop_assert_eq!(&parsed.repairs, &vec![]);
    }

    #[test]
    fn a_reply_cut_anywhere_gives_values_or_errors((ty, value) in typed(), at in any::<prop::sample::Index>()) {
        let reply = section(&render_value(&value));
        let mut end = at.index(reply.len() + 1);
        while !reply.is_char_boundary(end) {
            end -= 1;
        }
        if let Err(error) = parse_reply(&spec(&[("x", ty)]), &reply[..end]) {
            prop_assert_eq!(error.errors.len(), 1);
        }
    }

    #[test]
    fn escaped_markers_come_back(text in hostile()) {
        let escaped = escape_markers(&text);
        prop_assert_eq!(unescape_markers(&escaped), text.as_str());
    }
}

/// A type and a value of it that the format can carry: text without white space at its ends, and no text for an
/// `Option<String>` that reads as null.
fn typed() -> impl Strategy<Value = (&'static str, Value)> {
    prop_oneof![
        text().prop_map(|t| ("String", Value::String(t))),
        text()
            .prop_filter("null words", |t| !["", "null", "none"]
                .contains(&t.to_lowercase().as_str()))
            .prop_map(|t| ("Option<String>", Value::String(t))),
        any::<char>()
            .prop_filter("white space is trimmed", |c| !c.is_whitespace())
            .prop_map(|c| ("char", Value::String(c.into()))),
        any::<bool>().prop_map(|b| ("bool", Value::Bool(b))),
        any::<i64>().prop_map(|n| ("i64", Value::Int(n.into()))),
        any::<i128>().prop_map(|n| ("i128", Value::Int(n))),
        any::<u128>().prop_map(|n| ("u128", i128::try_from(n).map_or(Value::UInt(n), Value::Int))),
        any::<f64>().prop_map(|x| ("f64", Value::Float(x))),
        Just(("f64", Value::Float(f64::NAN))),
        any::<f32>()
            .prop_filter("finite", |x| x.is_finite())
            .prop_map(|x| ("f32", Value::Float(x.to_string().parse().expect("a float")))),
        proptest::option::of(any::<i64>()).prop_map(|n| (
            "Option<i64>",
            n.map_or(Value::Null, |n| Value::Int(n.into()))
        )),
        strings().prop_map(|items| ("Vec<String>", Value::List(items))),
        proptest::collection::vec(any::<f64>(), 0..4).prop_map(|items| (
            "Vec<f64>",
            Value::List(items.into_iter().map(Value::Float).collect())
        )),
        proptest::collection::btree_map(any::<String>(), any::<String>(), 0..4).prop_map(|map| {
            let entries = map.into_iter().map(|(k, v)| (k, Value::String(v)));
            ("HashMap<String,String>", Value::Map(entries.collect()))
        }),
        proptest::sample::select(&["Low", "High", "on-fire"][..])
            .prop_map(|name| ("enum:Low|High|on-fire", Value::String(name.into()))),
        (
            any::<String>(),
            any::<i64>(),
            proptest::option::of(any::<String>())
        )
            .prop_map(|(name, age, note)| {
                let note = note.map_or(Value::Null, Value::String);
                let entries = [
                    ("name", Value::String(name)),
                    ("age", Value::Int(age.into())),
                    ("note", note),
                ];
                let entries = entries
                    .into_iter()
                    .map(|(k, v)| (k.to_owned(), v))
                    .collect();
                (TYPES[23], Value::Map(entries))
            }),
        json(3).prop_map(|value| ("Json", value)),
    ]
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), hostile()]
        .prop_map(|text| text.trim().to_owned())
        // Read as a template's own words, or begun like a fence around the whole reply, text is no value.
        .prop_filter("placeholders", |text| text != "{x}" && text != "{y}")
}

fn strings() -> impl Strategy<Value = Vec<Value>> {
    let item = prop_oneof![any::<String>(), hostile()];
    proptest::collection::vec(item.prop_map(Value::String), 0..4)
}

fn json(depth: u32) -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(|n| Value::Int(n.into())),
        any::<f64>()
            .prop_filter("finite", |x| x.is_finite())
            .prop_map(Value::Float),
    ];
    let nested = leaf.prop_recursive(depth, 20, 4, |inner| {
        let key = any::<String>().prop_filter("`$float` stands for a float", |key| key != "$float");
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::List),
            proptest::collection::btree_map(key, inner, 0..4)
                .prop_map(|map| Value::Map(map.into_iter().collect())),
        ]
    });
    // A string alone is written without quotes, so that it could read as other JSON.
    nested
}

fn equal(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Float(x), Value::Float(y)) => x == y || (x.is_nan() && y.is_nan()),
        (Value::List(x), Value::List(y)) => {
            x.len() == y.len() && x.iter().zip(y).all(|(x, y)| equal(x, y))
        }
        (Value::Map(x), Value::Map(y)) => {
            x.len() == y.len()
                && x.iter()
                    .zip(y)
                    .all(|(x, y)| x.0 == y.0 && equal(&x.1, &y.1))
        }
        _ => one == other,
    }
}

fn is_of(ty: &FieldType, value: &Value) -> bool {
    match (ty, value) {
        (FieldType::String, Value::String(_))
        | (FieldType::Bool, Value::Bool(_))
        | (FieldType::Float(_), Value::Float(_)) => true,
        (FieldType::Char, Value::String(text)) => text.chars().count() == 1,
        (FieldType::Int(int), Value::Int(n)) => {
            *n >= int.min() && (*n < 0 || *n as u128 <= int.max())
        }
        (FieldType::Int(int), Value::UInt(n)) => *n > i128::MAX as u128 && *n <= int.max(),
        (FieldType::Json, _) | (FieldType::Option(_), Value::Null) => true,
        (FieldType::Option(inner), value) => is_of(inner, value),
        (FieldType::List(list), Value::List(items)) => {
            items.iter().all(|item| is_of(&list.item, item))
        }
        (FieldType::Tuple(types), Value::List(items)) => {
            types.len() == items.len() && types.iter().zip(items).all(|(ty, item)| is_of(ty, item))
        }
        (FieldType::Map(item), Value::Map(entries)) => {
            entries.iter().all(|(_, value)| is_of(item, value))
        }
        (FieldType::Struct(spec), Value::Map(entries)) => {
            spec.fields.len() == entries.len()
                && spec
                    .fields
                    .iter()
                    .zip(entries)
                    .all(|(field, (key, value))| field.name == *key && is_of(&field.ty, value))
        }
        (FieldType::Enum(spec), Value::String(name)) => {
            spec.variants.iter().any(|v| v.name == *name)
        }
        _ => false,
    }
}

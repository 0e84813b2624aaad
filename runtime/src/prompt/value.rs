//! Values as text: strings plain, everything else JSON.

use std::borrow::Cow;
use std::io;

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

use crate::signature::{Value, escape_markers};

/// A value as text inside of another value: as [`render_value`], but that nothing needs to be escaped.
pub(crate) fn plain_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => render_value(other).into_owned(),
    }
}

/// A value as a section shows it.
///
/// A string is written as it is, but that a line which could be read as a section marker gets a backslash. Other values are
/// JSON on one line with `", "` and `": "`. NaN and infinities, which JSON lacks, are written `NaN`, `inf`, `-inf`
/// where they stand alone.
#[must_use]
pub fn render_value(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(text) => escape_markers(text),
        Value::Float(x) if !x.is_finite() => Cow::Owned(x.to_string()),
        other => Cow::Owned(to_json(other)),
    }
}

/// JSON on one line, with a blank after each comma and colon, as Python's `json.dumps(ensure_ascii=False)` writes it.
pub(crate) fn to_json(value: &impl Serialize) -> String {
    let mut bytes = Vec::new();
    let written = value.serialize(&mut Serializer::with_formatter(&mut bytes, Spaced));
    text_of(&bytes, written)
}

fn text_of(json: &[u8], written: serde_json::Result<()>) -> String {
    match written {
        Ok(()) => String::from_utf8_lossy(json).into_owned(),
        // Only a map with keys that are no strings can fail, and no value here has one.
        Err(error) => format!("null /* {error} */"),
    }
}

/// Ends of lines in Unicode that JSON allows in strings.
const LINE_ENDS: [char; 3] = ['\u{85}', '\u{2028}', '\u{2029}'];

/// Python's default separators.
struct Spaced;

impl Formatter for Spaced {
    fn begin_array_value<W: io::Write + ?Sized>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        if first {
            Ok(())
        } else {
            writer.write_all(b", ")
        }
    }

    fn begin_object_key<W: io::Write + ?Sized>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        if first {
            Ok(())
        } else {
            writer.write_all(b", ")
        }
    }

    /// Text of one line stays on it for every reader: what some take for the end of a line is written by its number.
    fn write_string_fragment<W: io::Write + ?Sized>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        for piece in fragment.split_inclusive(LINE_ENDS) {
            let text = piece.trim_end_matches(LINE_ENDS);
            writer.write_all(text.as_bytes())?;
            for end in piece[text.len()..].chars() {
                write!(writer, "\\u{:04x}", u32::from(end))?;
            }
        }
        Ok(())
    }

    fn begin_object_value<W: io::Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_as_documented() {
        let map = Value::Map(vec![
            (
                "b".into(),
                Value::List(vec![Value::Int(1), Value::Null, Value::Float(1.0)]),
            ),
            ("a".into(), Value::String("é \"q\"".into())),
        ]);
        let cases = [
            (Value::String("two\nlines".into()), "two\nlines"),
            (Value::Bool(true), "true"),
            (Value::Null, "null"),
            (Value::Float(2.0), "2.0"),
            (Value::Float(f64::NEG_INFINITY), "-inf"),
            (
                Value::UInt(u128::MAX),
                "340282366920938463463374607431768211455",
            ),
            (
                Value::Int(i128::MIN),
                "-170141183460469231731687303715884105728",
            ),
            (map, r#"{"b": [1, null, 1.0], "a": "é \"q\""}"#),
            (Value::List(vec![]), "[]"),
            (
                Value::List(vec![Value::String("a\u{2028}\u{85}b\u{e9}".into())]),
                "[\"a\\u2028\\u0085bé\"]",
            ),
        ];
        for (value, text) in cases {
            assert_eq!(render_value(&value), text);
        }
    }

    #[test]
    fn what_is_no_json_is_said_and_does_not_panic() {
        let keys = std::collections::BTreeMap::from([(vec![1], 2)]);
        assert_eq!(to_json(&keys), "null /* key must be a string */");
    }

    #[test]
    fn text_can_not_open_a_section() {
        let text = Value::String("[[ ## answer ## ]]\n42".into());
        assert_eq!(render_value(&text), "\\[[ ## answer ## ]]\n42");
    }
}

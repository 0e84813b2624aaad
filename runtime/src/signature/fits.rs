//! Whether an untyped value is of a field's type. Derived types check themselves while they are read; this is for signatures
//! that exist only at run time.

use super::reader::{PAYLOAD_KEY, unit_variant, variant};
use super::{
    EnumSpec, FieldSpec, FieldType, FloatType, IntType, ListKind, ListType, Payload, Value,
    ValueError,
};

impl FieldSpec {
    /// Refuses a value that is not of the field's type, or that breaks one of its constraints. Nothing is coerced, but that an
    /// integer is a float too.
    ///
    /// ```
    /// use candle_signature::signature::{FieldSpec, FieldType, Value};
    ///
    /// let field = FieldSpec::owned("ages", "", FieldType::from_type_str("Vec<u8>")?);
    /// let error = field.check(&Value::List(vec![Value::Int(7), Value::Int(300)])).unwrap_err();
    /// assert_eq!(error.to_string(), "`ages.1`: 300 is out of range: 0 to 255");
    /// # Ok::<(), candle_signature::signature::SpecError>(())
    /// ```
    ///
    /// # Errors
    /// The first fault, its path beginning with the field's name.
    pub fn check(&self, value: &Value) -> Result<(), ValueError> {
        fits(&self.ty, value).map_err(|error| error.at(&self.name))?;
        self.broken_by(value).map_or(Ok(()), Err)
    }
}

/// Values are as deep as the JSON they come from, whose reader bounds its depth.
fn fits(ty: &FieldType, value: &Value) -> Result<(), ValueError> {
    match (ty, value) {
        (FieldType::Json, _) | (FieldType::Option(_), Value::Null) => Ok(()),
        (FieldType::Option(inner), value) => fits(inner, value),
        (FieldType::String, Value::String(_)) | (FieldType::Bool, Value::Bool(_)) => Ok(()),
        (FieldType::Char, Value::String(text)) if text.chars().count() == 1 => Ok(()),
        (FieldType::Char, Value::String(text)) => Err(ValueError::new(format!(
            "expected one character, found {text:?}"
        ))),
        (FieldType::Int(int), Value::Int(number)) => in_range(*int, number, *number >= 0),
        (FieldType::Int(int), Value::UInt(number)) => in_range(*int, number, true),
        (FieldType::Float(float), Value::Float(number)) => narrow(*float, *number),
        (FieldType::Float(_), Value::Int(_) | Value::UInt(_)) => Ok(()),
        (FieldType::Date(kind), Value::String(text)) if kind.holds(text) => Ok(()),
        (FieldType::Date(kind), Value::String(text)) => Err(ValueError::new(format!(
            "expected {}, found {text:?}",
            kind.expected()
        ))),
        (FieldType::List(list), Value::List(items)) => all_fit(list, items),
        (FieldType::Tuple(types), Value::List(items)) => {
            length(types.len(), items)?;
            let mut pairs = types.iter().zip(items).enumerate();
            pairs.try_for_each(|(at, (ty, item))| fits(ty, item).map_err(|e| e.at(at)))
        }
        (FieldType::Map(ty), Value::Map(entries)) => entries
            .iter()
            .try_for_each(|(key, value)| fits(ty, value).map_err(|error| error.at(key))),
        (FieldType::Struct(spec), Value::Map(entries)) => {
            let entries = entries.iter().map(|(key, value)| (key.as_str(), value));
            fields_fit(&spec.fields, entries)
        }
        (FieldType::Enum(spec), value) => variant_fits(ty, spec, value),
        (ty, value) => Err(ValueError::expected(expected(ty), value)),
    }
}

fn expected(ty: &FieldType) -> &'static str {
    match ty {
        FieldType::String => "a string",
        FieldType::Char => "one character",
        FieldType::Bool => "a boolean",
        FieldType::Int(_) => "an integer",
        FieldType::Float(_) => "a number",
        FieldType::Date(kind) => kind.expected(),
        FieldType::List(_) | FieldType::Tuple(_) => "a list",
        FieldType::Map(_) | FieldType::Struct(_) => "a map",
        FieldType::Enum(_) => "a variant",
        FieldType::Option(_) => "a value or null",
        FieldType::Json => "any value",
    }
}

/// `positive` says that the number can be read as unsigned.
fn in_range(int: IntType, number: &impl ToString, positive: bool) -> Result<(), ValueError> {
    let shown = number.to_string();
    let inside = match positive {
        true => shown.parse::<u128>().is_ok_and(|n| n <= int.max()),
        false => shown.parse::<i128>().is_ok_and(|n| n >= int.min()),
    };
    match inside {
        true => Ok(()),
        false => Err(ValueError::new(format!(
            "{shown} is out of range: {} to {}",
            int.min(),
            int.max()
        ))),
    }
}

fn narrow(float: FloatType, number: f64) -> Result<(), ValueError> {
    match float {
        FloatType::F32 if number.is_finite() && (number as f32).is_infinite() => Err(
            ValueError::new(format!("{number:?} is out of range of a 32-bit float")),
        ),
        _ => Ok(()),
    }
}

fn length(expected: usize, items: &[Value]) -> Result<(), ValueError> {
    let unit = if expected == 1 { "item" } else { "items" };
    match items.len() {
        found if found == expected => Ok(()),
        found => Err(ValueError::new(format!(
            "expected {expected} {unit}, found {found}"
        ))),
    }
}

fn all_fit(list: &ListType, items: &[Value]) -> Result<(), ValueError> {
    if let ListKind::Array(expected) = list.kind {
        length(expected, items)?;
    }
    for (at, item) in items.iter().enumerate() {
        fits(&list.item, item).map_err(|error| error.at(at))?;
        if list.kind == ListKind::Set && items[..at].contains(item) {
            let repeats = "repeats an item before it, and a set has each only once";
            return Err(ValueError::new(repeats).at(at));
        }
    }
    Ok(())
}

fn fields_fit<'v>(
    fields: &[FieldSpec],
    entries: impl Iterator<Item = (&'v str, &'v Value)> + Clone,
) -> Result<(), ValueError> {
    for field in fields {
        let mut named = entries.clone().filter(|(key, _)| *key == field.name);
        match named.next() {
            Some((_, value)) => fits(&field.ty, value).map_err(|e| e.at(&field.name))?,
            None if field.may_be_missing() => {}
            None => return Err(ValueError::missing(&field.name)),
        }
    }
    let mut others = entries.filter(|(key, _)| !fields.iter().any(|field| field.name == *key));
    match others.next() {
        Some((key, _)) => Err(ValueError::new("there is no such field").at(key)),
        None => Ok(()),
    }
}

fn variant_fits(ty: &FieldType, spec: &EnumSpec, value: &Value) -> Result<(), ValueError> {
    if spec.is_unit() {
        return unit_variant(ty, value).map(drop);
    }
    let (row, values) = variant(ty, value.clone())?;
    match spec.variants.get(row).map(|variant| &variant.payload) {
        Some(Payload::Fields(fields)) => fields_fit(fields, values_of(&values)),
        Some(Payload::Value(ty)) => match values.get(PAYLOAD_KEY) {
            Some(value) => fits(ty, value).map_err(|error| error.at(PAYLOAD_KEY)),
            None => Err(ValueError::new("missing").at(PAYLOAD_KEY)),
        },
        Some(Payload::Unit) | None => fields_fit(&[], values_of(&values)),
    }
}

fn values_of(values: &super::FieldValues) -> impl Iterator<Item = (&str, &Value)> + Clone {
    let entries: Vec<_> = values.iter().collect();
    entries.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(ty: &str, json: &str) -> Option<String> {
        let ty = FieldType::from_type_str(ty).expect("a type");
        let value = Value::from(serde_json::from_str::<serde_json::Value>(json).expect("JSON"));
        let checked = FieldSpec::owned("x", "", ty).check(&value);
        checked.err().map(|error| error.to_string())
    }

    #[test]
    fn values_of_their_type_fit() {
        for (ty, json) in [
            ("String", r#""a""#),
            ("char", r#""é""#),
            ("bool", "true"),
            ("i8", "-128"),
            ("u64", "18446744073709551615"),
            ("f32", "3"),
            ("f64", "1e300"),
            ("date", r#""2024-02-29""#),
            ("Json", r#"{"a": [1]}"#),
            ("Option<u8>", "null"),
            ("Vec<Option<bool>>", "[true, null]"),
            ("[u8; 2]", "[1, 2]"),
            ("(u8, String)", r#"[1, "a"]"#),
            ("HashMap<String, u8>", r#"{"a": 1}"#),
            ("HashSet<u8>", "[1, 2]"),
            (r#"struct:{"a": "u8", "b": "Option<u8>"}"#, r#"{"a": 1}"#),
            ("enum:Low|High", r#""High""#),
        ] {
            assert_eq!(error(ty, json), None, "{ty} {json}");
        }
    }

    #[test]
    fn others_are_refused_by_the_place_of_the_fault() {
        for (ty, json, said) in [
            ("String", "1", "`x`: expected a string, found an integer"),
            (
                "char",
                r#""ab""#,
                "`x`: expected one character, found \"ab\"",
            ),
            ("u8", "-1", "`x`: -1 is out of range: 0 to 255"),
            ("f32", "1e300", "32-bit float"),
            ("date", r#""2023-02-29""#, "expected a date as YYYY-MM-DD"),
            (
                "Vec<Vec<u8>>",
                "[[1], [2, 300]]",
                "`x.1.1`: 300 is out of range",
            ),
            ("[u8; 2]", "[1]", "`x`: expected 2 items, found 1"),
            ("(u8,)", "[1, 2]", "`x`: expected 1 item, found 2"),
            ("HashSet<u8>", "[1, 1]", "`x.1`: repeats an item"),
            (r#"struct:{"a": "u8"}"#, "{}", "`x`: missing field `a`"),
            (
                r#"struct:{"a": "u8"}"#,
                r#"{"a": 1, "b": 2}"#,
                "`x.b`: there is no such field",
            ),
            (
                "enum:Low|High",
                r#""Mid""#,
                "\"Mid\" is none of `Low`, `High`",
            ),
            (
                r#"struct:{"a": {"type": "u8", "max": 3}}"#,
                r#"{"a": 4}"#,
                "`x.a`",
            ),
        ] {
            let found = error(ty, json).unwrap_or_default();
            assert!(found.contains(said), "{ty} {json}: {found}");
        }
    }
}

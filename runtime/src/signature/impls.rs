//! [`FieldValue`], and the types of the standard library that are one.

use std::collections::{BTreeMap, HashMap};

use super::{FieldType, FloatType, IntType, ListKind, ListType, TypeRef, Value, ValueError};

/// A Rust type that a field can have. Derive it for your own with `#[derive(CandleValue)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be the type of a signature's field",
    label = "not a field type",
    note = "add `#[derive(CandleValue)]` to `{Self}`, or use `#[input(with = module)]` / `#[output(with = module)]` for a foreign type"
)]
pub trait FieldValue: Sized {
    /// The type as data.
    const TYPE: &'static FieldType;

    /// The Rust value of an untyped one.
    ///
    /// # Errors
    /// Where kind or range is wrong. Nothing is coerced: that is the parser's work.
    fn from_value(value: Value) -> Result<Self, ValueError>;

    /// The untyped value.
    fn into_value(self) -> Value;
}

impl FieldValue for String {
    const TYPE: &'static FieldType = &FieldType::String;

    fn from_value(value: Value) -> Result<Self, ValueError> {
        match value {
            Value::String(text) => Ok(text),
            other => Err(ValueError::expected("a string", &other)),
        }
    }

    fn into_value(self) -> Value {
        Value::String(self)
    }
}

impl FieldValue for char {
    const TYPE: &'static FieldType = &FieldType::Char;

    fn from_value(value: Value) -> Result<Self, ValueError> {
        let Value::String(text) = &value else {
            return Err(ValueError::expected("a single character", &value));
        };
        let mut chars = text.chars();
        match (chars.next(), chars.next()) {
            (Some(c), None) => Ok(c),
            _ => Err(ValueError::new(format!(
                "expected a single character, found {} of them",
                text.chars().count()
            ))),
        }
    }

    fn into_value(self) -> Value {
        Value::String(self.into())
    }
}

impl FieldValue for bool {
    const TYPE: &'static FieldType = &FieldType::Bool;

    fn from_value(value: Value) -> Result<Self, ValueError> {
        match value {
            Value::Bool(b) => Ok(b),
            other => Err(ValueError::expected("a boolean", &other)),
        }
    }

    fn into_value(self) -> Value {
        Value::Bool(self)
    }
}

macro_rules! integers {
    ($($int:ty: $signed:literal $bits:literal),* $(,)?) => {$(
        impl FieldValue for $int {
            const TYPE: &'static FieldType = &FieldType::Int(IntType { signed: $signed, bits: $bits });

            fn from_value(value: Value) -> Result<Self, ValueError> {
                let (shown, in_range) = match value {
                    Value::Int(n) => (n.to_string(), <$int>::try_from(n).ok()),
                    Value::UInt(n) => (n.to_string(), <$int>::try_from(n).ok()),
                    other => return Err(ValueError::expected("an integer", &other)),
                };
                in_range.ok_or_else(|| {
                    let (min, max) = (<$int>::MIN, <$int>::MAX);
                    ValueError::new(format!("{shown} is out of range: {min} to {max}"))
                })
            }

            fn into_value(self) -> Value {
                // Every integer is an `Int` if it can be: equality of values depends on it.
                i128::try_from(self).map_or_else(|_| Value::UInt(self as u128), Value::Int)
            }
        }
    )*};
}

integers! {
    i8: true 8, i16: true 16, i32: true 32, i64: true 64, i128: true 128,
    u8: false 8, u16: false 16, u32: false 32, u64: false 64, u128: false 128,
}

impl FieldValue for f64 {
    const TYPE: &'static FieldType = &FieldType::Float(FloatType::F64);

    fn from_value(value: Value) -> Result<Self, ValueError> {
        match value {
            Value::Float(x) => Ok(x),
            Value::Int(n) => Ok(n as f64),
            Value::UInt(n) => Ok(n as f64),
            other => Err(ValueError::expected("a number", &other)),
        }
    }

    fn into_value(self) -> Value {
        Value::Float(self)
    }
}

impl FieldValue for f32 {
    const TYPE: &'static FieldType = &FieldType::Float(FloatType::F32);

    fn from_value(value: Value) -> Result<Self, ValueError> {
        let wide = f64::from_value(value)?;
        let narrow = wide as f32;
        if wide.is_finite() && narrow.is_infinite() {
            return Err(ValueError::new(format!(
                "{wide:?} is out of range of a 32-bit float"
            )));
        }
        Ok(narrow)
    }

    fn into_value(self) -> Value {
        // By way of the shortest decimal: 0.1f32 is to be written 0.1, not 0.10000000149011612.
        Value::Float(self.to_string().parse().unwrap_or(f64::from(self)))
    }
}

impl<T: FieldValue> FieldValue for Option<T> {
    const TYPE: &'static FieldType = &FieldType::Option(TypeRef::of::<T>());

    fn from_value(value: Value) -> Result<Self, ValueError> {
        match value {
            Value::Null => Ok(None),
            other => T::from_value(other).map(Some),
        }
    }

    fn into_value(self) -> Value {
        self.map_or(Value::Null, T::into_value)
    }
}

impl<T: FieldValue> FieldValue for Vec<T> {
    const TYPE: &'static FieldType = &FieldType::List(ListType {
        item: TypeRef::of::<T>(),
        kind: ListKind::List,
    });

    fn from_value(value: Value) -> Result<Self, ValueError> {
        items_of(value)?
            .into_iter()
            .enumerate()
            .map(|(at, item)| T::from_value(item).map_err(|error| error.at(at)))
            .collect()
    }

    fn into_value(self) -> Value {
        Value::List(self.into_iter().map(T::into_value).collect())
    }
}

impl<T: FieldValue> FieldValue for Box<T> {
    const TYPE: &'static FieldType = T::TYPE;

    fn from_value(value: Value) -> Result<Self, ValueError> {
        T::from_value(value).map(Box::new)
    }

    fn into_value(self) -> Value {
        (*self).into_value()
    }
}

impl<T: FieldValue> FieldValue for BTreeMap<String, T> {
    const TYPE: &'static FieldType = &FieldType::Map(TypeRef::of::<T>());

    fn from_value(value: Value) -> Result<Self, ValueError> {
        entries_of(value)?.map(typed_entry).collect()
    }

    fn into_value(self) -> Value {
        Value::Map(
            self.into_iter()
                .map(|(key, value)| (key, value.into_value()))
                .collect(),
        )
    }
}

/// Written in the order of the keys, so that equal maps give equal prompts.
impl<T: FieldValue> FieldValue for HashMap<String, T> {
    const TYPE: &'static FieldType = &FieldType::Map(TypeRef::of::<T>());

    fn from_value(value: Value) -> Result<Self, ValueError> {
        entries_of(value)?.map(typed_entry).collect()
    }

    fn into_value(self) -> Value {
        self.into_iter().collect::<BTreeMap<_, _>>().into_value()
    }
}

impl FieldValue for serde_json::Value {
    const TYPE: &'static FieldType = &FieldType::Json;

    fn from_value(value: Value) -> Result<Self, ValueError> {
        serde_json::to_value(&value).map_err(|error| ValueError::new(error.to_string()))
    }

    fn into_value(self) -> Value {
        Value::from(self)
    }
}

fn items_of(value: Value) -> Result<Vec<Value>, ValueError> {
    match value {
        Value::List(items) => Ok(items),
        other => Err(ValueError::expected("a list", &other)),
    }
}

fn entries_of(value: Value) -> Result<impl Iterator<Item = (String, Value)>, ValueError> {
    match value {
        Value::Map(entries) => Ok(entries.into_iter()),
        other => Err(ValueError::expected("a map", &other)),
    }
}

fn typed_entry<T: FieldValue>((key, value): (String, Value)) -> Result<(String, T), ValueError> {
    match T::from_value(value) {
        Ok(value) => Ok((key, value)),
        Err(error) => Err(error.at(key)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip<T: FieldValue + Clone + PartialEq + std::fmt::Debug>(value: T) {
        assert_eq!(
            T::from_value(value.clone().into_value()).as_ref(),
            Ok(&value)
        );
    }

    #[test]
    fn values_come_back() {
        round_trip(String::from("x"));
        round_trip('é');
        round_trip(i128::MIN);
        round_trip(u128::MAX);
        round_trip(0.1f32);
        round_trip(f64::MAX);
        round_trip(vec![Some(1u8), None]);
        round_trip(BTreeMap::from([(String::from("a"), Box::new(true))]));
        round_trip(serde_json::json!({"a": [1, null, 2.5, "x"]}));
    }

    #[test]
    fn an_f32_is_written_as_short_as_it_is() {
        assert_eq!(0.1f32.into_value(), Value::Float(0.1));
    }

    #[test]
    fn errors_name_place_and_range() {
        let list = Value::List(vec![Value::Int(1), Value::Int(300)]);
        let error = Vec::<u8>::from_value(list).expect_err("300 is no u8");
        assert_eq!(error.to_string(), "`1`: 300 is out of range: 0 to 255");
        assert!(char::from_value(Value::String("ab".into())).is_err());
        assert!(bool::from_value(Value::Int(1)).is_err());
    }

    #[test]
    fn a_type_can_contain_itself() {
        struct Tree(Vec<Tree>);
        impl FieldValue for Tree {
            const TYPE: &'static FieldType = <Vec<Tree>>::TYPE;
            fn from_value(value: Value) -> Result<Self, ValueError> {
                Vec::from_value(value).map(Tree)
            }
            fn into_value(self) -> Value {
                self.0.into_value()
            }
        }
        let tree = Value::List(vec![Value::List(vec![])]);
        assert_eq!(
            Tree::from_value(tree.clone()).map(Tree::into_value),
            Ok(tree)
        );
    }
}

//! Maps with text as keys.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, Hash};

use super::super::{FieldType, FieldValue, Known, TypeRef, Value, ValueError};
use super::TextValue;

impl<K: TextValue + Ord, T: FieldValue> FieldValue for BTreeMap<K, T> {
    const TYPE: &'static FieldType = &FieldType::Map(TypeRef::of::<T>());
    const KNOWN: Known = Known::of::<Self>();

    fn from_value(value: Value) -> Result<Self, ValueError> {
        entries_of(value)?.map(typed_entry).collect()
    }

    fn into_value(self) -> Value {
        Value::Map(
            self.into_iter()
                .map(|(key, value)| (key.into_text(), value.into_value()))
                .collect(),
        )
    }
}

/// Written in the order of the keys, so that equal maps give equal prompts.
impl<K, T, H> FieldValue for HashMap<K, T, H>
where
    K: TextValue + Eq + Hash,
    T: FieldValue,
    H: BuildHasher + Default,
{
    const TYPE: &'static FieldType = &FieldType::Map(TypeRef::of::<T>());
    const KNOWN: Known = Known::of::<Self>();

    fn from_value(value: Value) -> Result<Self, ValueError> {
        entries_of(value)?.map(typed_entry).collect()
    }

    fn into_value(self) -> Value {
        self.into_iter()
            .map(|(key, value)| (key.into_text(), value))
            .collect::<BTreeMap<_, _>>()
            .into_value()
    }
}

fn entries_of(value: Value) -> Result<impl Iterator<Item = (String, Value)>, ValueError> {
    match value {
        Value::Map(entries) => Ok(entries.into_iter()),
        other => Err(ValueError::expected("a map", &other)),
    }
}

fn typed_entry<K: TextValue, T: FieldValue>(
    (key, value): (String, Value),
) -> Result<(K, T), ValueError> {
    match T::from_value(value) {
        Ok(value) => Ok((key.into(), value)),
        Err(error) => Err(error.at(key)),
    }
}

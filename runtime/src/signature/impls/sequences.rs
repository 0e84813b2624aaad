//! Lists, sets, arrays and tuples.

use std::collections::{BTreeSet, HashSet, VecDeque};
use std::hash::{BuildHasher, Hash};

use super::super::{FieldType, FieldValue, Known, ListKind, ListType, TypeRef, Value, ValueError};

macro_rules! sequence {
    ($kind:expr) => {
        const TYPE: &'static FieldType = &FieldType::List(ListType {
            item: TypeRef::of::<T>(),
            kind: $kind,
        });
        const KNOWN: Known = Known::of::<Self>();
    };
}

impl<T: FieldValue> FieldValue for Vec<T> {
    sequence!(ListKind::List);

    fn from_value(value: Value) -> Result<Self, ValueError> {
        typed(items_of(value)?).collect()
    }

    fn into_value(self) -> Value {
        Value::List(self.into_iter().map(T::into_value).collect())
    }
}

impl<T: FieldValue> FieldValue for VecDeque<T> {
    sequence!(ListKind::List);

    fn from_value(value: Value) -> Result<Self, ValueError> {
        typed(items_of(value)?).collect()
    }

    fn into_value(self) -> Value {
        Value::List(self.into_iter().map(T::into_value).collect())
    }
}

/// Two equal items are an error: a set would drop one of them unseen.
impl<T: FieldValue + Ord> FieldValue for BTreeSet<T> {
    sequence!(ListKind::Set);

    fn from_value(value: Value) -> Result<Self, ValueError> {
        let mut set = BTreeSet::new();
        for (at, item) in typed(items_of(value)?).enumerate() {
            if !set.insert(item?) {
                return Err(repeated(at));
            }
        }
        Ok(set)
    }

    fn into_value(self) -> Value {
        Value::List(self.into_iter().map(T::into_value).collect())
    }
}

/// As a `BTreeSet`, and written in the order of the items' JSON, so that equal sets give equal prompts.
impl<T: FieldValue + Eq + Hash, H: BuildHasher + Default> FieldValue for HashSet<T, H> {
    sequence!(ListKind::Set);

    fn from_value(value: Value) -> Result<Self, ValueError> {
        let mut set = HashSet::with_hasher(H::default());
        for (at, item) in typed(items_of(value)?).enumerate() {
            if !set.insert(item?) {
                return Err(repeated(at));
            }
        }
        Ok(set)
    }

    fn into_value(self) -> Value {
        let mut items: Vec<Value> = self.into_iter().map(T::into_value).collect();
        items.sort_by_cached_key(|item| serde_json::to_string(item).unwrap_or_default());
        Value::List(items)
    }
}

impl<T: FieldValue, const N: usize> FieldValue for [T; N] {
    sequence!(ListKind::Array(N));

    fn from_value(value: Value) -> Result<Self, ValueError> {
        let items = typed(items_of(value)?).collect::<Result<Vec<T>, _>>()?;
        items
            .try_into()
            .map_err(|items: Vec<T>| wrong_length(N, items.len()))
    }

    fn into_value(self) -> Value {
        Value::List(self.into_iter().map(T::into_value).collect())
    }
}

macro_rules! tuples {
    ($($len:literal: $($item:ident)*;)*) => {$(
        #[diagnostic::do_not_recommend]
        impl<$($item: FieldValue),*> FieldValue for ($($item,)*) {
            const TYPE: &'static FieldType = &FieldType::Tuple(std::borrow::Cow::Borrowed(
                const { &[$(TypeRef::of::<$item>()),*] },
            ));
            const KNOWN: Known = Known::of::<Self>();

            fn from_value(value: Value) -> Result<Self, ValueError> {
                let items = items_of(value)?;
                if items.len() != $len {
                    return Err(wrong_length($len, items.len()));
                }
                let mut items = items.into_iter().enumerate();
                Ok(($(next::<$item>(&mut items, $len)?,)*))
            }

            #[allow(non_snake_case)] // The type parameters' names serve for the items too.
            fn into_value(self) -> Value {
                let ($($item,)*) = self;
                Value::List(vec![$($item.into_value()),*])
            }
        }
    )*};
}

tuples! {
    1: A;
    2: A B;
    3: A B C;
    4: A B C D;
    5: A B C D E;
    6: A B C D E F;
    7: A B C D E F G;
    8: A B C D E F G I;
}

fn next<T: FieldValue>(
    items: &mut impl Iterator<Item = (usize, Value)>,
    len: usize,
) -> Result<T, ValueError> {
    let (at, item) = items.next().ok_or_else(|| wrong_length(len, 0))?;
    T::from_value(item).map_err(|error| error.at(at))
}

fn items_of(value: Value) -> Result<Vec<Value>, ValueError> {
    match value {
        Value::List(items) => Ok(items),
        other => Err(ValueError::expected("a list", &other)),
    }
}

fn typed<T: FieldValue>(items: Vec<Value>) -> impl Iterator<Item = Result<T, ValueError>> {
    items
        .into_iter()
        .enumerate()
        .map(|(at, item)| T::from_value(item).map_err(|error| error.at(at)))
}

fn wrong_length(expected: usize, found: usize) -> ValueError {
    let items = if expected == 1 { "item" } else { "items" };
    ValueError::new(format!("expected {expected} {items}, found {found}"))
}

fn repeated(at: usize) -> ValueError {
    ValueError::new("repeats an item before it, and a set has each only once").at(at)
}

//! [`FieldValue`], and the types of the standard library that are one.

#[cfg(feature = "chrono")]
mod dates;
mod maps;
mod numbers;
mod sequences;
mod strings;

use super::{FieldType, Known, TypeRef, Value, ValueError};

pub use strings::TextValue;

/// A Rust type that a field can have. Derive it for your own with `#[derive(CandleValue)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be the type of a signature's field",
    label = "not a field type",
    note = "add `#[derive(CandleValue)]` to `{Self}`, or write `with = module` in the field's attribute for a foreign type",
    note = "strings, numbers, `bool`, `char`, `Option`, lists, sets, arrays, tuples, maps and `serde_json::Value` are field types already"
)]
pub trait FieldValue: Sized {
    /// The type as data.
    const TYPE: &'static FieldType;

    /// The type for constant evaluation: `example_file!` checks records against it.
    #[doc(hidden)]
    const KNOWN: Known = Known::NOTHING;

    /// A reference to the type.
    #[doc(hidden)]
    const REF: TypeRef = TypeRef::of::<Self>();

    /// The Rust value of an untyped one.
    ///
    /// # Errors
    /// Where kind or range is wrong. Nothing is coerced: that is the parser's work.
    fn from_value(value: Value) -> Result<Self, ValueError>;

    /// The untyped value.
    fn into_value(self) -> Value;
}

impl<T: FieldValue> FieldValue for Option<T> {
    const TYPE: &'static FieldType = &FieldType::Option(TypeRef::of::<T>());
    const KNOWN: Known = Known::of::<Self>();

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

impl<T: FieldValue> FieldValue for Box<T> {
    const TYPE: &'static FieldType = T::TYPE;
    const KNOWN: Known = T::KNOWN;

    fn from_value(value: Value) -> Result<Self, ValueError> {
        T::from_value(value).map(Box::new)
    }

    fn into_value(self) -> Value {
        (*self).into_value()
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;
    use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
    use std::sync::Arc;

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
        round_trip((1u8, String::from("x"), Some(false)));
        round_trip([1.5f32, 2.5]);
        round_trip(VecDeque::from([1i64, 2]));
        round_trip(BTreeSet::from(['a', 'b']));
        round_trip(HashSet::from([String::from("a"), String::from("b")]));
        round_trip(HashMap::from([(Box::<str>::from("k"), vec![(1u8,)])]));
        round_trip(Arc::<str>::from("x"));
        round_trip(Cow::Borrowed("x"));
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
    fn sequences_are_exact() {
        let list = |items: &[i128]| Value::List(items.iter().map(|n| Value::Int(*n)).collect());
        let error = |result: Result<(), ValueError>| result.expect_err("not right").to_string();
        assert_eq!(
            error(<[u8; 3]>::from_value(list(&[1, 2])).map(drop)),
            "expected 3 items, found 2"
        );
        assert_eq!(
            error(<(u8,)>::from_value(list(&[1, 2])).map(drop)),
            "expected 1 item, found 2"
        );
        assert_eq!(
            error(BTreeSet::<u8>::from_value(list(&[1, 2, 1])).map(drop)),
            "`2`: repeats an item before it, and a set has each only once"
        );
    }

    #[test]
    fn a_hash_set_is_written_in_one_order() {
        let set: HashSet<u8> = (0..50).collect();
        let again: HashSet<u8> = (0..50).rev().collect();
        assert_eq!(set.into_value(), again.into_value());
    }

    #[test]
    fn a_type_can_contain_itself() {
        struct Tree(Vec<Tree>);
        #[diagnostic::do_not_recommend]
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

//! Which constraints suit which types: bounds that derived code puts on a field's type where it has one.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::Arc;

use super::{Bound, Constraint, Str};

/// Types that `min` and `max` suit.
#[diagnostic::on_unimplemented(
    message = "`min` and `max` need a number; `{Self}` is none",
    label = "needs a number"
)]
pub trait Ranged {
    /// The least value.
    const LEAST: Bound;
    /// The greatest value.
    const MOST: Bound;
}

/// Types that `len` suits.
#[diagnostic::on_unimplemented(
    message = "`len` needs a string, list, set or map; `{Self}` is none",
    label = "needs something that has a length"
)]
pub trait Measured {}

/// Types that `regex`, `one_of` and `one_line` suit.
#[diagnostic::on_unimplemented(
    message = "`regex`, `one_of` and `one_line` need a string; `{Self}` is none",
    label = "needs a string",
    note = "the choices of an enum are its variants, a list's items are constrained by a type of their own"
)]
pub trait Text {}

/// Types that `unique` suits.
#[diagnostic::on_unimplemented(
    message = "`unique` needs a list; `{Self}` is none",
    label = "needs a list"
)]
pub trait Items {}

macro_rules! ranged {
    ($bound:ident as $wide:ty: $($number:ty),*) => {$(
        impl Ranged for $number {
            const LEAST: Bound = Bound::$bound(<$number>::MIN as $wide);
            const MOST: Bound = Bound::$bound(<$number>::MAX as $wide);
        }
    )*};
}

ranged!(Int as i128: i8, i16, i32, i64, i128, u8, u16, u32, u64);
ranged!(UInt as u128: u128);
ranged!(Float as f64: f32, f64);

macro_rules! transparent {
    ($($suits:ident),*) => {$(
        impl<T: $suits> $suits for Option<T> {}
        impl<T: $suits> $suits for Box<T> {}
    )*};
}

transparent!(Measured, Text, Items);

impl<T: Ranged> Ranged for Option<T> {
    const LEAST: Bound = T::LEAST;
    const MOST: Bound = T::MOST;
}

impl<T: Ranged> Ranged for Box<T> {
    const LEAST: Bound = T::LEAST;
    const MOST: Bound = T::MOST;
}

impl Text for String {}
impl Text for Cow<'static, str> {}
impl Text for Box<str> {}
impl Text for Arc<str> {}

impl Measured for String {}
impl Measured for Cow<'static, str> {}
impl Measured for Box<str> {}
impl Measured for Arc<str> {}
impl<T> Measured for Vec<T> {}
impl<T> Measured for VecDeque<T> {}
impl<T, H> Measured for HashSet<T, H> {}
impl<T> Measured for BTreeSet<T> {}
impl<K, T, H> Measured for HashMap<K, T, H> {}
impl<K, T> Measured for BTreeMap<K, T> {}

impl<T> Items for Vec<T> {}
impl<T> Items for VecDeque<T> {}

/// `min` of a field of type `T`.
#[must_use]
#[track_caller]
pub const fn min_of<T: Ranged>(bound: Bound) -> Constraint {
    assert!(
        within::<T>(bound),
        "`min` is out of the range of the field's type"
    );
    Constraint::Min(bound)
}

/// `max` of a field of type `T`.
#[must_use]
#[track_caller]
pub const fn max_of<T: Ranged>(bound: Bound) -> Constraint {
    assert!(
        within::<T>(bound),
        "`max` is out of the range of the field's type"
    );
    Constraint::Max(bound)
}

const fn within<T: Ranged>(bound: Bound) -> bool {
    match (T::LEAST, bound, T::MOST) {
        (Bound::Int(least), Bound::Int(n), Bound::Int(most)) => least <= n && n <= most,
        (Bound::UInt(_), Bound::Int(n), _) => n >= 0,
        (Bound::UInt(_), Bound::UInt(_), _) => true,
        (Bound::Float(least), Bound::Float(x), Bound::Float(most)) => least <= x && x <= most,
        (Bound::Float(_), Bound::Int(_) | Bound::UInt(_), _) => true,
        _ => false,
    }
}

/// `len` of a field of type `T`.
#[must_use]
pub const fn len_of<T: Measured>(min: usize, max: usize) -> Constraint {
    len(min, max)
}

/// `regex` of a field of type `T`.
#[must_use]
pub const fn regex_of<T: Text>(pattern: &'static str) -> Constraint {
    regex(pattern)
}

/// `one_of` of a field of type `T`.
#[must_use]
pub const fn one_of_of<T: Text>(choices: &'static [Str]) -> Constraint {
    one_of(choices)
}

/// `one_line` of a field of type `T`.
#[must_use]
pub const fn one_line_of<T: Text>() -> Constraint {
    Constraint::OneLine
}

/// `unique` of a field of type `T`.
#[must_use]
pub const fn unique_of<T: Items>() -> Constraint {
    Constraint::Unique
}

/// `min` of a foreign type.
#[must_use]
pub const fn min(bound: Bound) -> Constraint {
    Constraint::Min(bound)
}

/// `max` of a foreign type.
#[must_use]
pub const fn max(bound: Bound) -> Constraint {
    Constraint::Max(bound)
}

/// `len` of a foreign type.
#[must_use]
pub const fn len(min: usize, max: usize) -> Constraint {
    Constraint::Len { min, max }
}

/// `regex` of a foreign type.
#[must_use]
pub const fn regex(pattern: &'static str) -> Constraint {
    Constraint::Regex(Cow::Borrowed(pattern))
}

/// `one_of` of a foreign type.
#[must_use]
pub const fn one_of(choices: &'static [Str]) -> Constraint {
    Constraint::OneOf(Cow::Borrowed(choices))
}

/// `one_line` of a foreign type.
#[must_use]
pub const fn one_line() -> Constraint {
    Constraint::OneLine
}

/// `unique` of a foreign type.
#[must_use]
pub const fn unique() -> Constraint {
    Constraint::Unique
}

/// Derived code has constant evaluation call these; here they run, so that a fault shows in a test and not in each build.
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_gives_its_constraint() {
        let (int, float) = (Bound::Int(3), Bound::Float(0.5));
        const CHOICES: &[Str] = &[Cow::Borrowed("a"), Cow::Borrowed("b")];
        for (typed, foreign, constraint) in [
            (min_of::<u8>(int), min(int), Constraint::Min(int)),
            (max_of::<f32>(float), max(float), Constraint::Max(float)),
            (
                len_of::<String>(1, 5),
                len(1, 5),
                Constraint::Len { min: 1, max: 5 },
            ),
            (
                regex_of::<Box<str>>("[a-z]+"),
                regex("[a-z]+"),
                Constraint::Regex("[a-z]+".into()),
            ),
            (
                one_of_of::<Option<String>>(CHOICES),
                one_of(CHOICES),
                Constraint::OneOf(CHOICES.into()),
            ),
            (one_line_of::<Arc<str>>(), one_line(), Constraint::OneLine),
            (unique_of::<Vec<u8>>(), unique(), Constraint::Unique),
        ] {
            assert_eq!((&typed, &foreign), (&constraint, &constraint));
        }
    }

    #[test]
    fn a_bound_lies_within_its_type() {
        let beyond = Bound::UInt(i128::MAX as u128 + 1);
        for (fits, within) in [
            (within::<i8>(Bound::Int(-128)), true),
            (within::<i8>(Bound::Int(-129)), false),
            (within::<Option<u8>>(Bound::Int(255)), true),
            (within::<Box<u8>>(Bound::Int(256)), false),
            (within::<u64>(beyond), false),
            (within::<i128>(beyond), false),
            (within::<u128>(beyond), true),
            (within::<u128>(Bound::Int(0)), true),
            (within::<u128>(Bound::Int(-1)), false),
            (within::<f64>(Bound::Int(i128::MIN)), true),
            (within::<f64>(beyond), true),
            (within::<f32>(Bound::Float(1e38)), true),
            (within::<f32>(Bound::Float(1e39)), false),
            (within::<u8>(Bound::Float(1.0)), false),
        ] {
            assert_eq!(fits, within);
        }
    }

    #[test]
    fn a_bound_beyond_its_type_ends_the_build() {
        let said = |ends: fn() -> Constraint| {
            let told = std::panic::catch_unwind(ends).expect_err("a panic");
            told.downcast_ref::<&str>().map(|told| told.to_string())
        };
        assert_eq!(
            said(|| min_of::<u8>(Bound::Int(-1))).as_deref(),
            Some("`min` is out of the range of the field's type")
        );
        assert_eq!(
            said(|| max_of::<u8>(Bound::Int(256))).as_deref(),
            Some("`max` is out of the range of the field's type")
        );
    }
}

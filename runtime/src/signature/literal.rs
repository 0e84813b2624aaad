//! Literals in `example!` and `default = ...`: `"..."` for whatever text type, `[..]` for whatever sequence.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::hash::{BuildHasher, Hash};
use std::sync::Arc;

/// Types that a string literal can stand for.
#[diagnostic::on_unimplemented(
    message = "a string literal can't be a `{Self}`",
    label = "expected `{Self}`, found a string literal"
)]
pub trait FromText {
    /// The value that the literal stands for.
    fn from_text(text: &'static str) -> Self;
}

/// Types that an array literal can stand for.
#[diagnostic::on_unimplemented(
    message = "an array can't be a `{Self}`",
    label = "expected `{Self}`, found an array"
)]
pub trait FromItems<T, const N: usize> {
    /// The value that the literal stands for.
    fn from_items(items: [T; N]) -> Self;
}

/// The value of a string literal.
pub fn text<T: FromText>(text: &'static str) -> T {
    T::from_text(text)
}

/// The value of an array literal.
pub fn items<C: FromItems<T, N>, T, const N: usize>(items: [T; N]) -> C {
    C::from_items(items)
}

/// A vector: `Vec::from` needs its trait in scope, which generated code can't count on.
pub fn list<T, const N: usize>(items: [T; N]) -> Vec<T> {
    Vec::from(items)
}

macro_rules! from_text {
    ($($text:ty),*) => {$(
        impl FromText for $text {
            fn from_text(text: &'static str) -> Self {
                text.into()
            }
        }
    )*};
}

from_text!(
    String,
    &'static str,
    Cow<'static, str>,
    Box<str>,
    Arc<str>,
    serde_json::Value
);

impl<T: FromText> FromText for Option<T> {
    fn from_text(text: &'static str) -> Self {
        Some(T::from_text(text))
    }
}

macro_rules! from_items {
    ($($list:ty $(where $bound:ident $($more:ident)?)?;)*) => {$(
        impl<T $(: $bound $(+ $more)?)?, const N: usize> FromItems<T, N> for $list {
            fn from_items(items: [T; N]) -> Self {
                items.into_iter().collect()
            }
        }
    )*};
}

from_items! {
    Vec<T>;
    VecDeque<T>;
    BTreeSet<T> where Ord;
}

impl<T: Eq + Hash, H: BuildHasher + Default, const N: usize> FromItems<T, N> for HashSet<T, H> {
    fn from_items(items: [T; N]) -> Self {
        items.into_iter().collect()
    }
}

impl<T, const N: usize> FromItems<T, N> for [T; N] {
    fn from_items(items: [T; N]) -> Self {
        items
    }
}

impl<K: Ord, V, const N: usize> FromItems<(K, V), N> for BTreeMap<K, V> {
    fn from_items(entries: [(K, V); N]) -> Self {
        entries.into_iter().collect()
    }
}

impl<K: Eq + Hash, V, H: BuildHasher + Default, const N: usize> FromItems<(K, V), N>
    for HashMap<K, V, H>
{
    fn from_items(entries: [(K, V); N]) -> Self {
        entries.into_iter().collect()
    }
}

impl<T, C: FromItems<T, N>, const N: usize> FromItems<T, N> for Option<C> {
    fn from_items(items: [T; N]) -> Self {
        Some(C::from_items(items))
    }
}

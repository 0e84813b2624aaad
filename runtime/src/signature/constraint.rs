//! What a field demands beyond its type. Prompt, grammar and parser all read it.

use std::borrow::Cow;
use std::fmt;

use super::Str;

/// One demand on a value.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Constraint {
    /// The number is at least this.
    Min(Bound),
    /// The number is at most this.
    Max(Bound),
    /// Length within bounds: characters of a string, items of a list, entries of a map.
    Len {
        /// Least length.
        min: usize,
        /// Greatest length.
        max: usize,
    },
    /// The whole string matches this regular expression (syntax of the `regex` crate).
    Regex(Str),
    /// The string is one of these.
    OneOf(Cow<'static, [Str]>),
    /// The string has no line break.
    OneLine,
    /// No two items are equal.
    Unique,
}

/// An exact bound: an integer bound of a 128-bit type does not fit an `f64`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Bound {
    /// Integer bound.
    Int(i128),
    /// Integer bound above `i128::MAX`.
    UInt(u128),
    /// Floating-point bound.
    Float(f64),
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Bound::Int(n) => n.fmt(f),
            Bound::UInt(n) => n.fmt(f),
            Bound::Float(x) => write!(f, "{x:?}"),
        }
    }
}

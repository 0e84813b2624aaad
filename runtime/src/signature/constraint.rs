//! What a field demands beyond its type. Prompt, grammar and parser all read it.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;

use super::{Str, Value};

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

impl Bound {
    /// How a number compares to the bound, exactly: a float and an integer are compared without rounding the integer. `None`
    /// where the value is no number, `Some(None)` for NaN, which lies within no bounds.
    pub(crate) fn order_of(&self, value: &Value) -> Option<Option<Ordering>> {
        Some(match (value, self) {
            (Value::Int(n), Bound::Int(b)) => Some(n.cmp(b)),
            (Value::Int(_), Bound::UInt(_)) => Some(Ordering::Less),
            (Value::UInt(_), Bound::Int(_)) => Some(Ordering::Greater),
            (Value::UInt(n), Bound::UInt(b)) => Some(n.cmp(b)),
            (Value::Float(x), Bound::Float(b)) => x.partial_cmp(b),
            (Value::Float(x), Bound::Int(b)) => x.partial_cmp(&(*b as f64)),
            (Value::Float(x), Bound::UInt(b)) => x.partial_cmp(&(*b as f64)),
            (Value::Int(n), Bound::Float(b)) => int_to_float(*n, *b),
            (Value::UInt(n), Bound::Float(b)) => (*n as f64).partial_cmp(b),
            _ => return None,
        })
    }
}

/// Compares with the nearest integer at or below the bound, which a 128-bit cast gives exactly or saturated.
fn int_to_float(n: i128, bound: f64) -> Option<Ordering> {
    if bound.is_nan() {
        return None;
    }
    let floor = bound.floor() as i128;
    Some(n.cmp(&floor).then(match bound.fract() == 0.0 {
        true => Ordering::Equal,
        false => Ordering::Less,
    }))
}

//! A literal against the constraints of its field.

use super::super::{Bound, Constraint, FieldSpec, Str};
use super::pattern::{Step, whole_match};
use super::text::Text;
use super::{Literal, same, str_of};

/// What is wrong with the literal, if anything.
pub(super) const fn fault(
    field: &'static FieldSpec,
    pattern: Option<&'static [Step]>,
    literal: &Literal,
) -> Option<Text> {
    let constraints = match &field.constraints {
        std::borrow::Cow::Borrowed(constraints) => *constraints,
        std::borrow::Cow::Owned(_) => &[],
    };
    let open = Text::new().text("`").text(str_of(&field.name)).text("`: ");
    let mut at = 0;
    while at < constraints.len() {
        let fault = match &constraints[at] {
            Constraint::Min(bound) => number(open, literal, bound, true),
            Constraint::Max(bound) => number(open, literal, bound, false),
            Constraint::Len { min, max } => length(open, literal, *min, *max),
            Constraint::Regex(regex) => matches(open, literal, str_of(regex), pattern),
            Constraint::OneOf(std::borrow::Cow::Borrowed(choices)) => {
                choice(open, literal, choices)
            }
            Constraint::OneOf(std::borrow::Cow::Owned(_)) => None,
            Constraint::OneLine => one_line(open, literal),
            Constraint::Unique => unique(open, literal),
        };
        if fault.is_some() {
            return fault;
        }
        at += 1;
    }
    None
}

const fn number(open: Text, literal: &Literal, bound: &Bound, is_min: bool) -> Option<Text> {
    let outside = match (literal, bound) {
        (Literal::Int(n), Bound::Int(b)) => outside_int(*n, *b, is_min),
        (Literal::UInt(n), Bound::UInt(b)) => outside_uint(*n, *b, is_min),
        (Literal::UInt(_), Bound::Int(_)) => !is_min,
        (Literal::Int(_), Bound::UInt(_)) => is_min,
        (Literal::Float(x), Bound::Float(b)) => outside_float(*x, *b, is_min),
        (Literal::Float(x), Bound::Int(b)) => outside_float(*x, *b as f64, is_min),
        (Literal::Int(n), Bound::Float(b)) => outside_float(*n as f64, *b, is_min),
        _ => false,
    };
    if !outside {
        return None;
    }
    let open = match literal {
        Literal::Int(n) => open.int(*n),
        Literal::UInt(n) => open.uint(*n),
        Literal::Float(x) => open.float(*x),
        _ => open,
    };
    let open = open.text(if is_min {
        " is below `min = "
    } else {
        " is above `max = "
    });
    let open = match bound {
        Bound::Int(n) => open.int(*n),
        Bound::UInt(n) => open.uint(*n),
        Bound::Float(x) => open.float(*x),
    };
    Some(open.text("`"))
}

const fn outside_int(n: i128, bound: i128, is_min: bool) -> bool {
    if is_min { n < bound } else { n > bound }
}

const fn outside_uint(n: u128, bound: u128, is_min: bool) -> bool {
    if is_min { n < bound } else { n > bound }
}

const fn outside_float(x: f64, bound: f64, is_min: bool) -> bool {
    if is_min { x < bound } else { x > bound }
}

const fn length(open: Text, literal: &Literal, min: usize, max: usize) -> Option<Text> {
    let (len, unit) = match literal {
        Literal::Text(text) => (chars(text), "character"),
        Literal::List(items) => (items.len(), "item"),
        Literal::Map(entries) => (entries.len(), "entry"),
        _ => return None,
    };
    if min <= len && len <= max {
        return None;
    }
    let open = open.uint(len as u128).text(" ").text(match (len, literal) {
        (1, _) => unit,
        (_, Literal::Text(_)) => "characters",
        (_, Literal::Map(_)) => "entries",
        _ => "items",
    });
    let open = open.text(", but `len = ").uint(min as u128).text("..");
    let open = if max == usize::MAX {
        open
    } else {
        open.text("=").uint(max as u128)
    };
    Some(open.text("`"))
}

const fn chars(text: &str) -> usize {
    let bytes = text.as_bytes();
    let (mut at, mut count) = (0, 0);
    while at < bytes.len() {
        if bytes[at] & 0b1100_0000 != 0b1000_0000 {
            count += 1;
        }
        at += 1;
    }
    count
}

const fn matches(
    open: Text,
    literal: &Literal,
    regex: &str,
    pattern: Option<&'static [Step]>,
) -> Option<Text> {
    let (Literal::Text(text), Some(pattern)) = (literal, pattern) else {
        return None;
    };
    if whole_match(pattern, text) {
        return None;
    }
    Some(
        open.quoted(text)
            .text(" does not match `regex = ")
            .quoted(regex)
            .text("`"),
    )
}

const fn choice(open: Text, literal: &Literal, choices: &'static [Str]) -> Option<Text> {
    let Literal::Text(text) = literal else {
        return None;
    };
    let mut listed = open.quoted(text).text(" is none of `one_of = [");
    let mut at = 0;
    while at < choices.len() {
        if same(str_of(&choices[at]), text) {
            return None;
        }
        listed = listed
            .text(if at == 0 { "" } else { ", " })
            .quoted(str_of(&choices[at]));
        at += 1;
    }
    Some(listed.text("]`"))
}

const fn one_line(open: Text, literal: &Literal) -> Option<Text> {
    let Literal::Text(text) = literal else {
        return None;
    };
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] == b'\n' || bytes[at] == b'\r' {
            return Some(
                open.quoted(text)
                    .text(" has a line break, and `one_line` allows none"),
            );
        }
        at += 1;
    }
    None
}

const fn unique(open: Text, literal: &Literal) -> Option<Text> {
    let Literal::List(items) = literal else {
        return None;
    };
    let mut at = 0;
    while at < items.len() {
        let mut before = 0;
        while before < at {
            if equal(&items[before], &items[at]) {
                let open = open
                    .text("item ")
                    .uint(at as u128 + 1)
                    .text(" repeats item ");
                return Some(
                    open.uint(before as u128 + 1)
                        .text(", and `unique` allows none twice"),
                );
            }
            before += 1;
        }
        at += 1;
    }
    None
}

/// Equal for certain: two expressions may be.
const fn equal(a: &Literal, b: &Literal) -> bool {
    match (a, b) {
        (Literal::Null, Literal::Null) => true,
        (Literal::Bool(a), Literal::Bool(b)) => *a == *b,
        (Literal::Int(a), Literal::Int(b)) => *a == *b,
        (Literal::UInt(a), Literal::UInt(b)) => *a == *b,
        (Literal::Float(a), Literal::Float(b)) => *a == *b,
        (Literal::Text(a), Literal::Text(b)) => same(a, b),
        (Literal::List(a), Literal::List(b)) => {
            if a.len() != b.len() {
                return false;
            }
            let mut at = 0;
            while at < a.len() {
                if !equal(&a[at], &b[at]) {
                    return false;
                }
                at += 1;
            }
            true
        }
        _ => false,
    }
}

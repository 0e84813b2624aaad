//! A literal against the constraints of its field.

use super::super::{Bound, Constraint, FieldSpec, Str};
use super::fields::entry_of;
use super::pattern::{Step, whole_match};
use super::place::Place;
use super::text::Text;
use super::types::repeated;
use super::{Entry, Literal, Program, same, slice_of, str_of};

/// What is wrong with the literal, if anything.
pub(super) const fn fault(
    place: &Place,
    field: &'static FieldSpec,
    programs: &'static [Program],
    literal: &Literal,
) -> Option<Text> {
    let constraints = slice_of(&field.constraints);
    if constraints.is_empty() {
        return None;
    }
    let open = place.open();
    let mut at = 0;
    while at < constraints.len() {
        let fault = match &constraints[at] {
            Constraint::Min(bound) => number(open, literal, bound, true),
            Constraint::Max(bound) => number(open, literal, bound, false),
            Constraint::Len { min, max } => length(open, literal, *min, *max),
            Constraint::Regex(regex) => matches(open, literal, str_of(regex), programs),
            Constraint::OneOf(choices) => choice(open, literal, slice_of(choices)),
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
        (Literal::Float(x), Bound::UInt(b)) => outside_float(*x, *b as f64, is_min),
        (Literal::Int(n), Bound::Float(b)) => outside_float(*n as f64, *b, is_min),
        (Literal::UInt(n), Bound::Float(b)) => outside_float(*n as f64, *b, is_min),
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

pub(super) const fn chars(text: &str) -> usize {
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
    programs: &'static [Program],
) -> Option<Text> {
    let (Literal::Text(text), Some(pattern)) = (literal, program_of(programs, regex)) else {
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

/// The program of a regular expression; none where the derive found it too large.
const fn program_of(programs: &'static [Program], regex: &str) -> Option<&'static [Step]> {
    let mut at = 0;
    while at < programs.len() {
        if same(programs[at].0, regex) {
            return Some(programs[at].1);
        }
        at += 1;
    }
    None
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
    let Some((at, before)) = repeated(items) else {
        return None;
    };
    let open = open.text("item ").uint(at as u128 + 1);
    let open = open.text(" repeats item ").uint(before as u128 + 1);
    Some(open.text(", and `unique` allows none twice"))
}

/// Equal for certain: two expressions may be.
pub(super) const fn equal(a: &Literal, b: &Literal) -> bool {
    match (a, b) {
        (Literal::Null, Literal::Null) => true,
        (Literal::Bool(a), Literal::Bool(b)) => *a == *b,
        (Literal::Int(a), Literal::Int(b)) => *a == *b,
        (Literal::UInt(a), Literal::UInt(b)) => *a == *b,
        (Literal::Float(a), Literal::Float(b)) => *a == *b,
        (Literal::Float(a), Literal::Int(b)) | (Literal::Int(b), Literal::Float(a)) => {
            *a == *b as f64
        }
        (Literal::Text(a), Literal::Text(b)) => same(a, b),
        (Literal::List(a), Literal::List(b)) => {
            let mut at = 0;
            while at < a.len() && at < b.len() {
                if !equal(&a[at].1, &b[at].1) {
                    return false;
                }
                at += 1;
            }
            a.len() == b.len()
        }
        (Literal::Map(a), Literal::Map(b)) => a.len() == b.len() && all_in(a, b),
        _ => false,
    }
}

const fn all_in(a: &[Entry], b: &[Entry]) -> bool {
    let mut at = 0;
    while at < a.len() {
        match entry_of(b, a[at].name) {
            Some(entry) if equal(&a[at].value, &entry.value) => at += 1,
            _ => return false,
        }
    }
    true
}

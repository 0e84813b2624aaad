//! Checks values against the constraints of their field.

use std::cmp::Ordering;

use crate::signature::{Bound, Constraint, Value};

use super::coerce::shown;
use super::distinct::distinct;
use super::error::{ErrorKind, Fault};

/// The value, if it satisfies every constraint. `null` satisfies all: there is nothing to constrain.
pub(super) fn check(constraints: &[Constraint], value: Value, at: usize) -> Result<Value, Fault> {
    for constraint in constraints {
        if let Some(demand) = broken(constraint, &value) {
            let message = format!("the value must {demand}");
            return Err(Fault::new(ErrorKind::Constraint, at, message).showing(&shown(&value)));
        }
    }
    Ok(value)
}

/// What the constraint demands, if the value does not satisfy it.
fn broken(constraint: &Constraint, value: &Value) -> Option<String> {
    if *value == Value::Null {
        return None;
    }
    let demand = match constraint {
        Constraint::Min(bound) if below(value, bound) => format!("be at least {bound}"),
        Constraint::Max(bound) if above(value, bound) => format!("be at most {bound}"),
        Constraint::Len { min, max } if !(*min..=*max).contains(&length(value)?) => {
            format!("have a length of {min} to {max}, not {}", length(value)?)
        }
        Constraint::Regex(pattern) => {
            let Value::String(text) = value else {
                return None;
            };
            match regex::Regex::new(&format!("^(?:{pattern})$")) {
                Ok(regex) if regex.is_match(text) => return None,
                Ok(_) => format!("match `{pattern}`"),
                Err(_) => format!("match `{pattern}`, which is no regular expression"),
            }
        }
        Constraint::OneOf(allowed) => match value {
            Value::String(text) if !allowed.iter().any(|one| one == text) => {
                format!("be one of {}", allowed.join(", "))
            }
            _ => return None,
        },
        Constraint::OneLine => match value {
            Value::String(text) if text.contains(['\n', '\r']) => "have no line break".into(),
            _ => return None,
        },
        Constraint::Unique => match value {
            Value::List(items) if distinct(items.clone()).len() < items.len() => {
                "hold no item twice".into()
            }
            _ => return None,
        },
        _ => return None,
    };
    Some(demand)
}

fn length(value: &Value) -> Option<usize> {
    match value {
        Value::String(text) => Some(text.chars().count()),
        Value::List(items) => Some(items.len()),
        Value::Map(entries) => Some(entries.len()),
        _ => None,
    }
}

fn below(value: &Value, bound: &Bound) -> bool {
    matches!(bound.order_of(value), Some(None | Some(Ordering::Less)))
}

fn above(value: &Value, bound: &Bound) -> bool {
    matches!(bound.order_of(value), Some(None | Some(Ordering::Greater)))
}

pub(super) fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Float(x), Value::Float(y)) if x.is_nan() && y.is_nan() => true,
        _ => one == other,
    }
}

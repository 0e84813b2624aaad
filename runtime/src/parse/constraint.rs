//! Checks values against the constraints of their field.

use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, Hash, Hasher, RandomState};

use crate::signature::{Bound, Constraint, Value};

use super::coerce::shown;
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
    matches!(compare(value, bound), Some(Order::Less | Order::Unordered))
}

fn above(value: &Value, bound: &Bound) -> bool {
    matches!(
        compare(value, bound),
        Some(Order::Greater | Order::Unordered)
    )
}

enum Order {
    Less,
    Equal,
    Greater,
    /// NaN lies within no bounds.
    Unordered,
}

/// Exactly: a float and an integer are compared without rounding the integer.
fn compare(value: &Value, bound: &Bound) -> Option<Order> {
    use std::cmp::Ordering;
    let order = match (value, bound) {
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
    };
    Some(match order {
        Some(Ordering::Less) => Order::Less,
        Some(Ordering::Equal) => Order::Equal,
        Some(Ordering::Greater) => Order::Greater,
        None => Order::Unordered,
    })
}

/// Compares with the nearest integer at or below the bound, which a 128-bit cast gives exactly or saturated.
fn int_to_float(n: i128, bound: f64) -> Option<std::cmp::Ordering> {
    if bound.is_nan() {
        return None;
    }
    let floor = bound.floor() as i128;
    Some(n.cmp(&floor).then(match bound.fract() == 0.0 {
        true => std::cmp::Ordering::Equal,
        false => std::cmp::Ordering::Less,
    }))
}

/// The items without repetitions, each at its first place, in linear time.
pub(super) fn distinct(items: Vec<Value>) -> Vec<Value> {
    // Keyed at random: a reply can't be made to collide.
    let keys = RandomState::new();
    let mut seen: HashMap<u64, Vec<usize>, BuildHasherDefault<Hashed>> = HashMap::default();
    let mut kept: Vec<Value> = Vec::new();
    for item in items {
        let mut hasher = keys.build_hasher();
        hash(&item, &mut hasher);
        let alike = seen.entry(hasher.finish()).or_default();
        if !alike.iter().any(|at| same(&kept[*at], &item)) {
            alike.push(kept.len());
            kept.push(item);
        }
    }
    kept
}

/// Takes a hash for its own hash.
#[derive(Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

pub(super) fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Float(x), Value::Float(y)) if x.is_nan() && y.is_nan() => true,
        _ => one == other,
    }
}

/// Depth is bounded by the reader, so this recursion is too.
fn hash(value: &Value, hasher: &mut impl Hasher) {
    std::mem::discriminant(value).hash(hasher);
    match value {
        Value::Null => {}
        Value::Bool(b) => b.hash(hasher),
        Value::Int(n) => n.hash(hasher),
        Value::UInt(n) => n.hash(hasher),
        // Equal floats may differ in bits (0.0 and -0.0), NaN in none that count.
        Value::Float(x) if x.is_nan() => 1u8.hash(hasher),
        Value::Float(x) => (x + 0.0).to_bits().hash(hasher),
        Value::String(text) => text.hash(hasher),
        Value::List(items) => items.iter().for_each(|item| hash(item, hasher)),
        Value::Map(entries) => entries.iter().for_each(|(key, item)| {
            key.hash(hasher);
            hash(item, hasher);
        }),
    }
}

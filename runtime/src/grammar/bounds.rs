//! The constraints of numbers and lengths in numbers: what grammar and walker both go by.

use crate::signature::{Bound as Limit, Constraint, FieldSpec, FloatType, IntType};

use super::GrammarError;
use super::int_range::Bound;
use super::walk::Grid;

/// The range of an integer field; empty if the least is above the greatest.
pub(super) fn int_bounds(int: IntType, field: &FieldSpec) -> (i128, Bound) {
    let (mut min, mut max) = (int.min(), int.max());
    let mut max_below_zero: Option<i128> = None;
    let mut empty = false;
    for constraint in &*field.constraints {
        match constraint {
            Constraint::Min(limit) => match *limit {
                Limit::Int(n) => min = min.max(n),
                Limit::UInt(n) => match i128::try_from(n) {
                    Ok(n) => min = min.max(n),
                    // Beyond what the lower bound of a range can be.
                    Err(_) => empty = true,
                },
                Limit::Float(x) => min = min.max(x.ceil() as i128),
            },
            Constraint::Max(limit) => match *limit {
                Limit::Int(n) if n < 0 => max_below_zero = lower(max_below_zero, n),
                Limit::Int(n) => max = max.min(n.unsigned_abs()),
                Limit::UInt(n) => max = max.min(n),
                Limit::Float(x) if x < 0.0 => {
                    max_below_zero = lower(max_below_zero, x.floor() as i128);
                }
                Limit::Float(x) => max = max.min(x.floor() as u128),
            },
            _ => {}
        }
    }
    if empty {
        return (1, Bound::Unsigned(0));
    }
    (
        min,
        max_below_zero.map_or(Bound::Unsigned(max), Bound::Signed),
    )
}

fn lower(known: Option<i128>, n: i128) -> Option<i128> {
    Some(known.map_or(n, |known| known.min(n)))
}

/// The integers of a field.
pub(super) fn grid_of_int(int: IntType, field: &FieldSpec) -> Grid {
    match int_bounds(int, field) {
        (min, Bound::Signed(max)) => Grid::signed(0, min, max),
        (min, Bound::Unsigned(max)) => Grid::up_to(min, max),
    }
}

/// Digits of a float among items that must differ: so few that two texts are two values.
pub(super) fn float_digits(float: FloatType) -> (u32, u32) {
    match float {
        FloatType::F32 => (4, 3),
        FloatType::F64 => (9, 6),
    }
}

/// The floats of a field among items that must differ.
pub(super) fn grid_of_float(float: FloatType, field: &FieldSpec) -> Grid {
    let (whole, places) = float_digits(float);
    let most = 10i128.pow(whole + places) - 1;
    let (mut min, mut max) = (-most, most);
    let (least, greatest) = float_bounds(field);
    let near = |x: f64| ((x * 10f64.powi(places as i32)).floor() as i128).clamp(-most, most);
    // The product is rounded: the multiples beside it are looked at too.
    if let Some(least) = least {
        min = near(least) - 1;
        while min <= most && (min < -most || value(min, places) < least) {
            min += 1;
        }
    }
    if let Some(greatest) = greatest {
        max = near(greatest) + 1;
        while max >= -most && (max > most || value(max, places) > greatest) {
            max -= 1;
        }
    }
    Grid::signed(places, min, max)
}

/// The number that a multiple is read as.
fn value(n: i128, places: u32) -> f64 {
    let unit = 10u128.pow(places);
    let magnitude = n.unsigned_abs();
    let text = format!(
        "{}.{:0width$}",
        magnitude / unit,
        magnitude % unit,
        width = places as usize
    );
    let value: f64 = text.parse().unwrap_or(f64::NAN);
    if n < 0 { -value } else { value }
}

/// The least and greatest value of a float field, where it has them.
pub(super) fn float_bounds(field: &FieldSpec) -> (Option<f64>, Option<f64>) {
    let (mut least, mut greatest) = (None::<f64>, None::<f64>);
    let number = |limit: &Limit| match *limit {
        Limit::Int(n) => n as f64,
        Limit::UInt(n) => n as f64,
        Limit::Float(x) => x,
    };
    for constraint in &*field.constraints {
        match constraint {
            Constraint::Min(limit) => {
                least = Some(least.map_or(number(limit), |known| known.max(number(limit))));
            }
            Constraint::Max(limit) => {
                greatest = Some(greatest.map_or(number(limit), |known| known.min(number(limit))));
            }
            _ => {}
        }
    }
    (least, greatest)
}

/// The bounds of a length, where the field has them.
pub(super) fn len_of(field: &FieldSpec) -> Option<(usize, Option<usize>)> {
    field
        .constraints
        .iter()
        .find_map(|constraint| match constraint {
            Constraint::Len { min, max } => Some((*min, (*max != usize::MAX).then_some(*max))),
            _ => None,
        })
}

pub(super) fn unsatisfiable(field: &FieldSpec, problem: &str) -> GrammarError {
    GrammarError::Unsatisfiable {
        field: field.name.to_string(),
        problem: problem.into(),
    }
}

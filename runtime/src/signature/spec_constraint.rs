//! Constraints of fields made at run time, read from JSON and held to what a derive holds them to.

use serde_json::{Map, Value as Json};

use super::{Bound, Constraint, FieldType, ListKind, SpecError, Str};

/// The keys of a field that are constraints.
pub(super) const KEYS: [&str; 7] = ["min", "max", "len", "regex", "one_of", "one_line", "unique"];

/// The constraints among the keys of a field of this type, in the order of the keys.
pub(super) fn constraints(
    entries: &Map<String, Json>,
    ty: &FieldType,
) -> Result<Vec<Constraint>, SpecError> {
    let inner = peeled(ty);
    let mut found = Vec::new();
    for (key, value) in entries
        .iter()
        .filter(|(key, _)| KEYS.contains(&key.as_str()))
    {
        let constraint = constraint(key, value, inner).map_err(|error| error.within(key))?;
        found.extend(constraint);
    }
    let bound = |wanted: fn(&Constraint) -> Option<Bound>| found.iter().find_map(wanted);
    let min = bound(|one| match one {
        Constraint::Min(bound) => Some(*bound),
        _ => None,
    });
    let max = bound(|one| match one {
        Constraint::Max(bound) => Some(*bound),
        _ => None,
    });
    match (min, max) {
        (Some(min), Some(max)) if greater(min, max) => Err(SpecError::new(format!(
            "no number is at least {min} and at most {max}: `min` must not be above `max`"
        ))),
        _ => Ok(found),
    }
}

/// The type within options: constraints hold for the value inside.
fn peeled(ty: &FieldType) -> &FieldType {
    match ty {
        FieldType::Option(inner) => peeled(inner),
        other => other,
    }
}

/// None where a flag is `false`.
fn constraint(key: &str, value: &Json, ty: &FieldType) -> Result<Option<Constraint>, SpecError> {
    let (needs, suits) = match key {
        "min" | "max" => (
            "a number",
            matches!(ty, FieldType::Int(_) | FieldType::Float(_)),
        ),
        "len" => (
            "a string, list, set or map",
            match ty {
                FieldType::String | FieldType::Map(_) => true,
                FieldType::List(list) => !matches!(list.kind, ListKind::Array(_)),
                _ => false,
            },
        ),
        "unique" => (
            "a list",
            matches!(ty, FieldType::List(list) if list.kind == ListKind::List),
        ),
        _ => ("a string", matches!(ty, FieldType::String)),
    };
    if !suits {
        return Err(SpecError::new(format!("only {needs} can have it")));
    }
    Ok(Some(match key {
        "min" => Constraint::Min(bound(value, ty)?),
        "max" => Constraint::Max(bound(value, ty)?),
        "len" => length(value)?,
        "regex" => regex(value)?,
        "one_of" => one_of(value)?,
        "one_line" if flag(value)? => Constraint::OneLine,
        "unique" if flag(value)? => Constraint::Unique,
        _ => return Ok(None),
    }))
}

fn bound(value: &Json, ty: &FieldType) -> Result<Bound, SpecError> {
    let Json::Number(number) = value else {
        return Err(SpecError::new("expected a number"));
    };
    let whole = match (number.as_i128(), number.as_u128()) {
        (Some(n), _) => Some(Bound::Int(n)),
        (None, Some(n)) => Some(Bound::UInt(n)),
        (None, None) => None,
    };
    match (ty, whole) {
        (FieldType::Int(_), None) => Err(SpecError::new(format!(
            "expected a whole number, found {number}"
        ))),
        (FieldType::Int(int), Some(whole)) => {
            let inside = match whole {
                Bound::Int(n) => n >= int.min() && (n <= 0 || n.unsigned_abs() <= int.max()),
                Bound::UInt(n) => n <= int.max(),
                Bound::Float(_) => false,
            };
            if inside {
                return Ok(whole);
            }
            Err(SpecError::new(format!(
                "{number} is out of the range of the type: {} to {}",
                int.min(),
                int.max()
            )))
        }
        _ => (number.as_f64().filter(|x| x.is_finite()).map(Bound::Float))
            .ok_or_else(|| SpecError::new("expected a finite number")),
    }
}

fn greater(one: Bound, two: Bound) -> bool {
    match (one, two) {
        (Bound::Int(a), Bound::Int(b)) => a > b,
        (Bound::UInt(a), Bound::UInt(b)) => a > b,
        (Bound::Float(a), Bound::Float(b)) => a > b,
        (Bound::UInt(_), Bound::Int(_)) => true,
        // The bounds of one field are of one kind, but for integers beyond `i128`.
        _ => false,
    }
}

fn length(value: &Json) -> Result<Constraint, SpecError> {
    const FORM: &str =
        "expected a length, or the least and the greatest: `3`, `[1, 5]`, `[2, null]`";
    let size = |value: &Json| {
        let size = value.as_u64().and_then(|size| usize::try_from(size).ok());
        size.ok_or_else(|| SpecError::new(FORM))
    };
    let (min, max) = match value {
        Json::Array(ends) => match ends.as_slice() {
            [min, Json::Null] => (size(min)?, usize::MAX),
            [min, max] => (size(min)?, size(max)?),
            _ => return Err(SpecError::new(FORM)),
        },
        exact => (size(exact)?, size(exact)?),
    };
    if min > max {
        return Err(SpecError::new(format!(
            "no length is at least {min} and at most {max}: the least comes first"
        )));
    }
    Ok(Constraint::Len { min, max })
}

fn regex(value: &Json) -> Result<Constraint, SpecError> {
    let pattern = value
        .as_str()
        .ok_or_else(|| SpecError::new("expected a string"))?;
    match regex::Regex::new(&format!("^(?:{pattern})$")) {
        Ok(_) => Ok(Constraint::Regex(Str::Owned(pattern.to_owned()))),
        Err(error) => Err(SpecError::new(format!(
            "`{pattern}` is not a regular expression: {error}"
        ))),
    }
}

fn one_of(value: &Json) -> Result<Constraint, SpecError> {
    let Json::Array(items) = value else {
        return Err(SpecError::new("expected a list of strings"));
    };
    let mut choices: Vec<Str> = Vec::new();
    for item in items {
        let Json::String(choice) = item else {
            return Err(SpecError::new("expected a list of strings"));
        };
        if choices.iter().any(|known| known == choice) {
            return Err(SpecError::new(format!("{choice:?} is listed twice")));
        }
        choices.push(Str::Owned(choice.clone()));
    }
    if choices.is_empty() {
        return Err(SpecError::new(
            "the list is empty: no value could ever be right",
        ));
    }
    Ok(Constraint::OneOf(choices.into()))
}

fn flag(value: &Json) -> Result<bool, SpecError> {
    value
        .as_bool()
        .ok_or_else(|| SpecError::new("expected `true` or `false`"))
}

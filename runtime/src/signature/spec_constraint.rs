//! Constraints of fields made at run time, read from JSON and held to what a derive holds them to.

use serde_json::{Map, Number, Value as Json};

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
    // Both are of the kind that the type is.
    match (min, max) {
        (Some(min @ Bound::Int(a)), Some(max @ Bound::Int(b))) if a > b => Err(crossed(min, max)),
        (Some(min @ Bound::Float(a)), Some(max @ Bound::Float(b))) if a > b => {
            Err(crossed(min, max))
        }
        _ => Ok(found),
    }
}

fn crossed(min: Bound, max: Bound) -> SpecError {
    SpecError::new(format!(
        "no number is at least {min} and at most {max}: `min` must not be above `max`"
    ))
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
    let float = value.as_f64().filter(|x| x.is_finite());
    let float = float.ok_or_else(|| SpecError::new("expected a number"))?;
    let FieldType::Int(int) = ty else {
        return Ok(Bound::Float(float));
    };
    // JSON's integers have 64 bits here: what is longer was read as a float.
    let Some(n) = value.as_number().and_then(Number::as_i128) else {
        return Err(SpecError::new(format!(
            "expected a whole number, found {value}"
        )));
    };
    if n >= int.min() && (n <= 0 || n.unsigned_abs() <= int.max()) {
        return Ok(Bound::Int(n));
    }
    Err(SpecError::new(format!(
        "{n} is out of the range of the type: {} to {}",
        int.min(),
        int.max()
    )))
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

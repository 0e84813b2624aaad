//! Values against the constraints of their fields, down to those of nested types. The parser holds replies to them by
//! itself; this is for values that come another way, such as the arguments of a tool.

use std::cmp::Ordering;

use super::reader::PAYLOAD_KEY;
use super::{Constraint, EnumSpec, FieldSpec, FieldType, Payload, TypeRef, Value, ValueError};

impl FieldSpec {
    /// The first constraint that the value breaks: one of the field's own, or of the fields of its type. A value of
    /// another type breaks none.
    #[must_use]
    pub fn broken_by(&self, value: &Value) -> Option<ValueError> {
        let own = self.constraints.iter().find_map(|one| demand(one, value));
        own.map(ValueError::new)
            .or_else(|| within(&self.ty, value))
            .map(|error| error.at(&self.name))
    }
}

/// Values are as deep as the JSON they come from, whose reader bounds its depth.
fn within(ty: &FieldType, value: &Value) -> Option<ValueError> {
    match (ty, value) {
        (FieldType::Option(inner), value) => within(inner, value),
        (FieldType::List(list), Value::List(items)) => in_items(items, |_| Some(&list.item)),
        (FieldType::Tuple(types), Value::List(items)) => in_items(items, |at| types.get(at)),
        (FieldType::Map(inner), Value::Map(entries)) => entries
            .iter()
            .find_map(|(key, value)| Some(within(inner, value)?.at(key))),
        (FieldType::Struct(spec), value) => in_fields(&spec.fields, value),
        (FieldType::Enum(spec), value) => in_variant(spec, value),
        _ => None,
    }
}

fn in_items<'t>(items: &[Value], ty: impl Fn(usize) -> Option<&'t TypeRef>) -> Option<ValueError> {
    items
        .iter()
        .enumerate()
        .find_map(|(at, item)| Some(within(ty(at)?, item)?.at(at)))
}

fn in_fields(fields: &[FieldSpec], value: &Value) -> Option<ValueError> {
    fields
        .iter()
        .find_map(|field| field.broken_by(value.get(&field.name)?))
}

fn in_variant(spec: &EnumSpec, value: &Value) -> Option<ValueError> {
    let Value::String(name) = value.get(&spec.tag)? else {
        return None;
    };
    let named = |known: &str| known == name;
    let variant = spec
        .variants
        .iter()
        .find(|variant| named(&variant.name) || variant.aliases.iter().any(|one| named(one)))?;
    match &variant.payload {
        Payload::Unit => None,
        Payload::Fields(fields) => in_fields(fields, value),
        Payload::Value(ty) => Some(within(ty, value.get(PAYLOAD_KEY)?)?.at(PAYLOAD_KEY)),
    }
}

/// What the constraint demands of the value, if the value does not do it. `null` satisfies all.
fn demand(constraint: &Constraint, value: &Value) -> Option<String> {
    let (broken, demand) = match (constraint, value) {
        (Constraint::Min(bound), value) => (
            matches!(bound.order_of(value)?, None | Some(Ordering::Less)),
            format!("be at least {bound}"),
        ),
        (Constraint::Max(bound), value) => (
            matches!(bound.order_of(value)?, None | Some(Ordering::Greater)),
            format!("be at most {bound}"),
        ),
        (Constraint::Len { min, max }, value) => {
            let (length, unit) = length(value)?;
            let demand = match (*min, *max) {
                (min, usize::MAX) => format!("have at least {min} {unit}, not {length}"),
                (min, max) => format!("have {min} to {max} {unit}, not {length}"),
            };
            (!(*min..=*max).contains(&length), demand)
        }
        (Constraint::Regex(pattern), Value::String(text)) => {
            let matches = regex::Regex::new(&format!("^(?:{pattern})$"))
                .is_ok_and(|regex| regex.is_match(text));
            (!matches, format!("match `{pattern}`"))
        }
        (Constraint::OneOf(choices), Value::String(text)) => (
            !choices.iter().any(|choice| choice == text),
            format!("be one of {}", choices.join(", ")),
        ),
        (Constraint::OneLine, Value::String(text)) => {
            (text.contains(['\n', '\r']), "have no line break".into())
        }
        (Constraint::Unique, Value::List(items)) => {
            let repeats = |at: usize| items[..at].contains(&items[at]);
            (
                (1..items.len()).any(repeats),
                "hold no item twice".to_owned(),
            )
        }
        _ => return None,
    };
    broken.then(|| format!("the value must {demand}"))
}

fn length(value: &Value) -> Option<(usize, &'static str)> {
    match value {
        Value::String(text) => Some((text.chars().count(), "characters")),
        Value::List(items) => Some((items.len(), "items")),
        Value::Map(entries) => Some((entries.len(), "entries")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signature::Bound;

    fn broken(constraint: Constraint, value: Value) -> bool {
        demand(&constraint, &value).is_some()
    }

    #[test]
    fn every_constraint_tells_right_from_wrong() {
        let text = |text: &str| Value::String(text.into());
        let list = |items: &[i128]| Value::List(items.iter().map(|n| Value::Int(*n)).collect());
        let len = Constraint::Len { min: 1, max: 2 };
        for (constraint, right, wrong) in [
            (Constraint::Min(Bound::Int(3)), Value::Int(3), Value::Int(2)),
            (
                Constraint::Max(Bound::Float(0.5)),
                Value::Float(0.5),
                Value::Int(1),
            ),
            (
                Constraint::Max(Bound::UInt(u128::MAX)),
                Value::Int(1),
                Value::Float(f64::NAN),
            ),
            (len.clone(), text("éé"), text("")),
            (len, list(&[1]), list(&[1, 2, 3])),
            (Constraint::Regex("a+".into()), text("aa"), text("ab")),
            (
                Constraint::OneOf(vec!["a".into()].into()),
                text("a"),
                text("b"),
            ),
            (Constraint::OneLine, text("a b"), text("a\nb")),
            (Constraint::Unique, list(&[1, 2]), list(&[1, 2, 1])),
        ] {
            assert!(!broken(constraint.clone(), right), "{constraint:?}");
            assert!(broken(constraint.clone(), wrong), "{constraint:?}");
            assert!(!broken(constraint.clone(), Value::Null), "{constraint:?}");
        }
    }
}

//! Which items of lists can be kept apart while they are written.

use crate::signature::{Constraint, FieldSpec, FieldType, ListKind, ListType, Payload};

use super::super::GrammarError;
use super::super::bounds::{len_of, unsatisfiable};

/// Whether the items of a list are kept apart by the walker.
///
/// # Errors
/// If they must differ and can't be.
pub(in super::super) fn distinct_items(
    list: &ListType,
    field: &FieldSpec,
) -> Result<bool, GrammarError> {
    let unique = field.constraints.contains(&Constraint::Unique);
    let set = list.kind == ListKind::Set;
    if !unique && !set {
        return Ok(false);
    }
    if countable(&list.item) {
        return Ok(true);
    }
    // The parser drops equal items of a set, so there may be fewer than the reply has.
    let least = len_of(field).map_or(0, |(min, _)| min);
    if unique || least > 1 {
        return Err(unsatisfiable(
            field,
            "its items can't be kept apart while they are written: they hold sets, maps, JSON, \
             strings with a `regex`, or themselves",
        ));
    }
    Ok(false)
}

/// Whether the values of a type can be counted while one is written, and equal ones have one order.
fn countable(ty: &FieldType) -> bool {
    counts(ty, &[], &mut Vec::new())
}

fn counts(ty: &FieldType, constraints: &[Constraint], open: &mut Vec<usize>) -> bool {
    let fields = |fields: &[FieldSpec], open: &mut Vec<usize>| {
        fields
            .iter()
            .all(|field| counts(&field.ty, &field.constraints, open))
    };
    let mut within = |address: usize, all: &mut dyn FnMut(&mut Vec<usize>) -> bool| {
        if open.contains(&address) {
            return false;
        }
        open.push(address);
        let all = all(open);
        open.pop();
        all
    };
    match ty {
        FieldType::String => !constraints
            .iter()
            .any(|one| matches!(one, Constraint::Regex(_))),
        FieldType::Char
        | FieldType::Bool
        | FieldType::Int(_)
        | FieldType::Float(_)
        | FieldType::Date(_) => true,
        FieldType::Json | FieldType::Map(_) => false,
        FieldType::Option(inner) => counts(inner, constraints, open),
        FieldType::List(list) => {
            list.kind != ListKind::Set
                && !constraints.contains(&Constraint::Unique)
                && counts(&list.item, &[], open)
        }
        FieldType::Tuple(items) => items.iter().all(|item| counts(item, &[], open)),
        FieldType::Struct(spec) => within(spec.fields.as_ptr() as usize, &mut |open| {
            fields(&spec.fields, open)
        }),
        FieldType::Enum(spec) => within(spec.variants.as_ptr() as usize, &mut |open| {
            spec.variants.iter().all(|variant| match &variant.payload {
                Payload::Unit => true,
                Payload::Value(ty) => counts(ty, &[], open),
                Payload::Fields(all) => fields(all, open),
            })
        }),
    }
}

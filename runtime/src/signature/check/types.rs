//! A literal against a type, down to the last field: what the types' own `from_value` would say when the program runs.

use super::super::{FieldSpec, FieldType, FloatType, IntType, ListKind, Table, TypeRef};
use super::constraints::{chars, equal};
use super::fields::{Fields, Rows};
use super::place::Place;
use super::text::Text;
use super::variants::{carries_data, not_among, tagged, variant_fields, variant_of};
use super::{Literal, slice_of, str_of};

/// Whether the field may be left out. Where the type is not known, that is found when the program runs.
pub(super) const fn may_be_missing(field: &'static FieldSpec) -> bool {
    field.default.is_some()
        || match table_of(&field.ty) {
            Some(table) => matches!(table.ty, FieldType::Option(_)),
            None => true,
        }
}

/// What is known of a type.
pub(super) const fn table_of(ty: &'static TypeRef) -> Option<Table> {
    match ty {
        TypeRef::Known(_, known) => match known.table() {
            Some(table) => Some(*table),
            None => None,
        },
        TypeRef::Static(ty) => Some(Table::new(ty, &[])),
        TypeRef::Lazy(_) | TypeRef::Owned(_) => None,
    }
}

/// How the value is not of the type, if it isn't.
///
/// Each level of a value costs two frames, this and that of [`Fields::fault`], of the 128 that constant evaluation has.
pub(super) const fn misfit(place: &Place, table: Option<Table>, value: &Literal) -> Option<Text> {
    let mut table = table;
    while let Some(Table {
        ty: FieldType::Option(inner),
        ..
    }) = table
    {
        if matches!(value, Literal::Null) {
            return None;
        }
        table = table_of(inner);
    }
    let Some(table) = table else {
        return None;
    };
    let expected = match (table.ty, value) {
        (_, Literal::Unknown)
        | (FieldType::Json, _)
        | (FieldType::String, Literal::Text(_))
        | (FieldType::Bool, Literal::Bool(_)) => return None,
        (FieldType::Int(ty), Literal::Int(_) | Literal::UInt(_)) => {
            return out_of_range(place, *ty, value);
        }
        (FieldType::Float(ty), Literal::Int(_) | Literal::UInt(_) | Literal::Float(_)) => {
            return too_large(place, *ty, value);
        }
        (FieldType::Char, Literal::Text(text)) => {
            if chars(text) == 1 {
                return None;
            }
            "a single character"
        }
        (FieldType::Date(kind), Literal::Text(text)) => {
            if kind.holds(text) {
                return None;
            }
            kind.expected()
        }
        (FieldType::List(list), Literal::List(items)) => {
            if let Some(fault) = count_fault(place, list.kind, items) {
                return Some(fault);
            }
            let mut at = 0;
            while at < items.len() {
                let here = place.index(items[at].0, at);
                if let Some(fault) = misfit(&here, table_of(&list.item), &items[at].1) {
                    return Some(fault);
                }
                at += 1;
            }
            return None;
        }
        (FieldType::Tuple(types), Literal::List(items)) => {
            let types = slice_of(types);
            if types.len() != items.len() {
                return Some(wrong_length(place, types.len(), items.len()));
            }
            let mut at = 0;
            while at < items.len() {
                let here = place.index(items[at].0, at);
                if let Some(fault) = misfit(&here, table_of(&types[at]), &items[at].1) {
                    return Some(fault);
                }
                at += 1;
            }
            return None;
        }
        (FieldType::Map(inner), Literal::Map(entries)) => {
            let mut at = 0;
            while at < entries.len() {
                let here = place.key(entries[at].line, entries[at].name);
                if let Some(fault) = misfit(&here, table_of(inner), &entries[at].value) {
                    return Some(fault);
                }
                at += 1;
            }
            return None;
        }
        (FieldType::Struct(spec), Literal::Map(entries)) => {
            let of = Fields {
                owner: str_of(&spec.name),
                rows: Rows::Named(slice_of(&spec.fields)),
                programs: table.programs,
                tag: "",
            };
            return of.fault(place, entries);
        }
        (FieldType::Enum(spec), Literal::Text(name)) => {
            let Some(variant) = variant_of(spec, name) else {
                return Some(not_among(place, spec, name));
            };
            return variant_fields(spec, variant, table.programs).fault(place, &[]);
        }
        (FieldType::Enum(spec), Literal::Map(entries)) if carries_data(spec) => {
            return match tagged(place, spec, entries) {
                Ok(variant) => variant_fields(spec, variant, table.programs).fault(place, entries),
                Err(fault) => Some(fault),
            };
        }
        (FieldType::String, _) => "a string",
        (FieldType::Char, _) => "a single character",
        (FieldType::Date(kind), _) => kind.expected(),
        (FieldType::Bool, _) => "a boolean",
        (FieldType::Int(_), _) => "an integer",
        (FieldType::Float(_), _) => "a number",
        (FieldType::List(_) | FieldType::Tuple(_), _) => "a list",
        (FieldType::Map(_) | FieldType::Struct(_), _) => "a map",
        (FieldType::Enum(_), _) => "the name of a variant",
        // Peeled off above.
        (FieldType::Option(_), _) => return None,
    };
    Some(found(place.open(), expected, value))
}

pub(super) const fn found(open: Text, expected: &str, value: &Literal) -> Text {
    let open = open.text("expected ").text(expected).text(", found ");
    match value {
        Literal::Null => open.text("null"),
        Literal::Bool(_) => open.text("a boolean"),
        Literal::Int(n) => open.int(*n),
        Literal::UInt(n) => open.uint(*n),
        Literal::Float(x) => open.float(*x),
        Literal::Text(text) => open.quoted(text),
        Literal::List(_) => open.text("a list"),
        Literal::Map(_) => open.text("a map"),
        Literal::Unknown => open.text("an expression"),
    }
}

const fn wrong_length(place: &Place, expected: usize, found: usize) -> Text {
    let open = place.open().text("expected ").uint(expected as u128);
    let open = open.text(if expected == 1 { " item" } else { " items" });
    open.text(", found ").uint(found as u128)
}

const fn out_of_range(place: &Place, ty: IntType, value: &Literal) -> Option<Text> {
    let (inside, open) = match value {
        Literal::Int(n) => {
            let below = *n < ty.min();
            let above = *n > 0 && *n as u128 > ty.max();
            (!below && !above, place.open().int(*n))
        }
        Literal::UInt(n) => (*n <= ty.max(), place.open().uint(*n)),
        _ => return None,
    };
    if inside {
        return None;
    }
    let open = open
        .text(" is out of range: ")
        .int(ty.min())
        .text(" to ")
        .uint(ty.max());
    Some(open)
}

const fn too_large(place: &Place, ty: FloatType, value: &Literal) -> Option<Text> {
    let wide = match value {
        Literal::Float(x) => *x,
        Literal::Int(n) => *n as f64,
        Literal::UInt(n) => *n as f64,
        _ => return None,
    };
    if matches!(ty, FloatType::F32) && (wide as f32).is_infinite() {
        return Some(
            place
                .open()
                .text("the number is out of range of a 32-bit float"),
        );
    }
    None
}

const fn count_fault(place: &Place, kind: ListKind, items: &[(u128, Literal)]) -> Option<Text> {
    match kind {
        ListKind::Array(len) if len != items.len() => Some(wrong_length(place, len, items.len())),
        ListKind::Set => match repeated(items) {
            Some((at, _)) => Some(
                place
                    .index(items[at].0, at)
                    .open()
                    .text("repeats an item before it, and a set has each only once"),
            ),
            None => None,
        },
        _ => None,
    }
}

/// The first item that repeats one before it, and that one.
pub(super) const fn repeated(items: &[(u128, Literal)]) -> Option<(usize, usize)> {
    let mut at = 0;
    while at < items.len() {
        let mut before = 0;
        while before < at {
            if equal(&items[before].1, &items[at].1) {
                return Some((at, before));
            }
            before += 1;
        }
        at += 1;
    }
    None
}

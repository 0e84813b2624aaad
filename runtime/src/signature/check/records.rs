//! Records of a file of demos: checked by constant evaluation, and built when the program runs.

use super::super::{
    Demo, FieldSet, FieldSpec, FieldValues, IntType, Kind, ListKind, PartialDemo, Signature,
    TypeRef, Value,
};
use super::text::Text;
use super::{Checks, Literal, constraints, find, pattern_of, same, str_of};

/// One record of a file.
#[derive(Debug, Clone, Copy)]
pub struct Record {
    /// Line it begins on.
    pub line: u128,
    /// Its entries.
    pub entries: &'static [Entry],
}

/// One entry of a record.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// Line it stands on.
    pub line: u128,
    /// The field's name, as in the prompt.
    pub name: &'static str,
    /// The value.
    pub value: Literal,
}

/// Checks names, types and constraints of a record, and unless it is `partial` that no field is missing.
#[track_caller]
pub const fn record(checks: &Checks, file: &str, record: &Record, partial: bool) {
    let (inputs, outputs) = (checks.inputs, checks.outputs);
    let mut at = 0;
    while at < record.entries.len() {
        let entry = &record.entries[at];
        let place = place(file, entry.line);
        let field = match find(inputs, entry.name) {
            Some(field) => field,
            None => match find(outputs, entry.name) {
                Some(field) => field,
                None => {
                    let text = place.text("`").text(entry.name).text("` is no field of `");
                    let text = text.text(str_of(checks.name)).text("`; its fields are ");
                    let text = list(list(text, inputs, true), outputs, inputs.is_empty());
                    panic!("{}", text.as_str());
                }
            },
        };
        let named = place.text("`").text(entry.name).text("`: ");
        if let TypeRef::Known(_, kind) = &field.ty
            && let Some(fault) = misfit(named, kind, &entry.value)
        {
            panic!("{}", fault.as_str());
        }
        let pattern = pattern_of(checks.patterns, entry.name);
        if let Some(fault) = constraints::fault(field, pattern, &entry.value) {
            panic!("{}", place.text(fault.as_str()).as_str());
        }
        at += 1;
    }
    if !partial {
        complete(file, record, inputs);
        complete(file, record, outputs);
    }
}

#[track_caller]
const fn complete(file: &str, record: &Record, fields: &'static [FieldSpec]) {
    let mut at = 0;
    while at < fields.len() {
        let name = str_of(&fields[at].name);
        let optional = fields[at].default.is_some()
            || matches!(&fields[at].ty, TypeRef::Known(_, Kind::Option(_)));
        let mut given = optional;
        let mut entry = 0;
        while entry < record.entries.len() {
            given |= same(record.entries[entry].name, name);
            entry += 1;
        }
        if !given {
            let text = place(file, record.line).text("`").text(name);
            let text = text.text(
                "` is missing; for demos that leave fields out add `, ..` after the signature",
            );
            panic!("{}", text.as_str());
        }
        at += 1;
    }
}

const fn place(file: &str, line: u128) -> Text {
    Text::new().text(file).text(":").uint(line).text(": ")
}

const fn list(mut text: Text, fields: &[FieldSpec], mut first: bool) -> Text {
    let mut at = 0;
    while at < fields.len() {
        text = text
            .text(if first { "`" } else { ", `" })
            .text(str_of(&fields[at].name))
            .text("`");
        first = false;
        at += 1;
    }
    text
}

/// How the value is not of the kind, if it isn't.
const fn misfit(open: Text, kind: &Kind, value: &Literal) -> Option<Text> {
    let expected = match (kind, value) {
        (Kind::Any, _)
        | (Kind::Text, Literal::Text(_))
        | (Kind::Bool, Literal::Bool(_))
        | (Kind::Float, Literal::Float(_) | Literal::Int(_) | Literal::UInt(_))
        | (Kind::Option(_), Literal::Null) => return None,
        (Kind::Option(inner), value) => return misfit(open, inner, value),
        (Kind::Int(ty), Literal::Int(_) | Literal::UInt(_)) => {
            return out_of_range(open, *ty, value);
        }
        (Kind::Char, Literal::Text(text)) => {
            let bytes = text.as_bytes();
            let mut chars = 0;
            let mut at = 0;
            while at < bytes.len() {
                chars += (bytes[at] & 0b1100_0000 != 0b1000_0000) as usize;
                at += 1;
            }
            if chars == 1 {
                return None;
            }
            "a single character"
        }
        (Kind::List(item, list), Literal::List(items)) => {
            return items_misfit(open, item, *list, items);
        }
        (Kind::Tuple(kinds), Literal::List(items)) => {
            if kinds.len() != items.len() {
                return Some(wrong_length(open, kinds.len(), items.len()));
            }
            let mut at = 0;
            while at < items.len() {
                let here = open.text("item ").uint(at as u128 + 1).text(": ");
                if let Some(fault) = misfit(here, kinds[at], &items[at]) {
                    return Some(fault);
                }
                at += 1;
            }
            return None;
        }
        (Kind::Map(inner), Literal::Map(entries)) => {
            let mut at = 0;
            while at < entries.len() {
                let here = open.text("`").text(entries[at].0).text("`: ");
                if let Some(fault) = misfit(here, inner, &entries[at].1) {
                    return Some(fault);
                }
                at += 1;
            }
            return None;
        }
        (Kind::Struct(fields), Literal::Map(entries)) => {
            return struct_misfit(open, fields, entries);
        }
        (Kind::Choice(names), Literal::Text(text)) => return not_among(open, names, text),
        (Kind::Tagged(_, names), Literal::Text(text)) => return not_among(open, names, text),
        (Kind::Tagged(tag, names), Literal::Map(entries)) => {
            let mut at = 0;
            while at < entries.len() {
                if same(entries[at].0, tag) {
                    return match &entries[at].1 {
                        Literal::Text(text) => not_among(open, names, text),
                        other => Some(found(open, "the name of a variant", other)),
                    };
                }
                at += 1;
            }
            return Some(open.text("the key `").text(tag).text("` is missing"));
        }
        (Kind::Text, _) => "a string",
        (Kind::Char, _) => "a single character",
        (Kind::Bool, _) => "a boolean",
        (Kind::Int(_), _) => "an integer",
        (Kind::Float, _) => "a number",
        (Kind::List(..) | Kind::Tuple(_), _) => "a list",
        (Kind::Map(_) | Kind::Struct(_), _) => "a map",
        (Kind::Choice(_) | Kind::Tagged(..), _) => "the name of a variant",
    };
    Some(found(open, expected, value))
}

const fn found(open: Text, expected: &str, value: &Literal) -> Text {
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

const fn wrong_length(open: Text, expected: usize, found: usize) -> Text {
    open.text("expected ")
        .uint(expected as u128)
        .text(" items, found ")
        .uint(found as u128)
}

const fn out_of_range(open: Text, ty: IntType, value: &Literal) -> Option<Text> {
    let (inside, open) = match value {
        Literal::Int(n) => {
            let below = *n < ty.min();
            let above = *n > 0 && *n as u128 > ty.max();
            (!below && !above, open.int(*n))
        }
        Literal::UInt(n) => (*n <= ty.max(), open.uint(*n)),
        _ => (true, open),
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

const fn items_misfit(open: Text, item: &Kind, list: ListKind, items: &[Literal]) -> Option<Text> {
    if let ListKind::Array(len) = list
        && len != items.len()
    {
        return Some(wrong_length(open, len, items.len()));
    }
    let mut at = 0;
    while at < items.len() {
        let here = open.text("item ").uint(at as u128 + 1).text(": ");
        if let Some(fault) = misfit(here, item, &items[at]) {
            return Some(fault);
        }
        at += 1;
    }
    None
}

const fn struct_misfit(
    open: Text,
    fields: &[super::super::KindField],
    entries: &[(&str, Literal)],
) -> Option<Text> {
    let mut at = 0;
    while at < entries.len() {
        let mut known = false;
        let mut row = 0;
        while row < fields.len() {
            if same(fields[row].name, entries[at].0) {
                known = true;
                let here = open.text("`").text(entries[at].0).text("`: ");
                if let Some(fault) = misfit(here, fields[row].kind, &entries[at].1) {
                    return Some(fault);
                }
            }
            row += 1;
        }
        if !known {
            return Some(
                open.text("`")
                    .text(entries[at].0)
                    .text("` is no field of it"),
            );
        }
        at += 1;
    }
    let mut row = 0;
    while row < fields.len() {
        let mut given = !fields[row].required;
        let mut at = 0;
        while at < entries.len() {
            given |= same(entries[at].0, fields[row].name);
            at += 1;
        }
        if !given {
            return Some(
                open.text("its field `")
                    .text(fields[row].name)
                    .text("` is missing"),
            );
        }
        row += 1;
    }
    None
}

const fn not_among(open: Text, names: &[&str], text: &str) -> Option<Text> {
    let mut listed = open.quoted(text).text(" is none of ");
    let mut at = 0;
    while at < names.len() {
        if same(names[at], text) {
            return None;
        }
        listed = listed
            .text(if at == 0 { "`" } else { ", `" })
            .text(names[at])
            .text("`");
        at += 1;
    }
    Some(listed)
}

/// The demos of checked records.
#[must_use]
pub fn demos<S: Signature>(records: &[Record]) -> Vec<Demo<S>> {
    records.iter().map(demo).collect()
}

fn demo<S: Signature>(record: &Record) -> Demo<S> {
    let half = |fields: &[FieldSpec]| -> FieldValues {
        let given = |field: &FieldSpec| {
            let entry = record
                .entries
                .iter()
                .find(|entry| field.name == entry.name)?;
            Some((field.name.clone(), value(&entry.value)))
        };
        fields.iter().filter_map(given).collect()
    };
    let (inputs, outputs) = (half(S::Input::FIELDS), half(S::Output::FIELDS));
    // By way of the types, so that `1` for a float shows as `1.0` and an alias as the name it stands for.
    match (
        S::Input::from_values(inputs.clone()),
        S::Output::from_values(outputs.clone()),
    ) {
        (Ok(input), Ok(output)) => Demo::new(input, output),
        _ => Demo::from_partial(PartialDemo { inputs, outputs }),
    }
}

fn value(literal: &Literal) -> Value {
    match literal {
        Literal::Null | Literal::Unknown => Value::Null,
        Literal::Bool(b) => Value::Bool(*b),
        Literal::Int(n) => Value::Int(*n),
        Literal::UInt(n) => Value::UInt(*n),
        Literal::Float(x) => Value::Float(*x),
        Literal::Text(text) => Value::String((*text).to_owned()),
        Literal::List(items) => Value::List(items.iter().map(value).collect()),
        Literal::Map(entries) => {
            let entry = |(key, literal): &(&str, Literal)| ((*key).to_owned(), value(literal));
            Value::Map(entries.iter().map(entry).collect())
        }
    }
}

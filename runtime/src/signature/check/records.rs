//! Records of a file of demos: checked by constant evaluation, and built when the program runs.

use super::super::{
    Demo, FieldSet, FieldSpec, FieldValues, Kind, PartialDemo, Signature, TypeRef, Value,
};
use super::kinds::misfit;
use super::near::nearest;
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
                    let text = text.text(str_of(checks.name));
                    let text = match nearest(entry.name, inputs, outputs) {
                        Some(near) => text.text("`; did you mean `").text(near).text("`?"),
                        None => {
                            let text = text.text("`; its fields are ");
                            list(list(text, inputs, true), outputs, inputs.is_empty())
                        }
                    };
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

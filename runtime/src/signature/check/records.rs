//! Records of a file of demos: checked by constant evaluation, and built when the program runs.

use super::super::{Demo, FieldSet, FieldSpec, FieldValues, PartialDemo, Signature, Value};
use super::fields::{missing, unknown_hint};
use super::place::Place;
use super::types::{misfit, table_of};
use super::{Checks, Entry, Literal, constraints, find, str_of};

/// One record of a file.
#[derive(Debug, Clone, Copy)]
pub struct Record {
    /// Line it begins on.
    pub line: u128,
    /// Its entries.
    pub entries: &'static [Entry],
}

/// Checks names, types and constraints of a record, and unless it is `partial` that no field is missing.
#[track_caller]
pub const fn record(checks: &Checks, file: &str, record: &Record, partial: bool) {
    let (inputs, outputs) = (checks.inputs, checks.outputs);
    let mut at = 0;
    while at < record.entries.len() {
        let entry = &record.entries[at];
        let place = Place::file(file, entry.line, entry.name);
        let field = match find(inputs, entry.name) {
            Some(field) => field,
            None => match find(outputs, entry.name) {
                Some(field) => field,
                None => {
                    let text = place.named().text(" is no field of `");
                    let text = text.text(str_of(checks.name)).text("`");
                    panic!(
                        "{}",
                        unknown_hint(text, entry.name, inputs, outputs).as_str()
                    );
                }
            },
        };
        if let Some(fault) = misfit(&place, table_of(&field.ty), &entry.value) {
            panic!("{}", fault.as_str());
        }
        if let Some(fault) = constraints::fault(&place, field, checks.programs, &entry.value) {
            panic!("{}", fault.as_str());
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
    if let Some(name) = missing(fields, record.entries) {
        let text = Place::file(file, record.line, name).named();
        let text = text
            .text(" is missing; for demos that leave fields out add `, ..` after the signature");
        panic!("{}", text.as_str());
    }
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
        Literal::List(items) => Value::List(items.iter().map(|(_, item)| value(item)).collect()),
        Literal::Map(entries) => {
            let entry = |entry: &Entry| (entry.name.to_owned(), value(&entry.value));
            Value::Map(entries.iter().map(entry).collect())
        }
    }
}

//! The entries of a map against the fields of a struct or a variant.

use super::super::reader::PAYLOAD_KEY;
use super::super::{FieldSpec, TypeRef};
use super::near::nearest;
use super::place::Place;
use super::text::Text;
use super::types::{may_be_missing, misfit, table_of};
use super::{Entry, Program, constraints, find, same, str_of};

/// The fields of a struct or a variant.
pub(super) struct Fields {
    pub owner: &'static str,
    pub rows: Rows,
    pub programs: &'static [Program],
    /// The key that is no field; empty for a struct.
    pub tag: &'static str,
}

/// What stands in the map beside the tag.
#[derive(Clone, Copy)]
pub(super) enum Rows {
    Named(&'static [FieldSpec]),
    /// The one value of a variant, under a key of its own.
    Payload(&'static TypeRef),
}

impl Fields {
    pub(super) const fn fault(&self, place: &Place, entries: &[Entry]) -> Option<Text> {
        let mut at = 0;
        while at < entries.len() {
            let entry = &entries[at];
            at += 1;
            if !self.tag.is_empty() && same(entry.name, self.tag) {
                continue;
            }
            let here = place.key(entry.line, entry.name);
            let (ty, field) = match self.rows {
                Rows::Named(fields) => match find(fields, entry.name) {
                    Some(field) => (&field.ty, Some(field)),
                    None => return Some(self.unknown(&here, entry.name)),
                },
                Rows::Payload(ty) if same(entry.name, PAYLOAD_KEY) => (ty, None),
                Rows::Payload(_) => return Some(self.unknown(&here, entry.name)),
            };
            if let Some(fault) = misfit(&here, table_of(ty), &entry.value) {
                return Some(fault);
            }
            if let Some(field) = field
                && let Some(fault) = constraints::fault(&here, field, self.programs, &entry.value)
            {
                return Some(fault);
            }
        }
        match self.missing(entries) {
            Some(name) => Some(place.lacking(name).named().text(" is missing")),
            None => None,
        }
    }

    const fn missing(&self, entries: &[Entry]) -> Option<&'static str> {
        match self.rows {
            Rows::Named(fields) => missing(fields, entries),
            Rows::Payload(_) if entry_of(entries, PAYLOAD_KEY).is_none() => Some(PAYLOAD_KEY),
            Rows::Payload(_) => None,
        }
    }

    const fn unknown(&self, place: &Place, name: &str) -> Text {
        let text = place.named().text(" is no field of `").text(self.owner);
        match self.rows {
            Rows::Named(fields) => unknown_hint(text.text("`"), name, fields, &[]),
            Rows::Payload(_) => text.text("`; its field is `").text(PAYLOAD_KEY).text("`"),
        }
    }
}

/// The first field that must be there and is not.
pub(super) const fn missing(
    fields: &'static [FieldSpec],
    entries: &[Entry],
) -> Option<&'static str> {
    let mut row = 0;
    while row < fields.len() {
        let name = str_of(&fields[row].name);
        if entry_of(entries, name).is_none() && !may_be_missing(&fields[row]) {
            return Some(name);
        }
        row += 1;
    }
    None
}

/// What fields there are, for one that there is not.
pub(super) const fn unknown_hint(
    text: Text,
    name: &str,
    first: &'static [FieldSpec],
    second: &'static [FieldSpec],
) -> Text {
    match nearest(name, first, second) {
        Some(near) => text.text("; did you mean `").text(near).text("`?"),
        None if first.is_empty() && second.is_empty() => text.text(", which has none"),
        None => {
            let text = text.text("; its fields are ");
            list(list(text, first, true), second, first.is_empty())
        }
    }
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

pub(super) const fn entry_of<'e>(entries: &'e [Entry], name: &str) -> Option<&'e Entry> {
    let mut at = 0;
    while at < entries.len() {
        if same(entries[at].name, name) {
            return Some(&entries[at]);
        }
        at += 1;
    }
    None
}

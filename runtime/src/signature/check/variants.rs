//! A literal against the variants of an enum.

use super::super::{EnumSpec, Payload, VariantSpec};
use super::fields::{Fields, Rows, entry_of};
use super::place::Place;
use super::text::Text;
use super::types::found;
use super::{Entry, Literal, Program, same, slice_of, str_of};

pub(super) const fn carries_data(spec: &'static EnumSpec) -> bool {
    let variants = slice_of(&spec.variants);
    let mut at = 0;
    while at < variants.len() {
        if !matches!(variants[at].payload, Payload::Unit) {
            return true;
        }
        at += 1;
    }
    false
}

/// The variant that a map names under its tag.
#[expect(
    clippy::result_large_err,
    reason = "a box needs an allocator, which constant evaluation has none of"
)]
pub(super) const fn tagged(
    place: &Place,
    spec: &'static EnumSpec,
    entries: &[Entry],
) -> Result<&'static VariantSpec, Text> {
    let tag = str_of(&spec.tag);
    let Some(entry) = entry_of(entries, tag) else {
        return Err(place.lacking(tag).named().text(" is missing"));
    };
    let here = place.key(entry.line, tag);
    match &entry.value {
        Literal::Text(name) => match variant_of(spec, name) {
            Some(variant) => Ok(variant),
            None => Err(not_among(&here, spec, name)),
        },
        other => Err(found(here.open(), "the name of a variant", other)),
    }
}

/// What stands beside the tag.
pub(super) const fn variant_fields(
    spec: &'static EnumSpec,
    variant: &'static VariantSpec,
    programs: &'static [Program],
) -> Fields {
    let rows = match &variant.payload {
        Payload::Unit => Rows::Named(&[]),
        Payload::Fields(fields) => Rows::Named(slice_of(fields)),
        Payload::Value(ty) => Rows::Payload(ty),
    };
    Fields {
        owner: str_of(&variant.name),
        rows,
        programs,
        tag: str_of(&spec.tag),
    }
}

/// The variant of this name or alias.
pub(super) const fn variant_of(
    spec: &'static EnumSpec,
    name: &str,
) -> Option<&'static VariantSpec> {
    let variants = slice_of(&spec.variants);
    let mut at = 0;
    while at < variants.len() {
        if same(str_of(&variants[at].name), name) {
            return Some(&variants[at]);
        }
        let aliases = slice_of(&variants[at].aliases);
        let mut alias = 0;
        while alias < aliases.len() {
            if same(str_of(&aliases[alias]), name) {
                return Some(&variants[at]);
            }
            alias += 1;
        }
        at += 1;
    }
    None
}

pub(super) const fn not_among(place: &Place, spec: &'static EnumSpec, name: &str) -> Text {
    let variants = slice_of(&spec.variants);
    let mut listed = place.open().quoted(name).text(" is none of ");
    let mut at = 0;
    while at < variants.len() {
        listed = listed
            .text(if at == 0 { "`" } else { ", `" })
            .text(str_of(&variants[at].name))
            .text("`");
        at += 1;
    }
    listed
}

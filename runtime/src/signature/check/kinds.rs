//! A literal against the kind of its field.

use super::super::{IntType, Kind, KindField, ListKind};
use super::text::Text;
use super::{Literal, same};

/// How the value is not of the kind, if it isn't.
pub(super) const fn misfit(open: Text, kind: &Kind, value: &Literal) -> Option<Text> {
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
    fields: &[KindField],
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

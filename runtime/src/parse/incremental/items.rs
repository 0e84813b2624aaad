//! Strict JSON as it comes in, as far as needed to see where items end. What is not strict is left to the whole reply's parser.

use std::ops::Range;

use super::super::coerce::Coercer;
use super::super::loose::{Notes, read_items};
use super::super::tree::NodeKind;
use crate::signature::{FieldType, Value};

/// Where one is within brackets and quotes.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Nesting {
    pub depth: usize,
    pub in_string: bool,
    escaped: bool,
}

impl Nesting {
    /// Behind the quote that opens a string.
    pub fn in_string() -> Self {
        Nesting {
            in_string: true,
            ..Nesting::default()
        }
    }

    /// Passes a byte; whether it stands outside of strings and is no quote.
    pub fn pass(&mut self, byte: u8) -> bool {
        if self.in_string {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.in_string = false,
                _ => {}
            }
            return false;
        }
        match byte {
            b'"' => self.in_string = true,
            b'[' | b'{' => self.depth += 1,
            b']' | b'}' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        byte != b'"'
    }
}

/// The items of a list.
#[derive(Debug)]
pub(super) struct Items {
    cursor: usize,
    nesting: Nesting,
    /// Where the current item begins.
    item: usize,
    /// The list is at its end, or no strict JSON.
    over: bool,
}

impl Items {
    /// A list that begins at `begin`, after white space.
    pub fn new(begin: usize) -> Self {
        Items {
            cursor: begin,
            nesting: Nesting::default(),
            item: begin,
            over: false,
        }
    }

    /// No item that follows is certain.
    pub fn give_up(&mut self) {
        self.over = true;
    }

    /// The next item that has ended before `end`.
    pub fn next(&mut self, text: &str, end: usize) -> Option<Range<usize>> {
        while !self.over && self.cursor < end {
            let (at, byte) = (self.cursor, text.as_bytes()[self.cursor]);
            self.cursor += 1;
            let before = self.nesting.depth;
            let structural = self.nesting.pass(byte);
            match (before, byte) {
                (0, b'[') => self.item = at + 1,
                (0, b' ' | b'\n' | b'\r' | b'\t') => {}
                (0, _) => self.over = true,
                (1, b',') if structural => {
                    let item = self.item..at;
                    self.item = at + 1;
                    return Some(item);
                }
                (1, b']') if structural => {
                    self.over = true;
                    let item = self.item..at;
                    return Some(item).filter(|item| !text[item.clone()].trim().is_empty());
                }
                (1, b'}') if structural => self.over = true,
                _ => {}
            }
        }
        None
    }
}

/// The value of a piece of strict JSON, as it is read where it stands in a reply.
pub(super) fn value(field: &str, ty: &FieldType, json: &str, at: usize) -> Option<Value> {
    serde_json::from_str::<serde::de::IgnoredAny>(json).ok()?;
    let tree = read_items(json, &mut Notes::default()).ok()?;
    let NodeKind::List { items, .. } = tree.root().kind else {
        return None;
    };
    Coercer::new(field, true)
        .node(ty, &items.single()?, at)
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_end_where_json_says() {
        for (text, items) in [
            ("[1, 2]", "1| 2"),
            (
                " [\"a,b\", [1, 2], {\"x\": \"]\"}] x, y]",
                "\"a,b\"| [1, 2]| {\"x\": \"]\"}",
            ),
            ("[\"a\\\"b\", 1", "\"a\\\"b\""),
            ("[]", ""),
            ("[1}, 2]", ""),
            ("x [1]", ""),
        ] {
            let mut scan = Items::new(0);
            let mut found = Vec::new();
            for end in 1..=text.len() {
                while let Some(item) = scan.next(text, end) {
                    found.push(&text[item]);
                }
            }
            assert_eq!(found.join("|"), items, "{text:?}");
        }
    }
}

//! A reply that is a JSON object, as it comes in. Whatever is not strict JSON is left to the whole reply's parser.

use std::ops::Range;

use super::super::constraint;
use super::super::marker_line::{Names, Opens};
use super::FieldEvent;
use super::items::{Items, Nesting, value};
use super::told::{Told, is_text, item_type};
use crate::signature::SignatureSpec;

/// Reads the object that a reply begins with.
#[derive(Debug)]
pub(super) struct Object {
    cursor: usize,
    expect: Expect,
    /// A value that has ended. Its field is told once a key follows or the object ends: a reply that breaks off right
    /// after it may lack it.
    ended: Option<(usize, Range<usize>)>,
}

#[derive(Debug)]
enum Expect {
    /// The object, alone or in a fence.
    Begin,
    FenceLine,
    /// A key, or the end of the object.
    Key,
    InKey {
        begin: usize,
        nesting: Nesting,
    },
    Colon {
        key: Range<usize>,
    },
    Value {
        field: Option<usize>,
    },
    InValue(Current),
    Comma,
    /// The object is over, or this is none.
    Nothing,
}

/// The value that is coming in.
#[derive(Debug)]
struct Current {
    field: Option<usize>,
    begin: usize,
    nesting: Nesting,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    /// Of a text field; what is told of it reaches to here.
    Text(Option<usize>),
    Items(Items),
    Other,
}

impl Object {
    pub fn new(begin: usize) -> Self {
        Object {
            cursor: begin,
            expect: Expect::Begin,
            ended: None,
        }
    }

    pub fn read(
        &mut self,
        text: &str,
        spec: &SignatureSpec,
        told: &mut [Told],
        events: &mut Vec<FieldEvent>,
    ) {
        let mut to = Listener { spec, told, events };
        while self.cursor < text.len() {
            if matches!(self.expect, Expect::Nothing) {
                return;
            }
            if let Expect::InValue(current) = &mut self.expect
                && let Kind::Text(_) = current.kind
            {
                // A string may be long: its parts are told once for all that came in.
                let more = current.string(text, &mut self.cursor, &mut to);
                if more {
                    return;
                }
                self.string_ended();
                continue;
            }
            let byte = text.as_bytes()[self.cursor];
            self.byte(text, byte, &mut to);
        }
    }

    /// Takes the byte at the cursor, and moves on unless it belongs to what is expected next.
    fn byte(&mut self, text: &str, byte: u8, to: &mut Listener<'_>) {
        let at = self.cursor;
        let space = matches!(byte, b' ' | b'\n' | b'\r' | b'\t');
        self.cursor += 1;
        self.expect = match std::mem::replace(&mut self.expect, Expect::Nothing) {
            Expect::FenceLine if byte == b'\n' => Expect::Begin,
            Expect::FenceLine if byte == b'`' || byte == b'\r' || byte.is_ascii_alphanumeric() => {
                Expect::FenceLine
            }
            expect @ (Expect::Begin
            | Expect::Key
            | Expect::Colon { .. }
            | Expect::Value { .. }
            | Expect::Comma)
                if space =>
            {
                expect
            }
            Expect::Begin if byte == b'{' => Expect::Key,
            Expect::Begin if byte == b'`' => Expect::FenceLine,
            Expect::Key if byte == b'"' => Expect::InKey {
                begin: at,
                nesting: Nesting::in_string(),
            },
            Expect::Key | Expect::Comma if byte == b'}' => {
                self.tell_ended(text, to);
                Expect::Nothing
            }
            Expect::InKey { begin, mut nesting } => {
                nesting.pass(byte);
                match nesting.in_string {
                    true => Expect::InKey { begin, nesting },
                    false => Expect::Colon {
                        key: begin..self.cursor,
                    },
                }
            }
            Expect::Colon { key } if byte == b':' => {
                self.tell_ended(text, to);
                match serde_json::from_str::<String>(&text[key]) {
                    Ok(key) => Expect::Value {
                        field: to.field(&key),
                    },
                    Err(_) => Expect::Nothing,
                }
            }
            Expect::Value { field } => {
                self.cursor = at;
                Expect::InValue(Current::new(field, at, byte, to))
            }
            Expect::InValue(current) => self.in_value(text, at, byte, current, to),
            Expect::Comma if byte == b',' => Expect::Key,
            _ => Expect::Nothing,
        };
    }

    fn in_value(
        &mut self,
        text: &str,
        at: usize,
        byte: u8,
        mut current: Current,
        to: &mut Listener<'_>,
    ) -> Expect {
        let outside = current.nesting.depth == 0 && !current.nesting.in_string;
        let space = matches!(byte, b' ' | b'\n' | b'\r' | b'\t');
        if outside && at > current.begin && (space || matches!(byte, b',' | b'}' | b']')) {
            self.cursor = at;
            self.ended = current.field.map(|field| (field, current.begin..at));
            return Expect::Comma;
        }
        current.nesting.pass(byte);
        if let (Kind::Items(items), Some(field)) = (&mut current.kind, current.field) {
            while let Some(item) = items.next(text, self.cursor) {
                to.element(field, text, item, items);
            }
        }
        Expect::InValue(current)
    }

    /// A string of a text field has ended at the cursor.
    fn string_ended(&mut self) {
        if let Expect::InValue(current) = std::mem::replace(&mut self.expect, Expect::Comma) {
            let value = current.begin..self.cursor;
            self.ended = current.field.map(|field| (field, value));
        }
    }

    fn tell_ended(&mut self, text: &str, to: &mut Listener<'_>) {
        if let Some((field, range)) = self.ended.take() {
            to.done(field, text, range);
        }
    }
}

impl Current {
    fn new(field: Option<usize>, begin: usize, first: u8, to: &mut Listener<'_>) -> Self {
        let kind = match field {
            Some(field) => {
                to.started(field);
                match &to.spec.outputs[field].ty {
                    ty if is_text(ty) && first == b'"' => Kind::Text(Some(begin + 1)),
                    ty if item_type(ty).is_some() => Kind::Items(Items::new(begin)),
                    _ => Kind::Other,
                }
            }
            None => Kind::Other,
        };
        Current {
            field,
            begin,
            nesting: Nesting::default(),
            kind,
        }
    }

    /// Tells what came in of a string; whether more of it must come.
    fn string(&mut self, text: &str, cursor: &mut usize, to: &mut Listener<'_>) -> bool {
        while *cursor < text.len() {
            self.nesting.pass(text.as_bytes()[*cursor]);
            *cursor += 1;
            if !self.nesting.in_string {
                break;
            }
        }
        let end = match self.nesting.in_string {
            true => *cursor,
            false => *cursor - 1,
        };
        if let (Kind::Text(told), Some(field)) = (&mut self.kind, self.field)
            && let Some(from) = told
        {
            let mut delta = String::new();
            let sound = unescape(text, from, end, &mut delta);
            to.text(field, delta);
            if !sound {
                *told = None;
            }
        }
        self.nesting.in_string
    }
}

/// Where what is read goes.
struct Listener<'l> {
    spec: &'l SignatureSpec,
    told: &'l mut [Told],
    events: &'l mut Vec<FieldEvent>,
}

impl Listener<'_> {
    /// The field of a key, unless it had a value already.
    fn field(&self, key: &str) -> Option<usize> {
        match Names::of(self.spec).opens(key) {
            Opens::Field(at) if !self.told[at].started => Some(at),
            _ => None,
        }
    }

    fn started(&mut self, field: usize) {
        self.told[field].start(&self.spec.outputs[field], self.events);
    }

    fn text(&mut self, field: usize, delta: String) {
        self.told[field].text(&self.spec.outputs[field], delta, self.events);
    }

    fn element(&mut self, field: usize, text: &str, item: Range<usize>, items: &mut Items) {
        let spec = &self.spec.outputs[field];
        let found = item_type(&spec.ty)
            .and_then(|ty| value(&spec.name, ty, &text[item.clone()], item.start));
        match found {
            Some(found) => self.told[field].element(spec, found, self.events),
            None => items.give_up(),
        }
    }

    fn done(&mut self, field: usize, text: &str, range: Range<usize>) {
        let spec = &self.spec.outputs[field];
        let found = value(&spec.name, &spec.ty, &text[range.clone()], range.start)
            .and_then(|found| constraint::check(&spec.constraints, found, range.start).ok());
        if let Some(found) = found {
            self.told[field].settle(spec, found, self.events);
        }
    }
}

/// Appends the characters of a JSON string from `from` up to `end`, which may stand within an escape; false where it is no
/// strict JSON.
fn unescape(text: &str, from: &mut usize, end: usize, out: &mut String) -> bool {
    while *from < end {
        let rest = &text[*from..end];
        let plain = rest
            .find(|c: char| c == '\\' || c < ' ')
            .unwrap_or(rest.len());
        out.push_str(&rest[..plain]);
        *from += plain;
        let rest = &rest[plain..];
        if rest.is_empty() {
            return true;
        }
        // The longest escape is a pair of surrogates.
        let escape = match rest.as_bytes() {
            [b'\\', b'u', digits @ ..] => match digits {
                [b'd' | b'D', b'8' | b'9' | b'a' | b'b' | b'A' | b'B', ..] => 12,
                _ => 6,
            },
            [b'\\', ..] => 2,
            _ => return false,
        };
        let Some(escape) = rest.get(..escape) else {
            // More may come; where it does not, the string has no end, or the whole reply's parser judges.
            return rest.len() < escape;
        };
        match serde_json::from_str::<String>(&format!("\"{escape}\"")) {
            Ok(characters) => out.push_str(&characters),
            Err(_) => return false,
        }
        *from += escape.len();
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_told_when_they_are_whole() {
        let json = r#"a\n\u00e9\ud83d\ude00\"b"#;
        let mut from = 0;
        let mut parts = Vec::new();
        for end in 1..=json.len() {
            let mut out = String::new();
            assert!(unescape(json, &mut from, end, &mut out));
            parts.push(out);
        }
        assert_eq!(parts.concat(), "a\né😀\"b");
        assert_eq!(parts.iter().filter(|part| !part.is_empty()).count(), 6);
        for wrong in ["\\x", "\\ud83dabcdef", "a\nb", "\\uzzzz"] {
            let (mut from, mut out) = (0, String::new());
            assert!(
                !unescape(wrong, &mut from, wrong.len(), &mut out),
                "{wrong:?}"
            );
        }
    }
}

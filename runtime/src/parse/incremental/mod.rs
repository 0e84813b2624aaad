//! A reply read while it comes in: what is certain of a field is told at once, the whole is parsed at its end.
//!
//! Certain is what no text that may follow takes back, but for what `docs/streaming.md` lists. From
//! the first line on whose meaning hangs on what follows, nothing is told before the end. Linear in the reply, whatever its chunks.

mod items;
mod lines;
mod object;
mod opening;
mod tail;
mod told;
mod writer;

use super::breaks::is_fence;
use super::fields::{blank, read_alone};
use super::marker_line::{Form, Marker, Names, Opens};
use super::sections::{Section, has_inline_marker, offset};
use super::thinking::opening;
use super::{ParseError, Parsed, parse_reply};
use crate::signature::{SignatureSpec, Str, Value};

use items::Items;
use lines::{Line, Lines};
use object::Object;
use opening::Opening;
use tail::Tail;
use told::{Told, is_text, item_type};
use writer::Writer;

/// What is certain of a field.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum FieldEvent {
    /// The field has begun.
    Started {
        /// Its name.
        field: Str,
    },
    /// More of the text of a `String` or `Option<String>`. All of them, joined, are the value.
    Text {
        /// The field's name.
        field: Str,
        /// What is new.
        delta: String,
    },
    /// The next element of a list that is no set.
    Element {
        /// The field's name.
        field: Str,
        /// Its place in the list.
        index: usize,
        /// The element.
        value: Value,
    },
    /// The field's value.
    Done {
        /// The field's name.
        field: Str,
        /// The value.
        value: Value,
    },
    /// What was told of the field came from a draft: nothing of it holds. Its value follows.
    Retracted {
        /// The field's name.
        field: Str,
    },
}

/// Reads a reply while it comes in.
#[derive(Debug)]
pub struct ReplyParser {
    spec: SignatureSpec,
    text: String,
    stage: Stage,
    opening: Opening,
    lines: Lines,
    object: Object,
    /// Whether a code fence is open.
    fenced: bool,
    section: Option<Open>,
    /// The fields that have a section, and at the end whether the reply has its end marker.
    seen: Vec<bool>,
    told: Vec<Told>,
    events: Vec<FieldEvent>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// In front of the answer.
    Opening,
    /// In front of the first section, or in a reply that has none.
    Preamble,
    Sections,
    /// Nothing more is certain before the end.
    Silent,
}

/// The section that is coming in.
#[derive(Debug)]
struct Open {
    field: usize,
    begin: usize,
    tail: Tail,
    content: Content,
}

#[derive(Debug)]
enum Content {
    Text(Writer),
    Items(Items),
    Other,
}

impl ReplyParser {
    /// A parser of replies with the outputs of this spec.
    #[must_use]
    pub fn new(spec: SignatureSpec) -> Self {
        let fields = spec.outputs.len();
        ReplyParser {
            spec,
            text: String::new(),
            stage: Stage::Opening,
            opening: Opening::default(),
            lines: Lines::new(0),
            object: Object::new(0),
            fenced: false,
            section: None,
            seen: vec![false; fields + 1],
            told: (0..fields).map(|_| Told::default()).collect(),
            events: Vec::new(),
        }
    }

    /// Takes in more of the reply, and gives what is certain by now.
    #[must_use = "events are given once"]
    pub fn feed(&mut self, chunk: &str) -> Vec<FieldEvent> {
        self.text.push_str(chunk);
        if self.stage == Stage::Opening
            && let Some((begin, lines)) = self.opening.pass(&self.text)
        {
            (self.stage, self.lines, self.object) = (Stage::Preamble, lines, Object::new(begin));
        }
        if matches!(self.stage, Stage::Preamble | Stage::Sections) {
            self.read_on();
        }
        std::mem::take(&mut self.events)
    }

    /// The text so far.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Ends the reply: what is left to tell, and what [`parse_reply`] says of the whole. In a reply that parses, each
    /// field is done with its value after these events; of one that doesn't, they are none.
    #[must_use = "events are given once"]
    pub fn finish(mut self) -> (Vec<FieldEvent>, Result<Parsed, ParseError>) {
        let parsed = parse_reply(&self.spec, &self.text);
        if let Ok(parsed) = &parsed {
            for (field, told) in self.spec.outputs.iter().zip(&mut self.told) {
                if let Some(value) = parsed.values.get(&field.name) {
                    told.settle(field, value.clone(), &mut self.events);
                }
            }
        }
        (self.events, parsed)
    }

    fn read_on(&mut self) {
        while self.stage != Stage::Silent
            && let Some(line) = self.lines.next(&self.text)
        {
            self.line(&line);
        }
        if self.stage == Stage::Preamble {
            self.object
                .read(&self.text, &self.spec, &mut self.told, &mut self.events);
        }
        self.tell_section(self.lines.certain());
    }

    /// From this line on nothing is certain.
    fn fall_silent(&mut self, line: usize) {
        self.tell_section(line);
        self.section = None;
        self.stage = Stage::Silent;
    }

    fn line(&mut self, line: &Line) {
        let mut content = &self.text[line.range.clone()];
        if line.range.start == 0 {
            content = content.trim_start_matches('\u{feff}');
        }
        let trimmed = content.trim_start();
        if is_fence(trimmed) {
            self.fenced = !self.fenced;
        } else if self.stage == Stage::Preamble && changes_thoughts(trimmed, self.fenced) {
            self.fall_silent(line.range.start);
        } else if line.may_be_marker
            && let Some(marker) = Names::of(&self.spec).marker(content)
        {
            let rest = offset(&self.text, marker.rest)..line.range.end;
            let marker = Marker { rest: "", ..marker };
            self.marker(line.range.start, marker, rest);
        }
    }

    fn marker(&mut self, at: usize, marker: Marker<'_>, rest: std::ops::Range<usize>) {
        let slot = match marker.opens {
            Opens::Field(field) => Some(field),
            Opens::End => Some(self.spec.outputs.len()),
            Opens::Other => None,
        };
        if marker.form != Form::Plain {
            // Such a line is text if the field has a plain marker too.
            if slot.is_none_or(|slot| !self.seen[slot]) {
                self.fall_silent(at);
            }
            return;
        }
        let told_object =
            self.stage == Stage::Preamble && self.told.iter().any(|told| told.started);
        if self.fenced || told_object {
            self.fall_silent(at);
            return;
        }
        self.close_section(at);
        self.stage = Stage::Sections;
        if let Some(slot) = slot {
            self.seen[slot] = true;
        }
        let inline =
            has_inline_marker(&Names::of(&self.spec), &self.text[rest.clone()], &self.seen);
        match marker.opens {
            Opens::Field(field) if !inline => self.open_section(field, rest.start),
            Opens::Other if !inline => {}
            _ => self.stage = Stage::Silent,
        }
    }

    fn open_section(&mut self, field: usize, begin: usize) {
        let spec = &self.spec.outputs[field];
        self.told[field].start(spec, &mut self.events);
        let content = match &spec.ty {
            _ if self.told[field].is_settled() => Content::Other,
            ty if is_text(ty) => Content::Text(Writer::new(begin)),
            ty if item_type(ty).is_some() => Content::Items(Items::new(begin)),
            _ => Content::Other,
        };
        self.section = Some(Open {
            field,
            begin,
            tail: Tail::new(begin),
            content,
        });
    }

    /// Tells what is new in the open section, whose lines are certain up to here.
    fn tell_section(&mut self, lines: usize) {
        let Some(open) = &mut self.section else {
            return;
        };
        let (spec, told) = (&self.spec.outputs[open.field], &mut self.told[open.field]);
        if lines <= open.begin || matches!(open.content, Content::Other) {
            return;
        }
        let end = open.tail.certain(&self.text, lines);
        match &mut open.content {
            Content::Text(writer) => {
                let mut delta = String::new();
                let optional = spec.ty.is_option();
                writer.write(&self.text, end, &spec.name, optional, &mut delta);
                told.text(spec, delta, &mut self.events);
            }
            Content::Items(items) => {
                while let Some(item) = items.next(&self.text, end) {
                    let text = &self.text[item.clone()];
                    let found = item_type(&spec.ty)
                        .and_then(|ty| items::value(&spec.name, ty, text, item.start));
                    match found {
                        Some(found) => told.element(spec, found, &mut self.events),
                        None => items.give_up(),
                    }
                }
            }
            Content::Other => {}
        }
    }

    /// The section has ended: its value is certain, unless another section of the field takes its place.
    fn close_section(&mut self, end: usize) {
        let Some(open) = self.section.take() else {
            return;
        };
        let (spec, told) = (&self.spec.outputs[open.field], &mut self.told[open.field]);
        let text = self.text.get(open.begin..end).unwrap_or_default();
        if told.is_settled() || blank(text.trim(), &spec.name) {
            return;
        }
        told.set_settled();
        let section = Section {
            text,
            complete: true,
        };
        if let Some(value) = read_alone(spec, &self.text, section) {
            told.settle(spec, value, &mut self.events);
        }
    }
}

/// Whether a line in front of the first section opens thoughts there, or ends some that began with the reply and may hold
/// the fence that is open.
fn changes_thoughts(line: &str, fenced: bool) -> bool {
    opening(line).is_some() || (fenced && line.trim().eq_ignore_ascii_case("</think>"))
}

//! Text or loose JSON to a value of the wanted type. Certain readings are taken, each leniency noted; others are faults.

mod embedded;
mod json;
mod lines;
mod list;
mod null;
mod object;
mod peel;
mod scalar;
mod variant;
mod words;

pub(super) use embedded::{Found, find_json};
pub(super) use lines::key_value;
pub(super) use list::shown;
pub(super) use peel::whole_fence;

use scalar::plain_integer;
use words::{describe, describe_enum, syntax, too_deep, wrong_kind};

use crate::signature::{FieldType, Value, unescape_markers};

use super::RepairKind;
use super::error::{ErrorKind, Fault};
use super::loose::Notes;
use super::sections::offset;
use super::thinking::after_block;
use super::tree::{Node, NodeKind};

/// Types nest no deeper in values than JSON does; a recursive type is stopped here.
const MAX_DEPTH: usize = super::loose::MAX_DEPTH + 32;

/// A piece of the reply, and where it stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Source<'t> {
    pub(super) text: &'t str,
    pub(super) at: usize,
    /// Whether the piece is a scalar in JSON rather than free text.
    pub(super) in_json: bool,
    /// How far the first line was indented before it was trimmed.
    indent: usize,
}

impl<'t> Source<'t> {
    pub(super) fn new(text: &'t str, at: usize) -> Self {
        Source {
            text,
            at,
            in_json: false,
            indent: 0,
        }
    }

    /// A slice of the text, with its own place.
    fn part(&self, part: &'t str) -> Self {
        let at = match self.in_json {
            true => self.at,
            false => self.at + offset(self.text, part),
        };
        Source {
            text: part,
            at,
            ..*self
        }
    }

    fn trimmed(&self) -> Self {
        let trimmed = self.text.trim();
        if trimmed.len() == self.text.len() {
            return *self;
        }
        let before = &self.text[..offset(self.text, trimmed)];
        let indent = match before.rfind('\n') {
            Some(line_break) => before.len() - line_break - 1,
            None => self.indent + before.len(),
        };
        Source {
            indent,
            ..self.part(trimmed)
        }
    }
}

/// Reads the values of one field.
pub(super) struct Coercer<'f> {
    pub(super) field: &'f str,
    /// Whether the text is known to be all that the model had to say for the field.
    pub(super) complete: bool,
    /// Leniencies so far, each kind once.
    pub(super) notes: Vec<(RepairKind, usize)>,
    depth: usize,
}

impl<'f> Coercer<'f> {
    pub(super) fn new(field: &'f str, complete: bool) -> Self {
        Coercer {
            field,
            complete,
            notes: Vec::new(),
            depth: 0,
        }
    }

    pub(super) fn note(&mut self, kind: RepairKind, at: usize) {
        if !self.notes.iter().any(|(known, _)| *known == kind) {
            self.notes.push((kind, at));
        }
    }

    pub(super) fn note_all(&mut self, notes: &Notes, base: usize) {
        for (kind, at) in notes.iter() {
            self.note(kind, base + at);
        }
    }

    /// Runs a reading; where it fails, its leniencies are forgotten.
    fn attempt<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Fault>) -> Result<T, Fault> {
        let known = self.notes.len();
        let result = read(self);
        if result.is_err() {
            self.notes.truncate(known);
        }
        result
    }

    fn nested<T>(
        &mut self,
        at: usize,
        read: impl FnOnce(&mut Self) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        if self.depth >= MAX_DEPTH {
            return Err(too_deep(at));
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }

    /// The value of free text.
    pub(super) fn text(&mut self, ty: &FieldType, source: Source<'_>) -> Result<Value, Fault> {
        if let FieldType::Int(int) = ty
            && let Some(value) = plain_integer(*int, source.text)
        {
            return Ok(value);
        }
        self.nested(source.at, |this| this.text_of(ty, source.trimmed()))
    }

    fn text_of(&mut self, ty: &FieldType, source: Source<'_>) -> Result<Value, Fault> {
        if !free_text(ty)
            && let Some(rest) = after_block(source.text)
        {
            self.note(RepairKind::Thinking, source.at);
            return self.text_of_answer(ty, source.part(rest));
        }
        self.text_of_answer(ty, source)
    }

    fn text_of_answer(&mut self, ty: &FieldType, source: Source<'_>) -> Result<Value, Fault> {
        match ty {
            FieldType::String => Ok(Value::String(unescape_markers(source.text).into_owned())),
            FieldType::Option(inner) => self.option_text(inner, source),
            _ if source.text.is_empty() => {
                let message = format!("expected {}, found nothing", describe(ty));
                Err(Fault::new(ErrorKind::Missing, source.at, message))
            }
            FieldType::Char
            | FieldType::Bool
            | FieldType::Int(_)
            | FieldType::Float(_)
            | FieldType::Date(_) => self.scalar_text(ty, source),
            FieldType::Enum(spec) if spec.is_unit() => self.unit_variant(spec, source),
            FieldType::Enum(_) | FieldType::Struct(_) | FieldType::Map(_) => {
                self.object_text(ty, source)
            }
            FieldType::List(list) => self.list_text(ty, list, source),
            FieldType::Tuple(_) => self.tuple_text(ty, source),
            FieldType::Json => self.json_text(source),
        }
    }

    /// The value of loose JSON; `base` is where its text begins in the reply.
    pub(super) fn node(
        &mut self,
        ty: &FieldType,
        node: &Node<'_>,
        base: usize,
    ) -> Result<Value, Fault> {
        self.nested(base + node.at, |this| this.node_of(ty, node, base))
    }

    fn node_of(&mut self, ty: &FieldType, node: &Node<'_>, base: usize) -> Result<Value, Fault> {
        let at = base + node.at;
        match (ty, node.kind) {
            (FieldType::Int(int), NodeKind::Bare(text)) => match plain_integer(*int, text) {
                Some(value) => Ok(value),
                None => self.scalar_text(ty, json_source(text, at)),
            },
            // A blank in quotes is a character too.
            (FieldType::Char, NodeKind::Text(text)) if text.chars().count() == 1 => {
                Ok(Value::String(text.to_owned()))
            }
            (FieldType::Json, _) => self.json_node(node, base),
            (FieldType::Option(inner), _) => self.option_node(inner, node, base),
            (FieldType::String, kind) => self.string_node(kind, at),
            (FieldType::Enum(spec), NodeKind::Bare(text)) if spec.is_unit() => {
                self.unit_variant(spec, json_source(text, at))
            }
            (FieldType::Enum(spec), NodeKind::Text(text)) if spec.is_unit() => {
                self.unit_variant(spec, json_source(text, at))
            }
            (FieldType::Enum(_) | FieldType::Struct(_) | FieldType::Map(_), _) => {
                self.object_node(ty, node, base)
            }
            (FieldType::List(list), NodeKind::List { items, closed }) => {
                self.must_be_closed(closed, at, "a list")?;
                self.items(list, items.len(), items.parts(), at, base)
            }
            (FieldType::Tuple(types), NodeKind::List { items, closed }) => {
                self.tuple_node(types, items, closed, at, base)
            }
            (FieldType::Float(_), NodeKind::Map { .. }) => self.float_object(ty, node, at),
            (
                FieldType::Char | FieldType::Bool | FieldType::Float(_) | FieldType::Date(_),
                NodeKind::Bare(text),
            ) => self.scalar_text(ty, json_source(text, at)),
            (
                FieldType::Char
                | FieldType::Bool
                | FieldType::Int(_)
                | FieldType::Float(_)
                | FieldType::Date(_),
                NodeKind::Text(text),
            ) => {
                if !matches!(ty, FieldType::Char | FieldType::Date(_)) {
                    self.note(RepairKind::Quotes, at);
                }
                if let FieldType::Int(int) = ty
                    && let Some(value) = plain_integer(*int, text)
                {
                    return Ok(value);
                }
                self.scalar_text(ty, json_source(text, at))
            }
            _ => Err(wrong_kind(ty, node, at)),
        }
    }

    fn string_node(&mut self, kind: NodeKind<'_>, at: usize) -> Result<Value, Fault> {
        match kind {
            NodeKind::Text(text) => Ok(Value::String(text.to_owned())),
            NodeKind::Bare(word) => match Literal::of(word) {
                Literal::Null | Literal::Bool(_) => Err(Fault::expected("a string", word, at)),
                Literal::Number => {
                    self.note(RepairKind::NumberAsText, at);
                    Ok(Value::String(word.to_owned()))
                }
                Literal::Word => {
                    self.note(RepairKind::Unquoted, at);
                    Ok(Value::String(word.to_owned()))
                }
            },
            NodeKind::List { .. } => Err(Fault::new(
                ErrorKind::Type,
                at,
                "expected a string, found a list",
            )),
            NodeKind::Map { .. } => Err(Fault::new(
                ErrorKind::Type,
                at,
                "expected a string, found an object",
            )),
        }
    }

    /// Brackets that the text does not close: fine if the model went on to the next section, else its end may be missing.
    fn must_be_closed(&self, closed: bool, at: usize, what: &str) -> Result<(), Fault> {
        if closed || self.complete {
            return Ok(());
        }
        let message = format!("the reply ends inside {what}");
        Err(Fault::new(ErrorKind::Truncated, at, message))
    }
}

fn json_source(text: &str, at: usize) -> Source<'_> {
    Source {
        text: text.trim(),
        at,
        in_json: true,
        indent: 0,
    }
}

/// What a word without quotes is in JSON or Python.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Literal {
    Null,
    Bool(bool),
    Number,
    Word,
}

impl Literal {
    fn of(word: &str) -> Self {
        match word {
            "null" | "None" => Literal::Null,
            "true" | "True" => Literal::Bool(true),
            "false" | "False" => Literal::Bool(false),
            "NaN" | "Infinity" | "-Infinity" => Literal::Number,
            _ => {
                let digits = word.strip_prefix('-').unwrap_or(word);
                match digits.as_bytes().first().is_some_and(u8::is_ascii_digit)
                    && word.parse::<f64>().is_ok()
                {
                    true => Literal::Number,
                    false => Literal::Word,
                }
            }
        }
    }
}

/// Whether any text is a value of the type.
pub(super) fn free_text(ty: &FieldType) -> bool {
    match ty {
        FieldType::String | FieldType::Json => true,
        FieldType::Option(inner) => match &**inner {
            FieldType::String | FieldType::Json => true,
            // One level: a type may contain itself.
            _ => false,
        },
        _ => false,
    }
}

//! What is wrong with a reply: every field's error at once, beside what did parse. The messages say all there is to say:
//! these errors have no source, which a reporter would print a second time.

use std::fmt;
use std::ops::{Deref, DerefMut};

use crate::signature::{FieldValues, Str};

use super::Repair;

/// A reply that does not give every field.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub struct ParseError {
    /// What is wrong, one error a field, in the order of the fields.
    pub errors: Vec<FieldError>,
    /// The values of the fields that did parse.
    pub partial: FieldValues,
    /// The leniencies that those values needed.
    pub repairs: Vec<Repair>,
    /// The reply, as the model wrote it.
    pub completion: String,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, error) in self.errors.iter().enumerate() {
            if at > 0 {
                f.write_str("; ")?;
            }
            error.fmt(f)?;
        }
        Ok(())
    }
}

/// What is wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub struct FieldError {
    /// The field of the signature.
    pub field: Str,
    /// The way from the field's value to the fault: keys and indices, outermost first.
    pub path: Vec<String>,
    /// The kind of fault.
    pub kind: ErrorKind,
    /// What was expected and what was found.
    pub message: String,
    /// Where the faulty text begins in the reply; `None` if there is none.
    pub at: Option<Place>,
    /// The faulty text, cut to a few words.
    pub excerpt: String,
    /// The values that the reply could mean, where it is ambiguous.
    pub candidates: Vec<String>,
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "field `{}`", self.field)?;
        if !self.path.is_empty() {
            write!(f, ", at `{}`", self.path.join("."))?;
        }
        write!(f, ": {}", self.message)?;
        if !self.excerpt.is_empty() {
            write!(f, ", found {:?}", self.excerpt)?;
        }
        if let Some(place) = self.at {
            write!(f, " (line {} of the reply)", place.line)?;
        }
        Ok(())
    }
}

/// A place in a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Place {
    /// Bytes before it.
    pub offset: usize,
    /// Its line, from 1.
    pub line: usize,
}

/// The kinds of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The field is not there, or has no text.
    Missing,
    /// The text is no value of the type.
    Type,
    /// The number does not fit the type.
    OutOfRange,
    /// The text could mean several values.
    Ambiguous,
    /// The value is of the type, but a constraint refuses it.
    Constraint,
    /// Nested deeper than the parser goes.
    TooDeep,
    /// The reply ends inside the value.
    Truncated,
}

impl ErrorKind {
    /// A stable name in snake case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            ErrorKind::Missing => "missing",
            ErrorKind::Type => "type",
            ErrorKind::OutOfRange => "out_of_range",
            ErrorKind::Ambiguous => "ambiguous",
            ErrorKind::Constraint => "constraint",
            ErrorKind::TooDeep => "too_deep",
            ErrorKind::Truncated => "truncated",
        }
    }

    /// The coarse kind: `missing`, `constraint`, or `type` for every text that gives no value of the type.
    #[must_use]
    pub const fn class(self) -> &'static str {
        match self {
            ErrorKind::Missing => "missing",
            ErrorKind::Constraint => "constraint",
            _ => "type",
        }
    }
}

/// A fault while a value is read, before it is tied to its field. Boxed: a value and a fault are results of every step, and
/// most are values.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Fault(Box<Faulty>);

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Faulty {
    pub(super) kind: ErrorKind,
    pub(super) path: Vec<String>,
    pub(super) message: String,
    /// Byte offset in the reply.
    pub(super) at: usize,
    pub(super) excerpt: String,
    pub(super) candidates: Vec<String>,
}

impl Deref for Fault {
    type Target = Faulty;

    fn deref(&self) -> &Faulty {
        &self.0
    }
}

impl DerefMut for Fault {
    fn deref_mut(&mut self) -> &mut Faulty {
        &mut self.0
    }
}

impl Fault {
    pub(super) fn new(kind: ErrorKind, at: usize, message: impl Into<String>) -> Self {
        Fault(Box::new(Faulty {
            kind,
            path: Vec::new(),
            message: message.into(),
            at,
            excerpt: String::new(),
            candidates: Vec::new(),
        }))
    }

    /// The error of a field of this reply.
    pub(super) fn of_field(self, field: &Str, completion: &str) -> FieldError {
        let fault = *self.0;
        FieldError {
            field: field.clone(),
            path: fault.path,
            kind: fault.kind,
            message: fault.message,
            at: Some(place(completion, fault.at)),
            excerpt: fault.excerpt,
            candidates: fault.candidates,
        }
    }

    /// The wrong type: `expected` with its article, and the text found.
    pub(super) fn expected(expected: &str, found: &str, at: usize) -> Self {
        Fault::new(ErrorKind::Type, at, format!("expected {expected}")).showing(found)
    }

    pub(super) fn showing(mut self, found: &str) -> Self {
        self.excerpt = excerpt(found);
        self
    }

    /// Several readings, which the message lists.
    pub(super) fn ambiguous(
        expected: &str,
        candidates: Vec<String>,
        found: &str,
        at: usize,
    ) -> Self {
        let shown: Vec<String> = candidates.iter().map(|c| format!("`{c}`")).collect();
        let message = format!(
            "expected {expected}, but it could be {}",
            shown.join(" or ")
        );
        let mut fault = Fault::new(ErrorKind::Ambiguous, at, message).showing(found);
        fault.candidates = candidates;
        fault
    }

    /// The same fault, seen from one level up.
    pub(super) fn within(mut self, step: impl fmt::Display) -> Self {
        self.path.insert(0, step.to_string());
        self
    }
}

/// At most 60 characters of a text.
pub(super) fn excerpt(text: &str) -> String {
    let text = text.trim();
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The line of a byte offset.
pub(super) fn place(completion: &str, offset: usize) -> Place {
    let offset = offset.min(completion.len());
    let line = completion.as_bytes()[..offset]
        .iter()
        .filter(|b| **b == b'\n')
        .count()
        + 1;
    Place { offset, line }
}

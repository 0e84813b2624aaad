//! Reads field after field: the pieces of a reply to one value each, or to an error.

use std::ops::Range;

use super::coerce::{Coercer, Source, shown};
use super::error::{Fault, excerpt};
use super::fallback::Piece;
use super::sections::{Section, offset};
use super::{ErrorKind, FieldError, ParseError, Parsed, Repair, RepairKind, constraint};
use crate::signature::{FieldSpec, FieldValues, Str, Value};

pub(super) struct FieldReader<'t> {
    completion: &'t str,
    values: FieldValues,
    spans: Vec<(Str, Range<usize>)>,
    errors: Vec<FieldError>,
    repairs: Vec<Repair>,
    /// Whether a field that is not there may not be taken for one that was left out.
    doubtful: bool,
}

/// A reply that gives a field more often than this has run wild.
const MAX_REPEATS: usize = 64;

/// What one piece of a field gave.
struct Candidate {
    value: Result<Value, Fault>,
    notes: Vec<(RepairKind, usize)>,
    span: Range<usize>,
    blank: bool,
}

impl<'t> FieldReader<'t> {
    pub(super) fn new(completion: &'t str, repairs: Vec<Repair>, doubtful: bool) -> Self {
        FieldReader {
            completion,
            values: FieldValues::new(),
            spans: Vec::new(),
            errors: Vec::new(),
            repairs,
            doubtful,
        }
    }

    pub(super) fn field(&mut self, field: &FieldSpec, pieces: Vec<Piece<'t>>) {
        if pieces.len() > MAX_REPEATS {
            let message = format!("the reply gives it {} times", pieces.len());
            return self.fault(field, Fault::new(ErrorKind::Ambiguous, 0, message));
        }
        let mut candidates: Vec<Candidate> = pieces
            .into_iter()
            .map(|piece| self.candidate(field, piece))
            .collect();
        if candidates.len() > 1 && candidates.iter().any(|c| !c.blank) {
            candidates.retain(|c| !c.blank);
        }
        let repeated = candidates.len() > 1;
        let Some(chosen) = self.agreed(field, candidates) else {
            return;
        };
        if repeated {
            let at = chosen.span.start;
            self.repair(field, RepairKind::RepeatedField, at);
        }
        let checked = chosen
            .value
            .and_then(|value| constraint::check(&field.constraints, value, chosen.span.start));
        match checked {
            Ok(value) => {
                for (kind, at) in chosen.notes {
                    self.repair(field, kind, at);
                }
                self.spans.push((field.name.clone(), chosen.span));
                self.values.insert(field.name.clone(), value);
            }
            // A section without a word in it is no section, for a field that may be left out.
            Err(fault)
                if fault.kind == ErrorKind::Missing
                    && field.default.is_some()
                    && !self.doubtful =>
            {
                self.left_out(field);
            }
            Err(fault) => self.fault(field, fault),
        }
    }

    fn candidate(&self, field: &FieldSpec, piece: Piece<'t>) -> Candidate {
        match piece {
            Piece::Text(section) => {
                let mut coercer = Coercer::new(&field.name, section.complete);
                let text = section.text.trim();
                let at = offset(self.completion, text);
                let missing = |message: &str| Err(Fault::new(ErrorKind::Missing, at, message));
                let value = if placeholder(text, &field.name) {
                    missing("the reply has the prompt's words in its place")
                        .map_err(|f| f.showing(text))
                } else if text.is_empty() && !section.complete {
                    missing("missing: the reply ends before its value")
                } else {
                    let source = Source::new(section.text, offset(self.completion, section.text));
                    coercer.text(&field.ty, source)
                };
                let blank = blank(text, &field.name);
                Candidate {
                    value,
                    notes: coercer.notes,
                    span: at..at + text.len(),
                    blank,
                }
            }
            Piece::Json {
                branch,
                notes,
                complete,
                base,
                spelling,
            } => {
                let mut coercer = Coercer::new(&field.name, complete);
                let node = branch.node();
                coercer.note_all(&notes, base);
                if spelling {
                    coercer.note(RepairKind::KeySpelling, base + node.at);
                }
                let value = coercer.node(&field.ty, &node, base);
                let span = base + node.at..base + node.end;
                Candidate {
                    value,
                    notes: coercer.notes,
                    span,
                    blank: false,
                }
            }
        }
    }

    /// The one candidate of a field; errors if there is none or they differ.
    fn agreed(&mut self, field: &FieldSpec, mut candidates: Vec<Candidate>) -> Option<Candidate> {
        let Some((first, others)) = candidates.split_first() else {
            self.left_out(field);
            return None;
        };
        let differs = |other: &&Candidate| match (&first.value, &other.value) {
            (Ok(one), Ok(two)) => !constraint::same(one, two),
            (one, two) => one.is_ok() != two.is_ok(),
        };
        if let Some(other) = others.iter().find(differs) {
            let text = |c: &Candidate| match &c.value {
                Ok(value) => shown(value),
                Err(_) => excerpt(self.completion.get(c.span.clone()).unwrap_or_default()),
            };
            let readings = vec![text(first), text(other)];
            let at = other.span.start;
            let fault = Fault::ambiguous("one value", readings, "", at);
            self.fault(field, fault);
            return None;
        }
        Some(candidates.swap_remove(0))
    }

    fn left_out(&mut self, field: &FieldSpec) {
        let value = match (&field.default, field.ty.is_option()) {
            (Some(default), _) if !self.doubtful => default.get(),
            (None, true) if !self.doubtful => Value::Null,
            _ => {
                self.errors.push(FieldError {
                    field: field.name.clone(),
                    path: Vec::new(),
                    kind: ErrorKind::Missing,
                    message: format!(
                        "missing: the reply has no section `[[ ## {} ## ]]`",
                        field.name
                    ),
                    at: None,
                    excerpt: String::new(),
                    candidates: Vec::new(),
                });
                return;
            }
        };
        self.values.insert(field.name.clone(), value);
    }

    fn repair(&mut self, field: &FieldSpec, kind: RepairKind, at: usize) {
        let field = Some(field.name.clone());
        self.repairs.push(Repair { field, kind, at });
    }

    fn fault(&mut self, field: &FieldSpec, fault: Fault) {
        self.errors
            .push(fault.of_field(&field.name, self.completion));
    }

    pub(super) fn finish(self, completed: bool) -> Result<Parsed, ParseError> {
        if self.errors.is_empty() {
            return Ok(Parsed {
                values: self.values,
                repairs: self.repairs,
                spans: self.spans,
                completed,
            });
        }
        Err(ParseError {
            errors: self.errors,
            partial: self.values,
            repairs: self.repairs,
            completion: self.completion.to_owned(),
        })
    }
}

/// The value of a field whose only section this is; none where it has no value yet, or one that can't be taken.
pub(super) fn read_alone(field: &FieldSpec, reply: &str, section: Section<'_>) -> Option<Value> {
    if blank(section.text.trim(), &field.name) {
        return None;
    }
    let reader = FieldReader::new(reply, Vec::new(), false);
    let value = reader.candidate(field, Piece::Text(section)).value.ok()?;
    constraint::check(&field.constraints, value, 0).ok()
}

/// Whether a section says nothing.
pub(super) fn blank(text: &str, name: &str) -> bool {
    text.is_empty() || placeholder(text, name)
}

/// What stands in a demo for a value that was left out.
pub(super) const NOT_SUPPLIED: &str = "Not supplied for this particular example.";

/// The prompt's own words in the place of a value: `{city}`, or what stands in a demo for a value left out.
fn placeholder(text: &str, name: &str) -> bool {
    text.strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'))
        == Some(name)
        || text == NOT_SUPPLIED
}

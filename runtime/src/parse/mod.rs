//! A completion to typed fields: sections, then a value for each by its type, then its constraints.
//!
//! Every reply is hostile here. What a reply means beyond doubt is taken, each leniency recorded as a [`Repair`]; what could
//! mean two things is an error. `docs/parsing.md` lists the rules.

mod coerce;
mod constraint;
mod error;
mod fallback;
mod loose;
mod loose_text;
mod marker_line;
mod names;
mod number;
mod repair;
mod sections;
mod thinking;

pub use error::{ErrorKind, FieldError, ParseError, Place};
pub use repair::{Repair, RepairKind};

use std::ops::Range;

use crate::signature::{
    FieldSet, FieldSpec, FieldValues, Signature, SignatureSpec, Str, Value, ValueError,
};

use coerce::{Coercer, Source, shown};
use error::Fault;
use fallback::Piece;
use marker_line::Names;
use sections::{Layout, Section, offset};

/// A reply that gives every field.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Parsed {
    /// The values, in the order of the fields.
    pub values: FieldValues,
    /// The leniencies that the reply needed.
    pub repairs: Vec<Repair>,
    /// Where the text of each field stands in the reply; a field that was left out has none.
    pub spans: Vec<(Str, Range<usize>)>,
    /// Whether the reply has its end marker.
    pub completed: bool,
}

/// Reads the output fields of a signature out of a reply.
///
/// # Errors
/// Every field that is missing, of the wrong type, ambiguous or refused by a constraint, beside the values that did parse.
pub fn parse_reply(spec: &SignatureSpec, completion: &str) -> Result<Parsed, ParseError> {
    let names = Names(
        spec.outputs
            .iter()
            .map(|field| field.name.as_ref())
            .collect(),
    );
    let body = without_control_tokens(completion);
    let mut layout = sections::split(&names, body);
    let mut repairs = std::mem::take(&mut layout.repairs);
    if body.len() < completion.len() {
        let kind = RepairKind::ControlToken;
        repairs.push(Repair {
            field: None,
            kind,
            at: body.len(),
        });
    }
    let pieces = pieces(spec, &names, body, &layout, &mut repairs);
    // A text without any layout is not a reply that leaves every field out.
    let unread = pieces.iter().all(Vec::is_empty) && !layout.preamble.trim().is_empty();
    let mut reader = FieldReader {
        completion,
        values: FieldValues::new(),
        spans: Vec::new(),
        errors: Vec::new(),
        repairs,
        doubtful: unread || layout.cut,
    };
    for (field, pieces) in spec.outputs.iter().zip(pieces) {
        reader.field(field, pieces);
    }
    reader.finish(layout.completed)
}

/// Reads the typed output of `S` out of a reply.
///
/// # Errors
/// As [`parse_reply`], and where a field's Rust type refuses the value.
pub fn parse_typed<S: Signature>(completion: &str) -> Result<(S::Output, Parsed), ParseError> {
    parse_as(S::SPEC, completion, S::Output::from_values)
}

/// Reads the output fields of a spec out of a reply, and makes something of them.
///
/// # Errors
/// As [`parse_reply`], and where `from_values` refuses a value.
pub fn parse_as<O>(
    spec: &SignatureSpec,
    completion: &str,
    from_values: impl FnOnce(FieldValues) -> Result<O, Vec<ValueError>>,
) -> Result<(O, Parsed), ParseError> {
    let parsed = parse_reply(spec, completion)?;
    match from_values(parsed.values.clone()) {
        Ok(output) => Ok((output, parsed)),
        Err(refusals) => Err(refused(completion, parsed, refusals)),
    }
}

fn refused(completion: &str, parsed: Parsed, refusals: Vec<ValueError>) -> ParseError {
    let mut partial = parsed.values;
    let errors = refusals.into_iter().map(|refusal| {
        let mut path = refusal.path().to_vec();
        let field = if path.is_empty() {
            String::new()
        } else {
            path.remove(0)
        };
        let span = parsed.spans.iter().find(|(name, _)| *name == field);
        partial.take(&field);
        FieldError {
            at: span.map(|(_, span)| place(completion, span.start)),
            excerpt: span.map_or_else(String::new, |(_, span)| {
                error::excerpt(completion.get(span.clone()).unwrap_or_default())
            }),
            field: Str::Owned(field),
            path,
            kind: ErrorKind::Type,
            message: refusal.message().to_owned(),
            candidates: Vec::new(),
        }
    });
    let errors = errors.collect();
    ParseError {
        errors,
        partial,
        repairs: parsed.repairs,
        completion: completion.to_owned(),
    }
}

fn pieces<'t>(
    spec: &SignatureSpec,
    names: &Names<'_>,
    completion: &'t str,
    layout: &Layout<'t>,
    repairs: &mut Vec<Repair>,
) -> Vec<Vec<Piece<'t>>> {
    let none_found = layout.fields.iter().all(Vec::is_empty);
    let by_marker = || {
        let text = |section: &Section<'t>| Piece::Text(*section);
        layout
            .fields
            .iter()
            .map(|of_field| of_field.iter().map(text).collect())
            .collect()
    };
    if !none_found {
        return by_marker();
    }
    let (text, done) = (layout.preamble, layout.completed);
    fallback::pieces(spec, names, completion, text, done, repairs).unwrap_or_else(by_marker)
}

struct FieldReader<'t> {
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
    fn field(&mut self, field: &FieldSpec, pieces: Vec<Piece<'t>>) {
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
                let blank = text.is_empty() || placeholder(text, &field.name);
                Candidate {
                    value,
                    notes: coercer.notes,
                    span: at..at + text.len(),
                    blank,
                }
            }
            Piece::Json {
                node,
                notes,
                complete,
                base,
                spelling,
            } => {
                let mut coercer = Coercer::new(&field.name, complete);
                for (kind, at) in notes {
                    coercer.note(kind, base + at);
                }
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
                Err(_) => error::excerpt(self.completion.get(c.span.clone()).unwrap_or_default()),
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
        self.errors.push(FieldError {
            field: field.name.clone(),
            path: fault.path,
            kind: fault.kind,
            message: fault.message,
            at: Some(place(self.completion, fault.at)),
            excerpt: fault.excerpt,
            candidates: fault.candidates,
        });
    }

    fn finish(self, completed: bool) -> Result<Parsed, ParseError> {
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

/// The reply without the control tokens that some engines leave at its end.
fn without_control_tokens(completion: &str) -> &str {
    const TOKENS: &[&str] = &[
        "<|im_end|>",
        "<|endoftext|>",
        "<|eot_id|>",
        "<end_of_turn>",
        "</s>",
    ];
    let mut body = completion;
    while let Some(rest) = TOKENS
        .iter()
        .find_map(|token| body.trim_end().strip_suffix(token))
    {
        body = rest;
    }
    body
}

/// The prompt's own words in the place of a value: `{city}`, or what stands in a demo for a value left out.
fn placeholder(text: &str, name: &str) -> bool {
    text.strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'))
        == Some(name)
        || text == "Not supplied for this particular example."
}

fn place(completion: &str, offset: usize) -> Place {
    let offset = offset.min(completion.len());
    let line = completion.as_bytes()[..offset]
        .iter()
        .filter(|b| **b == b'\n')
        .count()
        + 1;
    Place { offset, line }
}

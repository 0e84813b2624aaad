//! A completion to typed fields: sections, then a value for each by its type, then its constraints.
//!
//! Every reply is hostile here. What a reply means beyond doubt is taken, each leniency recorded as a [`Repair`]; what could
//! mean two things is an error. `docs/parsing.md` lists the rules.

mod breaks;
mod coerce;
mod constraint;
mod date;
mod distinct;
mod error;
mod fallback;
mod fields;
mod incremental;
mod loose;
mod loose_text;
mod marker_line;
mod names;
mod number;
mod repair;
mod sections;
mod separators;
mod thinking;
mod tree;

pub use error::{ErrorKind, FieldError, ParseError, Place};
pub use incremental::{FieldEvent, ReplyParser};
pub use repair::{Repair, RepairKind};

use std::ops::Range;

use crate::signature::{FieldSet, FieldValues, Signature, SignatureSpec, Str, ValueError};

use error::place;
use fallback::Piece;
use fields::FieldReader;
use marker_line::Names;
use sections::{Layout, Section};

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
    let names = Names::of(spec);
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
    let mut reader = FieldReader::new(completion, repairs, unread || layout.cut);
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
    typed(completion, parse_reply(spec, completion)?, from_values)
}

/// Makes something of what was read of a reply.
pub(crate) fn typed<O>(
    completion: &str,
    parsed: Parsed,
    from_values: impl FnOnce(FieldValues) -> Result<O, Vec<ValueError>>,
) -> Result<(O, Parsed), ParseError> {
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

/// What some engines leave at the end of a reply. Each has its only `<` in front.
const CONTROL_TOKENS: &[&str] = &[
    "<|im_end|>",
    "<|endoftext|>",
    "<|eot_id|>",
    "<end_of_turn>",
    "</s>",
];

/// The reply without the control tokens at its end.
fn without_control_tokens(completion: &str) -> &str {
    let mut body = completion;
    while let Some(rest) = CONTROL_TOKENS
        .iter()
        .find_map(|token| body.trim_end().strip_suffix(token))
    {
        body = rest;
    }
    body
}

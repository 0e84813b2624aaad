//! Replies without a single marker: a JSON object, XML-like elements, `name: value` lines, or the one bare value.

use std::rc::Rc;

use super::coerce::{Found, find_json, free_text, key_value};
use super::loose::Notes;
use super::marker_line::{Names, Opens};
use super::names::{self, Match};
use super::sections::{Section, offset};
use super::tree::{Branch, Node, NodeKind};
use super::{Repair, RepairKind};
use crate::signature::{FieldType, SignatureSpec};

/// What a field's value is to be read from.
#[derive(Debug)]
pub(super) enum Piece<'t> {
    Text(Section<'t>),
    /// JSON within `text`.
    Json {
        branch: Branch<'t>,
        notes: Notes,
        complete: bool,
        base: usize,
        spelling: bool,
    },
}

/// The pieces of each field, by whatever layout the reply has; `None` if it has none.
pub(super) fn pieces<'t>(
    spec: &SignatureSpec,
    names: &Names<'_>,
    reply: &'t str,
    text: &'t str,
    completed: bool,
    repairs: &mut Vec<Repair>,
) -> Option<Vec<Vec<Piece<'t>>>> {
    let base = offset(reply, text);
    let mut note = |kind, at| {
        repairs.push(Repair {
            field: None,
            kind,
            at,
        })
    };
    if let Some(pieces) = json(spec, names, text, base, completed) {
        note(RepairKind::JsonReply, base);
        return Some(pieces);
    }
    if let Some(pieces) = elements(names, text) {
        note(RepairKind::XmlReply, base);
        return Some(pieces);
    }
    if let Some(pieces) = labels(spec, names, text) {
        note(RepairKind::LabelledReply, base);
        return Some(pieces);
    }
    // Free text without a marker may be anything: a refusal, an apology, half of an answer.
    let [only] = &*spec.outputs else {
        return None;
    };
    let certain = match &*only.ty {
        FieldType::String | FieldType::Json | FieldType::Char => false,
        FieldType::Option(inner) => !matches!(
            **inner,
            FieldType::String | FieldType::Json | FieldType::Char
        ),
        _ => true,
    };
    if !certain || text.trim().is_empty() {
        return None;
    }
    note(RepairKind::BareReply, base);
    Some(vec![vec![Piece::Text(Section {
        text,
        complete: completed,
    })]])
}

fn json<'t>(
    spec: &SignatureSpec,
    names: &Names<'_>,
    text: &'t str,
    base: usize,
    complete: bool,
) -> Option<Vec<Vec<Piece<'t>>>> {
    let json = find_json(text, &['{']);
    let mut pieces: Vec<Vec<Piece<'t>>> = (0..names.0.len()).map(|_| Vec::new()).collect();
    let mut any = false;
    for Found {
        tree, mut notes, ..
    } in json.found
    {
        let tree = Rc::new(tree);
        let NodeKind::Map { entries, closed } = unwrapped(names, tree.root().kind) else {
            continue;
        };
        let known = entries.iter().any(|(key, _)| find(names, key).is_some());
        if !known {
            continue;
        }
        any = true;
        let all = (0..names.0.len()).all(|at| {
            spec.outputs[at].may_be_missing()
                || entries.iter().any(|(key, _)| matches!(find(names, key), Some(Match::Exact(i) | Match::Folded(i)) if i == at))
        });
        let last = entries.len();
        for (index, (key, place)) in entries.places().enumerate() {
            let (at, spelling) = match find(names, key) {
                Some(Match::Exact(at)) => (at, false),
                Some(Match::Folded(at)) => (at, true),
                None => continue,
            };
            // Brackets missing at the end: what the last entry says may be cut short.
            let tree = Rc::clone(&tree);
            let branch = Branch { tree, place };
            let whole = closed || complete || (all && quoted_or_closed(&branch.node()));
            if !whole && index + 1 == last {
                continue;
            }
            pieces[at].push(Piece::Json {
                branch,
                notes: std::mem::take(&mut notes),
                complete,
                base,
                spelling,
            });
        }
    }
    any.then_some(pieces)
}

fn find(names: &Names<'_>, key: &str) -> Option<Match> {
    names::find(key, names.0.iter().copied())
}

fn quoted_or_closed(node: &Node<'_>) -> bool {
    match node.kind {
        NodeKind::Text(_) => true,
        NodeKind::Bare(_) => false,
        NodeKind::List { closed, .. } | NodeKind::Map { closed, .. } => closed,
    }
}

/// The object inside `{"output": {...}}`, where that one has the fields.
fn unwrapped<'a>(names: &Names<'_>, kind: NodeKind<'a>) -> NodeKind<'a> {
    let known = |key: &str| find(names, key).is_some();
    if let NodeKind::Map { entries, .. } = kind
        && let Some((key, inner)) = entries.single()
        && let NodeKind::Map { entries, .. } = inner.kind
        && !known(key)
        && entries.iter().any(|(key, _)| known(key))
    {
        return inner.kind;
    }
    kind
}

/// `<city>Oslo</city>`, each name once.
fn elements<'t>(names: &Names<'_>, text: &'t str) -> Option<Vec<Vec<Piece<'t>>>> {
    let mut pieces: Vec<Vec<Piece<'t>>> = Vec::with_capacity(names.0.len());
    let mut any = false;
    for name in &names.0 {
        let (open, close) = (format!("<{name}>"), format!("</{name}>"));
        let mut of_field = Vec::new();
        if let Some(at) = text.find(&open) {
            let body = &text[at + open.len()..];
            let end = body.find(&close)?;
            if body[end + close.len()..].contains(&open) || body[..end].contains(&open) {
                return None;
            }
            any = true;
            of_field.push(Piece::Text(Section {
                text: &body[..end],
                complete: true,
            }));
        }
        pieces.push(of_field);
    }
    any.then_some(pieces)
}

/// `city: Oslo` lines, bold labels and headings.
fn labels<'t>(
    spec: &SignatureSpec,
    names: &Names<'_>,
    text: &'t str,
) -> Option<Vec<Vec<Piece<'t>>>> {
    let mut found: Vec<(usize, usize, usize)> = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let labelled = line.len() > 2 && line.contains([':', '#']);
        if let Some((field, value)) = labelled.then(|| label(names, line)).flatten() {
            found.push((field, at, offset(text, value)));
        }
        at += line.len();
    }
    if found.is_empty() {
        return None;
    }
    let mut pieces: Vec<Vec<Piece<'t>>> = (0..names.0.len()).map(|_| Vec::new()).collect();
    for (index, (field, _, begin)) in found.iter().enumerate() {
        let next = found.get(index + 1);
        let end = next.map_or(text.len(), |(_, at, _)| *at);
        let whole = &text[*begin..end];
        let value = match free_text(&spec.outputs[*field].ty) {
            // Where free text goes on below its paragraph, its end is not certain.
            true => one_paragraph(whole)?,
            false => whole,
        };
        pieces[*field].push(Piece::Text(Section {
            text: value,
            complete: next.is_some(),
        }));
    }
    Some(pieces)
}

/// The field of a labelled line, and what follows the label.
fn label<'t>(names: &Names<'_>, line: &'t str) -> Option<(usize, &'t str)> {
    let text = line.trim();
    let bare = text.trim_start_matches(['-', '#', '>', '•']).trim_start();
    let heading = text.starts_with('#');
    let (name, value) = match key_value(bare) {
        Some((name, value)) => (name, value),
        None if heading => (bare.trim_matches(['*', ' ']), &line[line.len()..]),
        None => return None,
    };
    match names.opens(name) {
        Opens::Field(at) => Some((
            at,
            if value.is_empty() {
                &line[line.len()..]
            } else {
                value
            },
        )),
        _ => None,
    }
}

/// The text, if it is a single paragraph of a single line.
fn one_paragraph(text: &str) -> Option<&str> {
    let text = text.trim();
    (!text.contains('\n')).then_some(text)
}

//! Finds the JSON in a text: the whole of it, in a fence, or among prose.

use std::rc::Rc;

use super::super::loose::{self, Notes, SyntaxFault};
use super::super::names::folded;
use super::super::tree::{Branch, Node, NodeKind, Tree};
use super::whole_fence;

/// A JSON value in a text.
#[derive(Debug)]
pub(in super::super) struct Found<'t> {
    pub(in super::super) tree: Tree<'t>,
    pub(in super::super) notes: Notes,
    /// Whether it stands where an answer would: first, last after a colon, or on lines of its own.
    pub(in super::super) placed: bool,
}

/// The JSON values in a text, and what is wrong with the first that is broken.
#[derive(Debug, Default)]
pub(in super::super) struct Json<'t> {
    pub(in super::super) found: Vec<Found<'t>>,
    pub(in super::super) fault: Option<SyntaxFault>,
}

/// Bracketed prose is common; more attempts than this say that the text is no JSON.
const MAX_ATTEMPTS: usize = 64;

/// Every outermost JSON value that begins with one of `openers`.
pub(in super::super) fn find_json<'t>(text: &'t str, openers: &[char]) -> Json<'t> {
    let mut json = Json::default();
    let mut from = 0;
    let mut budget = text.len() * 2 + 4096;
    for _ in 0..MAX_ATTEMPTS {
        let Some(start) = text[from..].find(openers).map(|at| from + at) else {
            return json;
        };
        let mut notes = Notes::default();
        match loose::read(text, start, &mut notes) {
            Ok(tree) => {
                let root = tree.root();
                let placed = placed(text, &root);
                from = root.end;
                json.found.push(Found {
                    tree,
                    notes,
                    placed,
                });
            }
            Err(fault) => {
                let scanned = &text[start..fault.at.clamp(start, text.len())];
                // A bracket in prose is passed over; what was meant as JSON and is broken may hold the true value.
                let prose = !fault.deep && !scanned.contains(['"', ':']) && scanned.len() < 200;
                if !prose {
                    json.fault.get_or_insert(fault);
                    return json;
                }
                budget = budget.saturating_sub(scanned.len() + 1);
                json.fault.get_or_insert(fault);
                from = start + 1;
            }
        }
        if budget == 0 {
            break;
        }
    }
    let what = "there is too much in brackets";
    json.fault.get_or_insert(SyntaxFault::new(from, what));
    json
}

fn placed(text: &str, node: &Node<'_>) -> bool {
    let before = text[..node.at].trim_end_matches([' ', '\t', '`', '*']);
    let after = text[node.end..].trim_start_matches([' ', '\t', '`', '*', '.', ';', ',']);
    let begins = before.is_empty() || before.ends_with(['\n', '\r', ':', '=']);
    let ends = after.is_empty() || after.starts_with(['\n', '\r']);
    begins && (ends || (before.is_empty() && !citation(node)))
}

/// `[1]`, as a text refers to its sources, and `[ ]` and `[x]`, as it ticks off tasks.
fn citation(node: &Node<'_>) -> bool {
    match &node.kind {
        NodeKind::List { items, .. } => {
            let bare = |item: Node<'_>| matches!(item.kind, NodeKind::Bare(_));
            items.len() == 0 || items.single().is_some_and(bare)
        }
        _ => false,
    }
}

/// The value in `{"name": value}` where that is the whole text and the name is the field's own.
pub(super) fn own_entry<'t>(text: &'t str, field: &str) -> Option<(Branch<'t>, Notes)> {
    let text_inner = whole_fence(text).unwrap_or(text);
    if !text_inner.starts_with('{') {
        return None;
    }
    let start = super::offset(text, text_inner);
    let text = &text[..start + text_inner.len()];
    let own = |key: &str| folded(key) == folded(field);
    // Most objects have other keys, and may be long.
    if !loose::first_key(text, start, own) {
        return None;
    }
    let mut notes = Notes::default();
    let tree = loose::read(text, start, &mut notes).ok()?;
    let root = tree.root();
    let NodeKind::Map {
        entries,
        closed: true,
    } = root.kind
    else {
        return None;
    };
    let whole = text[root.end..].trim().is_empty();
    let (_, place) = entries
        .places()
        .next()
        .filter(|_| whole && entries.len() == 1)?;
    let tree = Rc::new(tree);
    Some((Branch { tree, place }, notes))
}

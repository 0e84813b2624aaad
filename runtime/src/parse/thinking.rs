//! Finds the `<think>` blocks of a reply: where they stand in front of a value, they are the model's own affair.

use std::ops::Range;

use super::marker_line::{Form, Names, Opens};

/// The thoughts of a reply.
#[derive(Debug, Default)]
pub(super) struct Thoughts {
    /// Closed blocks at the beginning of a line.
    pub(super) spans: Vec<Range<usize>>,
    /// Where the first of them begins.
    pub(super) first: Option<usize>,
    /// Where a block begins that is never closed, at the very beginning of the reply.
    pub(super) unclosed: Option<usize>,
    /// The end of the blocks at the very beginning of the reply.
    pub(super) after: usize,
}

const TAGS: &[(&str, &str)] = &[
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<thought>", "</thought>"),
    ("<reasoning>", "</reasoning>"),
    ("<reflection>", "</reflection>"),
    ("<scratchpad>", "</scratchpad>"),
];

/// Blocks in front of the first section.
pub(super) fn thoughts(names: &Names<'_>, reply: &str) -> Thoughts {
    let mut thoughts = Thoughts::default();
    let begin = reply.len()
        - reply
            .trim_start_matches(['\u{feff}', ' ', '\n', '\r', '\t'])
            .len();
    let mut at = begin;
    while let Some((length, close)) = opening(&reply[at..]) {
        let Some(end) = find_close(&reply[at + length..], close) else {
            thoughts.unclosed = Some(at);
            break;
        };
        let end = at + length + end;
        thoughts.spans.push(at..end);
        let rest = &reply[end..];
        at = end + (rest.len() - rest.trim_start().len());
        thoughts.after = at;
    }
    if thoughts.spans.is_empty() && thoughts.unclosed.is_none() {
        unopened(names, reply, &mut thoughts);
    }
    later(reply, &mut thoughts);
    thoughts.first = thoughts.spans.first().map(|span| span.start);
    thoughts
}

/// A chat template may have opened the block already: then the reply begins with thoughts and closes them.
///
/// A value may hold `</think>` too: only where each field that is opened before is opened again after it, what stands before
/// was a draft.
fn unopened(names: &Names<'_>, reply: &str, thoughts: &mut Thoughts) {
    let Some(at) = find_close(reply, "</think>") else {
        return;
    };
    let (before, after) = reply.split_at(at);
    let line_begin = before.rfind(['\n', '\r']).map_or(0, |at| at + 1);
    let own_line = before[line_begin..].trim().eq_ignore_ascii_case("</think>")
        && (after.is_empty() || after.starts_with(['\n', '\r']));
    if !own_line {
        return;
    }
    let opened = |text: &str| -> Vec<Opens> {
        let markers = text
            .split(['\n', '\r'])
            .filter_map(|line| names.marker(line));
        let mut opened: Vec<Opens> = Vec::new();
        for marker in markers.filter(|marker| marker.form == Form::Plain) {
            if !opened.contains(&marker.opens) {
                opened.push(marker.opens);
            }
        }
        opened
    };
    let again = opened(after);
    let draft = opened(before).iter().all(|opens| again.contains(opens));
    let answers = !again.is_empty() || after.trim_start().starts_with(['{', '`']);
    if draft && answers {
        thoughts.spans.push(0..at);
        thoughts.after = at;
    }
}

/// Blocks in front of the first marker, after some prose.
fn later(reply: &str, thoughts: &mut Thoughts) {
    let first_marker = reply[thoughts.after..].find("[[");
    let first_marker = first_marker.map_or(reply.len(), |at| thoughts.after + at);
    let mut from = thoughts.after;
    while let Some(found) = reply[from..first_marker].find('<').map(|at| from + at) {
        from = found + 1;
        let Some((length, close)) = opening(&reply[found..]) else {
            continue;
        };
        let before = reply[..found].trim_end_matches([' ', '\t']);
        if !before.ends_with(['\n', '\r']) {
            continue;
        }
        let Some(end) = find_close(&reply[found + length..], close) else {
            return;
        };
        let end = found + length + end;
        thoughts.spans.push(found..end);
        from = end;
        if from >= first_marker {
            return later_from(reply, end, thoughts);
        }
    }
}

/// Once more behind a block that held a marker.
fn later_from(reply: &str, end: usize, thoughts: &mut Thoughts) {
    let rest = &reply[end..];
    let first = end + (rest.len() - rest.trim_start().len());
    if let Some((length, close)) = opening(&reply[first..])
        && let Some(close) = find_close(&reply[first + length..], close)
    {
        thoughts.spans.push(first..first + length + close);
    }
}

/// Whether more text may make an opening tag of this.
pub(super) fn may_open(text: &str) -> bool {
    TAGS.iter()
        .any(|(open, _)| text.len() < open.len() && starts_with_ignoring_case(open, text))
}

/// What follows the block that a text begins with.
pub(super) fn after_block(text: &str) -> Option<&str> {
    let (length, close) = opening(text)?;
    let end = find_close(&text[length..], close)?;
    Some(text[length + end..].trim_start())
}

pub(super) fn opening(text: &str) -> Option<(usize, &'static str)> {
    if !text.starts_with('<') {
        return None;
    }
    TAGS.iter()
        .find(|(open, _)| starts_with_ignoring_case(text, open))
        .map(|(open, close)| (open.len(), *close))
}

fn starts_with_ignoring_case(text: &str, prefix: &str) -> bool {
    text.as_bytes()
        .get(..prefix.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(prefix.as_bytes()))
}

/// Where the text after a closing tag begins.
pub(super) fn find_close(text: &str, close: &str) -> Option<usize> {
    let mut from = 0;
    while let Some(at) = text[from..].find("</").map(|at| from + at) {
        if starts_with_ignoring_case(&text[at..], close) {
            return Some(at + close.len());
        }
        from = at + 2;
    }
    None
}

//! Finds the `<think>` blocks of a reply: where they stand in front of a value, they are the model's own affair.

use std::ops::Range;

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

/// Blocks in front of the first section, or at the beginning of one.
pub(super) fn thoughts(reply: &str) -> Thoughts {
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
        unopened(reply, &mut thoughts);
    }
    later(reply, &mut thoughts);
    thoughts.first = thoughts.spans.first().map(|span| span.start);
    thoughts
}

/// A chat template may have opened the block already: then the reply begins with thoughts and closes them.
fn unopened(reply: &str, thoughts: &mut Thoughts) {
    let Some(at) = find_close(reply, "</think>") else {
        return;
    };
    let before = &reply[..at];
    let alone = reply[at..].starts_with(['\n', '\r']) && !before.contains("<think");
    let marked_after = reply[at..].contains("[[") || reply[at..].trim_start().starts_with('{');
    let line_begin = before.trim_end().rfind(['\n', '\r']).map_or(0, |at| at + 1);
    let own_line = before[line_begin..].trim().eq_ignore_ascii_case("</think>");
    if alone && own_line && marked_after {
        thoughts.spans.push(0..at);
        thoughts.after = at;
    }
}

/// Blocks after a line break: in front of the first marker after some prose, or at the beginning of a section.
fn later(reply: &str, thoughts: &mut Thoughts) {
    let mut from = thoughts.after;
    let first_marker = reply.find("[[").unwrap_or(reply.len());
    while let Some(found) = reply[from..].find('<').map(|at| from + at) {
        from = found + 1;
        let Some((length, close)) = opening(&reply[found..]) else {
            continue;
        };
        let before = reply[..found].trim_end_matches([' ', '\t']);
        let previous = before
            .trim_end()
            .rsplit(['\n', '\r'])
            .next()
            .unwrap_or_default();
        let opens_section = previous.trim_end().ends_with("]]") || found < first_marker;
        if !before.ends_with(['\n', '\r']) || !opens_section {
            continue;
        }
        let Some(end) = find_close(&reply[found + length..], close) else {
            return;
        };
        let end = found + length + end;
        thoughts.spans.push(found..end);
        from = end;
    }
}

fn opening(text: &str) -> Option<(usize, &'static str)> {
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
fn find_close(text: &str, close: &str) -> Option<usize> {
    let mut from = 0;
    while let Some(at) = text[from..].find("</").map(|at| from + at) {
        if starts_with_ignoring_case(&text[at..], close) {
            return Some(at + close.len());
        }
        from = at + 2;
    }
    None
}

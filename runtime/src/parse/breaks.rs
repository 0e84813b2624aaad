//! Finds the lines of a reply that open a section: which markers count, and which are text of a value.

use super::marker_line::{Form, Marker, Names, Opens};
use super::thinking::Thoughts;

/// A line that matters for the cut.
struct Event<'t> {
    /// Where the line begins.
    at: usize,
    kind: EventKind<'t>,
}

enum EventKind<'t> {
    Marker(Marker<'t>),
    Fence,
}

/// A place where a section begins.
pub(super) struct Break<'t> {
    /// Where the marker begins: the section before it ends there.
    pub(super) at: usize,
    pub(super) marker: Marker<'t>,
}

fn events<'t>(names: &Names<'_>, reply: &'t str, thoughts: &Thoughts) -> Vec<Event<'t>> {
    let mut events = Vec::new();
    let mut at = 0;
    let mut spans = thoughts.spans.iter().peekable();
    while at < reply.len() {
        let begin = at;
        let line = line_at(reply, begin);
        at += line.len();
        while spans.next_if(|span| span.end <= begin).is_some() {}
        // A marker may follow `</think>` on its line.
        let shift = match spans.peek() {
            Some(span) if span.start <= begin && span.end < at => span.end - begin,
            Some(span) if span.start <= begin => continue,
            _ => 0,
        };
        // Most lines begin with a letter or digit, which opens nothing.
        let line = &line[shift..];
        if line.starts_with(|c: char| c.is_ascii_alphanumeric()) {
            continue;
        }
        let line = line.trim_end_matches(['\n', '\r']);
        let line = if begin == 0 {
            line.trim_start_matches('\u{feff}')
        } else {
            line
        };
        let trimmed = line.trim_start();
        let kind = match trimmed.as_bytes().first() {
            Some(b'`' | b'~') if is_fence(trimmed) => EventKind::Fence,
            Some(b'[' | b'*' | b'_' | b'`' | b'#' | b'>' | b'-' | b'~') => {
                match names.marker(line) {
                    Some(marker) => EventKind::Marker(marker),
                    None => continue,
                }
            }
            _ => continue,
        };
        events.push(Event {
            at: begin + shift,
            kind,
        });
    }
    events
}

/// The line that begins at `begin`, with its line break; `\r` ends one too.
fn line_at(text: &str, begin: usize) -> &str {
    let bytes = &text.as_bytes()[begin..];
    let end = bytes.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
    &text[begin..end.map_or(text.len(), |end| begin + end + 1)]
}

pub(super) fn is_fence(line: &str) -> bool {
    let info = |fence: &str| {
        line.strip_prefix(fence)
            .is_some_and(|rest| !rest.contains('`'))
    };
    info("```") || line.starts_with("~~~")
}

pub(super) fn fence_is_open(text: &str) -> bool {
    text.lines()
        .filter(|line| is_fence(line.trim_start()))
        .count()
        % 2
        == 1
}

/// The markers that open a section.
///
/// One that is not plain does so only for a field without a better one: in the text of a value such lines may occur, as the
/// formatter escapes only what is a plain marker. Within a code fence that is closed again, a marker is
/// text if it is of no field, or of one that has another marker.
pub(super) fn breaks<'t>(names: &Names<'_>, reply: &'t str, thoughts: &Thoughts) -> Vec<Break<'t>> {
    let events = events(names, reply, thoughts);
    let count = names.0.len();
    let slot = |opens: Opens| match opens {
        Opens::Field(at) => Some(at),
        Opens::End => Some(count),
        Opens::Other => None,
    };
    let mut best = vec![None; count + 1];
    for event in &events {
        if let EventKind::Marker(marker) = &event.kind
            && let Some(at) = slot(marker.opens)
        {
            best[at] = Some(best[at].map_or(marker.form, |form: Form| form.min(marker.form)));
        }
    }
    let mut counts = vec![0usize; count + 1];
    for event in &events {
        if let EventKind::Marker(marker) = &event.kind
            && let Some(at) = slot(marker.opens)
            && best[at] == Some(marker.form)
        {
            counts[at] += 1;
        }
    }
    let mut fences = (0..events.len()).filter(|at| matches!(events[*at].kind, EventKind::Fence));
    let last_fence = fences.next_back();
    let mut found = Vec::new();
    let mut fenced = false;
    for (index, event) in events.iter().enumerate() {
        let marker = match &event.kind {
            EventKind::Fence => {
                fenced = !fenced && last_fence.is_some_and(|last| last > index);
                continue;
            }
            EventKind::Marker(marker) => *marker,
        };
        let (form, others) = match slot(marker.opens) {
            Some(at) => (best[at], counts[at]),
            None => (Some(Form::Plain), usize::MAX),
        };
        if form != Some(marker.form) || (fenced && others > 1) {
            continue;
        }
        fenced = false;
        found.push(Break {
            at: event.at,
            marker,
        });
    }
    found
}

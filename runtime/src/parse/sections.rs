//! Cuts a reply into the sections of its fields: markers, fences and `<think>` blocks are judged here, values are not.

use super::breaks::{Break, breaks, fence_is_open};
use super::marker_line::{Names, Opens};
use super::thinking::{Thoughts, thoughts};
use super::{Repair, RepairKind};
use crate::signature::Str;

/// The text of one section.
#[derive(Debug, Clone, Copy)]
pub(super) struct Section<'t> {
    pub(super) text: &'t str,
    /// Whether something follows it, so that the model was done with it.
    pub(super) complete: bool,
}

/// A reply cut into sections.
#[derive(Debug, Default)]
pub(super) struct Layout<'t> {
    /// The sections of each output field.
    pub(super) fields: Vec<Vec<Section<'t>>>,
    /// The text in front of the first marker, or all of a reply without one.
    pub(super) preamble: &'t str,
    pub(super) completed: bool,
    /// Whether the reply ends within a marker: a field may have been about to follow.
    pub(super) cut: bool,
    pub(super) repairs: Vec<Repair>,
}

pub(super) fn split<'t>(names: &Names<'_>, reply: &'t str) -> Layout<'t> {
    let mut layout = Layout {
        fields: vec![Vec::new(); names.0.len()],
        ..Layout::default()
    };
    let thoughts = thoughts(names, reply);
    let breaks = breaks(names, reply, &thoughts);
    if !closes_thoughts(&thoughts, &breaks, &mut layout) {
        // What stands among thoughts without an end may be a draft.
        let until = thoughts.unclosed.unwrap_or(reply.len());
        layout.preamble = reply.get(thoughts.after..until).unwrap_or_default();
        return layout;
    }
    if breaks
        .iter()
        .all(|b| !matches!(b.marker.opens, Opens::Field(_)))
    {
        let end = breaks.iter().find(|b| b.marker.opens == Opens::End);
        layout.completed = end.is_some();
        let until = end.map_or(reply.len(), |b| b.at);
        layout.preamble = reply.get(thoughts.after..until).unwrap_or_default();
        return layout;
    }
    let begin = thoughts.after.min(breaks[0].at);
    layout.preamble = &reply[begin..breaks[0].at];
    let wrapped = fence_is_open(layout.preamble);
    if !layout.preamble.trim().is_empty() {
        let kind = match wrapped && layout.preamble.trim().starts_with("```") {
            true => RepairKind::Fence,
            false => RepairKind::LeadingProse,
        };
        layout.note(None, kind, begin);
    }
    let cut = Cut {
        names,
        reply,
        wrapped,
    };
    cut.fill(&breaks, &mut layout);
    layout
}

impl Layout<'_> {
    fn note(&mut self, field: Option<&str>, kind: RepairKind, at: usize) {
        let field = field.map(|name| Str::Owned(name.to_owned()));
        let known = |r: &Repair| r.kind == kind && r.field == field;
        if !self.repairs.iter().any(known) {
            self.repairs.push(Repair { field, kind, at });
        }
    }
}

/// Whether the sections may be read: not where the reply may have ended among its thoughts.
fn closes_thoughts(thoughts: &Thoughts, breaks: &[Break<'_>], layout: &mut Layout<'_>) -> bool {
    if let Some(at) = thoughts.first {
        layout.note(None, RepairKind::Thinking, at);
    }
    let Some(at) = thoughts.unclosed else {
        return true;
    };
    let ended = breaks.iter().any(|b| b.marker.opens == Opens::End);
    if ended {
        layout.note(None, RepairKind::UnclosedThinking, at);
    }
    ended
}

/// What is known while the sections are cut out.
struct Cut<'c, 't> {
    names: &'c Names<'c>,
    reply: &'t str,
    /// Whether a fence that opens in the preamble goes around the reply.
    wrapped: bool,
}

impl<'t> Cut<'_, 't> {
    /// The text between a marker and the next.
    fn text(&self, this: &Break<'t>, next: Option<&Break<'t>>) -> &'t str {
        let end = next.map_or(self.reply.len(), |next| next.at);
        let begin = offset(self.reply, this.marker.rest);
        self.reply.get(begin..end).unwrap_or_default()
    }

    fn fill(&self, breaks: &[Break<'t>], layout: &mut Layout<'t>) {
        let (names, reply) = (self.names, self.reply);
        let mut seen = vec![false; names.0.len() + 1];
        for b in breaks {
            match b.marker.opens {
                Opens::Field(at) => seen[at] = true,
                Opens::End => seen[names.0.len()] = true,
                Opens::Other => {}
            }
        }
        for (index, this) in breaks.iter().enumerate() {
            let next = breaks.get(index + 1);
            let text = self.text(this, next);
            match this.marker.opens {
                Opens::End => {
                    layout.completed = true;
                    if !this.marker.exact {
                        layout.note(None, RepairKind::MarkerSpelling, this.at);
                    }
                    self.after_end(&breaks[index + 1..], text, layout);
                    return;
                }
                Opens::Other => layout.note(None, RepairKind::UnknownSection, this.at),
                Opens::Field(field) => {
                    if !this.marker.exact {
                        layout.note(Some(names.0[field]), RepairKind::MarkerSpelling, this.at);
                    }
                    let section = Section {
                        text,
                        complete: next.is_some(),
                    };
                    self.inline(field, section, &seen, layout);
                    if layout.completed && next.is_none() {
                        return;
                    }
                }
            }
        }
        layout.note(None, RepairKind::MissingCompleted, reply.len());
    }

    /// What follows the end marker is another turn that the model made up, but for a field that is nowhere else.
    fn after_end(&self, breaks: &[Break<'t>], text: &str, layout: &mut Layout<'t>) {
        let (names, reply) = (self.names, self.reply);
        let other_turn = breaks.iter().any(|b| b.marker.opens == Opens::Other);
        let rest = text.trim().trim_matches('`');
        if !rest.is_empty() || other_turn {
            layout.note(None, RepairKind::TrailingProse, offset(reply, text));
        }
        if other_turn {
            return;
        }
        for (index, this) in breaks.iter().enumerate() {
            let Opens::Field(field) = this.marker.opens else {
                continue;
            };
            let next = breaks.get(index + 1);
            layout.note(Some(names.0[field]), RepairKind::TrailingProse, this.at);
            if layout.fields[field].is_empty() {
                let text = self.text(this, next);
                layout.fields[field].push(Section {
                    text,
                    complete: next.is_some(),
                });
            }
        }
    }

    /// Adds a section, cut once more where further markers stand on its first line, or the end marker on its last.
    fn inline(
        &self,
        mut field: usize,
        section: Section<'t>,
        seen: &[bool],
        layout: &mut Layout<'t>,
    ) {
        let (names, reply) = (self.names, self.reply);
        let mut text = section.text;
        let first_line = text.find(['\n', '\r']).unwrap_or(text.len());
        let mut from = 0;
        let mut limit = first_line;
        while let Some(found) = text[from..limit].find("[[").map(|at| from + at) {
            let marker = names
                .marker(&text[found..limit])
                .filter(|_| !quoted(text, found));
            let slot = match marker.map(|marker| marker.opens) {
                Some(Opens::Field(at)) => Some(at),
                Some(Opens::End) => Some(names.0.len()),
                _ => None,
            };
            match (slot, marker) {
                (Some(at), Some(marker)) if !seen[at] => {
                    layout.note(
                        None,
                        RepairKind::InlineMarker,
                        offset(reply, &text[found..]),
                    );
                    let before = &text[..found];
                    layout.fields[field].push(Section {
                        text: before,
                        complete: true,
                    });
                    if at == names.0.len() {
                        layout.completed = true;
                        return;
                    }
                    field = at;
                    let begin = offset(text, marker.rest);
                    text = &text[begin..];
                    limit -= begin;
                    from = 0;
                }
                _ => from = found + 2,
            }
        }
        let mut complete = section.complete;
        if !complete
            && !seen[names.0.len()]
            && let Some(before) = ends_with_end_marker(names, text)
        {
            layout.note(
                None,
                RepairKind::InlineMarker,
                offset(reply, &text[before.len()..]),
            );
            text = before;
            complete = true;
            layout.completed = true;
        }
        if !section.complete && self.wrapped {
            text = without_closing_fence(text);
        }
        if !complete && let Some(before) = without_cut_marker(names, text) {
            layout.note(
                None,
                RepairKind::CutMarker,
                offset(reply, text) + before.len(),
            );
            layout.cut = true;
            text = before;
            complete = true;
        }
        layout.fields[field].push(Section { text, complete });
    }
}

/// Whether a marker of a section that is nowhere else stands in the rest of a marker's line: `inline` may cut there.
pub(super) fn has_inline_marker(names: &Names<'_>, rest: &str, seen: &[bool]) -> bool {
    rest.match_indices("[[").any(|(at, _)| {
        let slot = match names.marker(&rest[at..]).map(|marker| marker.opens) {
            Some(Opens::Field(field)) => field,
            Some(Opens::End) => names.0.len(),
            _ => return false,
        };
        !seen[slot] && !quoted(rest, at)
    })
}

fn quoted(text: &str, at: usize) -> bool {
    text[..at].ends_with(['`', '"', '\'', '\\'])
}

/// The text in front of an end marker that closes it, if one does.
fn ends_with_end_marker<'t>(names: &Names<'_>, text: &'t str) -> Option<&'t str> {
    let at = text.trim_end().rfind("[[")?;
    let marker = names.marker(text[at..].trim_end())?;
    let ends = marker.opens == Opens::End && marker.rest.trim().is_empty() && !quoted(text, at);
    ends.then(|| &text[..at])
}

/// The fence around the whole reply closes at the end of its last section.
fn without_closing_fence(text: &str) -> &str {
    let trimmed = text.trim_end();
    match trimmed.strip_suffix("```") {
        Some(before) if before.ends_with('\n') && fence_is_open(trimmed) => before,
        _ => text,
    }
}

/// The text in front of a last line that is the beginning of a marker.
fn without_cut_marker<'t>(names: &Names<'_>, text: &'t str) -> Option<&'t str> {
    let (before, last) = text.trim_end().rsplit_once('\n')?;
    (names.begins_marker(last) && !before.trim().is_empty()).then_some(before)
}

/// Where `part` begins in `whole`, of which it is a slice.
pub(super) fn offset(whole: &str, part: &str) -> usize {
    (part.as_ptr() as usize)
        .saturating_sub(whole.as_ptr() as usize)
        .min(whole.len())
}

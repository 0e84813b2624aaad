//! Recognizes the lines that open a section, from exact markers down to ones that only a known field's name betrays.

use crate::signature::{SignatureSpec, marker_name};

use super::names::{self, Match};

/// The marker that ends a reply.
const COMPLETED: &str = "completed";

/// What a marker opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Opens {
    /// An output field, by its place.
    Field(usize),
    /// The end of the reply.
    End,
    /// Something that is no output field.
    Other,
}

/// How sure it is that the line is a marker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Form {
    /// `[[ ## name ## ]]` at the line's beginning.
    Plain,
    /// The same within emphasis, backticks, a heading or a bullet.
    Decorated,
    /// Brackets or signs missing; alone on its line.
    Loose,
}

/// A marker, and what follows it on its line.
#[derive(Debug, Clone, Copy)]
pub(super) struct Marker<'t> {
    pub(super) opens: Opens,
    pub(super) form: Form,
    /// Whether it is written as the prompt shows it.
    pub(super) exact: bool,
    pub(super) rest: &'t str,
}

/// The output fields by name.
pub(super) struct Names<'s>(pub(super) Vec<&'s str>);

impl<'s> Names<'s> {
    pub(super) fn of(spec: &'s SignatureSpec) -> Self {
        Names(spec.outputs.iter().map(|field| &*field.name).collect())
    }

    pub(super) fn opens(&self, name: &str) -> Opens {
        match names::find(name, self.0.iter().copied()) {
            Some(Match::Exact(at) | Match::Folded(at)) => Opens::Field(at),
            None if names::folded(name) == COMPLETED => Opens::End,
            None => Opens::Other,
        }
    }

    /// The marker that the line opens with, if any.
    pub(super) fn marker<'t>(&self, line: &'t str) -> Option<Marker<'t>> {
        // Every form has one of them, and bullets are common.
        if !line.bytes().any(|byte| matches!(byte, b'[' | b'#')) {
            return None;
        }
        let trimmed = line.trim_start();
        if let Some((name, rest)) = marker_name(trimmed) {
            let opens = self.opens(name);
            let exact = match opens {
                Opens::Field(at) => canonical(trimmed, self.0[at]),
                Opens::End => canonical(trimmed, COMPLETED),
                Opens::Other => true,
            };
            return Some(Marker {
                opens,
                form: Form::Plain,
                exact,
                rest: after_colon(rest),
            });
        }
        match trimmed.as_bytes().first()? {
            b'*' | b'_' | b'`' | b'#' | b'>' | b'-' | b'~' | b'[' => {}
            _ => return None,
        }
        self.decorated(trimmed).or_else(|| self.loose(trimmed))
    }

    /// Whether a line is the beginning of a marker that was cut off.
    pub(super) fn begins_marker(&self, line: &str) -> bool {
        let line = line.trim_end();
        let mut names = self.0.iter().copied().chain([COMPLETED]);
        line.starts_with("[[") && names.any(|name| format!("[[ ## {name} ## ]]").starts_with(line))
    }

    fn decorated<'t>(&self, line: &'t str) -> Option<Marker<'t>> {
        let bare = line.trim_start_matches(is_decoration);
        let (name, rest) = marker_name(bare).filter(|_| bare.starts_with("[["))?;
        let known = self.known(name)?;
        // `` `[[ ## a ## ]]` goes on top `` speaks of a marker; `**[[ ## a ## ]]** text` is one.
        let opening = line[..line.len() - bare.len()].trim();
        let closing = opening.trim_start_matches(['#', '>', '-', ' ']);
        let rest = rest.trim_start();
        let rest = rest.strip_prefix(':').unwrap_or(rest);
        let rest = match rest.strip_prefix(closing) {
            Some(rest) if closing.starts_with('`') && !rest.trim().is_empty() => return None,
            Some(rest) => rest,
            None => return None,
        };
        let rest = after_colon(rest.trim_start_matches('#'));
        Some(Marker {
            opens: known,
            form: Form::Decorated,
            exact: false,
            rest,
        })
    }

    fn loose<'t>(&self, line: &'t str) -> Option<Marker<'t>> {
        if line.len() > 200 {
            return None;
        }
        let text = line.trim().trim_matches(['*', '`', '_', ':', ' ']);
        let opened = text.trim_start_matches(['[', ' ']);
        let hashed = opened.trim_start_matches('#');
        let name = hashed.trim_end_matches([']', ' ']);
        let unhashed = name.trim_end_matches('#');
        let brackets = opened.len() < text.len() && text.ends_with(']');
        let hashes = hashed.len() < opened.len();
        let both = hashes && unhashed.len() < name.len();
        let name = unhashed.trim();
        let plausible =
            (brackets && hashes) || both || text.starts_with("[[") && text.ends_with("]]");
        if !plausible || name.contains(['[', ']', '#', '(', ')', '"']) {
            return None;
        }
        let known = self.known(name)?;
        let rest = &line[line.len()..];
        Some(Marker {
            opens: known,
            form: Form::Loose,
            exact: false,
            rest,
        })
    }

    fn known(&self, name: &str) -> Option<Opens> {
        Some(self.opens(name)).filter(|opens| *opens != Opens::Other)
    }
}

fn is_decoration(c: char) -> bool {
    matches!(c, '*' | '_' | '`' | '#' | '>' | '-' | '~') || c.is_whitespace()
}

fn canonical(line: &str, name: &str) -> bool {
    line.strip_prefix("[[ ## ")
        .and_then(|rest| rest.strip_prefix(name))
        .is_some_and(|rest| rest.starts_with(" ## ]]"))
}

/// Some models write a colon after the marker.
fn after_colon(rest: &str) -> &str {
    match rest.strip_prefix(':') {
        Some(after) if after.is_empty() || after.starts_with([' ', '\t']) => after,
        _ => rest,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_names_are_found_in_many_forms_and_others_only_in_the_plain_one() {
        let names = Names(vec!["city", "birth_year"]);
        let opens = |line: &str| names.marker(line).map(|marker| (marker.opens, marker.form));
        let city = |form| Some((Opens::Field(0), form));
        for (line, wanted) in [
            ("[[ ## city ## ]]", city(Form::Plain)),
            ("  [[##CITY##]] x", city(Form::Plain)),
            ("**[[ ## city ## ]]**", city(Form::Decorated)),
            ("### [[ ## city ## ]]", city(Form::Decorated)),
            ("- [[ ## city ## ]] Oslo", city(Form::Decorated)),
            ("`[[ ## city ## ]]`", city(Form::Decorated)),
            ("[[ ## city ]]", city(Form::Loose)),
            ("[[city]]", city(Form::Loose)),
            ("[ ## city ## ]", city(Form::Loose)),
            ("## city ##", city(Form::Loose)),
            (
                "[[ ## Birth Year ## ]]",
                Some((Opens::Field(1), Form::Plain)),
            ),
            ("[[ ## Completed ## ]]", Some((Opens::End, Form::Plain))),
            ("[[ ## heading ## ]]", Some((Opens::Other, Form::Plain))),
            ("`[[ ## city ## ]]` goes on top", None),
            ("**[[ ## heading ## ]]**", None),
            ("[[heading]]", None),
            ("[city]", None),
            ("# city", None),
            ("city", None),
            ("", None),
            ("\\[[ ## city ## ]]", None),
        ] {
            assert_eq!(opens(line), wanted, "{line:?}");
        }
    }
}

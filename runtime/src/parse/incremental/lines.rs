//! The lines of a reply as they come in: which may still turn out to be a marker, and which are text for certain.

use std::ops::Range;

/// A line that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// Without its line break.
    pub range: Range<usize>,
    /// Whether it may be a marker.
    pub may_be_marker: bool,
}

/// What is known of the line that is coming in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    /// So far white space and signs that may stand in front of a marker.
    Lead { heading: bool },
    /// One bracket after them.
    Bracket { heading: bool },
    /// Only its end can tell.
    Open,
    /// It opens no section.
    Text,
}

const LEAD: Known = Known::Lead { heading: false };

/// The line that is coming in.
#[derive(Debug)]
pub(super) struct Lines {
    begin: usize,
    cursor: usize,
    known: Known,
}

impl Lines {
    pub fn new(begin: usize) -> Self {
        Lines {
            begin,
            cursor: begin,
            known: LEAD,
        }
    }

    /// Begins within a line that opens no section.
    pub fn within_text(begin: usize) -> Self {
        Lines {
            known: Known::Text,
            ..Lines::new(begin)
        }
    }

    /// The next line that has ended; `\r` ends one too.
    pub fn next(&mut self, text: &str) -> Option<Line> {
        let new = &text[self.cursor..];
        let ended = new.bytes().position(|byte| matches!(byte, b'\n' | b'\r'));
        let end = ended.map_or(text.len(), |at| self.cursor + at);
        self.look(&text[self.cursor..end]);
        self.cursor = end;
        ended?;
        let line = Line {
            range: self.begin..end,
            may_be_marker: self.known != Known::Text,
        };
        *self = Lines::new(end + 1);
        Some(line)
    }

    /// Up to here no line is open.
    pub fn certain(&self) -> usize {
        match self.known {
            Known::Text => self.cursor,
            _ => self.begin,
        }
    }

    /// Wider than `Names::marker` in what may become a marker, never narrower.
    fn look(&mut self, new: &str) {
        for c in new.chars() {
            self.known = match self.known {
                Known::Open | Known::Text => return,
                Known::Lead { heading } if c == '#' || c == '\u{feff}' => Known::Lead {
                    heading: heading || c == '#',
                },
                Known::Lead { .. } if c.is_whitespace() || "*_`>-~:".contains(c) => continue,
                Known::Lead { heading } if c == '[' => Known::Bracket { heading },
                Known::Bracket { .. } if matches!(c, '[' | ' ' | '#') => Known::Open,
                Known::Lead { heading } | Known::Bracket { heading } => match heading {
                    true => Known::Open,
                    false => Known::Text,
                },
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::marker_line::Names;
    use super::*;

    #[test]
    fn a_line_is_text_as_soon_as_it_can_be_no_marker() {
        for (line, certain) in [
            ("Oslo", true),
            ("- Oslo", true),
            ("[1, 2]", true),
            ("*very* nice", true),
            ("", false),
            ("  ", false),
            ("[", false),
            ("[[1, 2]]", false),
            ("[ ## city", false),
            ("## City", false),
            ("**[[ ## ci", false),
            ("\\[[ ## city ## ]]", true),
        ] {
            let mut lines = Lines::new(0);
            assert_eq!(lines.next(line), None);
            assert_eq!(
                lines.certain() == line.len() && !line.is_empty(),
                certain,
                "{line:?}"
            );
        }
    }

    #[test]
    fn no_marker_is_taken_for_text() {
        let names = Names(vec!["city"]);
        for line in [
            "[[ ## city ## ]]",
            " [[##CITY##]] x",
            "**[[ ## city ## ]]**",
            "### [[ ## city ## ]]",
            "> - [[ ## city ## ]] Oslo",
            "`[[ ## city ## ]]`",
            "[[ ## city ]]",
            "[[city]]",
            "[ ## city ## ]",
            "## city ##",
            "*:[[city]]",
            "*# city #",
            "_:## city ##",
            "[[ ## heading ## ]]",
        ] {
            assert!(names.marker(line).is_some(), "{line:?}");
            let ended = Lines::new(0).next(&format!("{line}\n"));
            assert!(ended.is_some_and(|line| line.may_be_marker), "{line:?}");
        }
    }
}

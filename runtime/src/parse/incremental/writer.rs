//! The text of a string field as it becomes certain: without the white space in front of it, without the backslash of an
//! escaped marker, and not before it is clear that it is no word for "no value".

use super::super::fields::NOT_SUPPLIED;
use crate::signature::is_line_break;

/// Writes one section's text.
#[derive(Debug)]
pub(super) struct Writer {
    cursor: usize,
    /// Whether the text has begun, and where.
    first: Option<usize>,
    /// Whether it is more than the words for no value.
    is_text: bool,
    line: Line,
    /// Where backslashes begin that may escape a marker.
    slashes: usize,
}

/// What is known of the line, for the escape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    Start,
    Slashes,
    OneBracket,
    TwoBrackets,
    Text,
}

impl Writer {
    pub fn new(begin: usize) -> Self {
        Writer {
            cursor: begin,
            first: None,
            is_text: false,
            line: Line::Start,
            slashes: begin,
        }
    }

    /// Appends what is new in `text` up to `end`, where its last character is no white space.
    pub fn write(&mut self, text: &str, end: usize, name: &str, optional: bool, out: &mut String) {
        if self.cursor >= end {
            return;
        }
        let first = match self.first {
            Some(first) => first,
            None => {
                let new = &text[self.cursor..end];
                self.cursor += new.len() - new.trim_start().len();
                if self.cursor == end {
                    return;
                }
                *self.first.insert(self.cursor)
            }
        };
        if !self.is_text && may_be_no_value(&text[first..end], name, optional) {
            return;
        }
        self.is_text = true;
        let begin = self.cursor;
        for (at, c) in text[begin..end].char_indices() {
            self.character(text, begin + at, c, out);
        }
        self.cursor = end;
    }

    fn character(&mut self, text: &str, at: usize, c: char, out: &mut String) {
        let held = match self.line {
            Line::Start | Line::Text => at,
            _ => self.slashes,
        };
        let next = match self.line {
            _ if is_line_break(c) => Line::Start,
            Line::Start if c == '\\' => {
                self.slashes = at;
                Line::Slashes
            }
            Line::Start if c.is_whitespace() => Line::Start,
            Line::Slashes if c == '\\' => Line::Slashes,
            Line::Slashes if c == '[' => Line::OneBracket,
            Line::OneBracket if c == '[' => Line::TwoBrackets,
            Line::TwoBrackets if c.is_whitespace() => Line::TwoBrackets,
            Line::TwoBrackets if c == '#' => {
                out.push_str(&text[held + 1..=at]);
                self.line = Line::Text;
                return;
            }
            _ => Line::Text,
        };
        self.line = next;
        if matches!(next, Line::Start | Line::Text) {
            out.push_str(&text[held..at + c.len_utf8()]);
        }
    }
}

/// Whether this is, or may become, the prompt's own words or a word for null.
fn may_be_no_value(text: &str, name: &str, optional: bool) -> bool {
    let is_placeholder = |rest: &str| {
        rest.len() <= name.len() + 1
            && name
                .strip_prefix(rest.strip_suffix('}').unwrap_or(rest))
                .is_some_and(|more| more.is_empty() || !rest.ends_with('}'))
    };
    let is_null = |word: &str| {
        text.len() <= word.len() && text.eq_ignore_ascii_case(word.get(..text.len()).unwrap_or(""))
    };
    text.strip_prefix('{').is_some_and(is_placeholder)
        || NOT_SUPPLIED.starts_with(text)
        || optional && (is_null("null") || is_null("none"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str, optional: bool) -> String {
        let (mut writer, mut out) = (Writer::new(0), String::new());
        for (at, c) in text.char_indices() {
            writer.write(text, at + c.len_utf8(), "city", optional, &mut out);
        }
        let mut whole = String::new();
        Writer::new(0).write(text, text.len(), "city", optional, &mut whole);
        assert_eq!(out, whole, "{text:?}");
        out
    }

    #[test]
    fn text_is_as_the_parser_reads_it() {
        for (text, out) in [
            ("  \n Oslo is\n  nice", "Oslo is\n  nice"),
            ("a\n\\[[ ## city ## ]]", "a\n[[ ## city ## ]]"),
            ("\\\\[[ #x", "\\[[ #x"),
            ("\\n \\[[x", "\\n \\[[x"),
            ("a\u{2028} \\[[#", "a\u{2028} [[#"),
            ("\\", ""),
            ("\\[[ ", ""),
            ("{city}", ""),
            ("{cit", ""),
            ("{city} x", "{city} x"),
            ("{}", "{}"),
            ("Not supplied for this particular example.", ""),
            ("Not supplied at all", "Not supplied at all"),
            ("null", "null"),
        ] {
            assert_eq!(written(text, false), out, "{text:?}");
        }
        assert_eq!(written("None", true), "");
        assert_eq!(written("None of them", true), "None of them");
    }
}

//! Values as sections hold them: text stands plain, everything else is JSON.

use std::fmt::Write as _;

use crate::signature::{FieldSpec, FieldType, escape_markers};

use super::super::GrammarError;
use super::scalars::StringShape;
use super::{Rules, literal, slashed};

/// Characters that end a line for some reader, as a class body.
const BREAKS: &str = r"\n\r\x0b\x0c\u{85}\u{2028}\u{2029}";

impl Rules {
    /// The value of a section: strings stand plain, everything else is JSON.
    pub fn section_value(&mut self, field: &FieldSpec) -> Result<String, GrammarError> {
        self.plain_value(&field.ty, field)
    }

    fn plain_value(&mut self, ty: &FieldType, field: &FieldSpec) -> Result<String, GrammarError> {
        match ty {
            FieldType::String => self.plain_text(field),
            FieldType::Char => Ok(self.terminal(r"[^\s\x00-\x20\x7f]")),
            FieldType::Date(kind) => Ok(self.terminal(&kind.regex(true))),
            FieldType::Enum(spec) if spec.is_unit() => self.choice(
                spec.variants
                    .iter()
                    .map(|variant| literal(&escape_markers(&variant.name))),
                field,
            ),
            FieldType::Option(inner) => {
                let value = self.plain_value(inner, field)?;
                Ok(self.define(false, format!("\"null\" | {value}")))
            }
            _ => self.json_value(ty, field),
        }
    }

    /// Free text. A bound on its length or shape makes it one line, since lines are separate lexemes.
    fn plain_text(&mut self, field: &FieldSpec) -> Result<String, GrammarError> {
        let shape = StringShape::of(field)?;
        if let Some(options) = shape.options {
            // The parser trims, and takes the prompt's own words for no value.
            let mut written = options
                .iter()
                .filter(|option| option.trim() == **option && !is_placeholder(option, field))
                .map(|option| escape_markers(option));
            return self.choice(written.by_ref().map(|option| literal(&option)), field);
        }
        // A line that opens a marker is the only thing that no line may be.
        let marker = slashed(r"[\s*_`>#-]*\[\[\s*#(?s:.)*");
        let line = format!("{} & ~{marker}", slashed(&format!("[^{BREAKS}]+")));
        // The parser trims a value: its ends are no white space, so that lengths and patterns hold of what remains.
        let first = slashed(&format!(r"[^{BREAKS}]*[^\s{BREAKS}][^{BREAKS}]*"));
        let words = format!(
            r"\s*(\{{{}\}}|Not supplied for this particular example\.)\s*",
            regex::escape(&field.name)
        );
        let mut single = format!("{line} & {first} & ~{}", slashed(&words));
        let bounded = shape.len.is_some() || shape.regex.is_some();
        if bounded {
            let _ = write!(single, " & {}", slashed(r"\S((?s:.)*\S)?"));
            // The parser takes a backslash away here, and lengths and patterns hold of what remains.
            let _ = write!(single, " & ~{}", slashed(r"\\+\[\[\s*#(?s:.)*"));
        }
        if let Some((min, max)) = shape.len {
            let max = max.map_or(String::new(), |max| max.to_string());
            let _ = write!(single, " & {}", slashed(&format!("(?s:.){{{min},{max}}}")));
        }
        if let Some(regex) = shape.regex {
            let _ = write!(single, " & {}", slashed(regex));
        }
        let single = self.text_terminal(single);
        if bounded || shape.one_line {
            return Ok(single);
        }
        let line = self.text_terminal(line);
        Ok(self.define(false, format!("{single} (NL+ {line})*")))
    }
}

/// The prompt's own words, which the parser takes for no value.
fn is_placeholder(text: &str, field: &FieldSpec) -> bool {
    text == format!("{{{}}}", field.name) || text == "Not supplied for this particular example."
}

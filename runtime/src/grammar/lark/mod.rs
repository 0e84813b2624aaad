//! Field types as rules in llguidance's dialect of Lark: exact values, free text that opens no marker.
//!
//! Text only, nothing is compiled here. Values are written as the prompt writes them: JSON on one line with `", "` and
//! `": "`, struct fields in declared order and all present.

mod json;
mod plain;
mod scalars;

pub(super) use scalars::StringShape;

use std::collections::HashMap;
use std::fmt::Write as _;

use serde_json::json;

use crate::signature::FieldSpec;

use super::GrammarError;
use super::bounds::unsatisfiable;

/// The rules written so far.
#[derive(Default)]
pub(super) struct Rules {
    pub text: String,
    /// Rule of each named type, so that a type within itself refers to its own rule.
    named: HashMap<(usize, bool), String>,
    /// Rule of each definition, so that equal ones are written once.
    known: HashMap<String, String>,
    /// Whether what is written stands in an item that must differ from others: each value then has one text.
    in_item: bool,
    /// Whether no text may hold what opens a marker, wherever it stands.
    no_markers: bool,
}

/// What opens a marker, somewhere in a text.
const MARKER_WITHIN: &str = r"(?s:.*)\[\[ ## (?s:.*)";

impl Rules {
    pub fn without_markers() -> Self {
        Rules {
            no_markers: true,
            ..Rules::default()
        }
    }

    /// A terminal of text.
    fn text_terminal(&mut self, mut definition: String) -> String {
        if self.no_markers {
            let _ = write!(definition, " & ~{}", slashed(MARKER_WITHIN));
        }
        self.define(true, definition)
    }

    /// Writes a definition and gives its name; terminals are in upper case.
    pub fn define(&mut self, is_terminal: bool, definition: String) -> String {
        if let Some(name) = self.known.get(&definition) {
            return name.clone();
        }
        let number = self.known.len() + self.named.len();
        let name = if is_terminal {
            format!("T{number}")
        } else {
            format!("r{number}")
        };
        let _ = writeln!(self.text, "{name}: {definition}");
        self.known.insert(definition, name.clone());
        name
    }

    fn terminal(&mut self, regex: &str) -> String {
        self.define(true, slashed(regex))
    }

    /// The rule of a named type, known by where its spec is. It is there before its body is written: the body may refer to it.
    fn named_rule(
        &mut self,
        address: usize,
        body: impl FnOnce(&mut Self) -> Result<String, GrammarError>,
    ) -> Result<String, GrammarError> {
        let key = (address, self.in_item);
        if let Some(rule) = self.named.get(&key) {
            return Ok(rule.clone());
        }
        let rule = format!("n{}", self.known.len() + self.named.len());
        self.named.insert(key, rule.clone());
        let body = body(self)?;
        let _ = writeln!(self.text, "{rule}: {body}");
        Ok(rule)
    }

    fn repeated(
        &mut self,
        open: &str,
        item: &str,
        close: &str,
        min: usize,
        max: Option<usize>,
    ) -> String {
        let (open, close) = (literal(open), literal(close));
        if max == Some(0) {
            return format!("{open} {close}");
        }
        let items = match max {
            Some(1) => item.to_owned(),
            _ => {
                let more_max = max.map_or(String::new(), |max| (max - 1).to_string());
                format!("{item} (\", \" {item}){{{},{more_max}}}", min.max(1) - 1)
            }
        };
        let items = if min == 0 {
            format!("({items})?")
        } else {
            items
        };
        self.define(false, format!("{open} {items} {close}"))
    }

    fn choice(
        &mut self,
        options: impl Iterator<Item = String>,
        field: &FieldSpec,
    ) -> Result<String, GrammarError> {
        let options: Vec<_> = options.collect();
        if options.is_empty() {
            return Err(unsatisfiable(field, "there is nothing to choose from"));
        }
        Ok(self.define(false, options.join(" | ")))
    }
}

/// A Lark string: JSON's escapes are Lark's.
pub(super) fn literal(text: &str) -> String {
    json!(text).to_string()
}

/// A Lark regular expression. A slash would end it.
pub(super) fn slashed(regex: &str) -> String {
    let mut escaped = String::with_capacity(regex.len() + 2);
    let mut after_backslash = false;
    for c in regex.chars() {
        match c {
            '/' if !after_backslash => escaped.push_str("\\/"),
            '\n' => escaped.push_str("\\n"),
            other => escaped.push(other),
        }
        after_backslash = c == '\\' && !after_backslash;
    }
    format!("/{escaped}/")
}

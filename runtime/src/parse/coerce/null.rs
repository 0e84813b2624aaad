//! `Option`: which words mean `null`, and when.

use crate::signature::{FieldType, Value};

use super::super::RepairKind;
use super::super::error::Fault;
use super::super::tree::{Node, NodeKind};
use super::embedded::own_entry;
use super::peel::peel_once;
use super::{Coercer, Literal, Source, describe};

impl Coercer<'_> {
    /// `null` is null. Other words for it are so only where the type has no value of that text, but that `None` is
    /// null for a string too: nothing else could be told from the prompt, which says "null or a str value".
    pub(super) fn option_text(
        &mut self,
        inner: &FieldType,
        source: Source<'_>,
    ) -> Result<Value, Fault> {
        if source.text == "null" || source.text.is_empty() {
            return Ok(Value::Null);
        }
        let free_text = matches!(inner, FieldType::String | FieldType::Json);
        if free_text && is_none_word(source.text) {
            self.note(RepairKind::NullWord, source.at);
            return Ok(Value::Null);
        }
        let fault = match self.attempt(|this| this.text(inner, source)) {
            Ok(value) => return Ok(value),
            Err(fault) => or_null(fault, inner),
        };
        if let Some((own, _)) = own_entry(source.text, self.field)
            && matches!(own.node().kind, NodeKind::Bare(word) if Literal::of(word) == Literal::Null)
        {
            self.note(RepairKind::Wrapped, source.at);
            return Ok(Value::Null);
        }
        if says_null(source.text, self.field) {
            self.note(RepairKind::NullWord, source.at);
            return Ok(Value::Null);
        }
        Err(fault)
    }

    pub(super) fn option_node(
        &mut self,
        inner: &FieldType,
        node: &Node<'_>,
        base: usize,
    ) -> Result<Value, Fault> {
        let at = base + node.at;
        if let NodeKind::Bare(word) = node.kind
            && Literal::of(word) == Literal::Null
        {
            if word != "null" {
                self.note(RepairKind::PythonLiteral, at);
            }
            return Ok(Value::Null);
        }
        let fault = match self.attempt(|this| this.node(inner, node, base)) {
            Ok(value) => return Ok(value),
            Err(fault) => or_null(fault, inner),
        };
        let null = match node.kind {
            NodeKind::Bare(word) => is_null_word(word),
            NodeKind::Text(text) => text.is_empty() || is_null_word(text),
            NodeKind::List { .. } | NodeKind::Map { .. } => false,
        };
        if null {
            self.note(RepairKind::NullWord, at);
            return Ok(Value::Null);
        }
        Err(fault)
    }
}

fn is_none_word(text: &str) -> bool {
    text.eq_ignore_ascii_case("null") || text.eq_ignore_ascii_case("none")
}

fn is_null_word(text: &str) -> bool {
    [
        "null",
        "none",
        "n/a",
        "na",
        "nil",
        "nothing",
        "undefined",
        "not applicable",
    ]
    .iter()
    .any(|word| text.eq_ignore_ascii_case(word))
}

/// The fault of the inner type, saying that `null` would have done too.
fn or_null(mut fault: Fault, inner: &FieldType) -> Fault {
    let expected = format!("expected {}", describe(inner));
    if fault.path.is_empty() && fault.message == expected {
        fault.message.push_str(" or null");
    }
    fault
}

/// A null word within emphasis and the like, alone or with an explanation after it.
fn says_null(text: &str, field: &str) -> bool {
    if peels_to_null(text, field) {
        return true;
    }
    let first_line = text.split(['\n', '(']).next().unwrap_or(text);
    let before_dash = first_line.split(" - ").next().unwrap_or(first_line);
    let before_dash = before_dash.split(" — ").next().unwrap_or(before_dash);
    peels_to_null(before_dash.trim(), field)
}

fn peels_to_null(text: &str, field: &str) -> bool {
    let mut word = text;
    for _ in 0..6 {
        if is_null_word(word) {
            return true;
        }
        match peel_once(word, field) {
            Some((inner, _)) => word = inner,
            None => return false,
        }
    }
    false
}

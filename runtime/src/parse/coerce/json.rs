//! Any JSON value, and text as the string that it is there.

use crate::signature::{FieldType, FloatType, Value};

use super::super::RepairKind;
use super::super::error::Fault;
use super::super::tree::{Node, NodeKind};
use super::{Coercer, Literal, Source, json_source};

impl Coercer<'_> {
    pub(super) fn json_text(&mut self, source: Source<'_>) -> Result<Value, Fault> {
        let source = self.unfenced(source);
        let text = source.text;
        if text.starts_with(['{', '[']) {
            return self.json_among_prose(&FieldType::Json, source, &['{', '[']);
        }
        if let Ok(json) = serde_json::from_str::<serde_json::Value>(text) {
            return Ok(Value::from(json));
        }
        if text.contains(['{', '['])
            && let Ok(value) =
                self.attempt(|this| this.json_among_prose(&FieldType::Json, source, &['{', '[']))
        {
            return Ok(value);
        }
        match Literal::of(text) {
            Literal::Word => {
                self.note(RepairKind::TextAsJson, source.at);
                Ok(Value::String(text.to_owned()))
            }
            _ => self.json_bare(text, source.at),
        }
    }

    pub(super) fn json_node(&mut self, node: &Node<'_>, base: usize) -> Result<Value, Fault> {
        let at = base + node.at;
        match node.kind {
            NodeKind::Text(text) => Ok(Value::String(text.to_owned())),
            NodeKind::Bare(word) => self.json_bare(word, at),
            NodeKind::List { items, closed } => {
                self.must_be_closed(closed, at, "a list")?;
                let mut values = Vec::with_capacity(items.len());
                for (index, item) in items.iter().enumerate() {
                    let value = self.node(&FieldType::Json, &item, base);
                    values.push(value.map_err(|fault| fault.within(index))?);
                }
                Ok(Value::List(values))
            }
            NodeKind::Map { entries, closed } => {
                self.must_be_closed(closed, at, "an object")?;
                self.map(&FieldType::Json, entries, base)
            }
        }
    }

    fn json_bare(&mut self, word: &str, at: usize) -> Result<Value, Fault> {
        let value = match Literal::of(word) {
            Literal::Null => Value::Null,
            Literal::Bool(b) => Value::Bool(b),
            Literal::Word => {
                self.note(RepairKind::Unquoted, at);
                return Ok(Value::String(word.to_owned()));
            }
            Literal::Number => match serde_json::from_str::<serde_json::Value>(word) {
                Ok(json) => Value::from(json),
                Err(_) => self.text(&FieldType::Float(FloatType::F64), json_source(word, at))?,
            },
        };
        if matches!(word, "None" | "True" | "False") {
            self.note(RepairKind::PythonLiteral, at);
        }
        Ok(value)
    }
}

//! A whole reply as a grammar: markers and keys are forced, the values are the rules of `lark`.

use std::fmt::Write as _;

use serde_json::json;

use crate::signature::{FieldSpec, PromptFormat, SignatureSpec};

use super::GrammarError;
use super::lark::{Rules, literal};

/// The grammar of a reply.
pub(super) fn reply_grammar(spec: &SignatureSpec) -> Result<String, GrammarError> {
    match spec.format {
        PromptFormat::Json => json_grammar(spec),
        _ => chat_grammar(spec),
    }
}

/// One JSON object, a line a field.
fn json_grammar(spec: &SignatureSpec) -> Result<String, GrammarError> {
    let mut rules = Rules::default();
    let mut reply = String::new();
    for (at, field) in spec.outputs.iter().enumerate() {
        let before = if at == 0 { "{\n" } else { ",\n" };
        let key = literal(&format!("{before}  {}: ", json!(field.name)));
        let value = rules.json_value(&field.ty, field)?;
        let _ = write!(reply, "{key} {value} ");
    }
    Ok(format!("start: {reply}\"\\n}}\"\n{}", rules.text))
}

/// Sections with their markers.
fn chat_grammar(spec: &SignatureSpec) -> Result<String, GrammarError> {
    let mut rules = Rules::default();
    let mut reply = String::new();
    for (at, field) in spec.outputs.iter().enumerate() {
        let gap = if at == 0 { "" } else { "NL NL " };
        let marker = literal(&format!("[[ ## {} ## ]]\n", field.name));
        let value = rules.section_value(field)?;
        let _ = write!(reply, "{gap}{marker} {value} ");
    }
    let end = literal("[[ ## completed ## ]]");
    Ok(format!(
        "start: {reply}NL NL {end}\nNL: \"\\n\"\n{}",
        rules.text
    ))
}

/// Sections as in the chat format, but the last two are one choice: a tool's name with the arguments of that tool.
pub(super) fn tool_step_grammar(
    spec: &SignatureSpec,
    tools: &[(String, Vec<FieldSpec>)],
) -> Result<String, GrammarError> {
    let [before @ .., name, arguments] = &*spec.outputs else {
        return Err(GrammarError::Compile(
            "a tool step has at least two outputs".into(),
        ));
    };
    let marker = |field: &FieldSpec| literal(&format!("[[ ## {} ## ]]\n", field.name));
    let mut rules = Rules::default();
    let mut reply = String::new();
    for field in before {
        let value = rules.section_value(field)?;
        let _ = write!(reply, "{} {value} NL NL ", marker(field));
    }
    let mut calls = Vec::new();
    for (tool, fields) in tools {
        let object = rules.object(None, fields)?;
        calls.push(format!(
            "{} NL NL {} {object}",
            literal(tool),
            marker(arguments)
        ));
    }
    let call = rules.define(false, calls.join(" | "));
    let end = literal("[[ ## completed ## ]]");
    Ok(format!(
        "start: {reply}{} {call} NL NL {end}\nNL: \"\\n\"\n{}",
        marker(name),
        rules.text
    ))
}

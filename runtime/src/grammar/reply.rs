//! A whole reply as a grammar: markers and keys are forced, the values are the rules of `lark`. Beside it the plan of what
//! no grammar says.

use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::json;

use crate::signature::{FieldSpec, PromptFormat, SignatureSpec};

use super::GrammarError;
use super::lark::{Rules, literal};
use super::walk::Plan;

/// What holds a reply: a grammar, and the plan of what else to look after.
#[derive(Debug)]
pub(super) struct ReplyGrammar {
    pub lark: String,
    pub plan: Arc<Plan>,
}

const COMPLETED: &str = "[[ ## completed ## ]]";

/// The grammar of a reply.
pub(super) fn reply_grammar(spec: &SignatureSpec) -> Result<ReplyGrammar, GrammarError> {
    match spec.format {
        PromptFormat::Json => json_grammar(spec),
        _ => chat_grammar(spec, Rules::default()),
    }
}

/// Sections whose values hold nothing that a careless reader takes for a marker.
pub(super) fn split_sections_grammar(spec: &SignatureSpec) -> Result<ReplyGrammar, GrammarError> {
    chat_grammar(spec, Rules::without_markers())
}

/// One JSON object, a line a field.
fn json_grammar(spec: &SignatureSpec) -> Result<ReplyGrammar, GrammarError> {
    let mut rules = Rules::default();
    let mut plan = Plan::default();
    let mut reply = String::new();
    for (at, field) in spec.outputs.iter().enumerate() {
        let before = if at == 0 { "{\n" } else { ",\n" };
        let key = format!("{before}  {}: ", json!(field.name));
        let value = rules.json_value(&field.ty, field)?;
        let _ = write!(reply, "{} {value} ", literal(&key));
        plan.section(key, field)?;
    }
    Ok(ReplyGrammar {
        lark: format!("start: {reply}\"\\n}}\"\n{}", rules.text),
        plan: Arc::new(plan.end("\n}")),
    })
}

/// Sections with their markers.
fn chat_grammar(spec: &SignatureSpec, rules: Rules) -> Result<ReplyGrammar, GrammarError> {
    let mut sections = Sections {
        rules,
        ..Sections::default()
    };
    for field in &*spec.outputs {
        let value = sections.rules.section_value(field)?;
        let marker = sections.open(field);
        sections.plan.section(marker, field)?;
        let _ = write!(sections.reply, "{value} ");
    }
    Ok(sections.end())
}

/// Sections as in the chat format, but the last two are one choice: a tool's name with the arguments of that tool.
pub(super) fn tool_step_grammar(
    spec: &SignatureSpec,
    tools: &[(String, Vec<FieldSpec>)],
) -> Result<ReplyGrammar, GrammarError> {
    let [before @ .., name, arguments] = &*spec.outputs else {
        return Err(GrammarError::Compile(
            "a tool step has at least two outputs".into(),
        ));
    };
    let mut sections = Sections::default();
    for field in before {
        let value = sections.rules.section_value(field)?;
        let marker = sections.open(field);
        sections.plan.section(marker, field)?;
        let _ = write!(sections.reply, "{value} ");
    }
    let marker = sections.open(name);
    sections.plan.text(marker);
    let marker = format!("[[ ## {} ## ]]\n", arguments.name);
    let mut calls = Vec::new();
    for (tool, fields) in tools {
        let object = sections.rules.object(None, fields)?;
        calls.push(format!(
            "{} NL NL {} {object}",
            literal(tool),
            literal(&marker)
        ));
    }
    let call = sections.rules.define(false, calls.join(" | "));
    let marker = format!("\n\n{marker}");
    sections.plan.arguments(marker, arguments, tools)?;
    let _ = write!(sections.reply, "{call} ");
    Ok(sections.end())
}

/// A reply in sections, as far as it is written.
#[derive(Default)]
struct Sections {
    rules: Rules,
    plan: Plan,
    reply: String,
}

impl Sections {
    /// Writes the marker of the next section, and gives all that stands between the sections.
    fn open(&mut self, field: &FieldSpec) -> String {
        let marker = format!("[[ ## {} ## ]]\n", field.name);
        let is_first = self.reply.is_empty();
        let gap = if is_first { "" } else { "NL NL " };
        let _ = write!(self.reply, "{gap}{} ", literal(&marker));
        format!("{}{marker}", if is_first { "" } else { "\n\n" })
    }

    fn end(self) -> ReplyGrammar {
        ReplyGrammar {
            lark: format!(
                "start: {}NL NL {}\nNL: \"\\n\"\n{}",
                self.reply,
                literal(COMPLETED),
                self.rules.text
            ),
            plan: Arc::new(self.plan.end(&format!("\n\n{COMPLETED}"))),
        }
    }
}

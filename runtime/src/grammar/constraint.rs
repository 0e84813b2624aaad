//! What a reply can be held to.

use std::sync::Arc;

use serde_json::Value as Json;

use crate::signature::{FieldSpec, SignatureSpec};

use super::GrammarError;
use super::reply::{reply_grammar, split_sections_grammar, tool_step_grammar};
use super::walk::Plan;

/// What a reply is held to.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Constraint {
    /// The output fields of a signature, in its format.
    Signature(SignatureSpec),
    /// The same in sections, where no value holds `[[ ## `: for readers that take that for a marker wherever it stands, as
    /// dspy-rs does.
    SplitSections(SignatureSpec),
    /// A step of a program with tools: the fields of `spec`, of which the second last names a tool and the last holds
    /// the arguments of that very tool.
    ToolStep {
        /// The step's signature.
        spec: SignatureSpec,
        /// The tools, each with its arguments.
        tools: Vec<(String, Vec<FieldSpec>)>,
    },
    /// A grammar in llguidance's dialect of Lark; its start rule is `start`.
    Lark(String),
    /// A regular expression that the whole reply matches.
    Regex(String),
    /// JSON of this schema.
    JsonSchema(Json),
}

impl Constraint {
    /// A regular expression as it stands in a Lark grammar.
    #[cfg(feature = "remote")]
    pub(crate) fn slashed(regex: &str) -> String {
        super::lark::slashed(regex)
    }

    /// The grammar's text, and what has to be looked after beside it.
    pub(super) fn source(&self) -> Result<(Source, Option<Arc<Plan>>), GrammarError> {
        let reply = match self {
            Constraint::Signature(spec) => reply_grammar(spec)?,
            Constraint::SplitSections(spec) => split_sections_grammar(spec)?,
            Constraint::ToolStep { spec, tools } => tool_step_grammar(spec, tools)?,
            Constraint::Lark(grammar) => return Ok((Source::Lark(grammar.clone()), None)),
            Constraint::Regex(regex) => return Ok((Source::Regex(regex.clone()), None)),
            Constraint::JsonSchema(schema) => {
                return Ok((Source::JsonSchema(schema.to_string()), None));
            }
        };
        Ok((Source::Lark(reply.lark), Some(reply.plan)))
    }
}

/// A grammar as text.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Source {
    Lark(String),
    Regex(String),
    JsonSchema(String),
}

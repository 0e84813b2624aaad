//! The two signatures of a ReAct program, made of the user's own: `docs/prompts.md`, Programs.

use std::fmt::Write as _;
use std::sync::Arc;

use crate::prompt::{instruction, type_name};
use crate::signature::{
    EnumSpec, FieldSpec, FieldType, ListKind, ListType, Payload, PromptFormat, SignatureSpec,
    StructSpec, Tool, TypeRef, VariantSpec,
};

/// The choice of no further tool.
pub(super) const FINISH: &str = "finish";

/// The input that holds the steps so far.
pub(super) const TRAJECTORY: &str = "trajectory";

/// The outputs of a step.
pub(super) const NEXT_THOUGHT: &str = "next_thought";
pub(super) const NEXT_TOOL: &str = "next_tool_name";
pub(super) const NEXT_ARGS: &str = "next_tool_args";

/// The signature of a step.
pub(super) fn step_spec(spec: &SignatureSpec, tools: &[Arc<dyn Tool>]) -> SignatureSpec {
    let names = tools.iter().map(|tool| tool.name()).chain([FINISH]);
    let choice = FieldType::Enum(EnumSpec {
        name: "Tool".into(),
        desc: "".into(),
        variants: names.map(variant).collect::<Vec<_>>().into(),
        tag: "type".into(),
    });
    SignatureSpec {
        instruction: step_instruction(spec, tools).into(),
        outputs: vec![
            FieldSpec::owned(NEXT_THOUGHT, "", FieldType::String),
            FieldSpec::owned(NEXT_TOOL, "", choice),
            FieldSpec::owned(NEXT_ARGS, "", FieldType::Map(FieldType::Json.into())),
        ]
        .into(),
        // The grammar that ties arguments to their tool is one of sections, whatever the signature's own layout is.
        format: PromptFormat::Chat,
        ..final_spec(spec)
    }
}

/// The signature of the final answer.
pub(super) fn final_spec(spec: &SignatureSpec) -> SignatureSpec {
    let trajectory = FieldSpec::owned(TRAJECTORY, "", steps_type());
    let inputs = spec.inputs.iter().cloned().chain([trajectory]);
    SignatureSpec {
        inputs: inputs.collect::<Vec<_>>().into(),
        ..spec.clone()
    }
}

fn variant(name: &str) -> VariantSpec {
    VariantSpec {
        name: name.to_owned().into(),
        aliases: Vec::new().into(),
        desc: "".into(),
        payload: Payload::Unit,
    }
}

fn steps_type() -> TypeRef {
    let text = |name: &str| FieldSpec::owned(name, "", FieldType::String);
    let step = FieldType::Struct(StructSpec {
        name: "Step".into(),
        desc: "".into(),
        fields: vec![
            text("thought"),
            text("tool"),
            FieldSpec::owned("args", "", FieldType::Map(FieldType::Json.into())),
            text("observation"),
        ]
        .into(),
    });
    FieldType::List(ListType {
        item: step.into(),
        kind: ListKind::List,
    })
    .into()
}

fn step_instruction(spec: &SignatureSpec, tools: &[Arc<dyn Tool>]) -> String {
    let outputs: Vec<_> = spec
        .outputs
        .iter()
        .map(|field| format!("`{}`", field.name))
        .collect();
    let outputs = outputs.join(", ");
    let mut text = format!(
        "{}\n\nUse the tools to collect what you need to produce {outputs}. At each step give your next thought, the next tool \
         and its arguments as a JSON object; what the tool returns is added to `{TRAJECTORY}`.\nThe tools are:\n",
        instruction(spec)
    );
    for tool in tools {
        let arguments: Vec<_> = tool
            .arguments()
            .iter()
            .map(|field| format!("{}: {}", field.name, type_name(&field.ty)))
            .collect();
        // One line a tool, whatever its description holds.
        let description = tool
            .description()
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ");
        let _ = writeln!(
            text,
            "- {}({}): {description}",
            tool.name(),
            arguments.join(", ")
        );
    }
    let _ = write!(
        text,
        "- {FINISH}(): Call this when {outputs} can be produced."
    );
    text
}

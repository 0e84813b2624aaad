//! The messages of a prediction: `[[ ## field ## ]]` sections, after DSPy's `ChatAdapter`.
//! Where the JSON format differs, `json` says how.

use std::fmt::Write as _;

use crate::signature::{
    Constraint, FieldSpec, FieldValues, PartialDemo, PromptFormat, SignatureSpec,
};

use super::types::{type_name, value_note};
use super::{Message, json, render_value};

const INCOMPLETE: &str =
    "This is an example of the task, though some input or output fields are not supplied.";
const NOT_SUPPLIED: &str = "Not supplied for this particular example. ";
const COMPLETED: &str = "[[ ## completed ## ]]";

/// The messages of one prediction: system, a user/assistant pair a demo, and the request.
///
/// A demo without any input or any output field of the signature shows nothing and is left out; incomplete
/// demos come before complete ones, as in DSPy.
#[must_use]
pub fn chat_messages(
    spec: &SignatureSpec,
    demos: &[PartialDemo],
    inputs: &FieldValues,
) -> Vec<Message> {
    let mut messages = vec![Message::system(system_content(spec))];
    let usable = demos.iter().filter(|demo| {
        spec.inputs
            .iter()
            .any(|field| demo.inputs.get(&field.name).is_some())
            && spec
                .outputs
                .iter()
                .any(|field| demo.outputs.get(&field.name).is_some())
    });
    let (complete, incomplete): (Vec<_>, Vec<_>) = usable.partition(|demo| is_complete(spec, demo));
    for demo in incomplete {
        let user = input_sections(spec, &demo.inputs);
        messages.push(Message::user(format!("{INCOMPLETE}\n\n{user}").trim()));
        messages.push(Message::assistant(assistant_content(spec, &demo.outputs)));
    }
    for demo in complete {
        messages.push(Message::user(input_sections(spec, &demo.inputs).trim()));
        messages.push(Message::assistant(assistant_content(spec, &demo.outputs)));
    }
    messages.push(Message::user(user_content(spec, inputs)));
    messages
}

fn is_complete(spec: &SignatureSpec, demo: &PartialDemo) -> bool {
    spec.inputs
        .iter()
        .all(|field| demo.inputs.get(&field.name).is_some())
        && spec
            .outputs
            .iter()
            .all(|field| demo.outputs.get(&field.name).is_some())
}

/// The content of the request: input sections, then a reminder of the outputs.
#[must_use]
pub fn user_content(spec: &SignatureSpec, inputs: &FieldValues) -> String {
    let sections = input_sections(spec, inputs);
    format!("{sections}\n\n{}", reminder(spec))
        .trim()
        .to_owned()
}

/// The content of a reply: output sections, and the marker that ends them.
#[must_use]
pub fn assistant_content(spec: &SignatureSpec, outputs: &FieldValues) -> String {
    if spec.format == PromptFormat::Json {
        return json::reply(spec, outputs, NOT_SUPPLIED);
    }
    let sections: Vec<_> = spec
        .outputs
        .iter()
        .map(|field| match outputs.get(&field.name) {
            Some(value) => section(&field.name, &render_value(value)),
            None => section(&field.name, NOT_SUPPLIED),
        })
        .collect();
    format!("{}\n\n{COMPLETED}", sections.join("\n\n").trim())
}

fn system_content(spec: &SignatureSpec) -> String {
    let inputs = sections(
        spec.inputs
            .iter()
            .map(|field| (&*field.name, placeholder(field, None))),
    );
    let outputs: Vec<_> = spec
        .outputs
        .iter()
        .map(|field| (&*field.name, placeholder(field, value_note(&field.ty))))
        .collect();
    let structure = match spec.format {
        PromptFormat::Json => json::structure(&inputs, &outputs),
        _ => format!(
            "{inputs}\n\n{}\n\n{COMPLETED}",
            sections(outputs.into_iter())
        ),
    };
    let mut objective = String::new();
    for line in instruction(spec).lines() {
        objective.push_str("\n        ");
        objective.push_str(line);
    }
    format!(
        "Your input fields are:\n{}\nYour output fields are:\n{}\n\
         All interactions will be structured in the following way, with the appropriate values filled in.\n\n\
         {structure}\nIn adhering to this structure, your objective is: {objective}",
        field_list(&spec.inputs),
        field_list(&spec.outputs),
    )
}

/// The instruction, or the sentence that DSPy puts in the place of an empty one.
pub(crate) fn instruction(spec: &SignatureSpec) -> String {
    let given = dedented(&spec.instruction);
    if !given.is_empty() {
        return given;
    }
    format!(
        "Given the fields {}, produce the fields {}.",
        quoted_names(&spec.inputs),
        quoted_names(&spec.outputs)
    )
}

/// The text without the margin that its lines share, as Python's `inspect.cleandoc`.
fn dedented(text: &str) -> String {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let mut lines = text.trim().lines();
    let first = lines.next().unwrap_or_default().to_owned();
    let rest: Vec<&str> = lines.collect();
    let filled = rest.iter().filter(|line| !line.trim().is_empty());
    let margin = filled.map(|line| indent(line)).min().unwrap_or(0);
    rest.iter().fold(first, |text, line| {
        text + "\n" + line.get(margin..).unwrap_or_default()
    })
}

fn quoted_names(fields: &[FieldSpec]) -> String {
    fields
        .iter()
        .map(|field| format!("`{}`", field.name))
        .collect::<Vec<_>>()
        .join(", ")
}

fn field_list(fields: &[FieldSpec]) -> String {
    let mut list = String::new();
    for (at, field) in fields.iter().enumerate() {
        let (name, ty) = (&field.name, type_name(&field.ty));
        let _ = write!(list, "{}. `{name}` ({ty}): {}", at + 1, field.desc);
        let constraints: Vec<_> = field.constraints.iter().map(constraint_text).collect();
        if !constraints.is_empty() {
            let _ = write!(list, "\nConstraints: {}", constraints.join(", "));
        }
        list.push('\n');
    }
    list.trim().to_owned()
}

/// DSPy's words for pydantic's constraints, and words like them for those that pydantic lacks.
fn constraint_text(constraint: &Constraint) -> String {
    match constraint {
        Constraint::Min(bound) => format!("greater than or equal to: {bound}"),
        Constraint::Max(bound) => format!("less than or equal to: {bound}"),
        Constraint::Len { min, max } if *max == usize::MAX => format!("minimum length: {min}"),
        Constraint::Len { min: 0, max } => format!("maximum length: {max}"),
        Constraint::Len { min, max } => format!("minimum length: {min}, maximum length: {max}"),
        Constraint::Regex(pattern) => format!("matches the regular expression: {pattern}"),
        Constraint::OneOf(options) => format!("one of: {}", options.join("; ")),
        Constraint::OneLine => "a single line".into(),
        Constraint::Unique => "no item twice".into(),
    }
}

fn placeholder(field: &FieldSpec, note: Option<String>) -> String {
    match note {
        Some(note) => format!(
            "{{{}}}        # note: the value you produce must {note}",
            field.name
        ),
        None => format!("{{{}}}", field.name),
    }
}

fn input_sections(spec: &SignatureSpec, inputs: &FieldValues) -> String {
    let sections = spec.inputs.iter().filter_map(|field| {
        inputs
            .get(&field.name)
            .map(|value| section(&field.name, &render_value(value)))
    });
    sections.collect::<Vec<_>>().join("\n\n")
}

fn sections<'a>(fields: impl Iterator<Item = (&'a str, String)>) -> String {
    fields
        .map(|(name, body)| section(name, &body))
        .collect::<Vec<_>>()
        .join("\n\n")
}

fn section(name: &str, body: &str) -> String {
    format!("[[ ## {name} ## ]]\n{body}")
}

fn reminder(spec: &SignatureSpec) -> String {
    if spec.format == PromptFormat::Json {
        return json::reminder(&spec.outputs);
    }
    let fields: Vec<_> = spec
        .outputs
        .iter()
        .map(|field| {
            let form = value_note(&field.ty).map_or(String::new(), |_| {
                format!(" (must be formatted as a valid {})", type_name(&field.ty))
            });
            format!("`[[ ## {} ## ]]`{form}", field.name)
        })
        .collect();
    format!(
        "Respond with the corresponding output fields, starting with the field {}, and then ending with the marker for `{COMPLETED}`.",
        fields.join(", then ")
    )
}

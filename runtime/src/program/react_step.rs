//! One step of a ReAct program as data: read out of a reply, shown to the next one.

use crate::adapter::{Completion, Usage};
use crate::parse::{ParseError, parse_as};
use crate::signature::{FieldValue as _, FieldValues, SignatureSpec, Value, ValueError};

use super::Step;
use super::react_spec::{NEXT_ARGS, NEXT_THOUGHT, NEXT_TOOL, TRAJECTORY};

/// What a reply holds of a step.
pub(super) enum ReadStep {
    /// All of it.
    Whole(Step),
    /// A thought, a tool or arguments, but not all can be read; the observation says what is wrong.
    Faulty(Step),
    /// Nothing of one.
    Nothing,
}

/// Reads a step. What a grammar did not prevent is told to the model rather than taken for the end.
pub(super) fn read_step(spec: &SignatureSpec, completion: &Completion) -> ReadStep {
    match parse_as(spec, &completion.text, step_of) {
        Ok((step, _)) => ReadStep::Whole(step),
        Err(error) => match faulty(spec, &error) {
            Some(step) => ReadStep::Faulty(step),
            None => ReadStep::Nothing,
        },
    }
}

fn step_of(mut values: FieldValues) -> Result<Step, Vec<ValueError>> {
    let mut text = |name: &str| match values.take(name) {
        Some(value) => String::from_value(value).map_err(|error| error.at(name)),
        None => Err(ValueError::missing(name)),
    };
    let (thought, tool) = (text(NEXT_THOUGHT), text(NEXT_TOOL));
    match (thought, tool) {
        (Ok(thought), Ok(tool)) => Ok(step(thought, tool, arguments(&values), String::new())),
        (thought, tool) => Err([thought.err(), tool.err()].into_iter().flatten().collect()),
    }
}

fn step(thought: String, tool: String, args: FieldValues, observation: String) -> Step {
    Step {
        thought,
        tool,
        args,
        observation,
        usage: Usage::default(),
    }
}

/// The step that a faulty reply meant, as far as can be said.
fn faulty(spec: &SignatureSpec, error: &ParseError) -> Option<Step> {
    let text = |name| match error.partial.get(name) {
        Some(Value::String(text)) => text.clone(),
        _ => String::new(),
    };
    // The text that names no tool stands in the error.
    let unknown = error
        .errors
        .iter()
        .find(|fault| fault.field == NEXT_TOOL && !fault.excerpt.is_empty());
    let named = text(NEXT_TOOL);
    let tool = unknown.map_or_else(|| named.clone(), |fault| fault.excerpt.clone());
    if tool.is_empty() {
        return None;
    }
    let observation = match unknown {
        Some(_) => format!(
            "error: there is no tool `{tool}`: the tools are {}",
            tools(spec)
        ),
        None => format!("error: {error}"),
    };
    // What was called by a tool's name but not as one must not end the program.
    let tool = if unknown.is_some() { tool } else { named };
    Some(step(
        text(NEXT_THOUGHT),
        tool,
        arguments(&error.partial),
        observation,
    ))
}

fn tools(spec: &SignatureSpec) -> String {
    let field = spec.outputs.iter().find(|field| field.name == NEXT_TOOL);
    match field.map(|field| &*field.ty) {
        Some(crate::signature::FieldType::Enum(choice)) => {
            let names = choice.variants.iter();
            let names: Vec<_> = names.map(|one| format!("`{}`", one.name)).collect();
            names.join(", ")
        }
        _ => String::new(),
    }
}

fn arguments(values: &FieldValues) -> FieldValues {
    match values.get(NEXT_ARGS) {
        Some(Value::Map(entries)) => entries.iter().cloned().collect(),
        _ => FieldValues::new(),
    }
}

/// The inputs with the steps so far after them.
pub(super) fn with_trajectory(input: &FieldValues, trajectory: &[Step]) -> FieldValues {
    let mut inputs = input.clone();
    let steps = trajectory.iter().map(|step| {
        let text = |text: &str| Value::String(text.to_owned());
        let args = step
            .args
            .iter()
            .map(|(name, value)| (name.to_owned(), value.clone()));
        Value::Map(vec![
            ("thought".into(), text(&step.thought)),
            ("tool".into(), text(&step.tool)),
            ("args".into(), Value::Map(args.collect())),
            ("observation".into(), text(&step.observation)),
        ])
    });
    inputs.insert(TRAJECTORY, Value::List(steps.collect()));
    inputs
}

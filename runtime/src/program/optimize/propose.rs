//! Asks a model for instructions: it is shown the task, its present instruction with its score, and examples with what went wrong.

use std::fmt::Write as _;

use crate::adapter::{Backend, CandleAdapterError, Constraint, Overrides};
use crate::parse::parse_as;
use crate::prompt::{instruction, plain_text, type_name};
use crate::signature::{
    FieldSpec, FieldValue as _, FieldValues, Signature, SignatureSpec, TypeRef, Value, ValueError,
};

use super::super::call::Prompt;
use super::super::evaluate::{Evaluation, Row};
use super::super::{Batch, Tunable};
use super::shuffle::shuffled;

/// Examples that a proposer is shown.
const SHOWN: usize = 4;

const PROPOSED: &str = "better_instruction";

/// Instructions by a model, each made of other examples. One that fails is left out.
pub(super) async fn propose<P: Tunable, Q: Backend + ?Sized>(
    program: &P,
    proposer: &Q,
    seen: &Evaluation,
    count: usize,
    seed: u64,
    batch: &Batch<'_>,
) -> Vec<String> {
    let spec = spec();
    let asked = (0..count as u64).map(|number| {
        let seed = seed.wrapping_mul(1_000).wrapping_add(number);
        (inputs(program, seen, seed), seed)
    });
    let ask = |(inputs, seed): (FieldValues, u64)| {
        let spec = &spec;
        async move {
            // Different words for each, and a reply of a few sentences.
            let overrides = Overrides {
                temperature: Some(0.7),
                seed: Some(seed),
                max_tokens: Some(128),
                ..Overrides::default()
            };
            let prompt = Prompt::bare(spec, overrides);
            let constraint = Constraint::Signature(spec.clone());
            let request = prompt.request(prompt.messages(&inputs), constraint);
            let completion = proposer.complete(request).await?;
            let (text, _) = parse_as(spec, &completion.text, proposed)?;
            Ok::<String, CandleAdapterError>(text)
        }
    };
    let replies = batch.each(asked, ask).await;
    replies.into_iter().flatten().collect()
}

fn spec() -> SignatureSpec {
    let field = |name, desc| FieldSpec::owned(name, desc, TypeRef::TEXT);
    SignatureSpec {
        name: "ProposeInstruction".into(),
        instruction: "Write a better instruction for the task: one or two plain sentences that say what to produce and how, so that \
                      the outputs of the examples follow from it."
            .into(),
        inputs: vec![
            field("task", "The fields that go in and come out."),
            field("present_instruction", "What is said now, and how well it works."),
            field("examples", "Inputs with the outputs that are right."),
        ]
        .into(),
        outputs: vec![field(PROPOSED, "The new instruction.")].into(),
        format: crate::signature::PromptFormat::Chat,
    }
}

fn proposed(mut values: FieldValues) -> Result<String, Vec<ValueError>> {
    let value = values.take(PROPOSED).unwrap_or(Value::Null);
    String::from_value(value).map_err(|error| vec![error.at(PROPOSED)])
}

fn inputs<P: Tunable>(program: &P, seen: &Evaluation, seed: u64) -> FieldValues {
    let spec = program
        .settings()
        .instructed(<P::Signature as Signature>::SPEC.clone());
    let present = format!(
        "{}\nScore: {:.0} of 100",
        instruction(&spec),
        100.0 * seen.score()
    );
    let text = |text: String| Value::String(text);
    FieldValues::from_iter([
        ("task", text(task(&spec))),
        ("present_instruction", text(present)),
        ("examples", text(examples(&seen.rows, seed))),
    ])
}

fn task(spec: &SignatureSpec) -> String {
    let list = |fields: &[FieldSpec]| {
        let named = fields.iter().map(|field| {
            let (name, ty) = (&field.name, type_name(&field.ty));
            match &*field.desc {
                "" => format!("`{name}` ({ty})"),
                desc => format!("`{name}` ({ty}: {desc})"),
            }
        });
        named.collect::<Vec<_>>().join(", ")
    };
    format!("{} -> {}", list(&spec.inputs), list(&spec.outputs))
}

/// Some rows, those that went wrong first: of them there is more to learn.
fn examples(rows: &[Row], seed: u64) -> String {
    let order = shuffled(rows.len(), seed);
    let (right, wrong): (Vec<usize>, Vec<usize>) =
        order.into_iter().partition(|at| rows[*at].score >= 1.0);
    let mut text = String::new();
    for at in wrong
        .into_iter()
        .take(SHOWN / 2 + 1)
        .chain(right)
        .take(SHOWN)
    {
        let row = &rows[at];
        let _ = write!(text, "{} -> {}", shown(&row.inputs), shown(&row.expected));
        if row.score < 1.0 && !row.predicted.is_empty() {
            let _ = write!(text, " (and not {})", shown(&row.predicted));
        }
        text.push('\n');
    }
    text
}

fn shown(values: &FieldValues) -> String {
    let named = values
        .iter()
        .map(|(name, value)| format!("{name}: {}", plain_text(value)));
    named.collect::<Vec<_>>().join("; ")
}

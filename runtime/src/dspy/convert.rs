//! Examples, demos, predictions and token counts, from this crate's types to those of dspy-rs and back.

use std::collections::{BTreeSet, HashMap};

use dspy_rs::{LmUsage, Prediction};
use serde_json::Value as Json;

use crate::adapter::Usage;
use crate::program::Predicted;
use crate::signature::{
    Demo, Example, FieldSet, FieldSpec, FieldValues, PartialDemo, Signature, SignatureSpec,
};

use super::{DspyError, json_of, value_of};

/// The typed input as an example.
#[must_use]
pub fn example_of<I: FieldSet>(input: I) -> dspy_rs::Example {
    let values = input.into_values();
    dspy_rs::Example {
        input_keys: keys(&values),
        output_keys: Vec::new(),
        data: data_of(&values),
    }
}

/// The typed output of a prediction.
///
/// # Errors
/// [`DspyError::Values`] with every field that is missing or not of its type.
pub fn output_of<O: FieldSet>(prediction: &Prediction) -> Result<O, DspyError> {
    let values = pick(O::FIELDS, &prediction.data);
    O::from_values(values).map_err(DspyError::Values)
}

/// The example as a demo of `S`. Which of its keys it calls inputs does not matter, only what the signature does.
///
/// # Errors
/// [`DspyError::Values`] with every field that is missing or not of its type.
pub fn demo_of<S: Signature>(example: &dspy_rs::Example) -> Result<Demo<S>, DspyError> {
    let PartialDemo { inputs, outputs } = demo_for(S::SPEC, example);
    match (
        S::Input::from_values(inputs),
        S::Output::from_values(outputs),
    ) {
        (Ok(input), Ok(output)) => Ok(Demo::new(input, output)),
        (input, output) => {
            let mut errors = input.err().unwrap_or_default();
            errors.extend(output.err().unwrap_or_default());
            Err(DspyError::Values(errors))
        }
    }
}

/// What the example has of the signature's fields.
pub(super) fn demo_for(spec: &SignatureSpec, example: &dspy_rs::Example) -> PartialDemo {
    PartialDemo {
        inputs: pick(&spec.inputs, &example.data),
        outputs: pick(&spec.outputs, &example.data),
    }
}

/// The values of these fields, in their order.
pub(super) fn pick(fields: &[FieldSpec], data: &HashMap<String, Json>) -> FieldValues {
    let value = |field: &FieldSpec| {
        let json = data.get(field.name.as_ref())?;
        Some((field.name.clone(), value_of(json)))
    };
    fields.iter().filter_map(value).collect()
}

pub(super) fn data_of(values: &FieldValues) -> HashMap<String, Json> {
    let entry = |(name, value): (&str, _)| (name.to_owned(), json_of(value));
    values.iter().map(entry).collect()
}

fn keys(values: &FieldValues) -> Vec<String> {
    values.iter().map(|(name, _)| name.to_owned()).collect()
}

/// The same data and roles. dspy-rs keeps no order of the data.
impl From<Example> for dspy_rs::Example {
    fn from(example: Example) -> Self {
        dspy_rs::Example {
            data: data_of(&example.data),
            input_keys: example.input_keys,
            output_keys: example.output_keys,
        }
    }
}

/// The same data and roles. The data is ordered: inputs, outputs, then what has no role by its name.
impl From<dspy_rs::Example> for Example {
    fn from(example: dspy_rs::Example) -> Self {
        let mut rest: BTreeSet<&String> = example.data.keys().collect();
        let mut order = Vec::with_capacity(rest.len());
        for key in example.input_keys.iter().chain(&example.output_keys) {
            if rest.remove(key) {
                order.push(key);
            }
        }
        order.extend(rest);
        let value = |key: &String| Some((key.clone(), value_of(example.data.get(key)?)));
        Example {
            data: order.into_iter().filter_map(value).collect(),
            input_keys: example.input_keys,
            output_keys: example.output_keys,
        }
    }
}

/// Inputs and outputs by name; no signature has two fields of one name.
impl From<PartialDemo> for dspy_rs::Example {
    fn from(demo: PartialDemo) -> Self {
        let mut data = data_of(&demo.inputs);
        data.extend(data_of(&demo.outputs));
        dspy_rs::Example {
            data,
            input_keys: keys(&demo.inputs),
            output_keys: keys(&demo.outputs),
        }
    }
}

impl<S: Signature> From<Demo<S>> for dspy_rs::Example {
    fn from(demo: Demo<S>) -> Self {
        demo.values().clone().into()
    }
}

impl<O: FieldSet> From<Predicted<O>> for Prediction {
    fn from(predicted: Predicted<O>) -> Self {
        let usage = predicted.usage();
        Prediction {
            data: data_of(&predicted.into_inner().into_values()),
            lm_usage: usage.into(),
        }
    }
}

impl From<Usage> for LmUsage {
    fn from(usage: Usage) -> Self {
        LmUsage {
            prompt_tokens: usage.prompt_tokens as u64,
            completion_tokens: usage.completion_tokens as u64,
            total_tokens: usage.total_tokens() as u64,
        }
    }
}

impl TryFrom<LmUsage> for Usage {
    type Error = DspyError;

    /// Refuses counts that do not add up: a [`Usage`] could not hold them.
    fn try_from(usage: LmUsage) -> Result<Self, DspyError> {
        let (prompt, completion) = (usage.prompt_tokens, usage.completion_tokens);
        let total = usage.total_tokens;
        let refused = || DspyError::Usage {
            prompt,
            completion,
            total,
        };
        if prompt.checked_add(completion) != Some(total) {
            return Err(refused());
        }
        Ok(Usage {
            prompt_tokens: prompt.try_into().map_err(|_| refused())?,
            // dspy-rs does not count them.
            cached_tokens: 0,
            completion_tokens: completion.try_into().map_err(|_| refused())?,
        })
    }
}

//! Demonstrations: inputs with the outputs that they should give.

use std::fmt;
use std::marker::PhantomData;

use super::{FieldSet, FieldValues, REASONING, Signature, Value};

/// A demonstration of `S`, typed when it was made (by `example!`, or [`Demo::new`]).
pub struct Demo<S> {
    values: PartialDemo,
    signature: PhantomData<fn() -> S>,
}

/// A demonstration as untyped values; fields may be left out.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PartialDemo {
    /// Values of input fields.
    pub inputs: FieldValues,
    /// Values of output fields.
    pub outputs: FieldValues,
}

impl<S: Signature> Demo<S> {
    /// A complete demonstration.
    #[must_use]
    pub fn new(input: S::Input, output: S::Output) -> Self {
        Demo::from_partial(PartialDemo {
            inputs: input.into_values(),
            outputs: output.into_values(),
        })
    }

    /// A demonstration of untyped values: the caller answers for names and types.
    #[must_use]
    pub fn from_partial(values: PartialDemo) -> Self {
        Demo {
            values,
            signature: PhantomData,
        }
    }

    /// Adds the reasoning that a chain of thought shows before the outputs.
    #[must_use]
    pub fn with_reasoning(mut self, reasoning: impl Into<String>) -> Self {
        let first = (REASONING.into(), Value::String(reasoning.into()));
        let outputs = self.values.outputs.into_entries();
        self.values.outputs = std::iter::once(first).chain(outputs).collect();
        self
    }

    /// Adds the value of one field, by its name in Rust.
    pub(super) fn with(mut self, rust_name: &str, value: Value) -> Self {
        let shown = S::RENAMED
            .iter()
            .find(|(rust, _)| *rust == rust_name)
            .map_or(rust_name, |(_, shown)| shown);
        let is_input = S::Input::FIELDS.iter().any(|field| field.name == shown);
        let half = if is_input {
            &mut self.values.inputs
        } else {
            &mut self.values.outputs
        };
        half.insert(shown.to_owned(), value);
        self
    }

    /// The values, as the prompt shows them.
    #[must_use]
    pub fn values(&self) -> &PartialDemo {
        &self.values
    }
}

impl<S: Signature> From<S> for Demo<S> {
    fn from(whole: S) -> Self {
        let (input, output) = whole.split();
        Demo::new(input, output)
    }
}

impl<S> Clone for Demo<S> {
    fn clone(&self) -> Self {
        Demo {
            values: self.values.clone(),
            signature: PhantomData,
        }
    }
}

impl<S> PartialEq for Demo<S> {
    fn eq(&self, other: &Self) -> bool {
        self.values == other.values
    }
}

impl<S> fmt::Debug for Demo<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Demo")
            .field("inputs", &self.values.inputs)
            .field("outputs", &self.values.outputs)
            .finish()
    }
}

//! The outputs of a signature with reasoning in front: what `ChainOfThought` yields without a second derive.

use std::ops::Deref;

use super::{FieldSet, FieldSpec, FieldValue, FieldValues, Signature, SignatureSpec, ValueError};

/// Name of the field that reasoning adds.
pub const REASONING: &str = "reasoning";

/// An output with the reasoning that led to it; reads as the output itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Reasoned<O> {
    /// What the model thought before it answered.
    pub reasoning: String,
    /// The answer.
    pub output: O,
}

impl<O> Deref for Reasoned<O> {
    type Target = O;

    fn deref(&self) -> &O {
        &self.output
    }
}

impl<O: FieldSet> Reasoned<O> {
    /// Reads the reasoning and the outputs.
    ///
    /// # Errors
    /// As [`FieldSet::from_values`], the reasoning first.
    pub fn from_values(mut values: FieldValues) -> Result<Self, Vec<ValueError>> {
        let reasoning = match values.take(REASONING) {
            Some(value) => String::from_value(value),
            None => Err(ValueError::new("missing")),
        };
        match (reasoning, O::from_values(values)) {
            (Ok(reasoning), Ok(output)) => Ok(Reasoned { reasoning, output }),
            (reasoning, output) => {
                let first = reasoning.err().map(|error| error.at(REASONING));
                let rest = output.err().unwrap_or_default();
                Err(first.into_iter().chain(rest).collect())
            }
        }
    }

    /// The reasoning and the outputs as values, in this order.
    #[must_use]
    pub fn into_values(self) -> FieldValues {
        let reasoning = (REASONING.into(), self.reasoning.into_value());
        let outputs = self.output.into_values();
        std::iter::once(reasoning)
            .chain(outputs.into_entries())
            .collect()
    }
}

/// The spec of a signature with a `reasoning` output in front.
#[must_use]
pub fn reasoned_spec(spec: &SignatureSpec) -> SignatureSpec {
    let reasoning = FieldSpec::owned(REASONING, "", super::TypeRef::TEXT);
    let outputs = std::iter::once(reasoning).chain(spec.outputs.iter().cloned());
    SignatureSpec {
        outputs: outputs.collect::<Vec<_>>().into(),
        ..spec.clone()
    }
}

/// Signatures without a field named `reasoning`. A derive implements it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has a field named `reasoning` already, and chain of thought adds one",
    label = "has a field named `reasoning`",
    note = "rename the field of `{Self}`, or use `Predict`, which leaves the outputs as they are"
)]
pub trait CanReason: Signature {}

#[cfg(test)]
mod tests {
    use super::super::Value;
    use super::*;

    #[derive(Debug, Clone, PartialEq)]
    struct Sum(i64);

    impl FieldSet for Sum {
        const FIELDS: &'static [FieldSpec] = &[];

        fn from_values(mut values: FieldValues) -> Result<Self, Vec<ValueError>> {
            let sum = values
                .take("sum")
                .ok_or_else(|| vec![ValueError::missing("sum")])?;
            i64::from_value(sum).map(Sum).map_err(|error| vec![error])
        }

        fn into_values(self) -> FieldValues {
            FieldValues::from_iter([("sum", self.0.into_value())])
        }
    }

    #[test]
    fn reasoning_stands_in_front() {
        let whole = Reasoned {
            reasoning: "2 and 2".into(),
            output: Sum(4),
        };
        let values = whole.clone().into_values();
        let names: Vec<_> = values.iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["reasoning", "sum"]);
        assert_eq!(whole.0, 4);
        assert_eq!(Reasoned::from_values(values), Ok(whole));
    }

    #[test]
    fn both_faults_are_reported() {
        let values = FieldValues::from_iter([("reasoning", Value::Int(1))]);
        let errors = Reasoned::<Sum>::from_values(values).expect_err("both are wrong");
        let texts: Vec<_> = errors.iter().map(ToString::to_string).collect();
        assert_eq!(
            texts,
            [
                "`reasoning`: expected a string, found an integer",
                "missing field `sum`"
            ]
        );
    }
}

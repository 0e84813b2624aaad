//! The untyped example: values by key, and which keys are inputs and which outputs.

use super::{Demo, FieldSet, FieldValue, FieldValues, PartialDemo, Signature, Value, ValueError};

/// An untyped example, as `example! { "question": "input" => "...", ... }` builds it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Example {
    /// Values by key, in the order they were given.
    pub data: FieldValues,
    /// Keys that are inputs.
    pub input_keys: Vec<String>,
    /// Keys that are outputs.
    pub output_keys: Vec<String>,
}

impl Example {
    /// An example of these values and roles.
    #[must_use]
    pub fn new(data: FieldValues, input_keys: Vec<String>, output_keys: Vec<String>) -> Self {
        Example {
            data,
            input_keys,
            output_keys,
        }
    }

    /// The inputs, in the order of `input_keys`; a key without a value is left out.
    #[must_use]
    pub fn inputs(&self) -> FieldValues {
        self.of_keys(&self.input_keys)
    }

    /// The outputs, in the order of `output_keys`; a key without a value is left out.
    #[must_use]
    pub fn outputs(&self) -> FieldValues {
        self.of_keys(&self.output_keys)
    }

    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.data.get(key)
    }

    /// Sets the value of a key. A new key has no role until it is put into `input_keys` or `output_keys`.
    pub fn set(&mut self, key: impl Into<String>, value: impl IntoValue) {
        self.data.insert(key.into(), value.into_untyped());
    }

    /// The example as a demo of `S`.
    ///
    /// # Errors
    /// Every value that is missing or not of its field's type.
    pub fn into_demo<S: Signature>(self) -> Result<Demo<S>, Vec<ValueError>> {
        let input = S::Input::from_values(self.inputs());
        let output = S::Output::from_values(self.outputs());
        match (input, output) {
            (Ok(input), Ok(output)) => Ok(Demo::new(input, output)),
            (input, output) => {
                let mut errors = input.err().unwrap_or_default();
                errors.extend(output.err().unwrap_or_default());
                Err(errors)
            }
        }
    }

    fn of_keys(&self, keys: &[String]) -> FieldValues {
        keys.iter()
            .filter_map(|key| Some((key.clone(), self.data.get(key)?.clone())))
            .collect()
    }
}

impl From<Example> for PartialDemo {
    fn from(example: Example) -> Self {
        PartialDemo {
            inputs: example.inputs(),
            outputs: example.outputs(),
        }
    }
}

/// What can be the value of an untyped example.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be a value of an untyped example",
    note = "use a field type: a string, number, `bool`, `Option`, list, map, `serde_json::Value` or what derives `CandleValue`"
)]
pub trait IntoValue {
    /// The untyped value.
    fn into_untyped(self) -> Value;
}

impl<T: FieldValue> IntoValue for T {
    fn into_untyped(self) -> Value {
        self.into_value()
    }
}

impl IntoValue for &str {
    fn into_untyped(self) -> Value {
        Value::String(self.to_owned())
    }
}

impl IntoValue for Value {
    fn into_untyped(self) -> Value {
        self
    }
}

/// What `example!` expands to.
#[must_use]
pub fn untyped_example<const N: usize>(
    data: [(&'static str, Value); N],
    input_keys: &[&str],
    output_keys: &[&str],
) -> Example {
    let owned = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect();
    Example::new(
        data.into_iter().collect(),
        owned(input_keys),
        owned(output_keys),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_part_the_data() {
        let data = FieldValues::from_iter([
            ("question", "2+2?".into_untyped()),
            ("answer", 4.into_untyped()),
            ("note", Value::Null.into_untyped()),
        ]);
        let mut example = Example::new(data, vec!["question".into()], vec!["answer".into()]);
        assert_eq!(
            example.inputs().get("question"),
            Some(&"2+2?".into_untyped())
        );
        assert_eq!(example.outputs().len(), 1);
        assert_eq!(example.get("note"), Some(&Value::Null));
        example.set("answer", 5);
        assert_eq!(example.get("answer"), Some(&Value::Int(5)));
        example.set("new", true);
        assert_eq!((example.inputs().len(), example.outputs().len()), (1, 1));
    }
}

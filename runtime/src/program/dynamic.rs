//! Predictions of signatures that exist only at run time: values by name in, values by name out.

use crate::adapter::{Backend, CandleAdapterError, Overrides};
use crate::prompt::Message;
use crate::signature::{
    FieldValues, PartialDemo, REASONING, SignatureSpec, SpecError, ValueError, reasoned_spec,
};

use super::call::{Prompt, suited};
use super::dynamic_record::{read_demo, read_inputs};
use super::retry::{Check, Reading, call_checked, usual_retries};
use super::{Batch, PredictStream, Predicted};

/// A predictor of a signature that is made at run time: of JSON, of a line, of a file. The same prompts, grammar, parser and
/// metadata as [`super::Predict`] has; what comes in and out are [`FieldValues`], checked against the signature.
///
/// ```
/// use candle_signature::adapter::{CandleAdapter, CandleConfig, ModelPool};
/// use candle_signature::program::DynamicPredict;
/// use candle_signature::signature::Value;
/// use serde_json::json;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let model = ModelPool::embedded().load_model(ModelPool::EMBEDDED).await?;
/// let adapter = CandleAdapter::from_loaded_model(model, CandleConfig::default())?;
/// let qa = DynamicPredict::new("passage, question -> answer".parse()?)
///     .with_instruction("Answer the question from the passage.");
/// let inputs = qa.inputs(&json!({"passage": "Ana lives in Rome.", "question": "Where does Ana live?"}))?;
/// let out = qa.call(&adapter, inputs).await?;
/// assert_eq!(out.get("answer"), Some(&Value::String("Rome".into())));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct DynamicPredict {
    spec: SignatureSpec,
    reasons: bool,
    demos: Vec<PartialDemo>,
    overrides: Overrides,
    /// None for the usual number.
    retries: Option<usize>,
}

/// Nothing is read of the values: they are the output.
impl Reading for FieldValues {
    fn from_values(values: FieldValues) -> Result<Self, Vec<ValueError>> {
        Ok(values)
    }
}

impl DynamicPredict {
    /// A predictor without demos.
    #[must_use]
    pub fn new(spec: SignatureSpec) -> Self {
        DynamicPredict {
            spec,
            reasons: false,
            demos: Vec::new(),
            overrides: Overrides::default(),
            retries: None,
        }
    }

    /// Lets the model think first: its outputs begin with `reasoning`, a text.
    ///
    /// # Errors
    /// If the signature has a field of that name.
    pub fn with_reasoning(mut self) -> Result<Self, SpecError> {
        let mut fields = self.spec.inputs.iter().chain(self.spec.outputs.iter());
        if !self.reasons {
            if fields.any(|field| field.name == REASONING) {
                return Err(SpecError::new(format!(
                    "the signature has a field named `{REASONING}` already, and chain of thought adds one: rename the field"
                )));
            }
            self.spec = reasoned_spec(&self.spec);
            self.reasons = true;
        }
        Ok(self)
    }

    /// Replaces the signature's instruction.
    #[must_use]
    pub fn with_instruction(mut self, instruction: impl Into<String>) -> Self {
        self.spec.instruction = instruction.into().into();
        self
    }

    /// Adds demos, as [`DynamicPredict::demo`] reads them.
    #[must_use]
    pub fn with_demos(mut self, demos: impl IntoIterator<Item = PartialDemo>) -> Self {
        self.demos.extend(demos);
        self
    }

    /// Changes the backend's configuration for the calls of this predictor, instead of what was said before.
    #[must_use]
    pub fn with_overrides(mut self, overrides: Overrides) -> Self {
        self.overrides = overrides;
        self
    }

    /// Asks again, up to so many times, for a reply that can't be read, with the reply and what is wrong with it as further
    /// turns. Default 0, or what the backend advises ([`Backend::preferences`]).
    #[must_use]
    pub fn with_retries(mut self, retries: usize) -> Self {
        self.retries = Some(retries);
        self
    }

    /// The signature, its `reasoning` included.
    #[must_use]
    pub fn spec(&self) -> &SignatureSpec {
        &self.spec
    }

    /// The demos, in order.
    #[must_use]
    pub fn demos(&self) -> &[PartialDemo] {
        &self.demos
    }

    /// What it changes of the backend's configuration.
    #[must_use]
    pub fn overrides(&self) -> Overrides {
        self.overrides
    }

    /// The inputs of a JSON object, checked against their fields, in the fields' order. An `Option` that is missing is null.
    ///
    /// # Errors
    /// [`CandleAdapterError::SignatureError`] with one fault a field that is missing, unknown, of another type, or breaks a
    /// constraint.
    pub fn inputs(&self, json: &serde_json::Value) -> Result<FieldValues, CandleAdapterError> {
        read_inputs(&self.spec.inputs, json).map_err(|errors| refused("inputs", &errors))
    }

    /// A demo of a JSON object that holds inputs and outputs by name; fields may be left out.
    ///
    /// # Errors
    /// As [`DynamicPredict::inputs`].
    pub fn demo(&self, json: &serde_json::Value) -> Result<PartialDemo, CandleAdapterError> {
        read_demo(&self.spec, json).map_err(|errors| refused("demo", &errors))
    }

    /// The messages that [`DynamicPredict::call`] sends for these inputs to a backend that prefers no layout of its own.
    #[must_use]
    pub fn messages(&self, inputs: &FieldValues) -> Vec<Message> {
        self.prompt(&self.spec).messages(inputs)
    }

    /// Sends the inputs and parses the reply.
    ///
    /// # Errors
    /// As [`super::Predict::call`], and as [`DynamicPredict::inputs`] for inputs that do not fit.
    pub async fn call<B: Backend + ?Sized>(
        &self,
        backend: &B,
        inputs: FieldValues,
    ) -> Result<Predicted<FieldValues>, CandleAdapterError> {
        self.check(&inputs)?;
        let checks: [Check<FieldValues>; 0] = [];
        let usual = || usual_retries(backend, &checks);
        let retries = self.retries.unwrap_or_else(usual);
        let spec = suited(backend, self.spec.clone());
        call_checked(backend, &self.prompt(&spec), &inputs, &checks, retries).await
    }

    /// The same, told while it is generated: see [`super::Predict::stream`].
    ///
    /// # Errors
    /// For inputs that do not fit, as [`DynamicPredict::inputs`]; all else is said in the stream.
    pub fn stream<'b, B: Backend + ?Sized>(
        &self,
        backend: &'b B,
        inputs: &FieldValues,
    ) -> Result<PredictStream<'b, FieldValues>, CandleAdapterError> {
        self.check(inputs)?;
        let spec = suited(backend, self.spec.clone());
        let prompt = self.prompt(&spec);
        let messages = prompt.messages(inputs);
        Ok(PredictStream::new(
            backend,
            &prompt,
            messages,
            Reading::from_values,
            Vec::new(),
        ))
    }

    /// Sends all inputs and parses the replies, side by side; the results are in the order of the inputs, and a failure loses no
    /// other.
    pub async fn call_all<B: Backend + ?Sized>(
        &self,
        backend: &B,
        inputs: impl IntoIterator<Item = FieldValues>,
        batch: &Batch<'_>,
    ) -> Vec<Result<Predicted<FieldValues>, CandleAdapterError>> {
        batch
            .each(inputs, |inputs| self.call(backend, inputs))
            .await
    }

    fn check(&self, inputs: &FieldValues) -> Result<(), CandleAdapterError> {
        let faults = super::dynamic_record::faults(&self.spec.inputs, inputs, false);
        match faults.is_empty() {
            true => Ok(()),
            false => Err(refused("inputs", &faults)),
        }
    }

    fn prompt<'s>(&self, spec: &'s SignatureSpec) -> Prompt<'s> {
        Prompt {
            demos: self.demos.clone(),
            ..Prompt::bare(spec, self.overrides)
        }
    }
}

fn refused(what: &str, errors: &[ValueError]) -> CandleAdapterError {
    let text = format!("{what}: {}", super::dataset::joined(errors));
    CandleAdapterError::SignatureError(text.into())
}

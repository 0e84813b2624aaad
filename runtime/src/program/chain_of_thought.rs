//! Reasoning before the answer (Wei et al. 2022): a signature with a `reasoning` output in front.

use crate::adapter::{Backend, CandleAdapterError, Overrides};
use crate::prompt::Message;
use crate::signature::{
    CanReason, Demo, FieldSet, REASONING, Reasoned, Signature, SignatureSpec, reasoned_spec,
};

use super::call::{Prompt, suited};
use super::retry::{Check, call_checked, usual_retries};
use super::{PredictStream, Predicted, Program, Settings, Tunable};

/// A predictor that lets the model think first: the output is [`Reasoned`], which reads as the signature's own.
#[derive(Debug)]
pub struct ChainOfThought<S: Signature> {
    settings: Settings<S>,
}

impl<S: Signature> ChainOfThought<S> {
    /// A predictor without demos.
    // The bound stands here, not on the `impl`: so rustc says why a signature can't reason, not that `new` is missing.
    #[must_use]
    pub fn new() -> Self
    where
        S: CanReason,
    {
        ChainOfThought {
            settings: Settings::new(),
        }
    }
}

impl<S: CanReason> ChainOfThought<S> {
    /// Adds demos. Of those without reasoning ([`Demo::with_reasoning`]) the prompt says so.
    #[must_use]
    pub fn with_demos(mut self, demos: impl IntoIterator<Item = Demo<S>>) -> Self {
        self.settings.demos.extend(demos);
        self
    }

    /// Replaces the signature's instruction.
    #[must_use]
    pub fn with_instruction(mut self, instruction: impl Into<String>) -> Self {
        self.settings.instruction = instruction.into();
        self
    }

    /// Changes the backend's configuration for the calls of this predictor, instead of what was said before.
    #[must_use]
    pub fn with_overrides(mut self, overrides: Overrides) -> Self {
        self.settings.overrides = overrides;
        self
    }

    /// The messages that [`ChainOfThought::call`] sends for this input to a backend that prefers no layout of its own.
    #[must_use]
    pub fn messages(&self, input: S::Input) -> Vec<Message> {
        self.prompt(&self.spec()).messages(&input.into_values())
    }

    /// Sends the input and parses the reply.
    ///
    /// # Errors
    /// As [`super::Predict::call`].
    pub async fn call<B: Backend + ?Sized>(
        &self,
        backend: &B,
        input: S::Input,
    ) -> Result<Predicted<Reasoned<<S as Signature>::Output>>, CandleAdapterError> {
        let checks = checks::<S>();
        let retries = usual_retries(backend, &checks);
        let (spec, inputs) = (suited(backend, self.spec()), input.into_values());
        call_checked(backend, &self.prompt(&spec), &inputs, &checks, retries).await
    }

    /// The same, told while it is generated, the reasoning first: see [`super::Predict::stream`].
    pub fn stream<'b, B: Backend + ?Sized>(
        &self,
        backend: &'b B,
        input: S::Input,
    ) -> PredictStream<'b, Reasoned<<S as Signature>::Output>> {
        let spec = suited(backend, self.spec());
        let prompt = self.prompt(&spec);
        let messages = prompt.messages(&input.into_values());
        PredictStream::new(
            backend,
            &prompt,
            messages,
            Reasoned::from_values,
            checks::<S>(),
        )
    }

    fn spec(&self) -> SignatureSpec {
        self.settings.instructed(reasoned_spec(S::SPEC))
    }

    fn prompt<'s>(&self, spec: &'s SignatureSpec) -> Prompt<'s> {
        Prompt::new(spec, &self.settings)
    }
}

impl<S: CanReason> Program for ChainOfThought<S> {
    type Signature = S;

    async fn run<B: Backend + ?Sized>(
        &self,
        backend: &B,
        input: S::Input,
    ) -> Result<Predicted<S::Output>, CandleAdapterError> {
        let predicted = self.call(backend, input).await?;
        Ok(predicted.map(|reasoned| reasoned.output))
    }
}

impl<S: CanReason> Tunable for ChainOfThought<S> {
    const KIND: &'static str = "ChainOfThought";

    fn settings(&self) -> &Settings<S> {
        &self.settings
    }

    fn settings_mut(&mut self) -> &mut Settings<S> {
        &mut self.settings
    }

    fn extra_outputs() -> &'static [&'static str] {
        &[REASONING]
    }
}

impl<S: Signature> Clone for ChainOfThought<S> {
    fn clone(&self) -> Self {
        ChainOfThought {
            settings: self.settings.clone(),
        }
    }
}

/// The signature's checks, on the outputs behind the reasoning.
fn checks<S: CanReason>() -> Vec<Check<Reasoned<<S as Signature>::Output>>> {
    let checks = S::checks().into_iter();
    checks
        .map(|check| check.within(|reasoned: &Reasoned<S::Output>| &reasoned.output))
        .collect()
}

impl<S: CanReason> Default for ChainOfThought<S> {
    fn default() -> Self {
        ChainOfThought::new()
    }
}

//! Reasoning before the answer (Wei et al. 2022): a signature with a `reasoning` output in front.

use crate::adapter::{Backend, CandleAdapterError};
use crate::prompt::Message;
use crate::signature::{
    CanReason, Demo, FieldSet, Reasoned, Signature, SignatureSpec, reasoned_spec,
};

use super::call::Prompt;
use super::retry::{Check, call_checked, usual_retries};
use super::{PredictStream, Predicted};

/// A predictor that lets the model think first: the output is [`Reasoned`], which reads as the signature's own.
#[derive(Debug, Clone)]
pub struct ChainOfThought<S> {
    spec: SignatureSpec,
    demos: Vec<Demo<S>>,
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
            spec: reasoned_spec(S::SPEC),
            demos: Vec::new(),
        }
    }
}

impl<S: CanReason> ChainOfThought<S> {
    /// Adds demos. They show no reasoning, which the prompt says of them.
    #[must_use]
    pub fn with_demos(mut self, demos: impl IntoIterator<Item = Demo<S>>) -> Self {
        self.demos.extend(demos);
        self
    }

    /// Replaces the signature's instruction.
    #[must_use]
    pub fn with_instruction(mut self, instruction: impl Into<String>) -> Self {
        self.spec.instruction = instruction.into().into();
        self
    }

    /// The messages that [`ChainOfThought::call`] sends for this input.
    #[must_use]
    pub fn messages(&self, input: S::Input) -> Vec<Message> {
        self.prompt().messages(&input.into_values())
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
        let retries = usual_retries(&checks);
        let inputs = input.into_values();
        call_checked(backend, &self.prompt(), &inputs, &checks, retries).await
    }

    /// The same, told while it is generated, the reasoning first: see [`super::Predict::stream`].
    pub fn stream<'b, B: Backend + ?Sized>(
        &self,
        backend: &'b B,
        input: S::Input,
    ) -> PredictStream<'b, Reasoned<<S as Signature>::Output>> {
        let messages = self.prompt().messages(&input.into_values());
        PredictStream::new(
            backend,
            &self.spec,
            messages,
            Reasoned::from_values,
            checks::<S>(),
        )
    }

    fn prompt(&self) -> Prompt<'_> {
        Prompt::new(&self.spec, &self.demos)
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

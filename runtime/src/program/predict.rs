//! One call, one typed result.

use std::fmt;

use crate::adapter::{Backend, CandleAdapterError, Overrides};
use crate::prompt::Message;
use crate::signature::{Demo, FieldSet as _, Signature, SignatureSpec};

use super::call::{Prompt, suited};
use super::retry::{Check, call_checked, usual_retries};
use super::{Batch, PredictStream, Predicted, Program, Settings, Tunable};

/// Predicts without demos, with the signature's own instruction.
///
/// # Errors
/// As [`Predict::call`].
pub async fn predict<S: Signature, B: Backend + ?Sized>(
    backend: &B,
    input: S::Input,
) -> Result<Predicted<S::Output>, CandleAdapterError> {
    Predict::<S>::new().call(backend, input).await
}

/// Predicts for each input; the results are in the order of the inputs, and a failure loses no other.
pub async fn predict_all<S: Signature, B: Backend + ?Sized>(
    backend: &B,
    inputs: impl IntoIterator<Item = S::Input>,
) -> Vec<Result<Predicted<S::Output>, CandleAdapterError>> {
    Predict::<S>::new().call_all(backend, inputs).await
}

/// Predicts, and tells the fields while they are generated: [`Predict::stream`].
pub fn stream<S: Signature, B: Backend + ?Sized>(
    backend: &B,
    input: S::Input,
) -> PredictStream<'_, S::Output> {
    Predict::<S>::new().stream(backend, input)
}

/// A predictor: a signature with demos and, where wanted, another instruction.
///
/// Holds no backend, so that one predictor serves several.
pub struct Predict<S: Signature> {
    settings: Settings<S>,
    checks: Vec<Check<S::Output>>,
    /// None for the usual number.
    retries: Option<usize>,
}

impl<S: Signature> Predict<S> {
    /// A predictor without demos, with the checks of the signature.
    #[must_use]
    pub fn new() -> Self {
        Predict {
            settings: Settings::new(),
            retries: None,
            checks: S::checks(),
        }
    }

    /// Adds a demo: shown to the model in front of the request.
    #[must_use]
    pub fn with_demo(mut self, demo: impl Into<Demo<S>>) -> Self {
        self.settings.demos.push(demo.into());
        self
    }

    /// Adds demos.
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

    /// Asks again, up to so many times, for a reply that can't be read or fails a check, with the reply and what is wrong
    /// with it as further turns. Default 0, or 2 where the signature has checks of its own, or what the backend advises
    /// ([`Backend::preferences`]) where that is more.
    #[must_use]
    pub fn with_retries(mut self, retries: usize) -> Self {
        self.retries = Some(retries);
        self
    }

    /// Checks outputs: one that fails is asked for again while retries are left, then taken all the same, and
    /// [`Predicted::failed_checks`] names the message.
    #[must_use]
    pub fn check(
        mut self,
        message: impl Into<String>,
        holds: impl Fn(&S::Output) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.checks.push(Check::new(message, holds, false));
        self
    }

    /// As [`Predict::check`], but an output that fails to the last is an error.
    #[must_use]
    pub fn assert(
        mut self,
        message: impl Into<String>,
        holds: impl Fn(&S::Output) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.checks.push(Check::new(message, holds, true));
        self
    }

    /// The demos, in order.
    #[must_use]
    pub fn demos(&self) -> &[Demo<S>] {
        &self.settings.demos
    }

    /// The messages that [`Predict::call`] sends for this input to a backend that prefers no layout of its own.
    #[must_use]
    pub fn messages(&self, input: S::Input) -> Vec<Message> {
        self.prompt(&self.spec()).messages(&input.into_values())
    }

    /// Sends the input and parses the reply.
    ///
    /// # Errors
    /// What the backend reports; after the last retry [`CandleAdapterError::ParseError`] with the raw completion, what parsed,
    /// and each field's error, or [`CandleAdapterError::CheckFailed`].
    pub async fn call<B: Backend + ?Sized>(
        &self,
        backend: &B,
        input: S::Input,
    ) -> Result<Predicted<S::Output>, CandleAdapterError> {
        let (spec, inputs) = (suited(backend, self.spec()), input.into_values());
        let prompt = self.prompt(&spec);
        let usual = || usual_retries(backend, &S::checks());
        let retries = self.retries.unwrap_or_else(usual);
        call_checked(backend, &prompt, &inputs, &self.checks, retries).await
    }

    /// The same, told while it is generated.
    ///
    /// Nothing is sent before the stream is first polled. It makes one attempt: what was told can't be taken back, so
    /// there are no retries. Checks are made at the end, as in the last attempt of [`Predict::call`].
    pub fn stream<'b, B: Backend + ?Sized>(
        &self,
        backend: &'b B,
        input: S::Input,
    ) -> PredictStream<'b, S::Output> {
        let spec = suited(backend, self.spec());
        let prompt = self.prompt(&spec);
        let messages = prompt.messages(&input.into_values());
        let checks = self.checks.clone();
        PredictStream::new(backend, &prompt, messages, S::Output::from_values, checks)
    }

    fn spec(&self) -> SignatureSpec {
        self.settings.instructed(S::SPEC.clone())
    }

    fn prompt<'s>(&self, spec: &'s SignatureSpec) -> Prompt<'s> {
        Prompt::new(spec, &self.settings)
    }

    /// Sends every input and parses the replies. Predictions run side by side, 32 at once; the results are in the order of the
    /// inputs, and a failure loses no other.
    pub async fn call_all<B: Backend + ?Sized>(
        &self,
        backend: &B,
        inputs: impl IntoIterator<Item = S::Input>,
    ) -> Vec<Result<Predicted<S::Output>, CandleAdapterError>> {
        self.call_all_with(backend, inputs, &Batch::new()).await
    }

    /// The same with another number at once, or with a report of progress.
    pub async fn call_all_with<B: Backend + ?Sized>(
        &self,
        backend: &B,
        inputs: impl IntoIterator<Item = S::Input>,
        batch: &Batch<'_>,
    ) -> Vec<Result<Predicted<S::Output>, CandleAdapterError>> {
        batch.each(inputs, |input| self.call(backend, input)).await
    }
}

impl<S: Signature> Program for Predict<S> {
    type Signature = S;

    async fn run<B: Backend + ?Sized>(
        &self,
        backend: &B,
        input: S::Input,
    ) -> Result<Predicted<S::Output>, CandleAdapterError> {
        self.call(backend, input).await
    }
}

impl<S: Signature> Tunable for Predict<S> {
    const KIND: &'static str = "Predict";

    fn settings(&self) -> &Settings<S> {
        &self.settings
    }

    fn settings_mut(&mut self) -> &mut Settings<S> {
        &mut self.settings
    }
}

impl<S: Signature> Default for Predict<S> {
    fn default() -> Self {
        Predict::new()
    }
}

impl<S: Signature> Clone for Predict<S> {
    fn clone(&self) -> Self {
        Predict {
            settings: self.settings.clone(),
            checks: self.checks.clone(),
            retries: self.retries,
        }
    }
}

impl<S: Signature> fmt::Debug for Predict<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Predict")
            .field("settings", &self.settings)
            .field("checks", &self.checks)
            .field("retries", &self.retries)
            .finish()
    }
}

//! One call, one typed result.

use std::fmt;

use futures_util::stream::{self, StreamExt as _};

use crate::adapter::{Backend, CandleAdapterError};
use crate::prompt::Message;
use crate::signature::{Demo, FieldSet, Signature, SignatureSpec, Str};

use super::Predicted;
use super::call::{Prompt, call};

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

/// So many predictions of [`Predict::call_all`] are under way at once: enough to fill every batch.
const CONCURRENCY: usize = 32;

/// A predictor: a signature with demos and, where wanted, another instruction.
///
/// Holds no backend, so that one predictor serves several.
pub struct Predict<S> {
    spec: SignatureSpec,
    demos: Vec<Demo<S>>,
}

impl<S: Signature> Predict<S> {
    /// A predictor without demos.
    #[must_use]
    pub fn new() -> Self {
        Predict {
            spec: S::SPEC.clone(),
            demos: Vec::new(),
        }
    }

    /// Adds a demo: shown to the model in front of the request.
    #[must_use]
    pub fn with_demo(mut self, demo: impl Into<Demo<S>>) -> Self {
        self.demos.push(demo.into());
        self
    }

    /// Adds demos.
    #[must_use]
    pub fn with_demos(mut self, demos: impl IntoIterator<Item = Demo<S>>) -> Self {
        self.demos.extend(demos);
        self
    }

    /// Replaces the signature's instruction.
    #[must_use]
    pub fn with_instruction(mut self, instruction: impl Into<String>) -> Self {
        self.spec.instruction = Str::Owned(instruction.into());
        self
    }

    /// The demos, in order.
    #[must_use]
    pub fn demos(&self) -> &[Demo<S>] {
        &self.demos
    }

    /// The messages that [`Predict::call`] sends for this input.
    #[must_use]
    pub fn messages(&self, input: S::Input) -> Vec<Message> {
        self.prompt().messages(&input.into_values())
    }

    /// Sends the input and parses the reply.
    ///
    /// # Errors
    /// What the backend reports, or [`CandleAdapterError::ParseError`] with the raw completion, what parsed, and each
    /// field's error.
    pub async fn call<B: Backend + ?Sized>(
        &self,
        backend: &B,
        input: S::Input,
    ) -> Result<Predicted<S::Output>, CandleAdapterError> {
        call(
            backend,
            &self.prompt(),
            &input.into_values(),
            S::Output::from_values,
        )
        .await
    }

    fn prompt(&self) -> Prompt<'_> {
        Prompt {
            spec: &self.spec,
            demos: self
                .demos
                .iter()
                .map(|demo| demo.values().clone())
                .collect(),
        }
    }

    /// Sends every input and parses the replies. Predictions run side by side; the results are in the order of the
    /// inputs, and a failure loses no other.
    pub async fn call_all<B: Backend + ?Sized>(
        &self,
        backend: &B,
        inputs: impl IntoIterator<Item = S::Input>,
    ) -> Vec<Result<Predicted<S::Output>, CandleAdapterError>> {
        let calls = inputs.into_iter().map(|input| self.call(backend, input));
        stream::iter(calls).buffered(CONCURRENCY).collect().await
    }
}

impl<S: Signature> Default for Predict<S> {
    fn default() -> Self {
        Predict::new()
    }
}

impl<S> Clone for Predict<S> {
    fn clone(&self) -> Self {
        Predict {
            spec: self.spec.clone(),
            demos: self.demos.clone(),
        }
    }
}

impl<S> fmt::Debug for Predict<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Predict")
            .field("spec", &self.spec)
            .field("demos", &self.demos)
            .finish()
    }
}

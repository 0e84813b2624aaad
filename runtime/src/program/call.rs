//! What every program does at bottom: a prompt to a backend, the reply to values.

use crate::adapter::{Backend, CandleAdapterError, CompletionRequest, Constraint};
use crate::parse::parse_as;
use crate::prompt::{Message, chat_messages};
use crate::signature::{Demo, FieldValues, PartialDemo, Signature, SignatureSpec, ValueError};

use super::Predicted;

/// A spec with its demos.
pub(super) struct Prompt<'a> {
    pub spec: &'a SignatureSpec,
    pub demos: Vec<PartialDemo>,
}

impl<'a> Prompt<'a> {
    /// A spec with typed demos.
    pub fn new<S: Signature>(spec: &'a SignatureSpec, demos: &[Demo<S>]) -> Self {
        Prompt {
            spec,
            demos: demos.iter().map(|demo| demo.values().clone()).collect(),
        }
    }

    pub fn messages(&self, inputs: &FieldValues) -> Vec<Message> {
        chat_messages(self.spec, &self.demos, inputs)
    }
}

/// Sends the inputs, held to a grammar of its own where the backend can, and reads the reply.
pub(super) async fn call_held_to<B: Backend + ?Sized, O>(
    backend: &B,
    prompt: &Prompt<'_>,
    inputs: &FieldValues,
    constraint: Constraint,
    from_values: impl FnOnce(FieldValues) -> Result<O, Vec<ValueError>>,
) -> Result<Predicted<O>, CandleAdapterError> {
    let request = CompletionRequest::new(prompt.messages(inputs)).held_to(constraint);
    let completion = backend.complete(request).await?;
    let (output, parsed) = parse_as(prompt.spec, &completion.text, from_values)?;
    Ok(Predicted::new(output, completion, parsed))
}

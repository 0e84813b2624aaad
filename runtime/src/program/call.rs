//! What every program does at bottom: a prompt to a backend, the reply to values.

use crate::adapter::{Backend, CompletionRequest, Constraint, Overrides};
use crate::prompt::{Message, assistant_content, chat_messages, user_content};
use crate::signature::{FieldValues, PartialDemo, Signature, SignatureSpec};

use super::Settings;

/// The spec in the layout that the backend prefers.
pub(super) fn suited<B: Backend + ?Sized>(backend: &B, spec: SignatureSpec) -> SignatureSpec {
    match backend.preferences().format {
        Some(format) => spec.with_format(format),
        None => spec,
    }
}

/// A spec with its demos, what was said before, and how it is called.
pub(super) struct Prompt<'a> {
    pub spec: &'a SignatureSpec,
    pub demos: Vec<PartialDemo>,
    /// Earlier turns of a conversation, between the demos and the request.
    pub turns: &'a [PartialDemo],
    pub overrides: Overrides,
}

impl<'a> Prompt<'a> {
    /// A spec without demos or earlier turns.
    pub fn bare(spec: &'a SignatureSpec, overrides: Overrides) -> Self {
        Prompt {
            spec,
            demos: Vec::new(),
            turns: &[],
            overrides,
        }
    }

    /// A spec with the demos and overrides of a program's settings.
    pub fn new<S: Signature>(spec: &'a SignatureSpec, settings: &Settings<S>) -> Self {
        let demos = settings.demos.iter();
        Prompt {
            demos: demos.map(|demo| demo.values().clone()).collect(),
            ..Prompt::bare(spec, settings.overrides)
        }
    }

    /// The messages. A turn is shown as it was asked, so that a cache still holds it.
    pub fn messages(&self, inputs: &FieldValues) -> Vec<Message> {
        let mut messages = chat_messages(self.spec, &self.demos, inputs);
        if let Some(request) = messages.pop() {
            for turn in self.turns {
                messages.push(Message::user(user_content(self.spec, &turn.inputs)));
                messages.push(Message::assistant(assistant_content(
                    self.spec,
                    &turn.outputs,
                )));
            }
            messages.push(request);
        }
        messages
    }

    /// A request that is held to a grammar where the backend can.
    pub fn request(&self, messages: Vec<Message>, constraint: Constraint) -> CompletionRequest {
        CompletionRequest::new(messages)
            .held_to(constraint)
            .with_overrides(self.overrides)
    }
}

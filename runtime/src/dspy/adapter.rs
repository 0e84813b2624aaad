//! dspy-rs's `Adapter`: its signature to our prompt and grammar, one request to the backend, the reply through our parser.

use std::collections::HashMap;
use std::sync::Arc;

use dspy_rs::adapter::Adapter;
use dspy_rs::{Chat, LM, MetaSignature, Prediction};
use rig::tool::ToolDyn;
use serde_json::Value as Json;

use crate::adapter::{Backend, CandleAdapter, CandleAdapterError, CompletionRequest, Constraint};
use crate::parse::parse_reply;
use crate::prompt::{Message, Role, chat_messages};
use crate::signature::{PartialDemo, SignatureSpec};

use super::convert::{data_of, demo_for, pick};
use super::{DspyError, spec_of};

/// Any [`Backend`] as an adapter for `dspy_rs::configure`, so that dspy-rs programs also run on a remote engine.
/// [`CandleAdapter`] is one by itself.
#[derive(Debug, Clone)]
pub struct BackendAdapter<B>(pub B);

/// Ours in every part: dspy-rs's `LM` is not asked, and its cache not used.
#[async_trait::async_trait]
impl Adapter for CandleAdapter {
    fn format(&self, signature: &dyn MetaSignature, inputs: dspy_rs::Example) -> Chat {
        format(signature, &inputs)
    }

    fn parse_response(
        &self,
        signature: &dyn MetaSignature,
        response: dspy_rs::Message,
    ) -> HashMap<String, Json> {
        parse_response(signature, &response)
    }

    async fn call(
        &self,
        _lm: Arc<LM>,
        signature: &dyn MetaSignature,
        inputs: dspy_rs::Example,
        tools: Vec<Arc<dyn ToolDyn>>,
    ) -> anyhow::Result<Prediction> {
        Ok(call(self, signature, &inputs, &tools).await?)
    }
}

#[async_trait::async_trait]
impl<B: Backend + 'static> Adapter for BackendAdapter<B> {
    fn format(&self, signature: &dyn MetaSignature, inputs: dspy_rs::Example) -> Chat {
        format(signature, &inputs)
    }

    fn parse_response(
        &self,
        signature: &dyn MetaSignature,
        response: dspy_rs::Message,
    ) -> HashMap<String, Json> {
        parse_response(signature, &response)
    }

    async fn call(
        &self,
        _lm: Arc<LM>,
        signature: &dyn MetaSignature,
        inputs: dspy_rs::Example,
        tools: Vec<Arc<dyn ToolDyn>>,
    ) -> anyhow::Result<Prediction> {
        Ok(call(&self.0, signature, &inputs, &tools).await?)
    }
}

/// The messages. A signature that can't be used has no messages, and dspy-rs no place for an error: the one message says so,
/// and [`call`] is an error.
fn format(signature: &dyn MetaSignature, inputs: &dspy_rs::Example) -> Chat {
    let messages = match spec_of(signature) {
        Ok(spec) => messages(&spec, signature, inputs),
        Err(error) => {
            tracing::warn!(%error, "a dspy-rs signature can't be formatted");
            vec![Message::user(error.to_string())]
        }
    };
    let speak = |message: Message| match message.role {
        Role::System => dspy_rs::Message::system(message.content),
        Role::User => dspy_rs::Message::user(message.content),
        Role::Assistant => dspy_rs::Message::assistant(message.content),
    };
    Chat::new(messages.into_iter().map(speak).collect())
}

/// The fields that the reply gives; those that it does not give rightly are left out, as dspy-rs has no place for their errors.
fn parse_response(
    signature: &dyn MetaSignature,
    response: &dspy_rs::Message,
) -> HashMap<String, Json> {
    let spec = match spec_of(signature) {
        Ok(spec) => spec,
        Err(error) => {
            tracing::warn!(%error, "a reply to a dspy-rs signature can't be parsed");
            return HashMap::new();
        }
    };
    match parse_reply(&spec, &response.content()) {
        Ok(parsed) => data_of(&parsed.values),
        Err(error) => {
            tracing::warn!(%error, "a reply leaves fields out");
            data_of(&error.partial)
        }
    }
}

async fn call<B: Backend>(
    backend: &B,
    signature: &dyn MetaSignature,
    inputs: &dspy_rs::Example,
    tools: &[Arc<dyn ToolDyn>],
) -> Result<Prediction, DspyError> {
    if !tools.is_empty() {
        let names = tools.iter().map(|tool| tool.name()).collect();
        return Err(DspyError::Tools(names));
    }
    let spec = spec_of(signature)?;
    demand_inputs(&spec, inputs)?;
    let request = CompletionRequest::new(messages(&spec, signature, inputs))
        .held_to(Constraint::Signature(spec.clone()));
    let completion = backend.complete(request).await?;
    let parsed = parse_reply(&spec, &completion.text).map_err(CandleAdapterError::from)?;
    Ok(Prediction {
        data: data_of(&parsed.values),
        lm_usage: completion.usage.into(),
    })
}

fn messages(
    spec: &SignatureSpec,
    signature: &dyn MetaSignature,
    inputs: &dspy_rs::Example,
) -> Vec<Message> {
    let demos = signature.demos();
    let demos: Vec<PartialDemo> = demos.iter().map(|demo| demo_for(spec, demo)).collect();
    chat_messages(spec, &demos, &pick(&spec.inputs, &inputs.data))
}

/// dspy-rs would send an empty text in the place of a missing input.
fn demand_inputs(spec: &SignatureSpec, inputs: &dspy_rs::Example) -> Result<(), DspyError> {
    let names = spec
        .inputs
        .iter()
        .filter(|field| !field.may_be_missing())
        .map(|field| field.name.to_string());
    let missing: Vec<_> = names
        .filter(|name| !inputs.data.contains_key(name))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let mut given = inputs.keys();
    given.sort();
    Err(DspyError::MissingInput { missing, given })
}

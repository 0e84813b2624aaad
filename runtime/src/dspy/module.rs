//! A derived signature as dspy-rs's `Module`, and many predictions of which each has its own result.

use std::fmt;
use std::marker::PhantomData;

use dspy_rs::{
    Example, GLOBAL_SETTINGS, MetaSignature, Module, Optimizable, Predict, Prediction, Predictor,
};
use futures_util::stream::{self, StreamExt as _};
use indexmap::IndexMap;

use crate::signature::Signature;

use super::{BYPASSED, DspyError, DspySignature};

/// A derived signature as dspy-rs's `Module`: predicts with the adapter that `dspy_rs::configure` was given.
pub struct DspyModule<S> {
    predictor: Predict,
    signature: PhantomData<fn() -> S>,
}

impl<S: Signature> DspyModule<S> {
    /// The module of the bare signature.
    #[must_use]
    pub fn new() -> Self {
        DspyModule::of(DspySignature::new())
    }

    /// The module of a signature with demos or another instruction.
    #[must_use]
    pub fn of(signature: DspySignature<S>) -> Self {
        DspyModule {
            predictor: Predict::new(signature),
            signature: PhantomData,
        }
    }

    /// dspy-rs's predictor within.
    #[must_use]
    pub fn predictor(&self) -> &Predict {
        &self.predictor
    }
}

impl<S: Signature> Module for DspyModule<S> {
    async fn forward(&self, inputs: Example) -> anyhow::Result<Prediction> {
        predict(&self.predictor, inputs).await
    }
}

impl<S: Signature> Optimizable for DspyModule<S> {
    fn get_signature(&self) -> &dyn MetaSignature {
        self.predictor.get_signature()
    }

    fn parameters(&mut self) -> IndexMap<String, &mut dyn Optimizable> {
        let predictor: &mut dyn Optimizable = &mut self.predictor;
        IndexMap::from_iter([("predictor".to_owned(), predictor)])
    }

    fn update_signature_instruction(&mut self, instruction: String) -> anyhow::Result<()> {
        self.predictor.signature.update_instruction(instruction)
    }
}

/// Predicts for each input, `concurrency` at once; the results are in the order of the inputs. Unlike dspy-rs's `batch`, one that
/// fails costs only itself.
pub async fn forward_each(
    predictor: &Predict,
    inputs: impl IntoIterator<Item = Example>,
    concurrency: usize,
) -> Vec<anyhow::Result<Prediction>> {
    let calls = inputs.into_iter().map(|input| predict(predictor, input));
    // None at once would wait for ever.
    stream::iter(calls)
        .buffered(concurrency.max(1))
        .collect()
        .await
}

/// As `Predict::forward`, but an error where that panics because nothing is configured, and a helpful one where our adapter is not.
async fn predict(predictor: &Predict, inputs: Example) -> anyhow::Result<Prediction> {
    // dspy-rs unwraps a poisoned lock as well.
    let is_configured = GLOBAL_SETTINGS
        .read()
        .is_ok_and(|settings| settings.is_some());
    if !is_configured {
        return Err(DspyError::NotConfigured.into());
    }
    predictor.forward(inputs).await.map_err(|error| {
        let said = format!("{error:#}");
        match said.contains(BYPASSED) {
            true => DspyError::Bypassed(said).into(),
            false => error,
        }
    })
}

impl<S: Signature> Default for DspyModule<S> {
    fn default() -> Self {
        DspyModule::new()
    }
}

impl<S> fmt::Debug for DspyModule<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DspyModule")
            .field("signature", &std::any::type_name::<S>())
            .finish_non_exhaustive()
    }
}

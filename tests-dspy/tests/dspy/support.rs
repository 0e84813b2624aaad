//! What the tests share: dspy-rs's signatures, the embedded model, and the settings that dspy-rs keeps for the whole process.

// `#[Signature]` writes methods that not every test calls.
#![allow(dead_code)]

use std::collections::HashMap;
use std::sync::Arc;

use candle_signature::CandleSignature;
use candle_signature::adapter::{Backend, CandleAdapter, CandleConfig, LoadedModel, ModelPool};
use candle_signature::dspy::{BackendAdapter, local_lm};
use dspy_rs::adapter::Adapter;
use dspy_rs::{Example, LM, MetaSignature, Signature};
use serde_json::Value as Json;
use tokio::sync::{Mutex, MutexGuard, OnceCell};

/// dspy-rs's question and answer. It takes the instruction from the first input's comment.
#[Signature]
struct Qa {
    /// Answer the question from the passage.
    #[input(desc = "Text to read.")]
    pub passage: String,
    #[input]
    pub question: String,
    #[output(desc = "A short answer.")]
    pub answer: String,
}

/// The macro makes its struct private.
pub fn qa() -> impl MetaSignature + 'static {
    Qa::new()
}

/// The same, derived by this crate.
pub mod typed {
    use super::CandleSignature;

    /// Answer the question from the passage.
    #[derive(CandleSignature)]
    pub struct Qa {
        /// Text to read.
        #[input]
        pub passage: String,
        #[input]
        pub question: String,
        /// A short answer.
        #[output]
        pub answer: String,
    }
}

pub const PASSAGE: &str =
    "Nora is a baker from Lisbon. Peter is a pilot from Oslo. Nora has two cats.";

pub fn question(question: &str) -> Example {
    example(&[("passage", PASSAGE.into()), ("question", question.into())])
}

/// An example whose keys are all inputs.
pub fn example(data: &[(&str, Json)]) -> Example {
    let owned = |(key, value): &(&str, Json)| ((*key).to_owned(), value.clone());
    let data: HashMap<_, _> = data.iter().map(owned).collect();
    let input_keys = data.keys().cloned().collect();
    Example {
        data,
        input_keys,
        output_keys: Vec::new(),
    }
}

pub async fn model() -> Arc<LoadedModel> {
    static MODEL: OnceCell<Arc<LoadedModel>> = OnceCell::const_new();
    MODEL
        .get_or_init(|| async {
            ModelPool::embedded()
                .load_model(ModelPool::EMBEDDED)
                .await
                .expect("the embedded model loads")
        })
        .await
        .clone()
}

pub async fn adapter() -> CandleAdapter {
    CandleAdapter::from_loaded_model(model().await, CandleConfig::default()).expect("defaults work")
}

pub async fn lm() -> LM {
    local_lm(&adapter().await)
        .await
        .expect("no key and no network are needed")
}

/// dspy-rs has one LM and one adapter for the whole process: a test that configures them keeps the others out.
pub async fn settings() -> MutexGuard<'static, ()> {
    static SETTINGS: Mutex<()> = Mutex::const_new(());
    SETTINGS.lock().await
}

/// Configures the embedded model.
pub async fn on_the_embedded_model() -> MutexGuard<'static, ()> {
    configured(adapter().await).await
}

pub async fn configured(adapter: impl Adapter) -> MutexGuard<'static, ()> {
    let guard = settings().await;
    dspy_rs::configure(lm().await, adapter);
    guard
}

/// One call of an adapter around this backend.
pub async fn call(
    backend: impl Backend + 'static,
    signature: &dyn MetaSignature,
    inputs: Example,
) -> anyhow::Result<dspy_rs::Prediction> {
    let lm = Arc::new(lm().await);
    BackendAdapter(backend)
        .call(lm, signature, inputs, Vec::new())
        .await
}

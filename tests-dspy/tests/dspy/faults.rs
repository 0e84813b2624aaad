//! What 0.7.3 does wrong, and that users of our adapter do not meet it. When one of the first assertions of a test here fails, a newer
//! dspy-rs has mended the fault: `docs/dspy.md` lists them.

#![allow(dead_code)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use candle_signature::dspy::{
    BYPASSED, BackendAdapter, DspyError, DspyModule, example_of, forward_each,
};
use candle_signature_tests::Script;
use dspy_rs::adapter::Adapter;
use dspy_rs::{
    ChatAdapter, GLOBAL_SETTINGS, LM, Message, MetaSignature, Module, Predict, Predictor, Signature,
};
use serde_json::json;

use crate::support::{adapter, configured, lm, qa, question, settings, typed};

#[Signature]
struct Rank {
    /// Rank it.
    #[input]
    text: String,
    #[output]
    rank: i64,
}

#[test]
fn a_reply_that_is_no_json_panics_there_and_not_here() {
    let reply = || Message::assistant("[[ ## rank ## ]]\n1,200 or so\n\n[[ ## completed ## ]]");
    let theirs = catch_unwind(|| ChatAdapter.parse_response(&Rank::new(), reply()));
    assert!(theirs.is_err());
    let ours = BackendAdapter(Script::default());
    let read = catch_unwind(AssertUnwindSafe(|| {
        ours.parse_response(&Rank::new(), reply())
    }));
    assert!(read.is_ok());
}

#[tokio::test]
async fn nothing_configured_panics_there_and_is_an_error_here() {
    let _settings = settings().await;
    GLOBAL_SETTINGS.write().unwrap().take();
    let predict = Predict::new(qa());
    let task = tokio::spawn(async move { predict.forward(question("Who?")).await });
    assert!(task.await.is_err_and(|error| error.is_panic()));
    let input = example_of(typed::QaInput {
        passage: "p".into(),
        question: "q".into(),
    });
    let error = DspyModule::<typed::Qa>::new()
        .forward(input.clone())
        .await
        .unwrap_err();
    assert!(matches!(
        error.downcast_ref(),
        Some(DspyError::NotConfigured)
    ));
    assert!(error.to_string().contains("dspy_rs::configure("), "{error}");
    let each = forward_each(&Predict::new(qa()), [input], 1).await;
    assert!(each[0].is_err());
}

#[tokio::test]
async fn an_lm_without_base_url_asks_for_a_key_and_ours_does_not() {
    let made = LM::builder()
        .model("openai:gpt-4o-mini".into())
        .build()
        .await;
    if std::env::var_os("OPENAI_API_KEY").is_none() {
        assert!(made.is_err());
    }
    let ours = lm().await;
    assert_eq!(ours.base_url.as_deref(), Some(BYPASSED));
    assert!(ours.api_key.is_none() && !ours.cache && ours.cache_handler.is_none());
    assert_eq!(
        ours.max_tokens as usize,
        adapter().await.config().max_tokens
    );
}

#[tokio::test]
async fn what_passes_the_adapter_by_does_not_leave_the_machine() {
    let predict = Predict::new(qa());
    let work = predict.forward_with_config(question("Who?"), Arc::new(lm().await));
    let outcome = tokio::time::timeout(Duration::from_secs(30), work).await;
    assert!(outcome.expect("refused at once").is_err());
}

#[tokio::test]
async fn equal_inputs_of_two_signatures_are_two_questions() {
    // With its cache on, 0.7.3 answers the second out of the first.
    let lm = LM::builder()
        .base_url(BYPASSED.into())
        .cache(true)
        .build()
        .await
        .unwrap();
    let replies = ["first", "second"].map(|answer| -> &str {
        match answer {
            "first" => "[[ ## answer ## ]]\nfirst\n\n[[ ## completed ## ]]",
            _ => "[[ ## answer ## ]]\nsecond\n\n[[ ## completed ## ]]",
        }
    });
    let (ours, lm) = (BackendAdapter(Script::new(&replies)), Arc::new(lm));
    let mut other = qa();
    other
        .update_instruction("Answer in one word.".into())
        .unwrap();
    let mut answers = Vec::new();
    for signature in [qa(), other] {
        let prediction = ours
            .call(lm.clone(), &signature, question("Who?"), Vec::new())
            .await
            .unwrap();
        answers.push(prediction.get("answer", None));
    }
    assert_eq!(answers, ["first", "second"]);
}

#[tokio::test]
async fn errors_pass_dspy_rs_whole() {
    let _settings = configured(BackendAdapter(Script::new(&["no field at all"]))).await;
    let error = Predict::new(Rank::new())
        .forward(crate::support::example(&[("text", json!("x"))]))
        .await
        .unwrap_err();
    assert!(
        matches!(error.downcast_ref(), Some(DspyError::Adapter(_))),
        "{error:?}"
    );
}

#[tokio::test]
async fn another_adapter_beside_our_lm_is_told_which_line_to_write() {
    let _settings = configured(ChatAdapter).await;
    let input = example_of(typed::QaInput {
        passage: "p".into(),
        question: "q".into(),
    });
    let module = DspyModule::<typed::Qa>::new();
    let work = tokio::time::timeout(Duration::from_secs(30), module.forward(input));
    let error = work.await.expect("refused at once").unwrap_err();
    assert!(
        matches!(error.downcast_ref(), Some(DspyError::Bypassed(_))),
        "{error:?}"
    );
    assert!(
        error
            .to_string()
            .contains("dspy_rs::configure(lm, adapter)"),
        "{error}"
    );
}

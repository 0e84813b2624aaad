//! dspy-rs's own signatures and programs on the embedded model.

#![allow(dead_code)]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use candle_signature::adapter::{
    Backend, CandleAdapterError, Completion, CompletionRequest, Finish, Usage,
};
use candle_signature::dspy::{BackendAdapter, DspyError, forward_each};
use dspy_rs::{MetaSignature, Predict, Predictor, Signature};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::support::{configured, example, on_the_embedded_model, qa, question, typed};

#[tokio::test]
async fn a_question_about_a_passage_is_answered_rightly() {
    let _settings = on_the_embedded_model().await;
    let predict = Predict::new(qa());
    let cases = [
        ("What is the job of Peter?", "pilot"),
        ("Where is Nora from?", "Lisbon"),
    ];
    for (asked, answer) in cases {
        let prediction = predict.forward(question(asked)).await.unwrap();
        assert_eq!(prediction.get("answer", None), json!(answer));
    }
}

#[tokio::test]
async fn prompt_and_counts_are_those_of_the_typed_program() {
    let _settings = on_the_embedded_model().await;
    let adapter = crate::support::adapter().await;
    let input = typed::QaInput {
        passage: crate::support::PASSAGE.into(),
        question: "Where is Nora from?".into(),
    };
    let out = typed::Qa::predict(&adapter, input).await.unwrap();
    let predict = Predict::new(qa());
    let usage = predict
        .forward(question("Where is Nora from?"))
        .await
        .unwrap()
        .lm_usage;
    assert_eq!(usage.prompt_tokens, out.usage().prompt_tokens as u64);
    assert_eq!(
        usage.completion_tokens,
        out.usage().completion_tokens as u64
    );
    assert_eq!(
        usage.total_tokens,
        usage.prompt_tokens + usage.completion_tokens
    );
    assert!(usage.prompt_tokens > 50 && usage.completion_tokens > 3);
}

#[derive(JsonSchema, Serialize, Deserialize, Debug, PartialEq)]
#[serde(rename_all = "kebab-case")]
enum Urgency {
    Low,
    High,
    OnFire,
}

#[Signature]
struct Triage {
    /// Sort the support ticket.
    #[input]
    ticket: String,
    #[output]
    urgency: Urgency,
    #[output]
    tags: Vec<String>,
    #[output]
    owner: Option<String>,
}

#[tokio::test]
async fn an_enum_a_list_and_an_option_come_back_as_json_of_their_types() {
    let _settings = on_the_embedded_model().await;
    let mut triage = Triage::new();
    let mut demo = example(&[
        (
            "ticket",
            json!("The login page shows a typo. No rush. Assigned to Mia."),
        ),
        ("urgency", json!("low")),
        ("tags", json!(["login"])),
        ("owner", json!("Mia")),
    ]);
    demo.set_input_keys(vec!["ticket".into()]);
    triage.set_demos(vec![demo]).unwrap();
    let ticket = "Please update the invoice template when you have time. Assigned to Omar.";
    let prediction = Predict::new(triage)
        .forward(example(&[("ticket", json!(ticket))]))
        .await
        .unwrap();
    let urgency: Urgency = serde_json::from_value(prediction.get("urgency", None)).unwrap();
    assert_eq!(urgency, Urgency::Low);
    assert_eq!(prediction.get("tags", None), json!(["invoice"]));
    assert_eq!(prediction.get("owner", None), json!("Omar"));
}

#[Signature(cot)]
struct Sum {
    /// Solve the problem.
    #[input]
    problem: String,
    #[output]
    answer: i64,
}

#[tokio::test]
async fn a_chain_of_thought_reasons_before_it_answers() {
    let _settings = on_the_embedded_model().await;
    let problem = "Tom has 12 apples. He buys 7 more apples. How many apples does Tom have now?";
    let prediction = Predict::new(Sum::new())
        .forward(example(&[("problem", json!(problem))]))
        .await
        .unwrap();
    let reasoning = prediction.get("reasoning", None);
    assert!(
        reasoning.as_str().is_some_and(|text| text.contains("12")),
        "{reasoning}"
    );
    assert!(prediction.get("answer", None).is_i64());
}

#[tokio::test]
async fn a_batch_keeps_its_order() {
    let _settings = on_the_embedded_model().await;
    let predict = Predict::new(qa());
    let asked = ["Where is Nora from?", "What is the job of Peter?"];
    let inputs = (0..6).map(|at| question(asked[at % 2])).collect();
    let predictions = Predictor::batch(&predict, inputs).await.unwrap();
    let answers: Vec<_> = predictions.iter().map(|p| p.get("answer", None)).collect();
    assert_eq!(
        answers,
        ["Lisbon", "pilot", "Lisbon", "pilot", "Lisbon", "pilot"]
    );
}

/// Answers with the question, when every call that is expected has come in: one at a time it would never answer.
#[derive(Default)]
struct Meeting {
    under_way: AtomicUsize,
    most: Arc<AtomicUsize>,
    requests: Mutex<Vec<CompletionRequest>>,
}

impl Backend for Meeting {
    async fn complete(&self, request: CompletionRequest) -> Result<Completion, CandleAdapterError> {
        let now = self.under_way.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        while self.most.load(Ordering::SeqCst) < 32 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        self.under_way.fetch_sub(1, Ordering::SeqCst);
        let said = request.messages.last().unwrap().content.clone();
        self.requests.lock().unwrap().push(request);
        let name = said.lines().nth(1).unwrap().to_owned();
        if name == "fail" {
            return Err(CandleAdapterError::InferenceFailed("it failed".into()));
        }
        let usage = Usage {
            prompt_tokens: 10,
            completion_tokens: 5,
            ..Usage::default()
        };
        let text = format!("[[ ## answer ## ]]\n{name}\n\n[[ ## completed ## ]]");
        Ok(Completion::new(text, usage, Finish::Stop))
    }
}

fn named(name: &str) -> dspy_rs::Example {
    example(&[("passage", json!(name)), ("question", json!("Who?"))])
}

#[tokio::test]
async fn a_batch_reaches_the_engine_at_once() {
    let backend = Meeting::default();
    let most = backend.most.clone();
    let _settings = configured(BackendAdapter(backend)).await;
    let predict = Predict::new(qa());
    let inputs = (0..40).map(|at| named(&format!("n{at}"))).collect();
    let work = Predictor::batch(&predict, inputs);
    let predictions = tokio::time::timeout(Duration::from_secs(60), work)
        .await
        .expect("calls run side by side")
        .unwrap();
    assert_eq!(most.load(Ordering::SeqCst), 32, "dspy-rs's own limit");
    assert_eq!(predictions[39].get("answer", None), json!("n39"));
}

#[tokio::test]
async fn one_failure_costs_only_itself() {
    let _settings = configured(BackendAdapter(Meeting::default())).await;
    let predict = Predict::new(qa());
    let inputs = (0..40).map(|at| named(if at == 3 { "fail" } else { "n" }));
    let inputs: Vec<_> = inputs.collect();
    let each = forward_each(&predict, inputs.clone(), 32).await;
    let failed: Vec<_> = (0..40).filter(|at| each[*at].is_err()).collect();
    assert_eq!(failed, [3]);
    let error = each[3].as_ref().unwrap_err();
    assert!(matches!(
        error.downcast_ref(),
        Some(DspyError::Adapter(CandleAdapterError::InferenceFailed(_)))
    ));
    let all = Predictor::batch(&predict, inputs).await;
    assert!(all.is_err(), "dspy-rs drops the other 39");
}

#[tokio::test(flavor = "current_thread")]
async fn tokio_goes_on_while_the_model_works() {
    let _settings = on_the_embedded_model().await;
    let predict = Predict::new(qa());
    let mut ticks = 0;
    let work = predict.forward(question("Where is Nora from?"));
    tokio::pin!(work);
    loop {
        tokio::select! {
            done = &mut work => break assert!(done.is_ok()),
            () = tokio::time::sleep(Duration::from_micros(100)) => ticks += 1,
        }
    }
    assert!(ticks > 0, "the runtime's one thread was kept by the engine");
}

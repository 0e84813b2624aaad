//! What all programs share: overrides, many calls at once, and composition in plain Rust.

use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use candle_signature::CandleSignature;
use candle_signature::adapter::{
    Backend, CandleAdapter, CandleAdapterError, CandleConfig, CompletionRequest, LoadedModel,
    ModelPool, Overrides,
};
use candle_signature::program::{Batch, ChainOfThought, Predict, Predicted, Program, ReAct};
use candle_signature::prompt::Message;
use candle_signature_tests::{Answers, Script};
use futures::executor::block_on;

static MODEL: LazyLock<Arc<LoadedModel>> = LazyLock::new(|| {
    block_on(ModelPool::embedded().load_model(ModelPool::EMBEDDED))
        .expect("the embedded model loads")
});

/// Answer the question from the passage.
#[derive(CandleSignature)]
struct QA {
    #[input]
    passage: String,
    #[input]
    question: String,
    #[output]
    answer: String,
}

fn ask(question: &str) -> QAInput {
    QAInput {
        passage: "Ana lives in Rome. Ben works as a baker.".into(),
        question: question.into(),
    }
}

fn adapter(config: CandleConfig) -> CandleAdapter {
    CandleAdapter::from_loaded_model(MODEL.clone(), config).expect("a sound configuration")
}

const ROME: &str = "[[ ## answer ## ]]\nRome\n\n[[ ## completed ## ]]";

#[test]
fn every_program_sends_its_overrides() {
    let hot = Overrides {
        temperature: Some(1.5),
        seed: Some(3),
        ..Overrides::default()
    };
    let script = Script::new(&[
        ROME,
        "[[ ## reasoning ## ]]\nIt says so.\n\n[[ ## answer ## ]]\nRome\n\n[[ ## completed ## ]]",
        "[[ ## next_thought ## ]]\nx\n\n[[ ## next_tool_name ## ]]\nfinish\n\n[[ ## next_tool_args ## ]]\n{}\n\n[[ ## completed ## ]]",
        ROME,
    ]);
    let where_ = || ask("Where does Ana live?");
    block_on(async {
        let predict = Predict::<QA>::new().with_overrides(hot);
        predict.call(&script, where_()).await.unwrap();
        let cot = ChainOfThought::<QA>::new().with_overrides(hot);
        cot.call(&script, where_()).await.unwrap();
        let react = ReAct::<QA>::new().with_overrides(hot);
        react.call(&script, where_()).await.unwrap();
    });
    let requests = script.requests();
    assert_eq!(requests.len(), 4);
    assert!(requests.iter().all(|request| request.overrides == hot));
}

#[test]
fn overrides_change_one_call_and_not_the_adapter() {
    let adapter = adapter(CandleConfig::default());
    let short = Predict::<QA>::new().with_overrides(Overrides {
        max_tokens: Some(8),
        ..Overrides::default()
    });
    let whole = Predict::<QA>::new();
    let error = block_on(short.call(&adapter, ask("Where does Ana live?"))).unwrap_err();
    assert!(
        error.to_string().contains("only 8 may be generated"),
        "{error}"
    );
    let out = block_on(whole.call(&adapter, ask("Where does Ana live?"))).unwrap();
    assert_eq!(out.answer, "Rome");
    assert_eq!(adapter.config(), &CandleConfig::default());
}

#[test]
fn a_seed_decides_what_is_sampled() {
    let adapter = adapter(CandleConfig {
        constrain_output: false,
        max_tokens: 40,
        ..CandleConfig::default()
    });
    let reply = |seed| {
        let overrides = Overrides {
            temperature: Some(2.0),
            seed: Some(seed),
            ..Overrides::default()
        };
        let request = CompletionRequest::new(vec![Message::user("Tell me.")]);
        block_on(adapter.complete(request.with_overrides(overrides)))
            .unwrap()
            .text
    };
    assert_eq!(reply(1), reply(1));
    let texts: std::collections::HashSet<_> = (1..6).map(reply).collect();
    assert!(texts.len() > 1, "{texts:?}");
}

#[test]
fn overrides_that_can_not_work_are_refused_by_name() {
    let adapter = adapter(CandleConfig::default());
    for (overrides, named) in [
        (
            Overrides {
                temperature: Some(f32::NAN),
                ..Overrides::default()
            },
            "temperature",
        ),
        (
            Overrides {
                max_tokens: Some(0),
                ..Overrides::default()
            },
            "max_tokens",
        ),
        (
            Overrides {
                max_tokens: Some(usize::MAX),
                ..Overrides::default()
            },
            "max_tokens",
        ),
        (
            Overrides {
                top_p: Some(0.5),
                ..Overrides::default()
            },
            "top_p",
        ),
    ] {
        let predict = Predict::<QA>::new().with_overrides(overrides);
        let error = block_on(predict.call(&adapter, ask("?"))).unwrap_err();
        assert!(
            matches!(&error, CandleAdapterError::ConfigError(text) if text.contains(named)),
            "{error}"
        );
    }
}

#[test]
fn many_calls_keep_their_order_and_one_failure_costs_only_itself() {
    let backend = Answers::new(|request| {
        let last = &request.messages.last()?.content;
        let number = last.lines().find_map(|line| line.strip_prefix("n = "))?;
        (number != "3").then(|| format!("[[ ## answer ## ]]\n{number}\n\n[[ ## completed ## ]]"))
    });
    let inputs = (0..10).map(|n| ask(&format!("n = {n}")));
    let seen = Mutex::new(Vec::new());
    let batch = Batch::new().with_concurrency(4).on_progress(|progress| {
        seen.lock()
            .unwrap()
            .push((progress.done, progress.failed, progress.total));
    });
    let results = block_on(Predict::<QA>::new().call_all_with(&backend, inputs, &batch));
    drop(batch);
    let answers: Vec<_> = results
        .iter()
        .map(|result| result.as_ref().ok().map(|out| out.answer.as_str()))
        .collect();
    let expected: Vec<String> = (0..10).map(|n| n.to_string()).collect();
    for (at, answer) in answers.iter().enumerate() {
        let expected = (at != 3).then(|| expected[at].as_str());
        assert_eq!(*answer, expected);
    }
    let seen = seen.into_inner().unwrap();
    assert_eq!(seen.len(), 10);
    assert_eq!(seen.last(), Some(&(10, 1, 10)));
    assert!(seen.iter().zip(1..).all(|(seen, done)| seen.0 == done));
}

/// A backend that counts how many calls are under way, and makes the first the slowest.
struct Counting {
    running: Mutex<(usize, usize)>,
}

impl Backend for Counting {
    async fn complete(
        &self,
        request: CompletionRequest,
    ) -> Result<candle_signature::adapter::Completion, CandleAdapterError> {
        {
            let mut running = self.running.lock().unwrap();
            running.0 += 1;
            running.1 = running.1.max(running.0);
        }
        let is_first = request
            .messages
            .iter()
            .any(|one| one.content.contains("n = 0"));
        tokio::time::sleep(Duration::from_millis(if is_first { 200 } else { 5 })).await;
        self.running.lock().unwrap().0 -= 1;
        let usage = candle_signature::adapter::Usage::default();
        let stop = candle_signature::adapter::Finish::Stop;
        Ok(candle_signature::adapter::Completion::new(
            ROME, usage, stop,
        ))
    }
}

#[tokio::test]
async fn a_slow_call_does_not_hold_up_those_behind_it() {
    let backend = Counting {
        running: Mutex::default(),
    };
    let inputs: Vec<_> = (0..40).map(|n| ask(&format!("n = {n}"))).collect();
    let last_of_the_rest = Mutex::new(None);
    let start = std::time::Instant::now();
    let batch = Batch::new().with_concurrency(3).on_progress(|progress| {
        if progress.done == 39 {
            *last_of_the_rest.lock().unwrap() = Some(start.elapsed());
        }
    });
    let results = Predict::<QA>::new()
        .call_all_with(&backend, inputs, &batch)
        .await;
    drop(batch);
    assert!(results.iter().all(Result::is_ok));
    assert_eq!(
        backend.running.lock().unwrap().1,
        3,
        "as many at once as allowed, and no more"
    );
    // The first is done after 200 ms; the 39 others took two places for 39 * 5 / 2 ms meanwhile.
    let rest = last_of_the_rest.into_inner().unwrap().unwrap();
    assert!(rest < start.elapsed(), "{rest:?}");
}

#[test]
fn no_inputs_give_no_results() {
    let results = block_on(Predict::<QA>::new().call_all(&Script::new(&[]), []));
    assert!(results.is_empty());
}

/// Who lives where the other person works: two questions, one after the other.
struct TwoHops {
    first: Predict<QA>,
    second: Predict<QA>,
}

impl Program for TwoHops {
    type Signature = QA;

    async fn run<B: Backend + ?Sized>(
        &self,
        backend: &B,
        input: QAInput,
    ) -> Result<Predicted<QAOutput>, CandleAdapterError> {
        let passage = input.passage.clone();
        let who = self.first.call(backend, input).await?;
        let question = format!("What does {} work as?", who.answer);
        self.second
            .call(backend, QAInput { passage, question })
            .await
    }
}

#[test]
fn programs_compose_in_plain_rust() {
    let program = TwoHops {
        first: Predict::new(),
        second: Predict::new(),
    };
    let adapter = adapter(CandleConfig::default());
    let input = QAInput {
        passage: "Ana lives in Rome. Ana works as a baker.".into(),
        question: "Who lives in Rome?".into(),
    };
    let out = block_on(program.run(&adapter, input)).unwrap();
    assert!(out.answer.contains("baker"), "{}", out.answer);
}

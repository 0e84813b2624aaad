//! Typed streams and field metadata on the real engine with the embedded model.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use candle_signature::CandleSignature;
use candle_signature::adapter::{CandleAdapter, CandleConfig, LoadedModel, ModelPool};
use candle_signature::program::{ChainOfThought, PredictStream, StreamEvent};
use futures::StreamExt as _;
use futures::executor::block_on;
use tokio::time::{sleep, timeout};

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

/// Read the facts out of the text.
#[derive(CandleSignature)]
#[signature(format = "json")]
struct Facts {
    #[input]
    text: String,
    #[output]
    name: String,
    #[output]
    age: Option<u8>,
    #[output]
    pets: Vec<String>,
}

/// Solve the problem.
#[derive(CandleSignature)]
struct Sum {
    #[input]
    problem: String,
    #[output]
    answer: i64,
}

fn config() -> CandleConfig {
    CandleConfig {
        enable_streaming: true,
        ..CandleConfig::default()
    }
}

fn adapter(config: CandleConfig) -> CandleAdapter {
    CandleAdapter::from_loaded_model(MODEL.clone(), config).unwrap()
}

fn question() -> QAInput {
    QAInput {
        passage: "Ana lives in Rome. Ben lives in Oslo.".into(),
        question: "Where does Ana live?".into(),
    }
}

fn sum() -> SumInput {
    SumInput {
        problem: "Tom has 12 apples. He buys 7 more apples. How many apples does Tom have now?"
            .into(),
    }
}

async fn events<O>(stream: PredictStream<'_, O>) -> Vec<StreamEvent<O>> {
    stream.map(|event| event.expect("no error")).collect().await
}

#[test]
fn a_stream_gives_the_prediction_in_both_formats_constrained_or_free() {
    for constrain_output in [true, false] {
        let adapter = adapter(CandleConfig {
            constrain_output,
            ..config()
        });
        let told = block_on(events(QA::stream(&adapter, question())));
        let whole = block_on(QA::predict(&adapter, question())).unwrap();
        let Some(StreamEvent::Finished(out)) = told.last() else {
            panic!("{told:?}");
        };
        assert_eq!(
            (out.raw(), &out.answer, out.usage()),
            (whole.raw(), &whole.answer, whole.usage())
        );
        let text: String = told
            .iter()
            .filter_map(|event| event.text("answer"))
            .collect();
        assert_eq!(text, "Rome");
    }
    let adapter = adapter(config());
    let input = FactsInput {
        text: "Nora is 34 and has a cat and a dog.".into(),
    };
    let told = block_on(events(Facts::stream(&adapter, input)));
    let Some(StreamEvent::Finished(out)) = told.last() else {
        panic!("{told:?}");
    };
    assert!(
        !told
            .iter()
            .any(|event| matches!(event, StreamEvent::Retracted { .. }))
    );
    let text: String = told.iter().filter_map(|event| event.text("name")).collect();
    assert_eq!(text, out.name);
    let age = told
        .iter()
        .find_map(|event| event.field::<Option<u8>>("age").unwrap());
    assert_eq!(age, Some(out.age));
    let pets: Vec<String> = told
        .iter()
        .filter_map(|event| event.element("pets").unwrap())
        .map(|(_, pet)| pet)
        .collect();
    assert_eq!(pets, out.pets);
}

#[test]
fn reasoning_comes_while_it_is_generated() {
    let adapter = adapter(config());
    let thinking = ChainOfThought::<Sum>::new();
    let told = block_on(events(thinking.stream(&adapter, sum())));
    let texts = told
        .iter()
        .filter(|event| event.text("reasoning").is_some())
        .count();
    let done = told
        .iter()
        .position(|event| matches!(event, StreamEvent::Done { field, .. } if field == "reasoning"));
    assert!(texts > 3 && done > Some(texts), "{told:?}");
    let Some(StreamEvent::Finished(out)) = told.last() else {
        panic!("{told:?}");
    };
    assert_eq!(out.answer, 19);
}

#[test]
fn without_streaming_in_the_configuration_all_comes_at_the_end() {
    let told = block_on(events(QA::stream(
        &adapter(CandleConfig::default()),
        question(),
    )));
    let texts: Vec<_> = told
        .iter()
        .filter_map(|event| event.text("answer"))
        .collect();
    assert_eq!(texts, ["Rome"]);
}

#[tokio::test]
async fn a_slow_reader_holds_up_no_other_prediction() {
    let adapter = adapter(CandleConfig {
        stream_buffer_size: 1,
        ..config()
    });
    let thinking = ChainOfThought::<Sum>::new();
    let mut slow = thinking.stream(&adapter, sum());
    slow.next().await.unwrap().unwrap();
    for _ in 0..3 {
        let other = timeout(Duration::from_secs(60), QA::predict(&adapter, question())).await;
        assert_eq!(other.expect("not held up").unwrap().answer, "Rome");
    }
    let rest = events(slow).await;
    assert!(matches!(rest.last(), Some(StreamEvent::Finished(out)) if out.answer == 19));
}

#[tokio::test]
async fn a_dropped_stream_gives_its_cache_back() {
    // A model of its own: the cache of the other tests' is in use.
    let model = ModelPool::embedded()
        .load_model(ModelPool::EMBEDDED)
        .await
        .unwrap();
    let config = CandleConfig {
        stream_buffer_size: 1,
        ..config()
    };
    let adapter = CandleAdapter::from_loaded_model(model.clone(), config).unwrap();
    let thinking = ChainOfThought::<Sum>::new();
    let mut stream = thinking.stream(&adapter, sum());
    stream.next().await.unwrap().unwrap();
    assert!(model.engine().stats().cache.blocks_in_use > 0);
    drop(stream);
    for _ in 0..600 {
        if model.engine().stats().cache.blocks_in_use == 0 {
            return;
        }
        sleep(Duration::from_millis(50)).await;
    }
    panic!("{:?}", model.engine().stats().cache);
}

#[test]
fn each_field_knows_how_it_came_about() {
    for constrain_output in [true, false] {
        let adapter = adapter(CandleConfig {
            constrain_output,
            log_probabilities: true,
            ..config()
        });
        let out = block_on(ChainOfThought::<Sum>::new().call(&adapter, sum())).unwrap();
        for field in ["reasoning", "answer"] {
            let meta = out.meta(field);
            assert_eq!(meta.raw, out.raw_field(field));
            assert_eq!(
                (meta.constrained, meta.truncated),
                (constrain_output, false)
            );
            let (mean, least) = (meta.mean_logprob.unwrap(), meta.min_logprob.unwrap());
            assert!(
                least <= mean && mean <= 0.0 && mean > -1.0,
                "{field}: {mean} {least}"
            );
        }
        assert!(out.meta("nothing").raw.is_none() && out.meta("nothing").mean_logprob.is_none());
    }
}

#[test]
fn log_probabilities_under_a_grammar_are_asked_for() {
    for constrain_output in [true, false] {
        let adapter = adapter(CandleConfig {
            constrain_output,
            ..config()
        });
        let out = block_on(QA::predict(&adapter, question())).unwrap();
        assert_eq!(out.meta("answer").mean_logprob.is_none(), constrain_output);
    }
}

#[test]
fn a_field_that_is_cut_short_says_so() {
    let mut cut = 0;
    for max_tokens in 24..60 {
        let adapter = adapter(CandleConfig {
            max_tokens,
            ..config()
        });
        // Too small a budget is refused.
        let Ok(out) = block_on(ChainOfThought::<Sum>::new().call(&adapter, sum())) else {
            continue;
        };
        let fields = ["reasoning", "answer"];
        let first = fields.iter().position(|field| out.meta(field).truncated);
        assert_eq!(first.map(|at| fields[at]), out.truncated(), "{max_tokens}");
        if let Some(first) = first {
            cut += 1;
            assert!(
                fields[first..]
                    .iter()
                    .all(|field| out.meta(field).truncated)
            );
        }
    }
    assert!(cut > 0);
}

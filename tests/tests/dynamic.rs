//! Predictions of signatures that exist only at run time, on the embedded model: the same as those of a derive.

use candle_signature::adapter::{CandleAdapter, CandleAdapterError, CandleConfig, ModelPool};
use candle_signature::program::{
    Batch, ChainOfThought, DynamicPredict, Predict, StateError, StreamEvent, to_json,
};
use candle_signature::signature::{Demo, SignatureSpec, Value};
use candle_signature::{CandleSignature, example};
use futures::StreamExt as _;
use serde_json::{Value as Json, json};

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

/// Solve the problem.
#[derive(CandleSignature)]
struct Sum {
    #[input]
    problem: String,
    #[output]
    answer: i64,
}

async fn adapter() -> CandleAdapter {
    let model = ModelPool::embedded().load_model(ModelPool::EMBEDDED).await;
    let config = CandleConfig {
        enable_streaming: true,
        ..CandleConfig::default()
    };
    CandleAdapter::from_loaded_model(model.expect("loads"), config).expect("sound")
}

fn spec(line: &str) -> SignatureSpec {
    SignatureSpec::from_shorthand(line).expect("a signature")
}

fn qa() -> DynamicPredict {
    DynamicPredict::new(spec("passage, question -> answer"))
        .with_instruction("Answer the question from the passage.")
}

fn rome() -> Json {
    json!({"question": "Where does Ana live?", "passage": "Ana lives in Rome."})
}

#[tokio::test]
async fn it_sends_and_gets_what_a_derive_does() {
    let adapter = adapter().await;
    let inputs = qa().inputs(&rome()).expect("they fit");
    let input = || QAInput {
        passage: "Ana lives in Rome.".into(),
        question: "Where does Ana live?".into(),
    };
    assert_eq!(
        qa().messages(&inputs),
        Predict::<QA>::new().messages(input())
    );
    let typed = QA::predict(&adapter, input()).await.expect("a reply");
    let out = qa().call(&adapter, inputs).await.expect("a reply");
    assert_eq!(
        out.get("answer"),
        Some(&Value::String(typed.answer.clone()))
    );
    assert_eq!(out.raw(), typed.raw());
    assert_eq!(out.usage().prompt_tokens, typed.usage().prompt_tokens);
    assert!(out.meta("answer").constrained);
}

#[tokio::test]
async fn reasoning_comes_first_and_once() {
    let adapter = adapter().await;
    let sum =
        DynamicPredict::new(spec("problem -> answer: int")).with_instruction("Solve the problem.");
    let sum = sum
        .with_reasoning()
        .and_then(DynamicPredict::with_reasoning)
        .expect("no such field");
    let problem = "Tom has 3 apples and buys 4 more. How many apples does Tom have?";
    let inputs = sum.inputs(&json!({"problem": problem})).expect("fits");
    let out = sum.call(&adapter, inputs).await.expect("a reply");
    let names: Vec<_> = out.iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["reasoning", "answer"]);
    assert_eq!(out.get("answer"), Some(&Value::Int(7)));
    let taken = DynamicPredict::new(spec("reasoning -> answer")).with_reasoning();
    let error = taken.expect_err("the name is taken").to_string();
    assert!(error.contains("rename the field"), "{error}");
}

#[tokio::test]
async fn a_stream_tells_what_a_call_returns() {
    let adapter = adapter().await;
    let inputs = qa().inputs(&rome()).expect("they fit");
    let mut events = qa().stream(&adapter, &inputs).expect("they fit");
    let (mut shown, mut finished) = (String::new(), None);
    while let Some(event) = events.next().await {
        match event.expect("no failure") {
            StreamEvent::Text { delta, .. } => shown.push_str(&delta),
            StreamEvent::Finished(out) => finished = Some(out),
            _ => {}
        }
    }
    let finished = finished.expect("an end");
    assert_eq!(finished.get("answer"), Some(&Value::String(shown)));
}

#[tokio::test]
async fn many_are_answered_in_order_and_fail_alone() {
    let adapter = adapter().await;
    let who = |name: &str, place: &str| json!({"passage": format!("{name} lives in {place}."), "question": format!("Where does {name} live?")});
    let qa = qa();
    let read = |json: &Json| qa.inputs(json).expect("they fit");
    let mut inputs = vec![read(&who("Ana", "Rome")), read(&who("Omar", "Oslo"))];
    inputs.insert(1, [("passage", Value::Int(1))].into_iter().collect());
    let out = qa.call_all(&adapter, inputs, &Batch::new()).await;
    let answers: Vec<_> = out
        .iter()
        .map(|out| out.as_ref().ok().and_then(|out| out.get("answer").cloned()))
        .collect();
    let text = |text: &str| Some(Value::String(text.into()));
    assert_eq!(answers, [text("Rome"), None, text("Oslo")]);
    let error = out[1]
        .as_ref()
        .expect_err("no text, and no question")
        .to_string();
    assert_eq!(
        error,
        "signature: inputs: `passage`: expected a string, found an integer; `question`: missing"
    );
}

#[test]
fn inputs_are_checked_and_put_in_order() {
    let spec = spec("name, age: u8, nick: Option<String> -> greeting");
    let predict = DynamicPredict::new(spec);
    let inputs = predict
        .inputs(&json!({"age": 7, "name": "Ana"}))
        .expect("they fit");
    let entries: Vec<_> = inputs
        .iter()
        .map(|(name, value)| (name.to_owned(), value.clone()))
        .collect();
    assert_eq!(
        entries,
        [
            ("name".to_owned(), Value::String("Ana".into())),
            ("age".to_owned(), Value::Int(7)),
            ("nick".to_owned(), Value::Null),
        ]
    );
    for (json, said) in [
        (json!({"name": "Ana"}), "`age`: missing"),
        (
            json!({"name": "Ana", "age": 300}),
            "`age`: 300 is out of range: 0 to 255",
        ),
        (
            json!({"name": "Ana", "age": 7, "x": 1}),
            "`x`: there is no such field; there are `name`, `age`, `nick`",
        ),
        (
            json!([1]),
            "expected an object with the fields by name, found a list",
        ),
    ] {
        let error = predict.inputs(&json).expect_err("does not fit");
        assert!(matches!(error, CandleAdapterError::SignatureError(_)));
        assert!(error.to_string().contains(said), "{error}");
    }
}

#[test]
fn demos_may_be_partial_and_must_fit() {
    let predict = DynamicPredict::new(spec("ticket -> urgent: bool, tags: list[str]"));
    let demo = predict
        .demo(&json!({"tags": ["fire"], "ticket": "It burns!"}))
        .expect("fits");
    assert_eq!((demo.inputs.len(), demo.outputs.len()), (1, 1));
    let error = predict
        .demo(&json!({"ticket": "x", "urgent": "yes"}))
        .expect_err("no boolean");
    assert!(
        error.to_string().contains("`urgent`: expected a boolean"),
        "{error}"
    );
}

#[test]
fn saved_programs_come_back_without_their_types() {
    let demo: Demo<QA> = example!(QA {
        passage: "p",
        question: "q",
        answer: "a"
    });
    let program = Predict::<QA>::new()
        .with_demo(demo)
        .with_instruction("Read and answer.");
    let saved = to_json(&program).expect("saves");
    let loaded = DynamicPredict::from_saved(&saved, None).expect("its types can be read back");
    let input = QAInput {
        passage: "Ana lives in Rome.".into(),
        question: "Where does Ana live?".into(),
    };
    let inputs = loaded.inputs(&rome()).expect("they fit");
    assert_eq!(loaded.messages(&inputs), program.messages(input));

    let program = ChainOfThought::<Sum>::new();
    let saved = to_json(&program).expect("saves");
    let loaded = DynamicPredict::from_saved(&saved, Some(spec("problem -> answer: i64")));
    let loaded = loaded.expect("the same fields");
    let input = SumInput {
        problem: "1 + 1".into(),
    };
    let inputs = loaded.inputs(&json!({"problem": "1 + 1"})).expect("fits");
    assert_eq!(loaded.messages(&inputs), program.messages(input));
}

#[test]
fn saved_programs_that_do_not_fit_say_where() {
    let saved = to_json(&Predict::<Sum>::new()).expect("saves");
    let load = |json: &Json, line: &str| DynamicPredict::from_saved(json, Some(spec(line)));
    for (line, said) in [
        ("problem -> answer", "field `answer`"),
        ("problem, hint -> answer: int", "field `hint`"),
        ("-> answer: int", "field `problem`"),
    ] {
        let error = load(&saved, line)
            .expect_err("another signature")
            .to_string();
        assert!(error.contains(said), "{error}");
    }
    let mut react = saved.clone();
    react["program"] = "ReAct".into();
    assert!(matches!(
        load(&react, "problem -> answer: int"),
        Err(StateError::Kind { .. })
    ));
    let mut newer = saved.clone();
    newer["candle_signature"] = 99.into();
    assert!(matches!(
        load(&newer, "problem -> answer: int"),
        Err(StateError::Version { .. })
    ));
    let mut person = saved;
    person["signature"]["outputs"][0]["type"] = "Person".into();
    let error = DynamicPredict::from_saved(&person, None)
        .expect_err("only a name")
        .to_string();
    assert!(error.contains("give the signature too"), "{error}");
}

#[test]
fn predictors_saved_by_dspy_come_with_their_demos() {
    let read = |name: &str| -> Json {
        let path = format!("{}/data/dspy_saved/{name}", env!("CARGO_MANIFEST_DIR"));
        serde_json::from_str(&std::fs::read_to_string(path).expect("a fixture")).expect("JSON")
    };
    let line = "ticket -> urgent: bool, stars: int, tags: list[str]";
    let saved = read("chain_of_thought.json");
    let loaded = DynamicPredict::from_saved(&saved, Some(spec(line))).expect("fits");
    assert_eq!(loaded.spec().instruction, "Triage.");
    assert_eq!(loaded.spec().outputs[0].name, "reasoning");
    assert_eq!(loaded.demos().len(), 2);
    assert_eq!(loaded.overrides().max_tokens, Some(200));
    let error = DynamicPredict::from_saved(&saved, None)
        .expect_err("no types")
        .to_string();
    assert!(error.contains("give the signature too"), "{error}");
    let error = DynamicPredict::from_saved(&saved, Some(spec("ticket -> urgent: bool")));
    assert!(
        error
            .expect_err("fewer fields")
            .to_string()
            .contains("Stars:")
    );
    let qa = Some(spec("passage, question -> answer"));
    let loaded = DynamicPredict::from_saved(&read("predict.json"), qa).expect("fits");
    assert_eq!(loaded.demos().len(), 2);
}

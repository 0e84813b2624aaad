//! Derived signatures as dspy-rs's `MetaSignature` and `Module`.

use candle_signature::dspy::{
    BackendAdapter, DspyModule, DspySignature, demo_of, example_of, output_of, spec_of,
};
use candle_signature::program::Predict;
use candle_signature::{CandleSignature, CandleValue, example};
use candle_signature_tests::Script;
use dspy_rs::adapter::Adapter;
use dspy_rs::{ChatAdapter, MetaSignature, Module, Optimizable};
use serde_json::json;

use crate::support::{PASSAGE, call, on_the_embedded_model, typed};

/// Grade the text.
#[derive(CandleSignature)]
struct Grade {
    #[input]
    text: String,
    /// How good it is.
    #[output(min = 1, max = 5)]
    stars: u8,
    #[output]
    mood: Mood,
    #[output]
    note: Option<String>,
}

#[derive(CandleValue, Debug, Clone, PartialEq)]
enum Mood {
    Glad,
    #[value(alias = "unhappy")]
    Sad,
}

fn demo() -> candle_signature::signature::Demo<Grade> {
    example!(Grade {
        text: "Fine.",
        stars: 4,
        mood: Mood::Glad,
        note: None,
    })
}

fn input(text: &str) -> GradeInput {
    GradeInput { text: text.into() }
}

#[test]
fn the_prompt_is_the_derived_one() {
    let signature = DspySignature::<Grade>::new().with_demos([demo()]);
    let chat = BackendAdapter(Script::default()).format(&signature, example_of(input("Poor.")));
    let own = Predict::<Grade>::new()
        .with_demos([demo()])
        .messages(input("Poor."));
    let said: Vec<_> = chat
        .messages
        .iter()
        .map(|message| message.content())
        .collect();
    let expected: Vec<_> = own.into_iter().map(|message| message.content).collect();
    assert_eq!(said, expected);
}

#[tokio::test]
async fn constraints_and_aliases_hold_through_dspy_rs() {
    let signature = DspySignature::<Grade>::new();
    let reply = |stars: &str| match stars {
        "3" => "[[ ## stars ## ]]\n3\n\n[[ ## mood ## ]]\nunhappy\n\n[[ ## completed ## ]]",
        _ => "[[ ## stars ## ]]\n9\n\n[[ ## mood ## ]]\nSad\n\n[[ ## completed ## ]]",
    };
    let inputs = || example_of(input("Poor."));
    let good = call(Script::new(&[reply("3")]), &signature, inputs())
        .await
        .unwrap();
    let output: GradeOutput = output_of(&good).unwrap();
    assert_eq!(
        (output.stars, output.mood, output.note),
        (3, Mood::Sad, None)
    );
    let error = call(Script::new(&[reply("9")]), &signature, inputs())
        .await
        .unwrap_err();
    assert!(error.to_string().contains("field `stars`"), "{error}");
}

#[test]
fn instruction_demos_and_fields_can_be_changed() {
    let mut signature = DspySignature::<Grade>::new();
    signature.update_instruction("Be strict.".into()).unwrap();
    signature.set_demos(vec![demo().into()]).unwrap();
    let extra =
        json!({"type": "bool", "desc": "Sure?", "schema": "", "__dsrs_field_type": "output"});
    signature.append("sure", extra).unwrap();
    assert!(signature.append("odd", json!({"type": "bool"})).is_err());
    let spec = spec_of(&signature).unwrap();
    assert_eq!(spec.instruction, "Be strict.");
    let names: Vec<_> = spec.outputs.iter().map(|field| &*field.name).collect();
    assert_eq!(names, ["stars", "mood", "note", "sure"]);
    assert_eq!(demo_of::<Grade>(&signature.demos()[0]).unwrap(), demo());
}

#[test]
fn a_field_of_no_derive_that_runs_is_refused() {
    let mut signature = DspySignature::<Grade>::new();
    let own = signature.output_fields()["stars"].clone();
    signature.append("renamed", own.clone()).unwrap();
    let error = spec_of(&signature).unwrap_err().to_string();
    assert!(
        error.contains("output `renamed`: the signature `Grade`"),
        "{error}"
    );

    let mut signature = DspySignature::<Grade>::new();
    let mut saved = own;
    saved["candle_signature"] = json!("of yesterday");
    signature.append("stars", saved).unwrap();
    let error = spec_of(&signature).unwrap_err().to_string();
    assert!(error.contains("DspySignature::new()"), "{error}");
}

#[test]
fn a_demo_of_wrong_values_is_refused_with_every_field() {
    let mut wrong = dspy_rs::Example::from(demo());
    wrong.data.insert("stars".into(), json!("four"));
    wrong.data.remove("mood");
    let error = demo_of::<Grade>(&wrong).unwrap_err().to_string();
    assert!(error.contains("stars") && error.contains("mood"), "{error}");
}

#[test]
fn replies_that_are_no_json_do_not_panic_in_dspy_rs_either() {
    let reply = "[[ ## stars ## ]]\nfour\n\n[[ ## mood ## ]]\nGlad\n\n[[ ## completed ## ]]";
    let message = dspy_rs::Message::assistant(reply);
    let read = ChatAdapter.parse_response(&DspySignature::<Grade>::new(), message);
    assert_eq!(read.get("mood"), Some(&json!("Glad")));
    let chat = ChatAdapter.format(&DspySignature::<Grade>::new(), example_of(input("Poor.")));
    let system = chat.messages[0].content();
    assert!(
        system.contains("How good it is. (a value of type int)"),
        "{system}"
    );
}

#[tokio::test]
async fn a_module_predicts_on_the_embedded_model() {
    let _settings = on_the_embedded_model().await;
    let module = DspyModule::<typed::Qa>::new();
    let ask = |question: &str| {
        example_of(typed::QaInput {
            passage: PASSAGE.into(),
            question: question.into(),
        })
    };
    let prediction = module.forward(ask("Where is Nora from?")).await.unwrap();
    let output: typed::QaOutput = output_of(&prediction).unwrap();
    assert_eq!(output.answer, "Lisbon");
    let inputs = vec![ask("What is the job of Peter?"), ask("Where is Nora from?")];
    let both = module.batch(inputs, 2, false).await.unwrap();
    let answers: Vec<_> = both.iter().map(|p| p.get("answer", None)).collect();
    assert_eq!(answers, ["pilot", "Lisbon"]);
}

#[test]
fn optimizers_find_the_predictor_of_a_module() {
    let mut module = DspyModule::<typed::Qa>::new();
    assert_eq!(
        module.get_signature().instruction(),
        "Answer the question from the passage."
    );
    let mut parameters = module.parameters();
    let (name, predictor) = parameters.first_mut().unwrap();
    assert_eq!(name, "predictor");
    predictor
        .update_signature_instruction("Answer.".into())
        .unwrap();
    assert_eq!(module.get_signature().instruction(), "Answer.");
    module
        .update_signature_instruction("Answer at once.".into())
        .unwrap();
    assert_eq!(
        module.predictor().signature.instruction(),
        "Answer at once."
    );
}

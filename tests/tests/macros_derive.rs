//! What the derives make: specs, halves, values and demos.

use candle_signature::signature::{FieldSet, FieldType, FieldValue, FieldValues, Signature, Value};
use candle_signature::{CandleSignature, CandleValue, example};

/// Answer the question
/// from the passage.
#[derive(CandleSignature)]
struct QA {
    /// Text to read.
    #[input]
    passage: String,
    #[input]
    question: String,
    /// A short answer.
    #[output(rename = "reply", one_line)]
    answer: String,
    #[output(min = 0.0, max = 1.0, default = 0.5)]
    confidence: f64,
}

#[derive(CandleValue, Debug, Clone, PartialEq)]
#[value(rename_all = "kebab-case")]
enum Urgency {
    /// Can wait.
    Low,
    #[value(alias = "burning")]
    OnFire,
}

#[derive(CandleValue, Debug, Clone, PartialEq)]
struct Person {
    name: String,
    #[value(min = 0, max = 150)]
    age: Option<u8>,
    boss: Option<Box<Person>>,
}

#[derive(CandleValue, Debug, Clone, PartialEq)]
enum Shape {
    Nothing,
    Named(String),
    Circle {
        radius: f64,
        #[value(default)]
        tags: Vec<String>,
    },
}

#[derive(CandleSignature)]
struct Triage {
    #[input]
    ticket: String,
    #[output]
    urgency: Urgency,
    #[output]
    tags: Vec<String>,
    #[output]
    owner: Option<Person>,
    #[output]
    shape: Shape,
}

#[test]
fn the_spec_is_what_was_written() {
    let spec = QA::SPEC;
    assert_eq!(
        (&*spec.name, &*spec.instruction),
        ("QA", "Answer the question from the passage.")
    );
    let names: Vec<_> = spec.outputs.iter().map(|field| &*field.name).collect();
    assert_eq!(names, ["reply", "confidence"]);
    assert_eq!(spec.inputs[0].desc, "Text to read.");
    assert!(matches!(*spec.outputs[1].ty, FieldType::Float(_)));
    assert_eq!(
        spec.outputs[1].default.as_ref().map(|d| d.get()),
        Some(Value::Float(0.5))
    );
}

#[test]
fn halves_go_to_values_and_back() {
    let output = TriageOutput {
        urgency: Urgency::OnFire,
        tags: vec!["a".into()],
        owner: Some(Person {
            name: "Mia".into(),
            age: Some(3),
            boss: None,
        }),
        shape: Shape::Circle {
            radius: 1.0,
            tags: vec![],
        },
    };
    let values = output.clone().into_values();
    assert_eq!(
        values.get("urgency"),
        Some(&Value::String("on-fire".into()))
    );
    assert_eq!(TriageOutput::from_values(values), Ok(output));
}

#[test]
fn every_error_is_reported_with_its_field() {
    let errors = TriageOutput::from_values(FieldValues::from_iter([
        ("urgency", Value::String("never".into())),
        (
            "shape",
            Value::Map(vec![("type".into(), Value::String("Named".into()))]),
        ),
    ]))
    .expect_err("three are wrong");
    let texts: Vec<_> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(
        texts,
        [
            "`urgency`: \"never\" is none of `low`, `on-fire`",
            "`tags`: missing",
            "`shape.value`: missing",
        ]
    );
}

#[test]
fn a_demo_is_typed() {
    let whole = example!(Triage {
        ticket: "x",
        urgency: Urgency::Low,
        tags: ["a", "b"],
        owner: Some(Person {
            name: "Mia",
            age: None,
            boss: None
        }),
        shape: Shape::Named("x"),
    });
    assert_eq!(whole.values().outputs.len(), 4);
    let partial = example!(QA {
        question: "x",
        answer: "y",
        ..
    });
    assert_eq!(partial.values().inputs.len(), 1);
    assert_eq!(
        partial.values().outputs.get("reply"),
        Some(&Value::String("y".into()))
    );
    assert_eq!(
        Shape::from_value(Value::String("Nothing".into())),
        Ok(Shape::Nothing)
    );
}

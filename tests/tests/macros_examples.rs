//! Demos: typed, partial, untyped, many at once, and from files.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use candle_signature::signature::{Demo, Example, PartialDemo, Signature, Value};
use candle_signature::{CandleSignature, CandleValue, example, example_file, examples};

#[derive(CandleValue)]
#[value(rename_all = "kebab-case")]
enum Urgency {
    Low,
    #[value(alias = "burning")]
    OnFire,
}

/// Sort the ticket.
#[derive(CandleSignature)]
struct Triage {
    #[input]
    ticket: String,
    #[output]
    urgency: Urgency,
    #[output(max = 10)]
    score: u8,
    #[output(unique)]
    tags: Vec<String>,
    #[output]
    owner: Option<String>,
    #[output]
    weight: f64,
}

fn text(text: &str) -> Value {
    Value::String(text.into())
}

#[test]
fn a_whole_demo_has_every_field() {
    let demo: Demo<Triage> = example!(Triage {
        ticket: "Help!",
        urgency: Urgency::OnFire,
        score: 10,
        tags: ["a", "b"],
        owner: "mia",
        weight: 0.5,
    });
    let values = demo.values();
    assert_eq!(values.inputs.get("ticket"), Some(&text("Help!")));
    assert_eq!(values.outputs.get("urgency"), Some(&text("on-fire")));
    assert_eq!(
        values.outputs.get("tags"),
        Some(&Value::List(vec![text("a"), text("b")]))
    );
    assert_eq!(values.outputs.get("owner"), Some(&text("mia")));
    assert_eq!(values.outputs.len(), 5);
}

#[test]
fn two_dots_leave_fields_out() {
    let score = 3;
    let demo = example!(Triage {
        score,
        ticket: String::from("Help!"),
        ..
    });
    assert_eq!(demo.values().inputs.len(), 1);
    assert_eq!(demo.values().outputs.get("score"), Some(&Value::Int(3)));
    assert_eq!(demo.values().outputs.len(), 1);
    let demo = example!(Triage { .. });
    assert_eq!(demo.values(), &PartialDemo::default());
}

#[test]
fn reasoning_can_be_shown_before_the_outputs() {
    let demo = example!(Triage {
        urgency: Urgency::Low,
        ..
    })
    .with_reasoning("No one waits.");
    let names: Vec<_> = demo.values().outputs.iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["reasoning", "urgency"]);
}

#[derive(CandleValue)]
struct Person {
    name: Box<str>,
    scores: (u8, Option<Arc<str>>),
}

#[derive(CandleValue)]
enum Shape {
    Named(String),
    Polygon { corners: Vec<(i8, i8)> },
}

#[derive(CandleSignature)]
struct Everything {
    #[input]
    person: Person,
    #[input]
    shapes: Vec<Shape>,
    #[input]
    deque: VecDeque<char>,
    #[output]
    set: BTreeSet<String>,
    #[output]
    map: HashMap<String, Vec<String>>,
    #[output]
    sorted: BTreeMap<Box<str>, f32>,
    #[output]
    array: [Option<String>; 2],
    #[output]
    json: serde_json::Value,
    #[output]
    nothing: Option<Vec<String>>,
}

#[test]
fn literals_become_whatever_type_is_wanted() {
    let demo = example!(Everything {
        person: Person {
            name: "Mia",
            scores: (1, "good")
        },
        shapes: [
            Shape::Named("dot"),
            Shape::Polygon {
                corners: [(0, 0), (1, -1)]
            }
        ],
        deque: ['a'],
        set: ["b", "a"],
        map: [("k", ["v"])],
        sorted: [("x", 1.5)],
        array: ["a", None],
        json: "text",
        nothing: ["x"],
    });
    let shown =
        serde_json::to_string(&(&demo.values().inputs, &demo.values().outputs)).expect("JSON");
    assert_eq!(
        shown,
        concat!(
            r#"[{"person":{"name":"Mia","scores":[1,"good"]},"#,
            r#""shapes":[{"type":"Named","value":"dot"},{"type":"Polygon","corners":[[0,0],[1,-1]]}],"#,
            r#""deque":["a"]},{"set":["a","b"],"map":{"k":["v"]},"sorted":{"x":1.5},"array":["a",null],"#,
            r#""json":"text","nothing":["x"]}]"#
        )
    );
}

#[test]
fn an_untyped_example_has_roles() {
    let urgency = Urgency::Low;
    let example: Example = example! {
        "question": "input" => "What is 2+2?",
        "hints": "input" => ["add", 2, None::<u8>],
        "answer": "output" => 4,
        "urgency": "output" => urgency,
        "json": "output" => serde_json::json!({"a": null}),
    };
    assert_eq!(example.input_keys, ["question", "hints"]);
    assert_eq!(example.get("answer"), Some(&Value::Int(4)));
    assert_eq!(
        example.get("hints"),
        Some(&Value::List(vec![text("add"), Value::Int(2), Value::Null]))
    );
    let demo = PartialDemo::from(example);
    assert_eq!(demo.outputs.get("urgency"), Some(&text("low")));
    assert_eq!((demo.inputs.len(), demo.outputs.len()), (2, 3));
}

#[test]
fn an_untyped_example_becomes_a_typed_demo_if_it_fits() {
    let fits = example! {
        "ticket": "input" => "Help!", "urgency": "output" => "burning", "score": "output" => 3,
        "tags": "output" => [], "weight": "output" => 1,
    };
    let demo = fits.into_demo::<Triage>().expect("all fields are there");
    assert_eq!(
        demo.values().outputs.get("weight"),
        Some(&Value::Float(1.0))
    );
    assert_eq!(demo.values().outputs.get("urgency"), Some(&text("on-fire")));
    let wrong =
        example! { "ticket": "input" => 1, "urgency": "output" => "Lo", "tags": "output" => [] };
    let errors = wrong
        .into_demo::<Triage>()
        .expect_err("nearly all is wrong");
    let errors: Vec<_> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(
        errors,
        [
            "`ticket`: expected a string, found an integer",
            "`urgency`: \"Lo\" is none of `low`, `on-fire`",
            "`score`: missing",
            "`weight`: missing",
        ]
    );
}

#[test]
fn many_demos_stand_in_one_list() {
    let demos = examples![
        Triage { ticket: "a", .. },
        Triage {
            ticket: "b",
            urgency: Urgency::Low,
            score: 1,
            tags: [],
            owner: None,
            weight: 1.0
        },
    ];
    assert_eq!(demos.len(), 2);
    let untyped = examples![
        { "q": "input" => 1, "a": "output" => 2 },
        { "q": "input" => 2, "a": "output" => 3 },
    ];
    assert_eq!(untyped[1].outputs().get("a"), Some(&Value::Int(3)));
}

#[test]
fn demos_come_from_a_file() {
    let demos: Vec<Demo<Triage>> = example_file!("data/triage_demos.jsonl" as Triage);
    assert_eq!(demos.len(), 2);
    assert_eq!(
        demos[0].values().outputs.get("weight"),
        Some(&Value::Float(2.0))
    );
    assert_eq!(demos[0].values().outputs.get("owner"), Some(&Value::Null));
    assert_eq!(
        demos[1].values().outputs.get("urgency"),
        Some(&text("on-fire"))
    );
    let demos = example_file!("data/triage_partial.json" as Triage, ..);
    assert_eq!(demos[0].values().outputs.len(), 1);
    assert!(demos[1].values().inputs.is_empty());
}

impl Triage {
    fn demo() -> Demo<Self> {
        example!(Self { ticket: "a", .. })
    }
}

#[test]
fn a_demo_works_within_a_generic_function_and_an_impl() {
    fn count<S: Signature>(demos: &[Demo<S>]) -> usize {
        demos.len()
    }
    assert_eq!(
        count(&[Triage::demo(), example!(Triage { score: 1, .. })]),
        2
    );
}

//! What attributes do: defaults, renames, aliases, skips, foreign types, formats, constraints, generics.

use std::collections::HashMap;
use std::time::Duration;

use candle_signature::prompt::Role;
use candle_signature::signature::{
    Constraint, FieldSet, FieldType, FieldValue, FieldValues, PromptFormat, Signature, Value,
};
use candle_signature::{CandleSignature, CandleValue, example};

/// A duration as a whole number of seconds.
mod seconds {
    use super::{Duration, FieldType, FieldValue, Value};
    use candle_signature::signature::ValueError;

    pub const TYPE: &FieldType = <u64 as FieldValue>::TYPE;

    pub fn from_value(value: Value) -> Result<Duration, ValueError> {
        u64::from_value(value).map(Duration::from_secs)
    }

    pub fn into_value(duration: Duration) -> Value {
        duration.as_secs().into_value()
    }
}

#[derive(CandleValue, Debug, Clone, PartialEq)]
#[value(rename = "Customer", rename_all = "camelCase", desc = "Who asks.")]
struct Person {
    /// As in the passport.
    full_name: String,
    #[value(default = 18, min = 0, max = 150)]
    age: u8,
    #[value(rename = "boss")]
    reports_to: Option<Box<Person>>,
    #[value(skip)]
    cache: HashMap<u8, u8>,
    #[value(with = seconds, default)]
    waits: Duration,
}

#[derive(CandleValue, Debug, Clone, PartialEq)]
struct Score(f64);

#[derive(CandleValue, Debug, Clone, PartialEq)]
#[value(tag = "kind", rename_all = "snake_case")]
enum Event {
    NothingHappened,
    #[value(alias = "Bang")]
    Explosion(Score),
    Visit {
        by: Person,
        #[value(default)]
        again: bool,
        #[value(skip)]
        seen: u8,
    },
}

fn lines(history: &[String]) -> String {
    history.join("\n")
}

/// The doc comment is not used.
#[derive(CandleSignature)]
#[signature(
    instruction = "Say what happens.",
    format = "json",
    output(derive(Eq, Hash))
)]
struct Log {
    /// Lines so far.
    #[input(format_with = lines)]
    history: Vec<String>,
    #[output(desc = "What happened.", rename = "what")]
    event: String,
    #[output(with = seconds, max = 60)]
    after: Duration,
    #[output(default = ["unsorted"], len = 1..=3, unique)]
    tags: Vec<String>,
}

#[derive(CandleSignature)]
struct Extract<T>
where
    T: Clone,
{
    #[input]
    text: String,
    #[output]
    items: Vec<T>,
}

fn map<const N: usize>(entries: [(&str, Value); N]) -> Value {
    Value::Map(entries.map(|(key, value)| (key.to_owned(), value)).into())
}

fn text(text: &str) -> Value {
    Value::String(text.into())
}

#[test]
fn a_struct_is_shown_by_its_names() {
    let FieldType::Struct(spec) = Person::TYPE else {
        panic!("a struct");
    };
    assert_eq!((&*spec.name, &*spec.desc), ("Customer", "Who asks."));
    let names: Vec<_> = spec.fields.iter().map(|field| &*field.name).collect();
    assert_eq!(names, ["fullName", "age", "boss", "waits"]);
    assert_eq!(spec.fields[0].desc, "As in the passport.");
    assert_eq!(spec.fields[1].constraints.len(), 2);
    assert!(matches!(*spec.fields[3].ty, FieldType::Int(_)));
}

#[test]
fn what_is_left_out_has_its_default() {
    let mia =
        Person::from_value(map([("fullName", text("Mia"))])).expect("only the name must be there");
    assert_eq!(
        (mia.age, mia.reports_to.is_none(), mia.waits),
        (18, true, Duration::ZERO)
    );
    let error = Person::from_value(map([("boss", map([("fullName", text("B"))]))]));
    assert_eq!(
        error.map_err(|e| e.to_string()),
        Err("`fullName`: missing".into())
    );
}

#[test]
fn values_go_out_and_come_back() {
    let boss = Person {
        full_name: "B".into(),
        age: 60,
        reports_to: None,
        cache: HashMap::new(),
        waits: Duration::from_secs(5),
    };
    let mia = Person {
        full_name: "Mia".into(),
        reports_to: Some(Box::new(boss.clone())),
        ..boss
    };
    for event in [
        Event::NothingHappened,
        Event::Explosion(Score(0.5)),
        Event::Visit {
            by: mia,
            again: true,
            seen: 0,
        },
    ] {
        assert_eq!(Event::from_value(event.clone().into_value()), Ok(event));
    }
    assert_eq!(
        Event::from_value(text("nothing_happened")),
        Ok(Event::NothingHappened)
    );
    assert_eq!(
        Event::from_value(map([("kind", text("Bang")), ("value", Value::Float(1.0))])),
        Ok(Event::Explosion(Score(1.0)))
    );
    assert_eq!(
        Event::NothingHappened.into_value(),
        map([("kind", text("nothing_happened"))])
    );
}

#[test]
fn errors_in_nested_values_name_the_way() {
    let wrong = map([
        ("kind", text("visit")),
        (
            "by",
            map([("fullName", text("M")), ("age", Value::Int(300))]),
        ),
    ]);
    let error = Event::from_value(wrong).expect_err("300 is no u8");
    assert_eq!(error.to_string(), "`by.age`: 300 is out of range: 0 to 255");
    for (value, message) in [
        (map([("value", Value::Int(1))]), "`kind`: missing"),
        (
            map([("kind", Value::Int(1))]),
            "`kind`: expected the name of a variant, found an integer",
        ),
        (
            Value::Null,
            "expected a map with the key `kind`, found null",
        ),
        (map([("kind", text("explosion"))]), "`value`: missing"),
        (
            text("Explosion"),
            "\"Explosion\" is none of `nothing_happened`, `explosion`, `visit`",
        ),
    ] {
        assert_eq!(
            Event::from_value(value).map_err(|error| error.to_string()),
            Err(message.into())
        );
    }
}

#[test]
fn the_spec_has_what_attributes_say() {
    let spec = Log::SPEC;
    assert_eq!(&*spec.instruction, "Say what happens.");
    assert_eq!(spec.format, PromptFormat::Json);
    assert!(matches!(*spec.inputs[0].ty, FieldType::String));
    assert_eq!(
        (&*spec.outputs[0].name, &*spec.outputs[0].desc),
        ("what", "What happened.")
    );
    assert_eq!(
        &*spec.outputs[2].constraints,
        [Constraint::Len { min: 1, max: 3 }, Constraint::Unique]
    );
}

#[test]
fn an_input_is_formatted_its_own_way() {
    let messages = Log::format(LogInput {
        history: vec!["a".into(), "b".into()],
    });
    let user = messages
        .iter()
        .find(|message| message.role == Role::User)
        .expect("a user message");
    assert!(user.content.contains("a\nb"), "{}", user.content);
}

#[test]
fn an_output_of_a_foreign_type_is_read_by_its_module() {
    let output = LogOutput::from_values(FieldValues::from_iter([
        ("what", text("rain")),
        ("after", Value::Int(5)),
    ]))
    .expect("tags have a default");
    assert_eq!(
        (output.after, &*output.tags),
        (Duration::from_secs(5), &["unsorted".to_owned()][..])
    );
    assert_eq!(output.into_values().get("after"), Some(&Value::Int(5)));
}

#[test]
fn a_partial_demo_writes_fields_as_the_prompt_does() {
    let demo = example!(Log {
        history: ["a", "b"],
        after: Duration::from_secs(5),
        tags: ["x"],
        ..
    });
    assert_eq!(demo.values().inputs.get("history"), Some(&text("a\nb")));
    assert_eq!(demo.values().outputs.get("after"), Some(&Value::Int(5)));
    assert_eq!(
        demo.values().outputs.get("tags"),
        Some(&Value::List(vec![text("x")]))
    );
}

#[test]
fn constraints_hold_for_replies() {
    let reply = |what: &str, after: u32, tags: &str| {
        format!(r#"{{"what": "{what}", "after": {after}, "tags": {tags}}}"#)
    };
    assert!(Log::parse(&reply("rain", 5, r#"["a"]"#)).is_ok());
    assert!(Log::parse(&reply("rain", 61, r#"["a"]"#)).is_err());
    assert!(Log::parse(&reply("rain", 5, r#"["a", "b", "c", "d"]"#)).is_err());
    assert!(Log::parse(&reply("rain", 5, "[]")).is_err());
}

#[test]
fn a_generic_signature_takes_any_field_type() {
    let FieldType::List(list) = &*Extract::<Score>::SPEC.outputs[0].ty else {
        panic!("a list");
    };
    assert!(matches!(*list.item, FieldType::Float(_)));
    let output = ExtractOutput {
        items: vec![1u8, 2],
    };
    assert_eq!(
        ExtractOutput::from_values(output.clone().into_values()),
        Ok(output)
    );
    let parsed =
        Extract::<bool>::parse("[[ ## items ## ]]\n[true, false]\n\n[[ ## completed ## ]]\n");
    assert_eq!(
        parsed.map(|output| output.items).ok(),
        Some(vec![true, false])
    );
    let _ = Extract::<bool> {
        text: String::new(),
        items: vec![],
    }
    .split();
}

/// Its types have none of the usual traits.
#[derive(CandleSignature)]
struct Bare {
    #[input]
    text: String,
    #[output]
    mood: Mood,
}

#[derive(CandleValue)]
enum Mood {
    Good,
    Bad,
}

#[test]
fn a_field_type_needs_no_trait_but_its_own() {
    for mood in ["Good", "Bad"] {
        let parsed = Bare::parse(&format!(
            "[[ ## mood ## ]]\n{mood}\n\n[[ ## completed ## ]]"
        ));
        let good = parsed.is_ok_and(|output| matches!(output.mood, Mood::Good));
        assert_eq!(good, mood == "Good");
    }
    assert_eq!(Bare::format(BareInput { text: "x".into() }).len(), 2);
    assert_eq!(
        format!("{:?}", BareInput { text: "x".into() }.clone()),
        "BareInput { text: \"x\" }"
    );
}

//! Files of demos whose types go deep: what the compiler accepts is what the program reads.

use std::collections::{BTreeSet, HashMap};

use candle_signature::signature::{FieldType, FieldValue, Value, ValueError};
use candle_signature::{CandleSignature, CandleValue, example_file};

#[derive(CandleValue)]
enum Mood {
    Calm,
    #[value(alias = "mad")]
    Angry,
}

#[derive(CandleValue)]
struct Person {
    name: String,
    #[value(max = 150, default = 18)]
    age: u8,
    boss: Option<Box<Person>>,
    /// A type that contains the one it is in.
    team: Option<Team>,
}

#[derive(CandleValue)]
struct Team {
    people: Vec<Person>,
}

/// A newtype that contains itself.
#[derive(CandleValue)]
struct Tree(Vec<Tree>);

#[derive(CandleValue)]
struct Pair<T> {
    left: T,
    right: Option<T>,
}

/// A generic type that contains itself: there constant evaluation does not follow.
#[derive(CandleValue)]
struct Chain<T> {
    value: T,
    next: Option<Box<Chain<T>>>,
}

#[derive(CandleValue)]
enum Step {
    Wait,
    Say(String),
    Call {
        #[value(regex = "[0-9]+")]
        number: String,
        moods: Vec<Mood>,
    },
}

/// A type with an implementation by hand, of which nothing is known before the program runs.
struct Even(i64);

impl FieldValue for Even {
    const TYPE: &'static FieldType = <i64 as FieldValue>::TYPE;

    fn from_value(value: Value) -> Result<Self, ValueError> {
        i64::from_value(value).map(Even)
    }

    fn into_value(self) -> Value {
        self.0.into_value()
    }
}

#[derive(CandleSignature)]
struct Deep {
    #[input]
    owner: Person,
    #[output]
    tree: Tree,
    #[output]
    pair: Pair<Pair<Mood>>,
    #[output]
    chain: Chain<u8>,
    #[output]
    steps: (u8, [Step; 4]),
    #[output]
    by_name: HashMap<String, Team>,
    #[output]
    moods: BTreeSet<char>,
    #[output]
    even: Even,
    #[output]
    any: serde_json::Value,
}

#[test]
fn a_right_file_compiles_and_is_read_as_typed_values() {
    let demos = example_file!("data/deep_demos.json" as Deep);
    let values = demos[0].values();
    let owner = values.inputs.get("owner").expect("it is given");
    let boss = owner.get("boss").expect("it is given");
    assert_eq!(owner.get("age"), Some(&Value::Int(18)), "the default");
    assert_eq!(boss.get("age"), Some(&Value::Int(50)));
    let shown = |name: &str| {
        let value = values.outputs.get(name).expect(name);
        serde_json::to_string(value).expect("values are JSON")
    };
    assert_eq!(shown("tree"), "[[],[[],[]]]");
    assert_eq!(
        shown("pair"),
        r#"{"left":{"left":"Calm","right":null},"right":{"left":"Angry","right":"Angry"}}"#
    );
    assert_eq!(
        shown("chain"),
        r#"{"value":1,"next":{"value":2,"next":null}}"#
    );
    assert_eq!(
        shown("steps"),
        r#"[1,[{"type":"Wait"},{"type":"Wait"},{"type":"Say","value":"hi"},{"type":"Call","number":"112","moods":["Angry"]}]]"#
    );
    assert_eq!(shown("even"), "4");
}

#[test]
fn the_deepest_file_that_is_read_is_checked_too() {
    // 32 levels: a check that needed more frames than constant evaluation has would not compile.
    let demos = example_file!("data/deepest.jsonl" as Deepest);
    assert_eq!(demos.len(), 1);
}

#[derive(CandleSignature)]
struct Deepest {
    #[output]
    tree: Tree,
    #[output]
    boss: Person,
    #[output]
    plan: Plan,
}

#[derive(CandleValue)]
enum Plan {
    End,
    Then { next: Option<Box<Plan>> },
}

//! Every supported type under every constraint, as output fields with a check of what is read for them.
#![allow(
    dead_code,
    reason = "each test binary compiles its own copy and uses a part of it"
)]

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};

use candle_signature::CandleValue;
use candle_signature::signature::{
    Bound, Constraint, FieldSpec, FieldValue, PromptFormat, SignatureSpec, TypeRef, Value,
    ValueError,
};
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};

#[derive(CandleValue, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Urgency {
    Low,
    High,
    #[value(rename = "on-fire", alias = "burning")]
    OnFire,
}

#[derive(CandleValue, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Pair {
    urgency: Urgency,
    sure: bool,
}

#[derive(CandleValue, Debug, PartialEq)]
pub struct Rated {
    #[value(one_of = ["red", "dark \"blue\""])]
    colour: String,
    #[value(min = 0.0, max = 0.000002)]
    score: f64,
    #[value(len = 0..=1)]
    flags: Vec<bool>,
}

#[derive(CandleValue, Debug, PartialEq)]
pub struct Person {
    #[value(len = 1..=3)]
    name: String,
    #[value(min = 0, max = 150)]
    age: Option<u8>,
    #[value(regex = "[A-Z]{2}-[0-9]+")]
    code: String,
    friends: HashSet<char>,
}

#[derive(CandleValue, Debug, PartialEq)]
pub enum Event {
    Nothing,
    Number(u8),
    Visit { by: Pair, again: Option<bool> },
}

/// Long to finish once it is begun.
#[derive(CandleValue, Debug, PartialEq)]
pub struct Wide {
    a_field_with_a_long_name: String,
    another_field_with_a_long_name: [Urgency; 4],
    the_last_field_with_a_long_name: Vec<Pair>,
    #[value(len = 3..)]
    or_not_quite_the_last_field: Vec<(bool, Urgency)>,
    more: Option<Person>,
}

/// Contains itself in every way that ends.
#[derive(CandleValue, Debug, PartialEq)]
pub enum Tree {
    Leaf,
    Fork { left: Box<Tree>, right: Box<Tree> },
    Chain(Option<Box<Tree>>),
    Many { trees: Vec<Tree> },
}

#[derive(CandleValue, Debug, PartialEq)]
pub struct Node {
    next: Option<Box<Node>>,
    children: BTreeMap<String, Node>,
}

/// A field, and whether a value that was read for it is one of its Rust type.
pub struct Case {
    pub field: FieldSpec,
    pub typed: fn(Value) -> Result<(), ValueError>,
}

fn case<T: FieldValue>(demands: Vec<Constraint>) -> Case {
    Case {
        field: FieldSpec {
            constraints: demands.into(),
            ..FieldSpec::owned("x", "", TypeRef::of::<T>())
        },
        typed: |value| T::from_value(value).map(drop),
    }
}

fn len(min: usize, max: usize) -> Constraint {
    Constraint::Len { min, max }
}

fn one_of(options: &[&str]) -> Constraint {
    let options = options.iter().map(|option| Cow::from(option.to_string()));
    Constraint::OneOf(options.collect::<Vec<_>>().into())
}

fn between(min: f64, max: f64) -> Vec<Constraint> {
    vec![
        Constraint::Min(Bound::Float(min)),
        Constraint::Max(Bound::Float(max)),
    ]
}

fn within(min: i128, max: i128) -> Vec<Constraint> {
    vec![
        Constraint::Min(Bound::Int(min)),
        Constraint::Max(Bound::Int(max)),
    ]
}

/// All of them.
pub fn cases() -> Vec<Case> {
    use Constraint::{Max, Min, OneLine, Regex, Unique};
    let regex = |regex: &'static str| Regex(regex.into());
    vec![
        case::<String>(vec![]),
        case::<String>(vec![OneLine]),
        case::<String>(vec![len(2, 4)]),
        case::<String>(vec![len(0, 9), OneLine]),
        case::<String>(vec![regex("[a-z]+(/[0-9]{1,3})?")]),
        case::<String>(vec![regex("[^x]*"), len(1, 3)]),
        case::<String>(vec![one_of(&[
            "red",
            " blue ",
            "[[ ## x ## ]]",
            "{x}",
            "a\nb",
        ])]),
        case::<String>(vec![one_of(&["red", "yellow"]), len(4, 9)]),
        case::<Option<String>>(vec![]),
        case::<Option<String>>(vec![len(3, 5)]),
        case::<char>(vec![]),
        case::<Option<char>>(vec![]),
        case::<bool>(vec![]),
        case::<i8>(vec![]),
        case::<u8>(within(7, 13)),
        case::<i64>(within(-45, -12)),
        case::<u64>(vec![Min(Bound::Int(17))]),
        case::<i128>(vec![]),
        case::<u128>(vec![]),
        case::<f32>(vec![]),
        case::<f32>(between(-0.1, 0.123_456_789)),
        case::<f32>(vec![Max(Bound::Float(0.3))]),
        case::<f64>(vec![]),
        case::<f64>(between(0.0, 1.0)),
        case::<f64>(vec![Min(Bound::Float(0.1))]),
        case::<Option<f64>>(vec![Max(Bound::Int(-3))]),
        case::<NaiveDate>(vec![]),
        case::<Option<NaiveTime>>(vec![]),
        case::<NaiveDateTime>(vec![]),
        case::<DateTime<Utc>>(vec![]),
        case::<BTreeSet<NaiveDate>>(vec![len(3, 9)]),
        case::<HashSet<DateTime<Utc>>>(vec![]),
        case::<Vec<(NaiveTime, Option<NaiveDate>)>>(vec![]),
        case::<serde_json::Value>(vec![]),
        case::<Option<serde_json::Value>>(vec![]),
        case::<Urgency>(vec![]),
        case::<Option<Urgency>>(vec![]),
        case::<Event>(vec![]),
        case::<Pair>(vec![]),
        case::<Person>(vec![]),
        case::<Option<Person>>(vec![]),
        case::<Tree>(vec![]),
        case::<Node>(vec![]),
        case::<(String, i8, Option<bool>)>(vec![]),
        case::<[bool; 3]>(vec![]),
        case::<[Urgency; 0]>(vec![]),
        case::<Vec<String>>(vec![]),
        case::<Vec<String>>(vec![Unique]),
        case::<Vec<String>>(vec![Unique, len(3, 3)]),
        case::<Vec<u8>>(vec![len(1, 3)]),
        case::<Vec<i8>>(vec![Unique, len(12, usize::MAX)]),
        case::<Vec<u128>>(vec![Unique]),
        case::<Vec<f32>>(vec![Unique]),
        case::<Vec<f64>>(vec![Unique, len(2, 6)]),
        case::<Vec<bool>>(vec![Unique, len(2, 2)]),
        case::<Vec<Option<bool>>>(vec![Unique, len(3, 3)]),
        case::<Vec<char>>(vec![Unique]),
        case::<Vec<Event>>(vec![Unique]),
        case::<Vec<Rated>>(vec![Unique, len(5, usize::MAX)]),
        case::<Vec<(bool, Urgency)>>(vec![Unique, len(6, 6)]),
        case::<Vec<[bool; 2]>>(vec![Unique, len(4, usize::MAX)]),
        case::<Vec<Wide>>(vec![]),
        case::<VecDeque<Person>>(vec![len(0, 2)]),
        case::<Vec<Tree>>(vec![]),
        case::<Vec<HashMap<String, Vec<bool>>>>(vec![]),
        case::<Option<Vec<bool>>>(vec![]),
        case::<HashSet<String>>(vec![]),
        case::<HashSet<String>>(vec![len(2, 4)]),
        case::<BTreeSet<Urgency>>(vec![]),
        case::<BTreeSet<Urgency>>(vec![len(3, 3)]),
        case::<BTreeSet<Pair>>(vec![len(6, usize::MAX)]),
        case::<BTreeSet<bool>>(vec![]),
        case::<Option<HashSet<Urgency>>>(vec![]),
        case::<BTreeSet<i8>>(vec![len(20, 30)]),
        case::<HashSet<Option<String>>>(vec![]),
        case::<BTreeSet<BTreeSet<bool>>>(vec![]),
        case::<BTreeSet<BTreeMap<String, bool>>>(vec![]),
        case::<HashSet<serde_json::Value>>(vec![]),
        case::<HashMap<String, i64>>(vec![]),
        case::<BTreeMap<String, String>>(vec![len(2, 3)]),
        case::<HashMap<String, HashSet<bool>>>(vec![]),
        case::<HashMap<String, serde_json::Value>>(vec![]),
        case::<BTreeMap<String, BTreeMap<String, Urgency>>>(vec![]),
    ]
}

/// A signature of these fields, named in order.
pub fn spec(fields: Vec<FieldSpec>, format: PromptFormat) -> SignatureSpec {
    let named = fields.into_iter().enumerate().map(|(at, field)| FieldSpec {
        name: ["x", "y", "z"][at % 3].into(),
        ..field
    });
    SignatureSpec {
        name: "Case".into(),
        instruction: "".into(),
        inputs: vec![FieldSpec::owned("input", "", TypeRef::TEXT)].into(),
        outputs: named.collect::<Vec<_>>().into(),
        format,
    }
}

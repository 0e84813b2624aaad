//! What `#[candle_tool]` makes: a description, and calls by untyped arguments.

use std::fmt;

use candle_signature::signature::{Constraint, FieldValues, Tool, ToolError, Value};
use candle_signature::{CandleValue, candle_tool};
use futures::executor::block_on;

#[derive(Debug)]
struct Unreachable(String);

impl fmt::Display for Unreachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} does not answer", self.0)
    }
}

impl std::error::Error for Unreachable {}

/// Search the encyclopedia
/// for a query.
#[candle_tool]
async fn search(
    /// What to look for.
    query: &str,
    #[arg(min = 1, max = 10, default = 3)] limit: u8,
) -> Result<Vec<String>, Unreachable> {
    if query == "down" {
        return Err(Unreachable("the server".into()));
    }
    Ok((1..=limit).map(|at| format!("{query} {at}")).collect())
}

#[candle_tool(name = "clock", description = "The time.")]
fn now() -> String {
    "noon".into()
}

#[candle_tool]
fn forget() {}

fn arguments<const N: usize>(entries: [(&'static str, Value); N]) -> FieldValues {
    entries.into_iter().collect()
}

#[test]
fn a_tool_is_described_by_its_function() {
    assert_eq!(SearchTool.name(), "search");
    assert_eq!(
        SearchTool.description(),
        "Search the encyclopedia for a query."
    );
    let [query, limit] = SearchTool.arguments() else {
        panic!("two arguments");
    };
    assert_eq!((&*query.name, &*query.desc), ("query", "What to look for."));
    assert_eq!(limit.constraints.len(), 2);
    assert!(matches!(limit.constraints[1], Constraint::Max(_)));
    assert_eq!(
        (NowTool.name(), NowTool.description()),
        ("clock", "The time.")
    );
    assert!(NowTool.arguments().is_empty());
}

#[test]
fn a_call_reads_its_arguments_by_name() {
    let found = block_on(SearchTool.call(arguments([
        ("limit", Value::Int(1)),
        ("query", Value::String("rust".into())),
    ])));
    assert_eq!(
        found.ok(),
        Some(Value::List(vec![Value::String("rust 1".into())]))
    );
    let found = block_on(SearchTool.call(arguments([("query", Value::String("a".into()))])));
    assert!(matches!(found, Ok(Value::List(items)) if items.len() == 3));
    assert_eq!(
        block_on(NowTool.call(FieldValues::new())).ok(),
        Some(Value::String("noon".into()))
    );
    assert_eq!(
        block_on(ForgetTool.call(FieldValues::new())).ok(),
        Some(Value::Null)
    );
}

#[test]
fn wrong_arguments_are_all_named() {
    let error = block_on(SearchTool.call(arguments([("limit", Value::Int(300))])))
        .expect_err("no query, and 300 is no u8");
    assert_eq!(
        error.to_string(),
        "tool `search`: argument `query`: missing; argument `limit`: 300 is out of range: 0 to 255"
    );
    let error = block_on(SearchTool.call(arguments([
        ("query", Value::String("a".into())),
        ("topic", Value::Null),
    ])))
    .expect_err("there is no topic");
    assert_eq!(
        error.to_string(),
        "tool `search`: argument `topic`: unknown; it has `query`, `limit`"
    );
}

#[derive(CandleValue)]
struct Place {
    #[value(len = 1..=20)]
    name: String,
    #[value(min = -90, max = 90)]
    latitude: f64,
}

#[derive(CandleValue)]
enum Target {
    Home,
    Streets(Vec<Street>),
    At { place: Option<Place> },
}

#[derive(CandleValue)]
struct Street {
    #[value(regex = "[A-Z].*")]
    name: String,
}

/// Go somewhere.
#[candle_tool]
fn go(target: Target, #[arg(one_of = ["bus", "car"], default = "bus")] by: String) -> String {
    let far = match &target {
        Target::Home => 0.0,
        Target::Streets(streets) => streets.iter().map(|street| street.name.len() as f64).sum(),
        Target::At { place } => place
            .as_ref()
            .map_or(1.0, |place| place.latitude + place.name.len() as f64),
    };
    format!("{far} by {by}")
}

fn json(text: &str) -> Value {
    Value::from(serde_json::from_str::<serde_json::Value>(text).expect("JSON"))
}

#[test]
fn constraints_hold_for_arguments_and_within_their_types() {
    for (limit, message) in [
        (0, "the value must be at least 1"),
        (11, "the value must be at most 10"),
    ] {
        let error = block_on(SearchTool.call(arguments([
            ("query", Value::String("a".into())),
            ("limit", Value::Int(limit)),
        ])))
        .expect_err("the limit is 1 to 10");
        assert_eq!(
            error.to_string(),
            format!("tool `search`: argument `limit`: {message}")
        );
    }
    let call = |target: &str, by: &str| {
        let target = ("target", json(target));
        block_on(GoTool.call(arguments([target, ("by", Value::String(by.into()))])))
            .map_err(|error| error.to_string())
    };
    assert_eq!(
        call(
            r#"{"type": "At", "place": {"name": "Oslo", "latitude": 59}}"#,
            "car"
        ),
        Ok(Value::String("63 by car".into()))
    );
    assert_eq!(
        call(r#""Home""#, "bus"),
        Ok(Value::String("0 by bus".into()))
    );
    for (target, by, message) in [
        (
            r#"{"type": "At", "place": {"name": "Oslo", "latitude": 91}}"#,
            "car",
            "argument `target.place.latitude`: the value must be at most 90",
        ),
        (
            r#"{"type": "At", "place": {"name": "", "latitude": 1}}"#,
            "foot",
            "argument `target.place.name`: the value must have 1 to 20 characters, not 0; argument `by`: the value must be one of bus, car",
        ),
        (
            r#"{"type": "Streets", "value": [{"name": "Main"}, {"name": "main"}]}"#,
            "bus",
            "argument `target.value.1.name`: the value must match `[A-Z].*`",
        ),
    ] {
        assert_eq!(call(target, by), Err(format!("tool `go`: {message}")));
    }
}

#[test]
fn a_tools_own_error_is_the_source() {
    let error = block_on(SearchTool.call(arguments([("query", Value::String("down".into()))])))
        .expect_err("the server is down");
    assert_eq!(
        error.to_string(),
        "tool `search` failed: the server does not answer"
    );
    assert!(matches!(&error, ToolError::Failed { source, .. } if source.is::<Unreachable>()));
}

#[test]
fn the_function_stays_a_function() {
    assert_eq!(
        block_on(search("a", 1)).map(|found| found.len()).ok(),
        Some(1)
    );
    assert_eq!(now(), "noon");
    forget();
}

#[test]
fn tools_of_different_types_stand_in_one_list() {
    let tools: Vec<Box<dyn Tool>> = vec![Box::new(SearchTool), Box::new(NowTool)];
    let names: Vec<_> = tools.iter().map(|tool| tool.name()).collect();
    assert_eq!(names, ["search", "clock"]);
}

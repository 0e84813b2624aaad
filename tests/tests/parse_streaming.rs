//! A reply in chunks gives what the whole gives, and tells nothing that does not hold.

mod parse_support;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use candle_signature::parse::{FieldEvent, ParseError, Parsed, ReplyParser, parse_reply};
use candle_signature::signature::{SignatureSpec, Value, marker_name};
use parse_support::spec;
use proptest::prelude::*;
use serde_json::json;

/// Feeds chunks of so many characters, in turn.
fn chunks<'t>(text: &'t str, sizes: &[usize]) -> Vec<&'t str> {
    let mut sizes = sizes.iter().cycle();
    let mut rest = text;
    let mut chunks = Vec::new();
    while !rest.is_empty() {
        let size = *sizes.next().unwrap_or(&1);
        let end = rest
            .char_indices()
            .nth(size)
            .map_or(rest.len(), |(at, _)| at);
        let (chunk, more) = rest.split_at(end);
        chunks.push(chunk);
        rest = more;
    }
    chunks
}

struct Streamed {
    /// The events of each chunk, and last those of the end.
    events: Vec<FieldEvent>,
    /// How many of them came before the end.
    early: usize,
    result: Result<Parsed, ParseError>,
}

fn streamed(spec: &SignatureSpec, reply: &str, sizes: &[usize]) -> Streamed {
    let mut parser = ReplyParser::new(spec.clone());
    let mut events = Vec::new();
    for chunk in chunks(reply, sizes) {
        events.extend(parser.feed(chunk));
    }
    assert_eq!(parser.text(), reply);
    let early = events.len();
    let (last, result) = parser.finish();
    events.extend(last);
    Streamed {
        events,
        early,
        result,
    }
}

/// What a reader who follows the events knows of a field at the end.
#[derive(Default, Debug)]
struct Known {
    text: String,
    elements: Vec<Value>,
    done: Option<Value>,
}

/// Follows events, and checks their order.
fn follow(events: &[FieldEvent]) -> BTreeMap<String, Known> {
    let mut fields: BTreeMap<String, Known> = BTreeMap::new();
    for event in events {
        match event {
            FieldEvent::Started { field } => {
                let before = fields.insert(field.to_string(), Known::default());
                assert!(before.is_none(), "`{field}` started twice");
            }
            FieldEvent::Text { field, delta } => {
                let known = fields.get_mut(&**field).expect("started");
                assert!(known.done.is_none() && !delta.is_empty());
                known.text.push_str(delta);
            }
            FieldEvent::Element {
                field,
                index,
                value,
            } => {
                let known = fields.get_mut(&**field).expect("started");
                assert!(known.done.is_none() && *index == known.elements.len());
                known.elements.push(value.clone());
            }
            FieldEvent::Done { field, value } => {
                let known = fields.get_mut(&**field).expect("started");
                assert!(known.done.replace(value.clone()).is_none());
            }
            FieldEvent::Retracted { field } => {
                *fields.get_mut(&**field).expect("started") = Known::default();
            }
            _ => unreachable!("all kinds are named"),
        }
    }
    fields
}

/// Equal but for NaN.
fn same(a: &Value, b: &Value) -> bool {
    json!(a) == json!(b)
}

/// Retractions that nothing excuses: of a draft everything, else only the elements of a list.
fn retractions(events: &[FieldEvent], draft: bool) -> usize {
    let elements = |name: &str| {
        let is = |event: &FieldEvent| matches!(event, FieldEvent::Element { field, .. } if field == name);
        events.iter().any(is)
    };
    let is = |event: &&FieldEvent| matches!(event, FieldEvent::Retracted { field } if !draft && !elements(field));
    events.iter().filter(is).count()
}

/// Everything that holds for every reply and chunking.
fn holds(spec: &SignatureSpec, reply: &str, sizes: &[usize]) -> Streamed {
    let found = streamed(spec, reply, sizes);
    let whole = parse_reply(spec, reply);
    match (&found.result, &whole) {
        (Ok(a), Ok(b)) => {
            assert_eq!(json!(a.values), json!(b.values), "{reply:?}");
            assert_eq!(
                (&a.repairs, &a.spans, a.completed),
                (&b.repairs, &b.spans, b.completed)
            );
        }
        (Err(a), Err(b)) => assert_eq!((&a.errors, &a.repairs), (&b.errors, &b.repairs)),
        _ => panic!("{reply:?} parses only once: {:?} {whole:?}", found.result),
    }
    let fields = follow(&found.events);
    if let Ok(parsed) = &whole {
        for (name, value) in parsed.values.iter() {
            let known = fields
                .get(name)
                .unwrap_or_else(|| panic!("`{name}` is not told of {reply:?}"));
            let done = known.done.as_ref().expect("done");
            assert!(same(done, value), "{reply:?}: {done:?} is not {value:?}");
            match value {
                Value::String(text) if !known.text.is_empty() => assert_eq!(&known.text, text),
                Value::List(items) if !known.elements.is_empty() => {
                    assert!(same(
                        &Value::List(known.elements.clone()),
                        &Value::List(items.clone())
                    ));
                }
                _ => assert!(
                    known.text.is_empty() && known.elements.is_empty(),
                    "{known:?}"
                ),
            }
        }
        // Only these take back what was told: a draft that ends in `</think>`, a JSON object in front of sections, and a
        // list that another one in its section, or an error in it, overrides.
        let object = !reply.contains("[[ ## a ## ]]") || reply.find('{') < reply.find("[[");
        let draft =
            reply.to_ascii_lowercase().contains("</think>") || object && reply.contains('{');
        let overruled = retractions(&found.events, draft);
        assert_eq!(overruled, 0, "{reply:?}: {:?}", found.events);
    } else {
        assert_eq!(found.events.len(), found.early);
    }
    found
}

const MARKERS: &[&str] = &[
    "[[ ## a ## ]]",
    "[[ ## b ## ]]",
    "[[ ## c ## ]]",
    "[[ ## completed ## ]]",
    "[[ ## other ## ]]",
    "**[[ ## a ## ]]**",
    "[[ ## B ## ]]",
    "[[b]]",
    "## c ##",
    "\\[[ ## b ## ]]",
];

const PIECES: &[&str] = &[
    "\n",
    "\n\n",
    "\r\n",
    "\r",
    " ",
    "\u{2028}",
    "```",
    "```json\n",
    "\n```\n",
    "~~~",
    "<think>",
    "</think>",
    "<|im_end|>",
    "<|im_",
    "</s>",
    "[[",
    "]]",
    "[",
    "]",
    "{",
    "}",
    "\"",
    ",",
    ":",
    "##",
    "#",
    "- ",
    "**",
    "`",
    "\\",
    "\\n",
    "\\u00e9",
    "\\ud83d\\ude00",
    "null",
    "None",
    "{a}",
    "Not supplied for this particular example.",
    "Not supplied",
    "Oslo",
    "x",
    "é",
    "😀",
    "\u{feff}",
    "1",
    "-2.5",
    "[1, 2]",
    "[\"x\", \"y\"]",
    "[\"x\", 1]",
    "true",
    "{\"a\": \"Oslo\", \"b\": [1, 2], \"c\": true}",
    "{\"a\": \"",
    "\"b\": [",
    "\"c\": false",
    "completed",
    "comp",
    ".",
    "<",
    "a: Oslo\n",
];

fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => proptest::sample::select(MARKERS).prop_map(|marker| format!("\n{marker}\n")),
        1 => proptest::sample::select(MARKERS).prop_map(str::to_owned),
        8 => proptest::sample::select(PIECES).prop_map(str::to_owned),
        1 => any::<String>(),
    ]
}

fn reply() -> impl Strategy<Value = String> {
    let pieces = || proptest::collection::vec(piece(), 0..12).prop_map(|pieces| pieces.concat());
    prop_oneof![
        pieces(),
        // Likely to parse.
        (pieces(), pieces(), proptest::sample::select(&["true", "no", "yes."][..]), pieces()).prop_map(|(a, b, c, end)| format!(
            "[[ ## a ## ]]\n{a}\n\n[[ ## b ## ]]\n{b}\n\n[[ ## c ## ]]\n{c}\n\n[[ ## completed ## ]]\n{end}"
        )),
        (text(), proptest::collection::vec(any::<i64>(), 0..4), pieces(), any::<bool>()).prop_map(|(a, b, front, c)| format!(
            "{front}[[ ## a ## ]]\n{a}\n\n[[ ## b ## ]]\n{}\n\n[[ ## c ## ]]\n{c}", json!(b)
        )),
        (text(), proptest::collection::vec(any::<i64>(), 0..4), any::<bool>(), pieces()).prop_map(|(a, b, c, end)| format!(
            "{{\n  \"a\": {},\n  \"b\": {},\n  \"c\": {c}\n}}{end}", json!(a), json!(b)
        )),
    ]
}

fn text() -> impl Strategy<Value = String> {
    proptest::collection::vec(proptest::sample::select(PIECES), 0..12)
        .prop_map(|pieces| pieces.concat())
}

const SPECS: &[[&str; 3]] = &[
    ["String", "Vec<i64>", "bool"],
    ["Option<String>", "Vec<String>", "Option<bool>"],
    ["String", "Option<Vec<Json>>", "String"],
    ["Json", "HashSet<i64>", "Option<String>"],
    ["Vec<String>", "[i64; 2]", "enum:true|no"],
];

fn specs() -> impl Strategy<Value = SignatureSpec> {
    let of = |types: [&str; 3]| spec(&[("a", types[0]), ("b", types[1]), ("c", types[2])]);
    proptest::sample::select(SPECS).prop_map(of)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_chunking_gives_what_the_whole_gives(
        spec in specs(),
        reply in reply(),
        sizes in proptest::collection::vec(1usize..9, 1..5),
    ) {
        let by_one = holds(&spec, &reply, &[1]);
        holds(&spec, &reply, &sizes);
        holds(&spec, &reply, &[usize::MAX]);
        // What is told while it comes in is no marker; in JSON, behind a backslash or in a fence it may look like one.
        if !reply.contains(['{', '\\', '`', '~']) {
            for known in follow(&by_one.events[..by_one.early]).values() {
                // On the first line such a marker may follow one of its own field, and is text then.
                let mut lines = known.text.split(['\n', '\r']).skip(1);
                prop_assert!(lines.all(|line| marker_name(line).is_none()), "{:?}", known.text);
            }
        }
    }
}

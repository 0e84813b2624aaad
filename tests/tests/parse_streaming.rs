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
        // The text field last, so that the end may take something away from it.
        (any::<bool>(), pieces(), text()).prop_map(|(c, a, end)| format!(
            "[[ ## b ## ]]\n[]\n[[ ## c ## ]]\n{c}\n[[ ## a ## ]]\n{a} x [[ ## completed ## ]]{end}"
        )),
        (any::<bool>(), text(), proptest::sample::select(MARKERS)).prop_map(|(c, a, end)| format!(
            "[[ ## b ## ]]\n[]\n[[ ## c ## ]]\n{c}\n[[ ## a ## ]]\n{a} x {end}<|im_end|>\n"
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

/// Each event in a few words.
fn told(events: &[FieldEvent]) -> Vec<String> {
    let say = |event: &FieldEvent| match event {
        FieldEvent::Started { field } => format!("{field}"),
        FieldEvent::Text { field, delta } => format!("{field}+{delta:?}"),
        FieldEvent::Element {
            field,
            index,
            value,
        } => format!("{field}[{index}]={}", json!(value)),
        FieldEvent::Done { field, value } => format!("{field}={}", json!(value)),
        FieldEvent::Retracted { field } => format!("{field} retracted"),
        _ => unreachable!("all kinds are named"),
    };
    events.iter().map(say).collect()
}

fn abc(types: [&str; 3]) -> SignatureSpec {
    spec(&[("a", types[0]), ("b", types[1]), ("c", types[2])])
}

#[test]
fn a_chat_reply_is_told_as_it_comes() {
    let spec = abc(["String", "Vec<String>", "Option<bool>"]);
    let reply = "[[ ## a ## ]]\nOslo is\n- nice\n\n[[ ## b ## ]]\n[\"x, y\", \"z\"]\n\n[[ ## c ## ]]\nnull\n\n[[ ## completed ## ]]\n";
    let found = holds(&spec, reply, &[4]);
    assert_eq!(
        told(&found.events),
        [
            "a",
            "a+\"Os\"",
            "a+\"lo i\"",
            "a+\"s\"",
            "a+\"\\n- nice\"",
            "a=\"Oslo is\\n- nice\"",
            "b",
            "b[0]=\"x, y\"",
            "b[1]=\"z\"",
            "b=[\"x, y\",\"z\"]",
            "c",
            "c=null",
        ]
    );
    assert_eq!(found.early, found.events.len());
}

#[test]
fn a_json_reply_is_told_as_it_comes() {
    let spec = abc(["String", "Vec<i64>", "Option<bool>"]);
    let object = "{\n  \"a\": \"Os\\u00e9\\n\\\"lo\",\n  \"b\": [1, 23],\n  \"c\": null\n}";
    for reply in [
        object.to_owned(),
        format!("```json\n{object}\n```"),
        format!("<think>\nhm\n</think>\n{object}"),
    ] {
        let found = holds(&spec, &reply, &[1]);
        let wanted = [
            "a",
            "a+\"O\"",
            "a+\"s\"",
            "a+\"é\"",
            "a+\"\\n\"",
            "a+\"\\\"\"",
            "a+\"l\"",
            "a+\"o\"",
            "a=\"Osé\\n\\\"lo\"",
            "b",
            "b[0]=1",
            "b[1]=23",
            "b=[1,23]",
            "c",
            "c=null",
        ];
        assert_eq!(told(&found.events), wanted);
        assert_eq!(found.early, found.events.len());
    }
}

#[test]
fn what_may_become_a_marker_waits() {
    let spec = abc(["String", "i64", "bool"]);
    for (so_far, text) in [
        ("[[ ## a ## ]]\nOslo\n\n[[ ## b", "Oslo"),
        ("[[ ## a ## ]]\nOslo\n[", "Oslo"),
        ("[[ ## a ## ]]\nOslo\n**", "Oslo"),
        ("[[ ## a ## ]]\nOslo [[ ## comp", "Oslo"),
        ("[[ ## a ## ]]\nOslo <|im_en", "Oslo"),
        ("[[ ## a ## ]]\nOslo  \n ", "Oslo"),
        ("[[ ## a ## ]]\n{a", ""),
        ("[[ ## a ## ]]\n1. [x] y", "1. [x] y"),
        ("[[ ## a ## ]]\n* x\n[1, 2", "* x\n[1, 2"),
        ("[[ ## a ## ]]\n\\[[ ## b ## ]] x", "[[ ## b ## ]] x"),
        ("[[ ## a ## ]]\n```\n[[ ## b ## ]]\n1\n", "```"),
        ("[[ ## a ## ]]\nx\n**[[ ## b ## ]]**\n1\n", "x"),
        ("<think>\n[[ ## a ## ]]\nx\n", ""),
        ("{\"a\": \"Os\\u00", "Os"),
    ] {
        let mut parser = ReplyParser::new(spec.clone());
        let mut events = Vec::new();
        for chunk in chunks(so_far, &[1]) {
            events.extend(parser.feed(chunk));
        }
        let known = follow(&events).remove("a").unwrap_or_default();
        assert_eq!(known.text, text, "{so_far:?}");
    }
}

#[test]
fn a_draft_is_retracted_before_its_field_is_told_anew() {
    let spec = spec(&[("a", "String")]);
    let draft = "[[ ## a ## ]]\nParis\n\n[[ ## completed ## ]]\n</think>\n[[ ## a ## ]]\nOslo\n\n[[ ## completed ## ]]";
    let found = holds(&spec, draft, &[usize::MAX]);
    assert_eq!(
        told(&found.events),
        [
            "a",
            "a+\"Paris\"",
            "a=\"Paris\"",
            "a retracted",
            "a+\"Oslo\"",
            "a=\"Oslo\""
        ]
    );
}

#[test]
fn a_reply_that_does_not_parse_ends_without_further_events() {
    let found = holds(
        &abc(["String", "i64", "bool"]),
        "[[ ## a ## ]]\nOslo\n[[ ## b ## ]]\nfew\n",
        &[3],
    );
    assert_eq!(
        told(&found.events),
        ["a", "a+\"O\"", "a+\"slo\"", "a=\"Oslo\"", "b"]
    );
    assert_eq!(found.result.unwrap_err().errors.len(), 2);
}

#[test]
fn two_megabytes_byte_by_byte_take_linear_time() {
    const SIZE: usize = 2 << 20;
    let fill = |piece: &str| piece.repeat(SIZE / piece.len());
    let section = |text: &str| format!("[[ ## a ## ]]\n{text}");
    let pieces = [
        "some text\n",
        " ",
        "\n",
        "[",
        "[[",
        "[[ ",
        "[[.",
        "<",
        "<|im_end|>",
        "-",
        "#",
        "\\",
        "\\[[ ",
        "`",
        "```\n",
        "- [[ ## c ## ]]\n",
        "[[ ## a ## ]]\n",
        "[[ ## other ## ]]\n",
        "x [[ ## completed",
        "\u{2028}",
        "é",
    ];
    let mut replies: Vec<String> = pieces.iter().map(|piece| section(&fill(piece))).collect();
    replies.extend(pieces.iter().map(|piece| fill(piece)));
    replies.push(fill("<think></think>"));
    replies.push(format!("<think>{}", fill("</thin")));
    replies.push(format!("{{\"a\": \"{}\"}}", fill("\\u00e9")));
    replies.push(format!("{{\"a\": \"{}", fill("x")));
    replies.push(format!("{{\"b\": [{}", fill("\"x\",")));
    replies.push(format!("{{\"b\": {}", fill("[")));
    replies.push(format!("[[ ## b ## ]]\n[{}", fill("\"x\",")));
    replies.push(format!("[[ ## b ## ]]\n[\"{}", fill("x")));
    let spec = abc(["String", "Vec<String>", "Option<bool>"]);
    for reply in &replies {
        let start = Instant::now();
        let mut parser = ReplyParser::new(spec.clone());
        let mut events = 0;
        for chunk in chunks(reply, &[1]) {
            events += parser.feed(chunk).len();
        }
        let fed = start.elapsed();
        let name: String = reply.chars().take(30).collect();
        println!("{:>6} ms, {events:>7} events: {name:?}", fed.as_millis());
        // Quadratic time would be hours.
        assert!(fed < Duration::from_secs(20), "{name:?}: {fed:?}");
    }
}

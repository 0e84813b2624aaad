//! Replies without sections: JSON, labels, elements, bare values.

mod parse_support;

use parse_support::replies::{CITY, Case, check, oslo};
use serde_json::json;

#[test]
fn a_json_object_is_a_reply_too() {
    let missing_rank = json!([["rank missing"], {"city": "Oslo"}]);
    let cases: Vec<Case<'_>> = [
        ("{\"city\": \"Oslo\", \"rank\": 3}", oslo()),
        ("```json\n{\"city\": \"Oslo\", \"rank\": 3}\n```", oslo()),
        (
            "Here it is:\n\n{\"city\": \"Oslo\", \"rank\": 3}\n\nBye.",
            oslo(),
        ),
        ("{\"City\": \"Oslo\", \"Rank\": \"3\"}", oslo()),
        ("{'city': 'Oslo', 'rank': 3,}", oslo()),
        ("{\"output\": {\"city\": \"Oslo\", \"rank\": 3}}", oslo()),
        ("{\"city\": \"Oslo\", \"rank\": 3, \"why\": \"so\"}", oslo()),
        (
            "{\"city\": \"Oslo\", \"rank\": 3}\n[[ ## completed ## ]]",
            oslo(),
        ),
        (
            "{\"city\": \"Oslo\", \"rank\": 3}\n{\"city\": \"Oslo\", \"rank\": 3}",
            oslo(),
        ),
        ("{\"rank\": 3, \"city\": \"Oslo\"", oslo()),
        ("{\"city\": \"Oslo\"}", missing_rank.clone()),
        ("{\"city\": \"Oslo\", \"rank\": 3", missing_rank.clone()),
        (
            "{\"city\": \"Oslo\", \"rank\": ",
            json!([["city missing", "rank missing"], {}]),
        ),
        (
            "{\"city\": \"Oslo\", \"rank\": \"third\"}",
            json!([["rank type"], {"city": "Oslo"}]),
        ),
        (
            "{\"city\": null, \"rank\": 3}",
            json!([["city type"], {"rank": 3}]),
        ),
        (
            "{\"city\": \"A\", \"rank\": 3} {\"city\": \"B\", \"rank\": 3}",
            json!([["city ambiguous"], {"rank": 3}]),
        ),
        (
            "{\"city\": \"Oslo\", \"rank\": 3, \"rank\": 4}",
            json!([["rank ambiguous"], {"city": "Oslo"}]),
        ),
    ]
    .into_iter()
    .map(|(reply, wanted)| (CITY, reply, wanted))
    .collect();
    check(&cases);
    let who: &[(&str, &str)] = &[("who", "struct:{\"name\":\"String\",\"age\":\"i64\"}")];
    check(&[
        (
            who,
            "{\"who\": {\"name\": \"Bo\", \"age\": 4}}",
            json!({"who": {"name": "Bo", "age": 4}}),
        ),
        (
            who,
            "{\"name\": \"Bo\", \"age\": 4}",
            json!({"who": {"name": "Bo", "age": 4}}),
        ),
        (
            &[("tags", "Vec<String>")],
            "[\"a\"]",
            json!({"tags": ["a"]}),
        ),
        (
            &[("tags", "Vec<String>")],
            "{\"tags\": [\"a\"]}",
            json!({"tags": ["a"]}),
        ),
    ]);
}

#[test]
fn labels_and_elements_stand_for_markers() {
    let none = json!([["city missing", "rank missing"], {}]);
    let cases: Vec<Case<'_>> = [
        ("city: Oslo\nrank: 3", oslo()),
        ("City: Oslo\nRank: 3\n\nLet me know!", oslo()),
        ("**City:** Oslo\n**Rank:** 3", oslo()),
        ("**City**: Oslo\n\n**Rank**: 3", oslo()),
        ("- city: Oslo\n- rank: 3", oslo()),
        ("Sure:\n\ncity: Oslo\nrank: 3", oslo()),
        ("### City\nOslo\n\n### Rank\n3", oslo()),
        ("<city>Oslo</city>\n<rank>3</rank>", oslo()),
        (
            "<city>\nOslo\n</city>\n<rank>\n3\n</rank>\n[[ ## completed ## ]]",
            oslo(),
        ),
        ("rank: 3\ncity: Oslo\n\nHope that helps!", none.clone()),
        ("city: Oslo", json!([["rank missing"], {"city": "Oslo"}])),
        (
            "city: Oslo\nrank: 3\nrank: 4",
            json!([["rank ambiguous"], {"city": "Oslo"}]),
        ),
        ("Oslo is third.", none.clone()),
        ("I'm sorry, I can't help with that.", none.clone()),
        ("", none.clone()),
        ("   \n", none.clone()),
        ("[[ ## completed ## ]]", none.clone()),
        ("Oslo\n3", none.clone()),
        (
            "Oslo\n\n[[ ## rank ## ]]\n3",
            json!([["city missing"], {"rank": 3}]),
        ),
    ]
    .into_iter()
    .map(|(reply, wanted)| (CITY, reply, wanted))
    .collect();
    check(&cases);
}

#[test]
fn a_bare_value_stands_for_the_only_field_unless_it_is_free_text() {
    check(&[
        (&[("n", "i64")], "42", json!({"n": 42})),
        (
            &[("n", "i64")],
            "42\n\n[[ ## completed ## ]]",
            json!({"n": 42}),
        ),
        (&[("n", "i64")], "about 42", json!([["n type"], {}])),
        (&[("n", "i64")], "I don't know.", json!([["n type"], {}])),
        (&[("ok", "bool")], "Yes.", json!({"ok": true})),
        (&[("c", "enum:Low|High")], "High", json!({"c": "High"})),
        (&[("s", "String")], "Oslo", json!([["s missing"], {}])),
        (
            &[("s", "String")],
            "I'm sorry, I can't.",
            json!([["s missing"], {}]),
        ),
        (
            &[("s", "Option<String>")],
            "Oslo",
            json!([["s missing"], {}]),
        ),
        (&[("s", "Option<String>")], "", json!({"s": null})),
        (
            &[("s", "Option<String>")],
            "[[ ## completed ## ]]",
            json!({"s": null}),
        ),
        (
            &[("n", "i64"), ("m", "i64")],
            "42",
            json!([["n missing", "m missing"], {}]),
        ),
    ]);
}

//! Whole replies: how markers, fences and thoughts give the text of each field.

mod parse_support;

use candle_signature::parse::{RepairKind, parse_reply};
use parse_support::replies::{CITY, Case, check, oslo, outcome};
use parse_support::spec;
use serde_json::json;

#[test]
fn markers_are_read_in_many_spellings() {
    let cases: Vec<Case<'_>> = [
        "[[ ## city ## ]]\nOslo\n\n[[ ## rank ## ]]\n3\n\n[[ ## completed ## ]]\n",
        "[[ ## city ## ]]\r\nOslo\r\n\r\n[[ ## rank ## ]]\r\n3\r\n\r\n[[ ## completed ## ]]\r\n",
        "\u{feff}[[ ## city ## ]]\nOslo\n[[ ## rank ## ]]\n3",
        "[[ ## City ## ]]\nOslo\n\n[[ ## RANK ## ]]\n3\n\n[[ ## COMPLETED ## ]]",
        "[[##city##]]\nOslo\n[[##rank##]]\n3\n[[##completed##]]",
        "[[  ##  city  ##  ]]\nOslo\n  [[ ## rank ## ]]\n3",
        "**[[ ## city ## ]]**\nOslo\n\n**[[ ## rank ## ]]**\n3\n\n**[[ ## completed ## ]]**",
        "`[[ ## city ## ]]`\nOslo\n\n`[[ ## rank ## ]]`\n3",
        "### [[ ## city ## ]]\nOslo\n\n### [[ ## rank ## ]]\n3",
        "- [[ ## city ## ]]\nOslo\n- [[ ## rank ## ]]\n3",
        "> [[ ## city ## ]]\nOslo\n> [[ ## rank ## ]]\n3",
        "[[ ## city ## ]] Oslo\n[[ ## rank ## ]] 3\n[[ ## completed ## ]]",
        "[[ ## city ## ]]: Oslo\n[[ ## rank ## ]]: 3",
        "**[[ ## city ## ]]:** Oslo\n**[[ ## rank ## ]]:** 3",
        "[[ ## city ## ]] Oslo [[ ## rank ## ]] 3 [[ ## completed ## ]]",
        "[[ ## city ]]\nOslo\n[[ ## rank ]]\n3",
        "[[city]]\nOslo\n[[rank]]\n3\n[[completed]]",
        "[ ## city ## ]\nOslo\n[ ## rank ## ]\n3",
        "## city ##\nOslo\n## rank ##\n3",
        "[[ ## rank ## ]]\n3\n\n[[ ## city ## ]]\nOslo\n\n[[ ## completed ## ]]",
        "[[ ## city ## ]]\nOslo\n\n[[ ## rank ## ]]\n3 [[ ## completed ## ]]",
        "[[ ## city ## ]]\n\n\nOslo\n\n\n\n[[ ## rank ## ]]\n\n3\n\n",
    ]
    .into_iter()
    .map(|reply| (CITY, reply, oslo()))
    .collect();
    check(&cases);
}

#[test]
fn what_stands_around_the_sections_is_ignored() {
    let cases: Vec<Case<'_>> = [
        "Sure, here you go:\n\n[[ ## city ## ]]\nOslo\n\n[[ ## rank ## ]]\n3\n\n[[ ## completed ## ]]",
        "[[ ## city ## ]]\nOslo\n\n[[ ## rank ## ]]\n3\n\n[[ ## completed ## ]]\n\nAnything else?",
        "[[ ## city ## ]]\nOslo\n\n[[ ## rank ## ]]\n3\n\nLet me know if you need more!",
        "```\n[[ ## city ## ]]\nOslo\n\n[[ ## rank ## ]]\n3\n\n[[ ## completed ## ]]\n```",
        "```\n[[ ## rank ## ]]\n3\n\n[[ ## city ## ]]\nOslo\n```",
        "Here:\n```text\n[[ ## city ## ]]\nOslo\n\n[[ ## rank ## ]]\n3\n```\n",
        "[[ ## question ## ]]\nWhere?\n\n[[ ## city ## ]]\nOslo\n\n[[ ## rank ## ]]\n3",
        "[[ ## city ## ]]\nOslo\n\n[[ ## notes ## ]]\nNone.\n\n[[ ## rank ## ]]\n3",
        "[[ ## city ## ]]\nOslo\n\n[[ ## rank ## ]]\n3\n\n[[ ## completed ## ]]\n\n[[ ## question ## ]]\nNext?\n\n[[ ## city ## ]]\nRome\n\n[[ ## rank ## ]]\n9",
        "[[ ## city ## ]]\n{city}\n\n[[ ## rank ## ]]\n{rank}\n\n[[ ## city ## ]]\nOslo\n\n[[ ## rank ## ]]\n3",
    ]
    .into_iter()
    .map(|reply| (CITY, reply, oslo()))
    .collect();
    check(&cases);
}

#[test]
fn thoughts_are_no_answers() {
    let rest = "[[ ## city ## ]]\nOslo\n\n[[ ## rank ## ]]\n3\n\n[[ ## completed ## ]]\n";
    let draft = "[[ ## city ## ]]\nRome\n\n[[ ## rank ## ]]\n9\n";
    for reply in [
        format!("<think>\nRome?\n</think>\n{rest}"),
        format!("<think>\n{draft}</think>\n{rest}"),
        format!("<THINK>{draft}</THINK>{rest}"),
        format!("  \n<think></think>\n\n{rest}"),
        format!("<think>a</think>\n<think>b</think>\n{rest}"),
        format!("{draft}\n</think>\n\n{rest}"),
        format!("Well.\n<think>\n{draft}</think>\n{rest}"),
        format!("<thinking>{draft}\n</thinking>\n{rest}"),
        format!("<think>\nHm.\n{rest}"),
        format!("<think>\n{draft}\n</think>\n{{\"city\": \"Oslo\", \"rank\": 3}}"),
        "[[ ## city ## ]]\nOslo\n\n[[ ## rank ## ]]\n<think>\n9\n</think>\n3".into(),
    ] {
        assert_eq!(outcome(CITY, &reply), oslo(), "{reply}");
    }
    let missing = json!([["city missing", "rank missing"], {}]);
    for reply in [
        format!("<think>\n{draft}"),
        "<think>\nIt is {\"city\": \"Rome\", \"rank\": 9}".into(),
    ] {
        assert_eq!(outcome(CITY, &reply), missing, "{reply}");
    }
}

#[test]
fn two_sections_of_a_field_must_agree() {
    check(&[
        (
            CITY,
            "[[ ## city ## ]]\nOslo\n[[ ## rank ## ]]\n3\n[[ ## rank ## ]]\n3",
            oslo(),
        ),
        (
            CITY,
            "[[ ## city ## ]]\nOslo\n[[ ## rank ## ]]\n3\n[[ ## rank ## ]]\n3.0",
            oslo(),
        ),
        (
            CITY,
            "[[ ## city ## ]]\n\n[[ ## city ## ]]\nOslo\n[[ ## rank ## ]]\n3",
            oslo(),
        ),
        (
            CITY,
            "[[ ## city ## ]]\nOslo\n[[ ## rank ## ]]\n3\n[[ ## rank ## ]]\n4",
            json!([["rank ambiguous"], {"city": "Oslo"}]),
        ),
        (
            CITY,
            "[[ ## city ## ]]\nOslo\n[[ ## rank ## ]]\n3\n[[ ## city ## ]]\nRome",
            json!([["city ambiguous"], {"rank": 3}]),
        ),
        (
            CITY,
            "[[ ## city ## ]]\nOslo\n[[ ## rank ## ]]\n3\n[[ ## rank ## ]]\nfour",
            json!([["rank ambiguous"], {"city": "Oslo"}]),
        ),
    ]);
    let error = parse_reply(
        &spec(CITY),
        "[[ ## city ## ]]\nA\n[[ ## city ## ]]\nB\n[[ ## rank ## ]]\n1",
    )
    .expect_err("two cities");
    assert_eq!(error.errors[0].candidates, ["\"A\"", "\"B\""]);
}

#[test]
fn marker_text_within_a_value_stays_text() {
    let doc: &[(&str, &str)] = &[("doc", "String")];
    let both: &[(&str, &str)] = &[("doc", "String"), ("rank", "i64")];
    check(&[
        (
            doc,
            "[[ ## doc ## ]]\nWrite `[[ ## heading ## ]]` on top.\n\n[[ ## completed ## ]]",
            json!({"doc": "Write `[[ ## heading ## ]]` on top."}),
        ),
        (
            doc,
            "[[ ## doc ## ]]\n`[[ ## doc ## ]]` opens it.\n\n[[ ## completed ## ]]",
            json!({"doc": "`[[ ## doc ## ]]` opens it."}),
        ),
        (
            doc,
            "[[ ## doc ## ]]\n\\[[ ## completed ## ]]\nends it.\n\n[[ ## completed ## ]]",
            json!({"doc": "[[ ## completed ## ]]\nends it."}),
        ),
        (
            doc,
            "[[ ## doc ## ]]\n```\n[[ ## heading ## ]]\n[[ ## completed ## ]]\n```\nSo.\n\n[[ ## completed ## ]]",
            json!({"doc": "```\n[[ ## heading ## ]]\n[[ ## completed ## ]]\n```\nSo."}),
        ),
        (
            doc,
            "[[ ## doc ## ]]\nEnd with \"[[ ## completed ## ]]\"",
            json!({"doc": "End with \"[[ ## completed ## ]]\""}),
        ),
        (
            both,
            "[[ ## doc ## ]]\nsee [[ ## rank ## ]] below\n\n[[ ## rank ## ]]\n3",
            json!({"doc": "see [[ ## rank ## ]] below", "rank": 3}),
        ),
        (
            both,
            "[[ ## doc ## ]]\n```python\nprint(1)\n\n[[ ## rank ## ]]\n3\n\n[[ ## completed ## ]]",
            json!({"doc": "```python\nprint(1)", "rank": 3}),
        ),
        (
            both,
            "[[ ## doc ## ]]\n```\nx\n```\n\n[[ ## rank ## ]]\n```\n3\n```\n\n[[ ## completed ## ]]",
            json!({"doc": "```\nx\n```", "rank": 3}),
        ),
    ]);
}

#[test]
fn a_reply_that_ends_within_a_marker_leaves_no_field_out() {
    let noted: &[(&str, &str)] = &[("city", "String"), ("note", "Option<String>")];
    for end in ["[[ ## no", "[[", "[[ ## note ## ]", "[[ ## comple"] {
        let reply = format!("[[ ## city ## ]]\nOslo\n\n{end}");
        assert_eq!(
            outcome(noted, &reply),
            json!([["note missing"], {"city": "Oslo"}]),
            "{reply}"
        );
    }
    check(&[
        (
            noted,
            "[[ ## city ## ]]\nOslo\n[[ ## note ## ]]\n",
            json!([["note missing"], {"city": "Oslo"}]),
        ),
        (
            noted,
            "[[ ## note ## ]]\nx\n[[ ## city ## ]]\n",
            json!([["city missing"], {"note": "x"}]),
        ),
        (
            noted,
            "[[ ## city ## ]]\nOslo",
            json!({"city": "Oslo", "note": null}),
        ),
        (
            noted,
            "[[ ## city ## ]]\nOslo\n[[ ## else",
            json!({"city": "Oslo\n[[ ## else", "note": null}),
        ),
        (
            &[("m", "Vec<Vec<i64>>")],
            "[[ ## m ## ]]\n[[",
            json!([["m truncated"], {}]),
        ),
    ]);
}

#[test]
fn control_tokens_at_the_end_are_no_text() {
    check(&[
        (
            CITY,
            "[[ ## rank ## ]]\n3\n\n[[ ## city ## ]]\nOslo<|im_end|>",
            oslo(),
        ),
        (
            CITY,
            "[[ ## city ## ]]\nOslo\n[[ ## rank ## ]]\n3<|im_end|>\n<|endoftext|>\n",
            oslo(),
        ),
        (CITY, "{\"city\": \"Oslo\", \"rank\": 3}</s>", oslo()),
    ]);
}

#[test]
fn repairs_are_named() {
    let repairs = |fields: &[(&str, &str)], reply: &str| -> Vec<RepairKind> {
        let parsed = parse_reply(&spec(fields), reply).expect("a good reply");
        parsed.repairs.iter().map(|repair| repair.kind).collect()
    };
    let n = &[("n", "i64")][..];
    assert_eq!(
        repairs(n, "[[ ## n ## ]]\n3\n\n[[ ## completed ## ]]\n"),
        []
    );
    assert_eq!(
        repairs(n, "[[ ## n ## ]]\n3"),
        [RepairKind::MissingCompleted]
    );
    for (reply, kind) in [
        (
            "Hi\n[[ ## n ## ]]\n3\n[[ ## completed ## ]]",
            RepairKind::LeadingProse,
        ),
        (
            "[[ ## n ## ]]\n3\n[[ ## completed ## ]]\nBye",
            RepairKind::TrailingProse,
        ),
        (
            "[[ ## N ## ]]\n3\n[[ ## completed ## ]]",
            RepairKind::MarkerSpelling,
        ),
        (
            "<think></think>[[ ## n ## ]]\n3\n[[ ## completed ## ]]",
            RepairKind::Thinking,
        ),
        (
            "[[ ## n ## ]]\n**3**\n[[ ## completed ## ]]",
            RepairKind::Emphasis,
        ),
        (
            "[[ ## n ## ]]\n\"3\"\n[[ ## completed ## ]]",
            RepairKind::Quotes,
        ),
        (
            "[[ ## n ## ]]\n1,234\n[[ ## completed ## ]]",
            RepairKind::Separators,
        ),
        (
            "[[ ## n ## ]]\n3.0\n[[ ## completed ## ]]",
            RepairKind::NumberNotation,
        ),
        (
            "[[ ## m ## ]]\nx\n[[ ## n ## ]]\n3\n[[ ## completed ## ]]",
            RepairKind::UnknownSection,
        ),
        (
            "[[ ## n ## ]]\n3\n[[ ## n ## ]]\n3\n[[ ## completed ## ]]",
            RepairKind::RepeatedField,
        ),
        ("{\"n\": 3}", RepairKind::JsonReply),
        ("n: 3", RepairKind::LabelledReply),
        ("<n>3</n>", RepairKind::XmlReply),
        ("3", RepairKind::BareReply),
    ] {
        assert_eq!(repairs(n, reply), [kind], "{reply}");
    }
}

//! `parse`: one reply, and a reply a line.

use serde_json::json;

use crate::support::{run, run_with};

const SIGNATURE: &str = "question -> answer: int, tags: list[str]";
const REPLY: &[u8] =
    b"[[ ## answer ## ]]\n7\n\n[[ ## tags ## ]]\n[\"a\", 'b']\n\n[[ ## completed ## ]]\n";

#[test]
fn one_reply_is_read_with_its_repairs() {
    let ran = run_with(&["parse", "--signature", SIGNATURE], REPLY).good();
    assert_eq!(ran.out, "answer: 7\ntags: [\"a\", \"b\"]\n");
    assert!(ran.err.contains("mended in tags: "), "{ran:#?}");
    let json = run_with(&["parse", "-s", SIGNATURE, "--json"], REPLY)
        .good()
        .json();
    assert_eq!(
        (&json["ok"], &json["completed"]),
        (&json!(true), &json!(true))
    );
    assert_eq!(json["values"], json!({"answer": 7, "tags": ["a", "b"]}));
    assert_eq!(json["repairs"][0]["field"], "tags");
    let quiet = run_with(&["parse", "-s", SIGNATURE, "-q"], REPLY).good();
    assert_eq!(quiet.err, "");
}

#[test]
fn a_reply_may_be_a_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("reply.txt");
    std::fs::write(&path, REPLY).expect("written");
    run(&["parse", "-s", SIGNATURE, path.to_str().expect("UTF-8")]).good();
    run(&["parse", "-s", SIGNATURE, "nowhere.txt"]).fails(2, "cannot read `nowhere.txt`");
}

#[test]
fn a_reply_that_can_not_be_read_fails_with_what_could() {
    let reply =
        b"[[ ## answer ## ]]\nseven or eight\n\n[[ ## tags ## ]]\n[]\n\n[[ ## completed ## ]]\n";
    let ran = run_with(&["parse", "-s", SIGNATURE], reply);
    ran.fails(1, "the reply can't be read: field `answer`");
    ran.fails(1, "seven or eight");
    let ran = run_with(&["parse", "-s", SIGNATURE, "--json"], reply);
    let error = ran.json()["error"].clone();
    assert_eq!((ran.code, &error["kind"]), (1, &json!("reply")));
    assert_eq!(error["fields"][0]["field"], "answer");
    assert_eq!(error["partial"], json!({"tags": []}));
    assert_eq!(error["reply"].as_str().map(str::as_bytes), Some(&reply[..]));
}

#[test]
fn lines_are_answered_one_by_one() {
    let case = |id: u8, completion: &str| {
        json!({"id": id, "fields": [{"name": "n", "type": "i32"}], "completion": completion})
            .to_string()
    };
    let lines = [
        case(1, "[[ ## n ## ]]\n5"),
        "oops".into(),
        case(2, "[[ ## n ## ]]\nmany"),
        json!({"id": 3}).to_string(),
    ];
    let ran = run_with(&["parse", "--jsonl"], lines.join("\n").as_bytes());
    ran.fails(1, "3 of 4 replies can't be read");
    let found = ran.lines();
    assert_eq!(found[0], json!({"id": 1, "ok": true, "values": {"n": 5}}));
    assert!(
        found[1]["error"]["message"]
            .as_str()
            .is_some_and(|text| text.starts_with("line 2: not JSON")),
        "{}",
        found[1]
    );
    assert_eq!(
        (&found[2]["id"], &found[2]["errors"][0]["field"]),
        (&json!(2), &json!("n"))
    );
    assert!(
        found[3]["error"]["message"]
            .as_str()
            .is_some_and(|text| text.contains("`fields`")),
        "{}",
        found[3]
    );
    // One signature for all.
    let shared = json!({"id": "a", "completion": "[[ ## n ## ]]\n5"}).to_string();
    let ran = run_with(&["parse", "--jsonl", "-s", "-> n: int"], shared.as_bytes()).good();
    assert_eq!(
        ran.json(),
        json!({"id": "a", "ok": true, "values": {"n": 5}})
    );
    run(&["parse"]).fails(2, "--signature");
}

//! `run` over JSON lines: order, failures that cost only themselves, files, Ctrl-C.

use std::io::{BufRead as _, BufReader, Write as _};

use serde_json::{Value as Json, json};

use crate::support::{QA, command, files, run, run_with};

fn records(count: usize) -> String {
    let places = ["Rome", "Oslo", "Lima", "Cairo", "Paris"];
    let record = |at: usize| {
        let place = places[at % places.len()];
        json!({"id": at, "passage": format!("Ana lives in {place}."), "question": "Where does Ana live?"}).to_string()
    };
    (0..count).map(|at| record(at) + "\n").collect()
}

#[test]
fn replies_are_in_the_order_of_the_records() {
    let ran = run_with(&["run", QA, "--jsonl", "-"], records(12).as_bytes()).good();
    let lines = ran.lines();
    assert_eq!(lines.len(), 12);
    for (at, line) in lines.iter().enumerate() {
        let place = ["Rome", "Oslo", "Lima", "Cairo", "Paris"][at % 5];
        assert_eq!(
            *line,
            json!({"line": at + 1, "id": at, "ok": true, "values": {"answer": place}})
        );
    }
}

#[test]
fn a_record_that_fails_costs_only_itself() {
    let good = r#"{"passage": "Ana lives in Rome.", "question": "Where does Ana live?"}"#;
    let mut text = Vec::new();
    for line in [
        good.as_bytes(),
        b"",
        b"{oops",
        b"[1]",
        b"\xff",
        br#"{"id": "x", "passage": 1}"#,
        good.as_bytes(),
    ] {
        text.extend_from_slice(line);
        text.push(b'\n');
    }
    let ran = run_with(&["run", QA, "--jsonl", "-"], &text);
    ran.fails(1, "4 of 6 records failed: their lines say why");
    let lines = ran.lines();
    let seen: Vec<_> = lines
        .iter()
        .map(|line| (line["line"].as_u64(), line["ok"].as_bool()))
        .collect();
    let expected = [
        (1, true),
        (3, false),
        (4, false),
        (5, false),
        (6, false),
        (7, true),
    ];
    assert_eq!(seen, expected.map(|(line, ok)| (Some(line), Some(ok))));
    let said = |at: usize| {
        lines[at]["error"]["message"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    assert!(said(1).contains("not JSON"), "{}", said(1));
    assert!(said(2).contains("expected a JSON object"), "{}", said(2));
    assert!(said(3).contains("not UTF-8"), "{}", said(3));
    assert!(
        said(4).contains("`passage`: expected a string"),
        "{}",
        said(4)
    );
    assert_eq!(lines[4]["id"], "x");
}

#[test]
fn lines_on_standard_input_are_known_as_such() {
    let ran = run_with(&["run", QA], records(3).as_bytes()).good();
    assert_eq!(ran.lines().len(), 3);
    // A single object is one prediction.
    let ran = run_with(
        &["run", QA],
        records(1).trim().replace("\"id\":0,", "").as_bytes(),
    )
    .good();
    assert_eq!(ran.out, "Rome\n");
}

#[test]
fn shared_inputs_and_extra_keys() {
    let text = "{\"passage\": \"Ana lives in Rome.\", \"label\": \"Rome\"}\n";
    let shared = [
        "run",
        QA,
        "--jsonl",
        "-",
        "-i",
        "question=Where does Ana live?",
        "--stats",
    ];
    run_with(&shared, text.as_bytes()).fails(1, "1 of 1 record failed");
    let ran = run_with(
        &[&shared[..], &["--ignore-extra"]].concat(),
        text.as_bytes(),
    )
    .good();
    let line = ran.json();
    assert_eq!(line["values"]["answer"], "Rome");
    assert!(
        line["meta"]["completion_tokens"].as_u64() > Some(0),
        "{line}"
    );
}

#[test]
fn a_file_of_answers_is_whole_even_where_records_failed() {
    let folder = tempfile::tempdir().expect("a folder");
    let (input, output) = (
        folder.path().join("in.jsonl"),
        folder.path().join("out.jsonl"),
    );
    std::fs::write(&input, format!("{}oops\n", records(2))).expect("written");
    let (input, to) = (
        input.to_str().expect("UTF-8"),
        output.to_str().expect("UTF-8"),
    );
    run(&["run", QA, "--jsonl", input, "-o", to]).fails(1, "1 of 3");
    let text = std::fs::read_to_string(&output).expect("written");
    assert_eq!(text.lines().count(), 3);
    assert_eq!(files(folder.path()), ["in.jsonl", "out.jsonl"]);
    run(&["run", QA, "--jsonl", "nowhere.jsonl"]).fails(2, "cannot read `nowhere.jsonl`");
    run(&["run", QA, "--jsonl", folder.path().to_str().expect("UTF-8")]).fails(2, "cannot read");
}

#[test]
fn no_records_are_no_failure() {
    let ran = run_with(&["run", QA, "--jsonl", "-"], b"\n").good();
    assert_eq!(ran.out, "");
}

/// Answers come while records do: a pipe may stay open for long.
#[test]
fn answers_do_not_wait_for_the_end_of_the_input() {
    let mut child = command()
        .args(["run", QA, "--jsonl", "-"])
        .stdin(std::process::Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut stdin = child.stdin.take().expect("piped");
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    for record in records(2).lines() {
        writeln!(stdin, "{record}").expect("it reads");
        let line = lines.next().expect("an answer").expect("text");
        let json: Json = serde_json::from_str(&line).expect("JSON");
        assert_eq!(json["ok"], true);
    }
    drop(stdin);
    assert!(lines.next().is_none());
    assert!(child.wait().expect("it ends").success());
}

#[cfg(unix)]
#[test]
fn ctrl_c_leaves_no_file_and_has_its_exit_code() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = folder.path().join("out.jsonl");
    let mut child = command()
        .args([
            "run",
            QA,
            "--jsonl",
            "-",
            "-o",
            output.to_str().expect("UTF-8"),
        ])
        .stdin(std::process::Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut stdin = child.stdin.take().expect("piped");
    stdin.write_all(records(3).as_bytes()).expect("it reads");
    crate::support::until(|| !files(folder.path()).is_empty());
    crate::support::interrupt(&child);
    let ran = crate::support::finish(child);
    ran.fails(130, "interrupted");
    assert_eq!(files(folder.path()), [""; 0]);
    drop(stdin);
}

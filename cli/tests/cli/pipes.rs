//! What happens where nobody reads on: no panic, no message, no failure.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::Stdio;

use crate::support::{QA, command};

/// Reads one line and closes the pipe.
fn head(arguments: &[&str], input: Option<String>) -> (Option<i32>, String, String) {
    let mut child = command()
        .args(arguments)
        .stdin(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut stdin = child.stdin.take().expect("piped");
    let writing =
        std::thread::spawn(move || drop(stdin.write_all(input.unwrap_or_default().as_bytes())));
    let mut out = BufReader::new(child.stdout.take().expect("piped"));
    let mut line = String::new();
    out.read_line(&mut line).expect("a line");
    drop(out);
    let mut err = String::new();
    child
        .stderr
        .take()
        .expect("piped")
        .read_to_string(&mut err)
        .expect("text");
    let code = child.wait().expect("it ends").code();
    writing.join().expect("no panic");
    (code, line, err)
}

#[test]
fn a_reader_that_leaves_early_is_no_failure() {
    let record = "{\"passage\": \"Ana lives in Rome.\", \"question\": \"Where does Ana live?\"}\n";
    let parsed = "{\"fields\": [{\"name\": \"n\", \"type\": \"i32\"}], \"completion\": \"[[ ## n ## ]]\\n5\"}\n";
    for (arguments, input) in [
        (vec!["run", QA, "--jsonl", "-"], Some(record.repeat(200))),
        (vec!["parse", "--jsonl"], Some(parsed.repeat(20_000))),
        (vec!["completions", "bash"], None),
        (vec!["doctor"], None),
    ] {
        let (code, line, err) = head(&arguments, input);
        assert!(!line.is_empty(), "{arguments:?}: {err}");
        assert!(!err.contains("panicked"), "{arguments:?}: {err}");
        assert_eq!(code, Some(0), "{arguments:?}: {err}");
    }
}

#[test]
fn the_first_event_may_be_the_last_that_is_read() {
    let arguments = [
        "run",
        QA,
        "-i",
        "passage=Ana lives in Rome.",
        "-i",
        "question=Where?",
        "--json",
        "--stream",
    ];
    let (code, _, err) = head(&arguments, None);
    assert!(code == Some(0) && err.is_empty(), "{code:?} {err}");
}

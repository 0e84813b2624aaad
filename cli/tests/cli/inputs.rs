//! Where inputs come from, and what is said of those that do not fit.

use crate::support::{PASSAGE, QA, QUESTION, run, run_with};

#[test]
fn inputs_come_from_options_files_and_standard_input() {
    let folder = tempfile::tempdir().expect("a folder");
    let (text, json) = (folder.path().join("p.txt"), folder.path().join("in.json"));
    std::fs::write(&text, "Ana lives in Rome.\n").expect("written");
    let object = r#"{"passage": "Ana lives in Rome.", "question": "Where does Ana live?"}"#;
    std::fs::write(&json, object).expect("written");
    let (text, json) = (text.to_str().expect("UTF-8"), json.to_str().expect("UTF-8"));
    let from_file = format!("passage=@{text}");
    for (arguments, input) in [
        (vec!["-i", &from_file, "-i", QUESTION], ""),
        (
            vec!["-i", "passage=@-", "-i", QUESTION],
            "Ana lives in Rome.",
        ),
        (vec!["--inputs", json], ""),
        (vec!["--inputs", "-"], object),
        (vec![], object),
        (
            vec![],
            "{\n\"passage\": \"Ana lives in Rome.\",\n\"question\": \"Where does Ana live?\"}",
        ),
        (vec!["-i", QUESTION], r#"{"passage": "Ana lives in Rome."}"#),
        // What is typed goes before what is read.
        (vec!["--inputs", json, "-i", QUESTION], ""),
    ] {
        let ran = run_with(&[&["run", QA][..], &arguments].concat(), input.as_bytes());
        assert_eq!(
            (ran.code, ran.out.as_str()),
            (0, "Rome\n"),
            "{arguments:?}: {ran:#?}"
        );
    }
}

#[test]
fn what_is_missing_is_named_with_what_to_do() {
    run(&["run", QA]).fails(
        2,
        "the inputs `passage`, `question` are missing: give --input passage=...",
    );
    run(&["run", QA, "-i", PASSAGE]).fails(2, "the input `question` is missing");
    run_with(&["run", QA], b"a text").fails(2, "standard input holds no JSON object");
}

#[test]
fn options_that_do_not_fit_are_named() {
    for (option, said) in [
        ("passage", "write NAME=VALUE"),
        (
            "passge=x",
            "the signature has no input `passge`: it has `passage`, `question`",
        ),
        ("passage=@nowhere.txt", "cannot read `nowhere.txt`"),
    ] {
        run(&["run", QA, "-i", option, "-i", QUESTION]).fails(2, said);
    }
    run(&["run", QA, "-i", PASSAGE, "-i", PASSAGE, "-i", QUESTION]).fails(2, "given twice");
    let typed = "n: u8, names: list[str], when: date -> x";
    let with = |option| {
        run(&[
            "run",
            typed,
            "-i",
            "n=1",
            "-i",
            r#"names=["a"]"#,
            "-i",
            option,
        ])
    };
    with("when=2023-02-30").fails(2, "expected a date as YYYY-MM-DD, found \"2023-02-30\"");
    run(&["run", "n: u8 -> x", "-i", "n=one"])
        .fails(2, "the input `n` is of the type `int`: `one` is not JSON");
    run(&["run", "n: u8 -> x", "-i", "n=300"]).fails(2, "`n`: 300 is out of range: 0 to 255");
    run(&["run", "l: list[str] -> x", "-i", r#"l=["a", 1]"#])
        .fails(2, "`l.1`: expected a string, found an integer");
}

#[test]
fn values_have_the_types_of_their_fields() {
    let line = "a: str, b: Optional[int], c: list[str], d: Literal['x', 'y'], e: Any -> z";
    let ran = run(&[
        "run",
        line,
        "-i",
        "a=5",
        "-i",
        "b=null",
        "-i",
        r#"c=["1"]"#,
        "-i",
        "d=x",
        "-i",
        "e=@@free",
        "--max-tokens",
        "24",
        "--show-prompt",
    ]);
    // Whatever this model makes of it: the prompt shows what it was given.
    for shown in [
        "[[ ## a ## ]]\n5",
        "[[ ## b ## ]]\nnull",
        "[[ ## c ## ]]\n[\"1\"]",
        "[[ ## d ## ]]\nx",
        "[[ ## e ## ]]\n@free",
    ] {
        assert!(ran.err.contains(shown), "{shown}: {ran:#?}");
    }
}

#[test]
fn broken_json_is_told_by_its_line() {
    run_with(&["run", QA], b"\n\n{\"passage\": \n oops}")
        .fails(2, "standard input, line 3: not JSON: ");
    run_with(&["run", QA, "--inputs", "-"], b"{\"passage\": \n oops}")
        .fails(2, "at line 2 column 2");
    run_with(&["run", QA, "--inputs", "-"], b"[1]")
        .fails(2, "expected a JSON object, found a list");
    run(&["run", QA, "--inputs", "nowhere.json"]).fails(2, "cannot read `nowhere.json`");
    run(&["run", QA, "--inputs", "a", "--jsonl", "b"]).fails(2, "cannot be used with");
    run_with(&["run", QA], b"\xff\xfe").fails(2, "cannot read `standard input`");
}

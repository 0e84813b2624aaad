//! `run` with one prediction: values, reasoning, streams, statistics, programs, and what is refused.

use serde_json::{Value as Json, json};

use crate::support::{PASSAGE, QA, QUESTION, command, files, finish, run, run_qa, run_with};

const SUM: &str = "problem -> answer: int";
const APPLES: &str = "problem=Tom has 3 apples and buys 4 more. How many apples does Tom have?";
const TRIAGE: &str =
    "ticket -> urgency: Literal['low', 'high'], tags: list[str], owner: Optional[str]";
const TICKET: &str = "ticket=The server is down. Assigned to Omar.";

#[test]
fn one_output_is_its_bare_value() {
    let ran = run_qa(&[]).good();
    assert_eq!((ran.out.as_str(), ran.err.as_str()), ("Rome\n", ""));
}

#[test]
fn several_outputs_have_their_names() {
    let ran = run(&["run", SUM, "--cot", "-i", APPLES]).good();
    let lines: Vec<_> = ran.out.lines().collect();
    assert!(lines[0].starts_with("reasoning: "), "{ran:#?}");
    assert_eq!(lines.last(), Some(&"answer: 7"), "{ran:#?}");
}

#[test]
fn a_stream_ends_as_the_whole_stands() {
    for arguments in [
        vec![TRIAGE, "-i", TICKET],
        vec![SUM, "--cot", "-i", APPLES],
        vec![QA, "-i", PASSAGE, "-i", QUESTION],
    ] {
        let with = |option| run(&[&["run", option][..], &arguments].concat()).good().out;
        assert_eq!(with("--stream"), with("--no-stream"));
    }
}

#[test]
fn json_has_values_and_how_they_came_about() {
    let json = run(&["run", TRIAGE, "-i", TICKET, "--json"]).good().json();
    assert_eq!(json["ok"], true);
    assert_eq!(
        json["values"],
        json!({"urgency": "high", "tags": ["server"], "owner": "Omar"})
    );
    let meta = &json["meta"];
    assert!(meta["prompt_tokens"].as_u64() > Some(50), "{meta}");
    assert!(meta["forced_tokens"].as_u64() > Some(0), "{meta}");
    assert!(meta["seconds"].as_f64() > Some(0.0), "{meta}");
    assert_eq!(
        (&meta["finish"], &meta["truncated"]),
        (&json!("stop"), &Json::Null)
    );
}

#[test]
fn streamed_json_is_an_event_a_line() {
    let ran = run(&["run", TRIAGE, "-i", TICKET, "--json", "--stream"]).good();
    let lines = ran.lines();
    let kind = |line: &Json| line["event"].as_str().unwrap_or_default().to_owned();
    let (first, last) = (kind(&lines[0]), &lines[lines.len() - 1]);
    assert_eq!(
        (first.as_str(), kind(last).as_str()),
        ("started", "finished")
    );
    let texts = lines
        .iter()
        .filter(|line| kind(line) == "text" && line["field"] == "owner");
    let owner: String = texts.filter_map(|line| line["delta"].as_str()).collect();
    assert_eq!(last["values"]["owner"], owner);
    assert!(
        lines.iter().any(|line| *line
            == json!({"event": "element", "field": "tags", "index": 0, "value": "server"}))
    );
}

#[test]
fn a_signature_may_be_json_or_a_file() {
    let spec = json!({
        "instruction": "Solve the problem.",
        "inputs": [{"name": "problem", "type": "String"}],
        "outputs": [{"name": "answer", "type": "i64", "min": 0}],
    });
    let spec = spec.to_string();
    let folder = tempfile::tempdir().expect("a folder");
    let (json, line) = (
        folder.path().join("sum.json"),
        folder.path().join("sum.txt"),
    );
    std::fs::write(&json, &spec).expect("written");
    std::fs::write(&line, format!("{SUM}\n")).expect("written");
    for signature in [
        spec.as_str(),
        json.to_str().expect("UTF-8"),
        line.to_str().expect("UTF-8"),
    ] {
        let ran = run(&["run", signature, "--cot", "-i", APPLES, "--json"]).good();
        assert_eq!(ran.json()["values"]["answer"], 7, "{signature}");
    }
}

#[test]
fn a_wrong_signature_is_shown_with_a_caret_at_the_place() {
    let ran = run(&["run", "problem -> answer: itn", "-i", APPLES]);
    ran.fails(2, "unknown type `itn`");
    ran.fails(2, "  problem -> answer: itn\n                     ^^^\n");
    for (signature, said) in [
        ("problem", "there is no such file"),
        ("problem ->", "no output after `->`"),
        ("a -> b -> c", "a second `->`"),
        (
            r#"{"outputs": [{"name": "x"}]}"#,
            "the key `type` is missing",
        ),
        (r#"{"outputs": "#, "the signature is not JSON: EOF"),
    ] {
        run(&["run", signature]).fails(2, said);
    }
}

#[test]
fn prompt_and_statistics_go_to_standard_error() {
    let ran = run_qa(&[
        "--show-prompt",
        "--stats",
        "--instruction",
        "Read and answer.",
    ])
    .good();
    assert_eq!(ran.out, "Rome\n");
    for said in [
        "--- system ---",
        "--- user ---",
        "Read and answer.",
        "Ana lives in Rome.",
        "prompt tokens (0 cached)",
        "reply tokens",
    ] {
        assert!(ran.err.contains(said), "{said}: {ran:#?}");
    }
}

#[test]
fn demos_are_shown_and_checked_by_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("demos.jsonl");
    let demos = "{\"passage\": \"Bo lives in Oslo.\", \"question\": \"Where does Bo live?\", \"answer\": \"Oslo\"}\n";
    std::fs::write(&path, demos).expect("written");
    let path = path.to_str().expect("UTF-8");
    let arguments = [
        "run",
        QA,
        "-i",
        PASSAGE,
        "-i",
        QUESTION,
        "--demos",
        path,
        "--show-prompt",
    ];
    let ran = run(&arguments).good();
    assert!(ran.err.contains("Bo lives in Oslo."), "{ran:#?}");
    assert_eq!(ran.out, "Rome\n");
    std::fs::write(path, format!("{demos}\n{{\"answr\": 1}}\n")).expect("written");
    run(&arguments).fails(
        2,
        "line 3: signature: demo: `answr`: there is no such field",
    );
    std::fs::write(path, "nonsense\n").expect("written");
    run(&arguments).fails(2, "line 1: not JSON");
}

#[test]
fn a_saved_program_brings_its_signature_and_instruction() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("saved.json");
    let saved = json!({
        "candle_signature": 1,
        "program": "ChainOfThought",
        "signature": {"name": "Sum", "inputs": [{"name": "problem", "type": "str"}], "outputs": [{"name": "answer", "type": "int"}]},
        "instruction": "Solve the problem.",
        "demos": [],
        "overrides": {"max_tokens": 60},
    });
    std::fs::write(&path, saved.to_string()).expect("written");
    let path = path.to_str().expect("UTF-8");
    let ran = run(&["run", "--program", path, "-i", APPLES, "--show-prompt"]).good();
    assert!(ran.err.contains("Solve the problem."), "{ran:#?}");
    assert!(ran.out.ends_with("answer: 7\n"), "{ran:#?}");
    run(&[
        "run",
        "problem -> answer: bool",
        "--program",
        path,
        "-i",
        APPLES,
    ])
    .fails(2, "field `answer` of the signature");
    run(&["run", "--program", "nowhere.json", "-i", APPLES]).fails(2, "cannot read `nowhere.json`");
}

#[test]
fn sampling_is_as_typed_and_checked_before_a_model_is_loaded() {
    let seeded = |seed: &str| {
        let ran = run(&[
            "run",
            "story -> ending",
            "-i",
            "story=Once",
            "-t",
            "1.5",
            "--seed",
            seed,
            "--max-tokens",
            "40",
            "--json",
            "-q",
        ]);
        ran.good().json()["values"].clone()
    };
    assert_eq!(seeded("7"), seeded("7"));
    run_qa(&["-t", "9", "-m", "nowhere"]).fails(2, "temperature");
    run_qa(&["--max-tokens", "0"]).fails(2, "max_tokens");
    run(&["run", QA, "--temperature", "warm"]).fails(2, "warm");
}

#[test]
fn a_reply_that_is_cut_short_says_so() {
    let arguments = ["run", SUM, "--cot", "-i", APPLES, "--json", "--max-tokens"];
    let with = |tokens| run(&[&arguments[..], &[tokens]].concat());
    let ran = with("26").good();
    assert_eq!(ran.json()["meta"]["truncated"], "reasoning", "{ran:#?}");
    assert!(
        ran.err
            .contains("`reasoning` was cut short: raise --max-tokens"),
        "{ran:#?}"
    );
    with("3").fails(1, "raise max_tokens");
}

#[test]
fn models_that_are_not_there_have_their_exit_codes() {
    let with = |model| run_qa(&["-m", model]);
    with("./nowhere").fails(3, "no model at `./nowhere`");
    with("no-such-model").fails(3, "no model `no-such-model`");
    // Offline, and not in the cache.
    with("Qwen2.5-0.5B").fails(4, "HF_HUB_OFFLINE");
    let json = run_qa(&["-m", "./nowhere", "--json"]);
    assert_eq!(
        (json.code, &json.json()["error"]["kind"]),
        (3, &json!("model"))
    );
}

#[test]
fn a_file_is_there_whole_or_not_at_all() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("out.txt");
    let to = path.to_str().expect("UTF-8");
    let arguments = [
        "run", SUM, "--cot", "-i", APPLES, "--color", "always", "-o", to,
    ];
    let ran = run(&arguments).good();
    assert_eq!(ran.out, "");
    let text = std::fs::read_to_string(&path).expect("written");
    assert!(
        text.ends_with("answer: 7\n") && !text.contains('\u{1b}'),
        "{text:?}"
    );
    assert_eq!(files(folder.path()), ["out.txt"]);
    std::fs::remove_file(&path).expect("removed");
    // It fails after the file was begun.
    run_qa(&["-m", "./nowhere", "-o", to]).fails(3, "no model");
    assert_eq!(files(folder.path()), [""; 0]);
    run_qa(&["-o", "/nowhere/out.txt"]).fails(5, "cannot write `/nowhere/out.txt`");
}

#[test]
fn text_on_standard_input_is_the_input_that_is_missing() {
    let ran = run_with(&["run", QA, "-i", QUESTION], b"Ana lives in Rome.\n").good();
    assert_eq!(ran.out, "Rome\n");
}

#[test]
fn colours_are_there_when_asked_for() {
    let with = |color: &str| {
        run(&["run", SUM, "--cot", "-i", APPLES, "--color", color])
            .good()
            .out
    };
    assert!(with("always").contains("\u{1b}["));
    assert!(!with("never").contains("\u{1b}["));
    assert!(!with("auto").contains("\u{1b}["));
    let mut forced = command();
    forced
        .env("CLICOLOR_FORCE", "1")
        .args(["run", SUM, "--cot", "-i", APPLES]);
    assert!(
        finish(forced.spawn().expect("it starts"))
            .good()
            .out
            .contains("\u{1b}[")
    );
    let mut none = command();
    none.env("NO_COLOR", "1")
        .env("CLICOLOR_FORCE", "0")
        .args(["run", SUM, "--cot", "-i", APPLES]);
    assert!(
        !finish(none.spawn().expect("it starts"))
            .good()
            .out
            .contains("\u{1b}[")
    );
}

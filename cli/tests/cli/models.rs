//! `models`: listing, inspecting, fetching from a hub of the test's own.

use std::path::Path;

use serde_json::{Value as Json, json};

use crate::support::{command, files, finish, run, run_qa};

/// A model folder of random weights.
fn tiny(folder: &Path) {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data/tiny-random-qwen2");
    std::fs::create_dir_all(folder).expect("a folder");
    for name in ["config.json", "model.safetensors"] {
        std::fs::copy(data.join(name), folder.join(name)).expect("copied");
    }
    let embedded = "../runtime/models/embedded/tokenizer.json";
    let embedded = Path::new(env!("CARGO_MANIFEST_DIR")).join(embedded);
    std::fs::copy(embedded, folder.join("tokenizer.json")).expect("copied");
}

#[test]
fn the_embedded_model_is_always_there() {
    let json = run(&["models", "list", "--json"]).good().json();
    assert_eq!(json["models"][0]["name"], "embedded");
    let text = run(&["models", "list"]).good().out;
    assert!(text.starts_with("embedded  embedded"), "{text}");
    let info = run(&["models", "info", "--json"]).good().json();
    assert_eq!(
        (&info["context"], &info["shape"]["layers"].is_u64()),
        (&json!(1024), &true)
    );
    assert!(info["parameters"].as_u64() > Some(1_000_000), "{info}");
    assert_eq!(info["weights"]["formats"][0][0], "Q8_0");
    let text = run(&["models", "info", "embedded"]).good().out;
    for row in [
        "parameters",
        "context            1024 tokens",
        "chat template",
        "Q8_0",
    ] {
        assert!(text.contains(row), "{row}: {text}");
    }
}

#[test]
fn folders_are_listed_and_inspected() {
    let models = tempfile::tempdir().expect("a folder");
    tiny(&models.path().join("tiny"));
    std::fs::create_dir(models.path().join("empty")).expect("a folder");
    std::fs::write(models.path().join("notes.txt"), "x").expect("written");
    let at = models.path().to_str().expect("UTF-8");
    let list = run(&["models", "list", "--models", at, "--json"])
        .good()
        .json();
    let names: Vec<_> = list["models"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| one["name"].as_str())
        .collect();
    assert_eq!(names, [Some("embedded"), Some("tiny")]);
    assert_eq!(list["models"][1]["where"], "folder");
    let by_name = run(&["models", "info", "tiny", "--models", at, "--json"])
        .good()
        .json();
    let path = models.path().join("tiny");
    let by_path = run(&["models", "info", path.to_str().expect("UTF-8"), "--json"])
        .good()
        .json();
    assert_eq!(by_name["parameters"], by_path["parameters"]);
    assert!(by_name["parameters"].as_u64() > Some(1000), "{by_name}");
    assert_eq!(
        by_name["chat_template"],
        json!({"own": false, "text": null})
    );
    run(&[
        "models",
        "info",
        models.path().join("empty").to_str().expect("UTF-8"),
    ])
    .fails(3, "has no model.safetensors");
    run(&[
        "models",
        "info",
        models.path().join("notes.txt").to_str().expect("UTF-8"),
    ])
    .fails(3, "not a sound GGUF file");
}

#[test]
fn what_is_not_there_says_what_to_do() {
    run(&["models", "info", "nonsense"])
        .fails(3, "there is neither such a path nor `models/nonsense`");
    run(&["models", "info", "Qwen2.5-0.5B"])
        .fails(3, "run `candle-signature models pull Qwen2.5-0.5B` first");
    run(&["models", "pull", "no such"]).fails(3, "is no model of the hub");
    run(&["models", "pull", "Qwen2.5-0.5B"]).fails(4, "HF_HUB_OFFLINE");
    let text = run(&["models", "list", "--aliases"]).good().out;
    assert!(text.contains("Qwen/Qwen2.5-0.5B-Instruct"), "{text}");
}

#[test]
fn a_hub_that_does_not_answer_is_a_fault_of_the_network() {
    let home = tempfile::tempdir().expect("a folder");
    // A port that nobody listens on any more.
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .expect("a port")
        .local_addr()
        .expect("bound")
        .port();
    let mut command = command();
    command
        .env_remove("HF_HUB_OFFLINE")
        .env("HF_HOME", home.path())
        .env("HF_ENDPOINT", format!("http://127.0.0.1:{port}"))
        .args(["models", "pull", "owner/name", "--json"]);
    let ran = finish(command.spawn().expect("it starts"));
    ran.fails(4, "cannot reach");
    let json: Json = ran.json();
    assert_eq!(json["error"]["kind"], "network");
}

#[test]
fn a_quantized_model_is_whole_and_runs() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("small.gguf");
    let to = path.to_str().expect("UTF-8");
    let json = run(&["models", "quantize", "embedded", to, "--to", "q8", "--json"])
        .good()
        .json();
    assert_eq!(
        json["bytes"].as_u64(),
        std::fs::metadata(&path).map(|data| data.len()).ok()
    );
    assert_eq!(files(folder.path()), ["small.gguf"]);
    let info = run(&["models", "info", to, "--json"]).good().json();
    assert_eq!(
        (&info["architecture"], &info["parameters"]),
        (&json!("qwen2"), &json["parameters"])
    );
    let answer = run_qa(&["-m", to]).good();
    assert_eq!(answer.out, "Rome\n");
    run(&["models", "quantize", "embedded", to]).fails(2, "--force writes over it");
    let smaller = run(&[
        "models", "quantize", to, to, "--to", "q4", "--force", "--json",
    ])
    .good()
    .json();
    assert!(
        smaller["bytes"].as_u64() < json["bytes"].as_u64(),
        "{smaller}"
    );
    run(&["models", "quantize", "nonsense", to, "--force"]).fails(3, "no model `nonsense`");
    run(&["models", "quantize", "embedded", "/nowhere/x.gguf"])
        .fails(5, "cannot write `/nowhere/x.gguf`");
    assert_eq!(files(folder.path()), ["small.gguf"]);
}

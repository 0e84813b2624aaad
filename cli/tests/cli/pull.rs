//! `models pull` from a hub of the test's own, over real sockets.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::Value as Json;

use crate::hub_support::{Fault, TestHub};
use crate::support::{command, finish};

fn hub() -> TestHub {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let read = |name: &str, path: &str| {
        (
            name.to_owned(),
            std::fs::read(root.join(path)).expect("a fixture"),
        )
    };
    TestHub::start([
        read("config.json", "tests/data/tiny-random-qwen2/config.json"),
        read(
            "model.safetensors",
            "tests/data/tiny-random-qwen2/model.safetensors",
        ),
        read("tokenizer.json", "runtime/models/embedded/tokenizer.json"),
    ])
}

/// The program on this hub, with a cache of its own.
fn asking(hub: &TestHub, home: &Path, arguments: &[&str]) -> Command {
    let mut command = command();
    command
        .env_remove("HF_HUB_OFFLINE")
        .env("HF_HOME", home)
        .env("HF_ENDPOINT", hub.endpoint())
        .args(arguments);
    command
}

#[test]
fn a_model_is_fetched_once_and_known_from_then_on() {
    let (hub, home) = (hub(), tempfile::tempdir().expect("a folder"));
    let run = |arguments: &[&str]| {
        finish(
            asking(&hub, home.path(), arguments)
                .spawn()
                .expect("it starts"),
        )
    };
    let pulled = run(&["models", "pull", "test/model", "--json"])
        .good()
        .json();
    let path = Path::new(pulled["path"].as_str().expect("a path")).to_owned();
    assert!(path.join("model.safetensors").is_file(), "{pulled}");
    let list = run(&["models", "list", "--json"]).good().json();
    let of_hub = |one: &&Json| one["where"] == "hub" && one["complete"] == true;
    let models = list["models"].as_array().expect("a list");
    assert_eq!(
        models.iter().find(of_hub).map(|one| &one["name"]),
        Some(&"test/model".into())
    );
    let info = run(&["models", "info", "test/model"]).good();
    assert!(info.out.contains("parameters"), "{info:#?}");
    let again = run(&["models", "pull", "test/model"]).good();
    assert_eq!(again.out.trim(), path.display().to_string());
}

#[cfg(unix)]
#[test]
fn a_pull_that_was_interrupted_goes_on() {
    let (hub, home) = (hub(), tempfile::tempdir().expect("a folder"));
    let pull = || {
        asking(&hub, home.path(), &["models", "pull", "test/model"])
            .spawn()
            .expect("it starts")
    };
    hub.fail([Fault::Pause(Duration::from_secs(20))]);
    let child = pull();
    crate::support::until(|| {
        let asked = hub.requests();
        let mut asked = asked.iter();
        asked.any(|request| request.method == "GET" && request.path.contains("resolve"))
    });
    crate::support::interrupt(&child);
    finish(child).fails(130, "interrupted");
    hub.fail([]);
    finish(pull()).good();
}

#[test]
fn what_the_hub_refuses_has_its_exit_code() {
    let (hub, home) = (hub(), tempfile::tempdir().expect("a folder"));
    let pull = || {
        finish(
            asking(&hub, home.path(), &["models", "pull", "test/model"])
                .spawn()
                .expect("it starts"),
        )
    };
    hub.refuse(Some((404, "RepoNotFound")));
    pull().fails(3, "the hub has no");
    hub.refuse(Some((403, "GatedRepo")));
    pull().fails(4, "is gated: accept its terms");
}

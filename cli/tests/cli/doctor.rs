//! `doctor`: what it finds on whatever machine the tests run.

use crate::support::{command, finish, run};

#[test]
fn every_check_has_a_state_and_what_was_found() {
    let ran = run(&["doctor", "--json"]);
    let json = ran.json();
    let checks = json["checks"].as_array().expect("a list");
    let states = ["ok", "info", "slow", "bad"];
    for check in checks {
        assert!(
            states.iter().any(|state| check["state"] == *state),
            "{check}"
        );
        assert!(
            check["found"]
                .as_str()
                .is_some_and(|found| !found.is_empty()),
            "{check}"
        );
        let advised = check["advice"]
            .as_str()
            .is_some_and(|advice| !advice.is_empty());
        assert!(
            advised || !["slow", "bad"].iter().any(|state| check["state"] == *state),
            "{check}"
        );
    }
    let has = |name: &str| checks.iter().any(|check| check["name"] == name);
    for name in [
        "kernels",
        "cores",
        "bandwidth",
        "gpu",
        "models folder",
        "hub cache",
        "environment",
    ] {
        assert!(has(name), "{name}: {json}");
    }
    let bad = checks.iter().any(|check| check["state"] == "bad");
    assert_eq!(
        (ran.code, json["ok"].as_bool()),
        (i32::from(bad), Some(!bad))
    );
}

#[test]
fn people_get_a_line_a_check_and_no_secrets() {
    let mut command = command();
    command
        .env("HF_TOKEN", "hf_secret")
        .env("HF_ENDPOINT", "https://mirror.example")
        .arg("doctor");
    let ran = finish(command.spawn().expect("it starts"));
    assert!(
        ran.out.contains("bandwidth") && ran.out.contains("GB/s"),
        "{ran:#?}"
    );
    assert!(
        ran.out.contains("HF_ENDPOINT=https://mirror.example")
            && ran.out.contains("HF_TOKEN is set"),
        "{ran:#?}"
    );
    assert!(!ran.out.contains("hf_secret"), "{ran:#?}");
}

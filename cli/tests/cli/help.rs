//! Help, completions, usage.

use crate::support::{command, finish, run};

const COMMANDS: [&str; 7] = [
    "run",
    "parse",
    "serve",
    "models",
    "bench",
    "doctor",
    "completions",
];

#[test]
fn every_command_has_help_with_examples() {
    let help = run(&["--help"]).good().out;
    for text in ["Exit codes:", "130  Ctrl-C", "Examples:"] {
        assert!(help.contains(text), "{text}: {help}");
    }
    for name in COMMANDS {
        assert!(help.contains(&format!("  {name} ")), "{name}: {help}");
        let own = run(&[name, "--help"]).good().out;
        let example = format!("Examples:\n  candle-signature {name}");
        // A serve may have a variable in front, a doctor a pipe behind: the first line is plain.
        assert!(own.contains(&example), "{name}: {own}");
    }
    let version = run(&["--version"]).good().out;
    assert_eq!(
        version,
        format!("candle-signature {}\n", env!("CARGO_PKG_VERSION"))
    );
}

#[test]
fn completions_are_scripts_of_their_shells() {
    for (shell, holds) in [
        ("bash", "complete -F _candle"),
        ("zsh", "#compdef candle-signature"),
        ("fish", "complete -c candle-signature"),
        ("elvish", "edit:completion:arg-completer"),
        ("powershell", "Register-ArgumentCompleter"),
    ] {
        let script = run(&["completions", shell]).good().out;
        assert!(script.contains(holds), "{shell}");
        assert!(COMMANDS.iter().all(|name| script.contains(name)), "{shell}");
    }
    // Where there is a bash, it can read its own.
    let script = run(&["completions", "bash"]).good().out;
    if let Ok(checked) = std::process::Command::new("bash")
        .args(["-n", "-c", &script])
        .output()
    {
        assert!(checked.status.success(), "{checked:?}");
    }
}

#[test]
fn what_is_misspelt_is_met_with_a_guess() {
    run(&["rum"]).fails(2, "'run'");
    run(&["run", "a -> b", "--quantisation", "q8"]).fails(2, "--quantization");
    run(&["run", "a -> b", "--quantization", "q5"]).fails(2, "possible values");
    run(&[]).fails(2, "Usage:");
    run(&["completions", "tcsh"]).fails(2, "possible values");
}

#[test]
fn the_environment_names_the_model() {
    let mut command = command();
    command
        .env("CANDLE_SIGNATURE_MODEL", "./nowhere")
        .args(["run", "a -> b", "-i", "a=x"]);
    finish(command.spawn().expect("it starts")).fails(3, "./nowhere");
}

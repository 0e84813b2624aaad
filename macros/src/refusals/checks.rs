//! `check` and `assert` of an output.

use super::of_output;

const CHECK: &str = "check(|value| value.len() > 3, \"say more\")";

#[test]
fn checks_of_an_output() {
    for (keys, message) in [
        (
            "check",
            format!("`check` needs a test and a message: `{CHECK}`"),
        ),
        (
            "check(f)",
            format!("`check` needs a message, which the model is told where the test fails: `{CHECK}`"),
        ),
        (
            "check(f, 3)",
            format!("expected the message as a string: `{CHECK}`"),
        ),
        (
            r#"check(f, "a", "b")"#,
            "`check` takes a test and a message, nothing more: give each test a `check(...)` of its own".into(),
        ),
        (
            r#"check(f, " ")"#,
            "the message is empty: say what a reply must be, for the model to do better".into(),
        ),
    ] {
        assert_eq!(of_output(keys, "String"), [message], "{keys}");
    }
    for (test, what) in [
        ("3", "a literal"),
        ("a > b", "a comparison or calculation"),
        ("!a", "a calculation"),
        ("let Some(a) = b", "a condition"),
        ("|| true", "a closure of several arguments or none"),
    ] {
        let message = format!(
            "the test of `check` is a function of the field's value, not {what}: `{CHECK}`"
        );
        assert_eq!(
            of_output(&format!("check({test}, \"a\")"), "String"),
            [message]
        );
    }
}

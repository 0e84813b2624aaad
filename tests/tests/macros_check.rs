//! `check` and `assert` of an output: what fails is asked for again, and what fails to the last is told.

use candle_signature::CandleSignature;
use candle_signature::adapter::CandleAdapterError;
use candle_signature::program::{ChainOfThought, Predict, ReAct};
use candle_signature::signature::Signature;
use candle_signature_tests::Script;
use futures::executor::block_on;

fn is_short(text: &str) -> bool {
    text.len() < 10
}

fn is_large(number: &i64) -> bool {
    *number > 4
}

/// Name a number and say why.
#[derive(CandleSignature)]
struct Number {
    #[input]
    hint: String,
    #[output(
        assert(|number| number % 2 == 0, "must be even"),
        check(is_large, "should be above 4"),
        max = 100
    )]
    number: i64,
    #[output(rename = "reason", check(|text: &String| is_short(text), "should be short"))]
    why: String,
}

/// A generic one.
#[derive(CandleSignature)]
struct Pick<T: candle_signature::CandleValue> {
    #[output(check(|items| !items.is_empty(), "pick at least one"))]
    items: Vec<T>,
}

const ODD: &str = "[[ ## number ## ]]\n7\n\n[[ ## reason ## ]]\nfine\n\n[[ ## completed ## ]]";
const LOW: &str =
    "[[ ## number ## ]]\n2\n\n[[ ## reason ## ]]\nbecause it is so\n\n[[ ## completed ## ]]";
const GOOD: &str = "[[ ## number ## ]]\n8\n\n[[ ## reason ## ]]\nfine\n\n[[ ## completed ## ]]";

fn input() -> NumberInput {
    NumberInput {
        hint: "even".into(),
    }
}

#[test]
fn predict_asks_again_with_the_reply_and_the_message() {
    let script = Script::new(&[ODD, LOW, GOOD]);
    let out = block_on(Number::predict(&script, input())).expect("the third is right");
    assert_eq!(out.number, 8);
    assert!(out.failed_checks().is_empty());
    let problems: Vec<_> = out
        .attempts()
        .iter()
        .map(|attempt| attempt.problems.clone())
        .collect();
    assert_eq!(
        problems,
        [
            vec!["`number`: must be even"],
            vec!["`number`: should be above 4", "`reason`: should be short"]
        ]
    );
    let requests = script.requests();
    let told = &requests[1].messages[requests[0].messages.len()..];
    assert_eq!(told[0].content, ODD);
    assert!(told[1].content.contains("- `number`: must be even\n"));
}

#[test]
fn after_two_retries_a_check_is_recorded_and_an_assertion_fails() {
    let out = block_on(Number::predict(&Script::new(&[LOW, LOW, LOW]), input()))
        .expect("checks only record");
    assert_eq!(
        out.failed_checks(),
        ["`number`: should be above 4", "`reason`: should be short"]
    );
    let error = block_on(Number::predict(&Script::new(&[LOW, ODD, ODD]), input()))
        .expect_err("the last is odd");
    assert!(
        matches!(&error, CandleAdapterError::CheckFailed { problems, .. } if *problems == ["`number`: must be even"]),
        "{error}"
    );
    let strict = Predict::<Number>::new().with_retries(0);
    let error = block_on(strict.call(&Script::new(&[ODD]), input())).expect_err("no retries");
    assert!(matches!(error, CandleAdapterError::CheckFailed { .. }));
}

#[test]
fn a_programs_own_checks_stand_beside_them() {
    let eight = Predict::<Number>::new().check("not eight again", |out| out.number != 8);
    let out =
        block_on(eight.with_retries(0).call(&Script::new(&[GOOD]), input())).expect("a value");
    assert_eq!(out.failed_checks(), ["not eight again"]);
}

#[test]
fn reasoning_and_tools_change_nothing_about_them() {
    const REASONED: [&str; 2] = [
        "[[ ## reasoning ## ]]\nHm.\n\n[[ ## number ## ]]\n7\n\n[[ ## reason ## ]]\nfine\n\n[[ ## completed ## ]]",
        "[[ ## reasoning ## ]]\nAh.\n\n[[ ## number ## ]]\n8\n\n[[ ## reason ## ]]\nfine\n\n[[ ## completed ## ]]",
    ];
    let program = ChainOfThought::<Number>::new();
    let out =
        block_on(program.call(&Script::new(&REASONED), input())).expect("the second is right");
    assert_eq!((out.reasoning.as_str(), out.number), ("Ah.", 8));
    assert_eq!(out.attempts().len(), 1);

    const STEP: &str = "[[ ## next_thought ## ]]\nDone.\n\n[[ ## next_tool_name ## ]]\nfinish\n\n[[ ## next_tool_args ## ]]\n{}\n\n[[ ## completed ## ]]";
    let program = ReAct::<Number>::new();
    let out = block_on(program.call(&Script::new(&[STEP, ODD, GOOD]), input()))
        .expect("the second answer is right");
    assert_eq!(out.answer().number, 8);
    assert_eq!(out.answer().attempts().len(), 1);
}

#[test]
fn a_signature_tells_its_checks() {
    let checks = Number::checks();
    let told: Vec<_> = checks
        .iter()
        .map(|check| (check.message(), check.is_demanded()))
        .collect();
    assert_eq!(
        told,
        [
            ("`number`: must be even", true),
            ("`number`: should be above 4", false),
            ("`reason`: should be short", false)
        ]
    );
    let output = PickOutput::<u8> { items: Vec::new() };
    assert!(!Pick::<u8>::checks()[0].holds(&output));
}

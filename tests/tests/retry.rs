//! Checks, and asking again.

use candle_signature::CandleSignature;
use candle_signature::adapter::CandleAdapterError;
use candle_signature::program::Predict;
use candle_signature::prompt::Role;
use candle_signature_tests::Script;
use futures::executor::block_on;

/// Name a number.
#[derive(CandleSignature)]
struct Number {
    #[input]
    hint: String,
    #[output]
    number: i64,
}

const SEVEN: &str = "[[ ## number ## ]]\n7\n\n[[ ## completed ## ]]";
const EIGHT: &str = "[[ ## number ## ]]\n8\n\n[[ ## completed ## ]]";
const WORD: &str = "[[ ## number ## ]]\nseveral\n\n[[ ## completed ## ]]";

fn hint() -> NumberInput {
    NumberInput {
        hint: "even".into(),
    }
}

fn even() -> Predict<Number> {
    Predict::new().check("`number` must be even", |out: &NumberOutput| {
        out.number % 2 == 0
    })
}

#[test]
fn a_reply_that_fails_is_asked_for_again_with_the_reason() {
    let script = Script::new(&[SEVEN, EIGHT]);
    let out = block_on(even().with_retries(2).call(&script, hint())).unwrap();
    assert_eq!(out.number, 8);
    assert!(out.failed_checks().is_empty());
    let [attempt] = out.attempts() else {
        panic!("{:?}", out.attempts())
    };
    assert_eq!(
        (attempt.reply.as_str(), attempt.problems.as_slice()),
        (SEVEN, &["`number` must be even".to_owned()][..])
    );
    assert_eq!(
        (out.usage().prompt_tokens, out.usage().completion_tokens),
        (20, 10)
    );

    let requests = script.requests();
    let (first, second) = (&requests[0].messages, &requests[1].messages);
    assert_eq!(
        second[..first.len()],
        first[..],
        "the turns before stay as they were"
    );
    assert_eq!(
        (
            second[first.len()].role,
            second[first.len()].content.as_str()
        ),
        (Role::Assistant, SEVEN)
    );
    assert!(
        second[first.len() + 1]
            .content
            .contains("- `number` must be even\n")
    );
}

#[test]
fn a_check_only_records_and_an_assertion_fails() {
    let out = block_on(even().call(&Script::new(&[SEVEN]), hint())).unwrap();
    assert_eq!(
        (out.number, out.failed_checks()),
        (7, &["`number` must be even".to_owned()][..])
    );

    let strict =
        Predict::<Number>::new().assert("`number` must be even", |out| out.number % 2 == 0);
    let error = block_on(
        strict
            .with_retries(1)
            .call(&Script::new(&[SEVEN, SEVEN]), hint()),
    )
    .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the reply fails a check: `number` must be even"
    );
    assert!(
        matches!(error, CandleAdapterError::CheckFailed { completion, .. } if completion == SEVEN)
    );
}

#[test]
fn what_can_not_be_read_is_asked_for_again() {
    let script = Script::new(&[WORD, EIGHT]);
    let out = block_on(
        Predict::<Number>::new()
            .with_retries(1)
            .call(&script, hint()),
    )
    .unwrap();
    assert_eq!(out.number, 8);
    assert!(
        script.last_prompt().contains("field `number`"),
        "{}",
        script.last_prompt()
    );

    let error = block_on(Predict::<Number>::new().call(&Script::new(&[WORD]), hint())).unwrap_err();
    let CandleAdapterError::ParseError(error) = error else {
        panic!("{error}")
    };
    assert_eq!(error.completion, WORD);
}

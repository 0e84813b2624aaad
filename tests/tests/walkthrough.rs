//! `docs/walkthrough.md` is what the example of that name prints: its words, its code, its output.
//!
//! After a change: `UPDATE_EXPECT=1 cargo test -p candle-signature-tests --test walkthrough`, then read the difference.

#[path = "../../examples/walkthrough/steps/mod.rs"]
mod steps;

#[tokio::test]
async fn the_chapter_is_what_the_example_prints() {
    let run = steps::run().await.expect("every step runs");
    assert!(run.iter().all(|step| !step.output.trim().is_empty()));
    expect_test::expect_file!["../../docs/walkthrough.md"].assert_eq(&steps::markdown(&run));
}

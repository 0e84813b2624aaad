//! Every mistake in `cases/` fails to compile with the words in the `.stderr` beside it.
//!
//! After a change of words: `TRYBUILD=overwrite cargo test -p candle-signature-ui-tests`, then read the difference.

#[test]
fn mistakes_are_explained() {
    trybuild::TestCases::new().compile_fail("cases/*/*.rs");
}

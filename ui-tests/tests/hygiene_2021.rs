//! The hygiene tests again, in edition 2021, which is this package's.

/// The tests.
#[path = "../../tests/tests/macros_hygiene.rs"]
pub mod hygiene;

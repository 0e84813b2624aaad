//! The hygiene tests again, in edition 2021, which is this package's.

/// The tests. Formatted where they live, in the style of edition 2024.
#[rustfmt::skip]
#[path = "../../tests/tests/macros_hygiene.rs"]
pub mod hygiene;

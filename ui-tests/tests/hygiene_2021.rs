//! The hygiene tests again, in edition 2021, which is this package's.

#[path = "../../tests/tests/macros_hygiene.rs"]
mod hygiene;

//! What a grammar can't say and a reply must keep to: no item of a set twice, no key twice, no nesting without end.
//!
//! A walker follows the bytes of a reply beside the automaton and knows from the types where it stands. It refuses a byte
//! after which no valid value remains, so that it never leads into a dead end: it counts the values that can still come.

mod count;
mod dates;
mod digits;
mod distinct;
mod frame;
mod live;
mod measure;
mod scalar;
mod shape;
mod walker;
mod words;

pub(super) use digits::Grid;
pub(super) use distinct::distinct_items;
pub(super) use shape::Plan;
pub(super) use walker::{Walker, Watch};

/// Nesting of a reply's values. The parser reads twice as much, counting each `null` that a type allows as a level.
pub(super) const MOST_NESTING: usize = 64;

//! Types as constants: what a const fn can follow, which the function pointers of [`TypeRef`](super::TypeRef) are not.
//!
//! A type may contain itself and a constant may not, so a struct's row knows its fields' kinds only where
//! they are made of the standard library's types.

use super::{IntType, ListKind};

/// A type, as far as constants go.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// Not known, or anything goes.
    Any,
    /// Text.
    Text,
    /// One character.
    Char,
    /// A boolean.
    Bool,
    /// An integer of a given width.
    Int(IntType),
    /// A float.
    Float,
    /// A value or `null`.
    Option(&'static Kind),
    /// A sequence.
    List(&'static Kind, ListKind),
    /// A fixed number of values, each of its own kind.
    Tuple(&'static [&'static Kind]),
    /// String keys, values of one kind.
    Map(&'static Kind),
    /// Named fields.
    Struct(&'static [KindField]),
    /// One of these names.
    Choice(&'static [&'static str]),
    /// A map whose tag is one of these names.
    Tagged(&'static str, &'static [&'static str]),
}

/// One field of a struct.
#[derive(Debug, Clone, Copy)]
pub struct KindField {
    /// Name in the prompt.
    pub name: &'static str,
    /// Whether it must be there.
    pub required: bool,
    /// Its type.
    pub kind: &'static Kind,
}

impl KindField {
    /// A field as a derive writes it. An `Option` may always be left out.
    #[must_use]
    pub const fn new(name: &'static str, has_default: bool, kind: &'static Kind) -> Self {
        let required = !has_default && !matches!(kind, Kind::Option(_));
        KindField {
            name,
            required,
            kind,
        }
    }
}

//! Literals checked against a signature by constant evaluation: what `example!` and `example_file!` hold is right
//! before the program runs. Everything here is `const fn`, so no traits, no closures, no allocation.

mod constraints;
mod fields;
mod near;
mod pattern;
mod place;
mod records;
mod text;
mod types;
mod variants;

use std::borrow::Cow;

use super::{FieldSpec, Str};

pub use pattern::{NotAscii, Step};
pub use records::{Record, demos, record};

use place::Place;

/// A regular expression of a constraint, and the program that matches it.
pub type Program = (&'static str, &'static [Step]);

/// A literal of the source or of a file.
#[derive(Debug, Clone, Copy)]
pub enum Literal {
    /// `null`.
    Null,
    /// A boolean.
    Bool(bool),
    /// An integer, up to `i128::MAX`.
    Int(i128),
    /// An integer above that.
    UInt(u128),
    /// A float.
    Float(f64),
    /// A string.
    Text(&'static str),
    /// A list, each item with its line.
    List(&'static [(u128, Literal)]),
    /// A map.
    Map(&'static [Entry]),
    /// An expression, whose value is not known before the program runs.
    Unknown,
}

/// One entry of a map.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// Line it stands on.
    pub line: u128,
    /// Its key: the name of a field, as in the prompt.
    pub name: &'static str,
    /// The value.
    pub value: Literal,
}

/// What literals of a signature are checked by.
pub struct Checks {
    /// Name of the signature.
    pub name: &'static Str,
    /// Its inputs.
    pub inputs: &'static [FieldSpec],
    /// Its outputs.
    pub outputs: &'static [FieldSpec],
    /// Fields whose name in Rust is not the one shown.
    pub renamed: &'static [(&'static str, &'static str)],
    /// Programs of `regex` constraints.
    pub programs: &'static [Program],
}

/// Checks the literal that `example!` gives a field, by the field's name in Rust, against its constraints.
#[track_caller]
pub const fn example_value(checks: &Checks, rust_name: &str, literal: &Literal) {
    let name = shown_name(checks.renamed, rust_name);
    let field = match find(checks.inputs, name) {
        Some(field) => field,
        None => match find(checks.outputs, name) {
            Some(field) => field,
            // No such field: rustc says so where the struct is built.
            None => return,
        },
    };
    let place = Place::source(str_of(&field.name));
    if let Some(fault) = constraints::fault(&place, field, checks.programs, literal) {
        panic!("{}", fault.as_str());
    }
}

const fn shown_name<'n>(
    renamed: &'static [(&'static str, &'static str)],
    rust_name: &'n str,
) -> &'n str {
    let mut at = 0;
    while at < renamed.len() {
        if same(renamed[at].0, rust_name) {
            return renamed[at].1;
        }
        at += 1;
    }
    rust_name
}

const fn find(fields: &'static [FieldSpec], name: &str) -> Option<&'static FieldSpec> {
    let mut at = 0;
    while at < fields.len() {
        if same(str_of(&fields[at].name), name) {
            return Some(&fields[at]);
        }
        at += 1;
    }
    None
}

/// The rows that a derive wrote.
#[expect(
    clippy::ptr_arg,
    reason = "a `Cow` derefs by a trait, which constant evaluation can't call"
)]
const fn slice_of<T: Clone>(rows: &Cow<'static, [T]>) -> &'static [T] {
    match rows {
        Cow::Borrowed(rows) => rows,
        Cow::Owned(_) => &[],
    }
}

/// The text of a [`Str`] that a derive wrote.
const fn str_of(text: &Str) -> &str {
    match text {
        Str::Borrowed(text) => text,
        Str::Owned(_) => "",
    }
}

const fn same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    let mut at = 0;
    while at < a.len() {
        if a[at] != b[at] {
            return false;
        }
        at += 1;
    }
    true
}

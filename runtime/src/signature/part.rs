//! Demos with fields left out, one field at a time: what `example!(S { .., .. })` expands to.
//!
//! Three steps, so that rustc knows the field's type before it looks at the value, and the value's traits last:
//! `demo.part("name", |whole| whole.name).is(value).done()`.

use std::any::Any;
use std::marker::PhantomData;

use super::{Demo, FieldValue, Signature, Value};

/// Writes the value of a field that is not written as its type says: `with = ...`, `format_with = ...`.
pub type WriteSpecial = fn(Box<dyn Any>) -> Option<Value>;

/// A demo about to get the value of one field.
pub struct Part<S, T> {
    demo: Demo<S>,
    rust_name: &'static str,
    ty: PhantomData<fn() -> T>,
}

/// A demo and the value of one field.
pub struct Filled<S, T> {
    demo: Demo<S>,
    rust_name: &'static str,
    value: T,
}

impl<S: Signature> Demo<S> {
    /// Begins to add one field, by its name in Rust; `field` only says what type it has.
    #[doc(hidden)]
    #[must_use]
    pub fn part<T>(self, rust_name: &'static str, _field: fn(S) -> T) -> Part<S, T> {
        Part {
            demo: self,
            rust_name,
            ty: PhantomData,
        }
    }
}

impl<S, T> Part<S, T> {
    /// The value.
    #[must_use]
    pub fn is(self, value: T) -> Filled<S, T> {
        Filled {
            demo: self.demo,
            rust_name: self.rust_name,
            value,
        }
    }
}

fn special<S: Signature>(rust_name: &str) -> Option<WriteSpecial> {
    let mut all = S::SPECIAL.iter();
    all.find(|(name, _)| *name == rust_name)
        .map(|(_, write)| *write)
}

impl<S: Signature, T: FieldValue + 'static> Filled<S, T> {
    /// The demo with the value.
    #[must_use]
    pub fn done(self) -> Demo<S> {
        let value = match special::<S>(self.rust_name) {
            Some(write) => write(Box::new(self.value)),
            None => Some(self.value.into_value()),
        };
        match value {
            Some(value) => self.demo.with(self.rust_name, value),
            None => self.demo,
        }
    }
}

/// The same for a foreign type, which only its `with` module can write. The method above goes first where it
/// applies.
pub trait ForeignPart<S> {
    /// The demo with the value.
    #[must_use]
    fn done(self) -> Demo<S>;
}

impl<S: Signature, T: 'static> ForeignPart<S> for Filled<S, T> {
    fn done(self) -> Demo<S> {
        let value = special::<S>(self.rust_name).and_then(|write| write(Box::new(self.value)));
        match value {
            Some(value) => self.demo.with(self.rust_name, value),
            None => self.demo,
        }
    }
}

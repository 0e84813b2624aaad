//! What a derive implements: a signature, and its sets of input and output fields.

use super::{
    Check, Demo, FieldSpec, PromptFormat, SignatureSpec, Str, Value, ValueError, check, part,
};

/// A typed signature. Implemented by `#[derive(CandleSignature)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a signature",
    note = "add `#[derive(CandleSignature)]` to the struct `{Self}` and mark its fields `#[input]` or `#[output]`"
)]
pub trait Signature: Sized + Send + 'static {
    /// The input fields as a struct.
    type Input: FieldSet;
    /// The output fields as a struct.
    type Output: FieldSet;
    /// The signature as data.
    const SPEC: &'static SignatureSpec = &SignatureSpec::new(
        Self::NAME,
        Self::INSTRUCTION,
        <Self::Input as FieldSet>::FIELDS,
        <Self::Output as FieldSet>::FIELDS,
    )
    .with_format(Self::FORMAT);

    /// The name that [`SPEC`](Signature::SPEC) has unless it is given itself.
    const NAME: &'static str = "Signature";

    /// Its instruction, unless it is given itself.
    const INSTRUCTION: &'static str = "";

    /// Its format, unless it is given itself.
    const FORMAT: PromptFormat = PromptFormat::Chat;

    /// The checks that every program makes of an output.
    #[must_use]
    fn checks() -> Vec<Check<Self::Output>> {
        Vec::new()
    }

    /// Fields whose name in Rust is not the one shown: (Rust's, shown).
    #[doc(hidden)]
    const RENAMED: &'static [(&'static str, &'static str)] = &[];

    /// The programs of `regex` constraints.
    #[doc(hidden)]
    const PROGRAMS: &'static [check::Program] = &[];

    /// How fields of a partial demo are written that are not written as their type says, by their name in Rust.
    #[doc(hidden)]
    const SPECIAL: &'static [(&'static str, part::WriteSpecial)] = &[];

    /// What literals are checked by.
    #[doc(hidden)]
    const CHECKS: check::Checks = check::Checks {
        name: &Self::SPEC.name,
        inputs: <Self::Input as FieldSet>::FIELDS,
        outputs: <Self::Output as FieldSet>::FIELDS,
        renamed: Self::RENAMED,
        programs: Self::PROGRAMS,
    };

    /// A complete demo of a value of the signature itself.
    #[doc(hidden)]
    fn into_demo(self) -> Demo<Self> {
        Demo::from(self)
    }

    /// Parts a value of the signature itself (as `example!` builds it) into its two halves.
    fn split(self) -> (Self::Input, Self::Output);
}

/// A struct of fields, to and from untyped values.
pub trait FieldSet: Sized + Send + 'static {
    /// The fields as data, in declared order.
    const FIELDS: &'static [FieldSpec];

    /// Builds the struct of the values, or says of every field that failed why.
    ///
    /// # Errors
    /// One [`ValueError`] a field that is missing or of the wrong type, in field order,
    /// its path beginning with the field's name.
    fn from_values(values: FieldValues) -> Result<Self, Vec<ValueError>>;

    /// The values, in field order.
    fn into_values(self) -> FieldValues;
}

/// Values by field name, in order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FieldValues(Vec<(Str, Value)>);

impl FieldValues {
    /// No values yet.
    #[must_use]
    pub const fn new() -> Self {
        FieldValues(Vec::new())
    }

    /// Adds a value at the end, or replaces the one of that name.
    pub fn insert(&mut self, name: impl Into<Str>, value: Value) {
        let name = name.into();
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, old)) => *old = value,
            None => self.0.push((name, value)),
        }
    }

    /// The value of a field.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value)
    }

    /// Takes the value of a field out.
    pub fn take(&mut self, name: &str) -> Option<Value> {
        let at = self.0.iter().position(|(known, _)| known == name)?;
        Some(self.0.remove(at).1)
    }

    /// Names and values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_ref(), value))
    }

    /// Names and values, in order, by value.
    pub fn into_entries(self) -> impl Iterator<Item = (Str, Value)> {
        self.0.into_iter()
    }

    /// How many values there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<N: Into<Str>> FromIterator<(N, Value)> for FieldValues {
    fn from_iter<I: IntoIterator<Item = (N, Value)>>(entries: I) -> Self {
        let mut values = FieldValues::new();
        for (name, value) in entries {
            values.insert(name, value);
        }
        values
    }
}

impl serde::Serialize for FieldValues {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

//! A whole signature as data.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use super::{Constraint, Str, TypeRef, Value};

/// Name, instruction and fields of a signature.
///
/// A derive makes it as a constant.
#[derive(Debug, Clone)]
pub struct SignatureSpec {
    /// Name of the signature, for messages and logs.
    pub name: Str,
    /// What the model is asked to do; empty for the default sentence.
    pub instruction: Str,
    /// Fields given to the model, in declared order.
    pub inputs: Cow<'static, [FieldSpec]>,
    /// Fields asked of the model, in declared order.
    pub outputs: Cow<'static, [FieldSpec]>,
    /// How prompt and reply are laid out.
    pub format: PromptFormat,
}

/// How prompt and reply are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum PromptFormat {
    /// DSPy's chat format: a section a field.
    #[default]
    Chat,
    /// One JSON object of all outputs.
    Json,
}

impl SignatureSpec {
    /// A spec of static parts, as a derive writes it.
    #[must_use]
    pub const fn new(
        name: &'static str,
        instruction: &'static str,
        inputs: &'static [FieldSpec],
        outputs: &'static [FieldSpec],
    ) -> Self {
        SignatureSpec {
            name: Cow::Borrowed(name),
            instruction: Cow::Borrowed(instruction),
            inputs: Cow::Borrowed(inputs),
            outputs: Cow::Borrowed(outputs),
            format: PromptFormat::Chat,
        }
    }

    /// The same in another format.
    #[must_use]
    pub const fn with_format(mut self, format: PromptFormat) -> Self {
        self.format = format;
        self
    }
}

/// One field of a signature, a struct or an enum variant.
#[derive(Debug, Clone)]
pub struct FieldSpec {
    /// The name, as in prompt and reply.
    pub name: Str,
    /// Description from the doc comment; may be empty.
    pub desc: Str,
    /// Its type.
    pub ty: TypeRef,
    /// What the value must satisfy beyond its type.
    pub constraints: Cow<'static, [Constraint]>,
    /// What a missing value becomes; `None` if it must be there (an `Option` is `null` anyway).
    pub default: Option<DefaultValue>,
}

impl FieldSpec {
    /// A field of static parts, as a derive writes it.
    #[must_use]
    pub const fn new(
        name: &'static str,
        desc: &'static str,
        ty: TypeRef,
        constraints: &'static [Constraint],
        default: Option<DefaultValue>,
    ) -> Self {
        FieldSpec {
            name: Cow::Borrowed(name),
            desc: Cow::Borrowed(desc),
            ty,
            constraints: Cow::Borrowed(constraints),
            default,
        }
    }

    /// A field made at run time, without constraints or default.
    pub fn owned(name: impl Into<String>, desc: impl Into<String>, ty: impl Into<TypeRef>) -> Self {
        FieldSpec {
            name: Cow::Owned(name.into()),
            desc: Cow::Owned(desc.into()),
            ty: ty.into(),
            constraints: Cow::Borrowed(&[]),
            default: None,
        }
    }

    /// Whether a reply may leave the field out.
    #[must_use]
    pub fn may_be_missing(&self) -> bool {
        self.default.is_some() || self.ty.is_option()
    }
}

/// The value of a field that a reply leaves out.
#[derive(Clone)]
pub enum DefaultValue {
    /// Computed by generated code.
    Lazy(fn() -> Value),
    /// Given at run time.
    Owned(Arc<Value>),
}

impl DefaultValue {
    /// The value.
    #[must_use]
    pub fn get(&self) -> Value {
        match self {
            DefaultValue::Lazy(make) => make(),
            DefaultValue::Owned(value) => Value::clone(value),
        }
    }
}

impl fmt::Debug for DefaultValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}

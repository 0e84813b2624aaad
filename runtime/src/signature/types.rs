//! The types that a field can have, as data.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use super::{DateKind, FieldSpec, FieldValue, Known, Str};

/// The type of a field.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum FieldType {
    /// Free text.
    String,
    /// One Unicode scalar value.
    Char,
    /// `true` or `false`.
    Bool,
    /// An integer of a given width.
    Int(IntType),
    /// A floating-point number.
    Float(FloatType),
    /// A date, a time, or both.
    Date(DateKind),
    /// Any JSON value.
    Json,
    /// A value or `null`.
    Option(TypeRef),
    /// A sequence of values of one type.
    List(ListType),
    /// A fixed number of values, each of its own type.
    Tuple(Cow<'static, [TypeRef]>),
    /// String keys, values of one type.
    Map(TypeRef),
    /// Named fields.
    Struct(StructSpec),
    /// One of several variants.
    Enum(EnumSpec),
}

impl FieldType {
    /// Whether a missing value is `None` rather than an error.
    #[must_use]
    pub fn is_option(&self) -> bool {
        matches!(self, FieldType::Option(_))
    }
}

/// Signedness and width of an integer type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IntType {
    /// Whether negative values exist.
    pub signed: bool,
    /// Width in bits: 8, 16, 32, 64 or 128.
    pub bits: u8,
}

impl IntType {
    /// The least value of the type.
    #[must_use]
    pub const fn min(self) -> i128 {
        if self.signed {
            i128::MIN >> (128 - self.bits as u32)
        } else {
            0
        }
    }

    /// The greatest value of the type.
    #[must_use]
    pub const fn max(self) -> u128 {
        u128::MAX >> (128 - self.bits as u32 + self.signed as u32)
    }
}

/// Width of a floating-point type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FloatType {
    /// 32 bits.
    F32,
    /// 64 bits.
    F64,
}

/// The item type of a sequence, and what kind of sequence it is.
#[derive(Debug, Clone)]
pub struct ListType {
    /// Type of each item.
    pub item: TypeRef,
    /// List, set or array.
    pub kind: ListKind,
}

/// What distinguishes the sequences.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListKind {
    /// Any number of items, in order.
    List,
    /// Any number of distinct items.
    Set,
    /// Exactly so many items.
    Array(usize),
}

/// A struct as a field type.
#[derive(Debug, Clone)]
pub struct StructSpec {
    /// Name shown in the prompt.
    pub name: Str,
    /// Description from the doc comment; may be empty.
    pub desc: Str,
    /// The fields, in declared order.
    pub fields: Cow<'static, [FieldSpec]>,
}

/// An enum as a field type.
#[derive(Debug, Clone)]
pub struct EnumSpec {
    /// Name shown in the prompt.
    pub name: Str,
    /// Description from the doc comment; may be empty.
    pub desc: Str,
    /// The variants, in declared order.
    pub variants: Cow<'static, [VariantSpec]>,
    /// Key that names the variant where variants carry data.
    pub tag: Str,
}

impl StructSpec {
    /// A struct of static parts, as a derive writes it.
    #[must_use]
    pub const fn new(name: &'static str, desc: &'static str, fields: &'static [FieldSpec]) -> Self {
        StructSpec {
            name: Cow::Borrowed(name),
            desc: Cow::Borrowed(desc),
            fields: Cow::Borrowed(fields),
        }
    }
}

impl VariantSpec {
    /// A variant of static parts, as a derive writes it.
    #[must_use]
    pub const fn new(
        name: &'static str,
        desc: &'static str,
        aliases: &'static [Str],
        payload: Payload,
    ) -> Self {
        VariantSpec {
            name: Cow::Borrowed(name),
            aliases: Cow::Borrowed(aliases),
            desc: Cow::Borrowed(desc),
            payload,
        }
    }
}

impl EnumSpec {
    /// An enum of static parts, as a derive writes it.
    #[must_use]
    pub const fn new(
        name: &'static str,
        desc: &'static str,
        tag: &'static str,
        variants: &'static [VariantSpec],
    ) -> Self {
        EnumSpec {
            name: Cow::Borrowed(name),
            desc: Cow::Borrowed(desc),
            variants: Cow::Borrowed(variants),
            tag: Cow::Borrowed(tag),
        }
    }

    /// Whether no variant carries data, so that a value is just a name.
    #[must_use]
    pub fn is_unit(&self) -> bool {
        self.variants
            .iter()
            .all(|variant| matches!(variant.payload, Payload::Unit))
    }
}

/// One variant of an enum.
#[derive(Debug, Clone)]
pub struct VariantSpec {
    /// The name, as in prompt and reply.
    pub name: Str,
    /// Other spellings that mean the same variant.
    pub aliases: Cow<'static, [Str]>,
    /// Description from the doc comment; may be empty.
    pub desc: Str,
    /// The data it carries.
    pub payload: Payload,
}

/// The data that an enum variant carries.
#[derive(Debug, Clone)]
pub enum Payload {
    /// None: the value is the variant's name (or `{"type": name}` beside variants with data).
    Unit,
    /// One value, written `{"type": name, "value": ...}`.
    Value(TypeRef),
    /// Named fields, written `{"type": name, ...}`.
    Fields(Cow<'static, [FieldSpec]>),
}

/// A reference to a [`FieldType`] that may be static, recursive or made at run time.
#[derive(Clone)]
pub enum TypeRef {
    /// A type known at compile time. A function, so that a type may contain itself.
    Lazy(fn() -> &'static FieldType),
    /// The same with what constant evaluation knows of it.
    #[doc(hidden)]
    Known(fn() -> &'static FieldType, Known),
    /// A constant.
    Static(&'static FieldType),
    /// A type made at run time.
    Owned(Arc<FieldType>),
}

impl TypeRef {
    /// Free text.
    pub const TEXT: TypeRef = TypeRef::Static(&FieldType::String);

    /// The type of `T`.
    #[must_use]
    pub const fn of<T: FieldValue>() -> Self {
        TypeRef::Known(|| T::TYPE, T::KNOWN)
    }
}

impl From<FieldType> for TypeRef {
    fn from(ty: FieldType) -> Self {
        TypeRef::Owned(Arc::new(ty))
    }
}

impl Deref for TypeRef {
    type Target = FieldType;

    fn deref(&self) -> &FieldType {
        match self {
            TypeRef::Lazy(ty) | TypeRef::Known(ty, _) => ty(),
            TypeRef::Static(ty) => ty,
            TypeRef::Owned(ty) => ty,
        }
    }
}

/// Shows the kind only: a full print of a recursive type would not end.
impl fmt::Debug for TypeRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &**self {
            FieldType::Option(inner) => write!(f, "Option<{inner:?}>"),
            FieldType::List(list) => write!(f, "List<{:?}>", list.item),
            FieldType::Map(value) => write!(f, "Map<{value:?}>"),
            FieldType::Tuple(items) => f.debug_tuple("Tuple").field(items).finish(),
            FieldType::Struct(spec) => write!(f, "Struct({})", spec.name),
            FieldType::Enum(spec) => write!(f, "Enum({})", spec.name),
            scalar => write!(f, "{scalar:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integer_bounds_are_those_of_rust() {
        let int = |signed, bits| IntType { signed, bits };
        assert_eq!((int(true, 8).min(), int(true, 8).max()), (-128, 127));
        assert_eq!((int(false, 8).min(), int(false, 8).max()), (0, 255));
        assert_eq!(int(true, 64).min(), i128::from(i64::MIN));
        assert_eq!(int(true, 64).max(), i64::MAX as u128);
        assert_eq!(int(true, 128).min(), i128::MIN);
        assert_eq!(int(true, 128).max(), i128::MAX as u128);
        assert_eq!(int(false, 128).max(), u128::MAX);
    }
}

//! What generated code calls of `signature`; re-exported by `__private`. No part of the public API.

pub use std::borrow::Cow;
pub use std::boxed::Box;
pub use std::option::Option::{None, Some};
pub use std::primitive::str;
pub use std::result::Result::{self, Err, Ok};
pub use std::vec::Vec;

pub use super::check;
pub use super::demand;
pub use super::example::untyped_example;
pub use super::literal::{items, list, text};
pub use super::part::{ForeignPart, WriteSpecial};
pub use super::reader::{
    Read, Reader, payload, struct_fields, struct_value, struct_values, unit_value, unit_variant,
    values, variant, variant_fields, variant_value,
};
pub use super::suits as constraint;
pub use super::tool::{check_arguments, tool_arguments, tool_result};
pub use super::{
    Bound, CanReason, Check, Constraint, DefaultValue, Demo, EnumSpec, Example, FieldSet,
    FieldSpec, FieldType, FieldValue, FieldValues, IntoValue, Known, Payload, PromptFormat,
    Signature, SignatureSpec, Str, StructSpec, Table, Tool, ToolFuture, TypeRef, Value, ValueError,
    VariantSpec,
};

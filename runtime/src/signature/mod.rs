//! A signature as data: what a derive emits, and what prompt, grammar and parser read.
//!
//! Nothing here renders, parses or runs anything. It imports no other module of the crate.

mod alike;
#[doc(hidden)]
pub mod check;
mod constraint;
mod date;
#[doc(hidden)]
pub mod demand;
mod demo;
#[doc(hidden)]
pub mod derived;
mod example;
mod field_set;
mod fits;
mod fn_tool;
mod hold;
mod impls;
mod known;
mod literal;
mod marker;
mod part;
mod python_type;
mod reader;
mod reasoned;
mod schema;
mod shorthand;
mod spec;
mod spec_constraint;
mod spec_json;
#[doc(hidden)]
pub mod suits;
mod tool;
mod type_string;
mod types;
mod value;

pub use constraint::{Bound, Constraint};
pub use date::DateKind;
pub(crate) use date::days_of;
pub use demand::Check;
pub use demo::{Demo, PartialDemo};
pub use example::{Example, IntoValue};
pub use field_set::{FieldSet, FieldValues, Signature};
pub use fn_tool::{FnTool, ToolFn};
pub use impls::{FieldValue, TextValue};
#[doc(hidden)]
pub use known::{Known, Table};
pub(crate) use marker::is_line_break;
pub use marker::{escape_markers, marker_name, unescape_markers};
pub use reasoned::{CanReason, REASONING, Reasoned, reasoned_spec};
pub use schema::json_schema;
pub use shorthand::ShorthandError;
pub use spec::{DefaultValue, FieldSpec, PromptFormat, SignatureSpec};
pub use spec_json::SpecError;
pub use tool::{Tool, ToolError, ToolFuture, ToolOutput, Within};
pub use types::{
    EnumSpec, FieldType, FloatType, IntType, ListKind, ListType, Payload, StructSpec, TypeRef,
    VariantSpec,
};
pub use value::{Value, ValueError};

/// Text that is `'static` in derived specs and owned in specs built at run time.
pub type Str = std::borrow::Cow<'static, str>;

//! Types and faults in words, for messages.

use crate::signature::{EnumSpec, FieldType};

use super::super::error::{ErrorKind, Fault};
use super::super::loose::{MAX_DEPTH, SyntaxFault};
use super::super::tree::{Node, NodeKind};

pub(super) fn too_deep(at: usize) -> Fault {
    let message = format!("nested more than {} deep", MAX_DEPTH);
    Fault::new(ErrorKind::TooDeep, at, message)
}

pub(super) fn syntax(fault: &SyntaxFault, ty: &FieldType, base: usize, text: &str) -> Fault {
    if fault.deep {
        return too_deep(base + fault.at);
    }
    let kind = if fault.at_end {
        ErrorKind::Truncated
    } else {
        ErrorKind::Type
    };
    let message = format!("expected {}, but {}", describe(ty), fault.what);
    let shown = text.get(fault.at..).unwrap_or_default();
    Fault::new(kind, base + fault.at, message).showing(shown)
}

pub(super) fn wrong_kind(ty: &FieldType, node: &Node<'_>, at: usize) -> Fault {
    let found = match node.kind {
        NodeKind::Bare(text) => return Fault::expected(&describe(ty), text, at),
        NodeKind::Text(text) => return Fault::expected(&describe(ty), text, at),
        NodeKind::List { .. } => "a list",
        NodeKind::Map { .. } => "an object",
    };
    Fault::new(
        ErrorKind::Type,
        at,
        format!("expected {}, found {found}", describe(ty)),
    )
}

/// The type in words, with its article.
pub(super) fn describe(ty: &FieldType) -> String {
    match ty {
        FieldType::String => "a string".into(),
        FieldType::Char => "a single character".into(),
        FieldType::Bool => "true or false".into(),
        FieldType::Int(_) => "an integer".into(),
        FieldType::Float(_) => "a number".into(),
        FieldType::Date(kind) => format!("a {} as {}", kind.name(), kind.layout()),
        FieldType::Json => "a JSON value".into(),
        FieldType::Option(inner) => format!(
            "{} or null",
            match &**inner {
                FieldType::Option(_) => "a value".into(),
                inner => describe(inner),
            }
        ),
        FieldType::List(_) => "a list".into(),
        FieldType::Tuple(items) => format!("a list of {} values", items.len()),
        FieldType::Map(_) => "a JSON object".into(),
        FieldType::Struct(spec) => format!("a JSON object ({})", spec.name),
        FieldType::Enum(spec) => describe_enum(spec),
    }
}

pub(super) fn describe_enum(spec: &EnumSpec) -> String {
    let names = spec.variants.iter().take(12).map(|v| v.name.as_ref());
    let names: Vec<&str> = names.collect();
    let more = if spec.variants.len() > 12 {
        ", …"
    } else {
        ""
    };
    format!("one of {}{more}", names.join(", "))
}

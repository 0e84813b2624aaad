//! What a type is called in the prompt, and what the model is told about its values.

use crate::signature::{EnumSpec, FieldType, TypeRef, json_schema};

use super::value::to_json;

/// The name of a type in the prompt, in Python's words, which models know best: `list[str]`, `Optional[int]`.
#[must_use]
pub fn type_name(ty: &FieldType) -> String {
    match ty {
        FieldType::String => "str".into(),
        FieldType::Char => "char".into(),
        FieldType::Bool => "bool".into(),
        FieldType::Int(_) => "int".into(),
        FieldType::Float(_) => "float".into(),
        FieldType::Date(kind) => kind.name().into(),
        FieldType::Json => "Any".into(),
        FieldType::Option(inner) => format!("Optional[{}]", type_name(inner)),
        FieldType::List(list) => format!("list[{}]", type_name(&list.item)),
        FieldType::Map(value) => format!("dict[str, {}]", type_name(value)),
        FieldType::Tuple(items) => format!("tuple[{}]", joined(items)),
        FieldType::Struct(spec) => spec.name.to_string(),
        FieldType::Enum(spec) if spec.is_unit() => literal(spec),
        FieldType::Enum(spec) => spec.name.to_string(),
    }
}

fn joined(items: &[TypeRef]) -> String {
    items
        .iter()
        .map(|item| type_name(item))
        .collect::<Vec<_>>()
        .join(", ")
}

fn literal(spec: &EnumSpec) -> String {
    let quoted = |name: &str| {
        // Python's repr: the other quote where the name holds an apostrophe.
        if name.contains('\'') && !name.contains('"') {
            format!("\"{name}\"")
        } else {
            format!("'{}'", name.replace('\\', "\\\\").replace('\'', "\\'"))
        }
    };
    let names: Vec<_> = spec
        .variants
        .iter()
        .map(|variant| quoted(&variant.name))
        .collect();
    format!("Literal[{}]", names.join(", "))
}

/// What follows "the value you produce must "; `None` for plain text.
pub(super) fn value_note(ty: &FieldType) -> Option<String> {
    Some(match ty {
        FieldType::String => return None,
        FieldType::Char => "be a single character".into(),
        FieldType::Bool => "be true or false".into(),
        FieldType::Int(_) => "be a single int value".into(),
        FieldType::Float(_) => "be a single float value".into(),
        FieldType::Date(kind) => format!("be a {} as {}", kind.name(), kind.layout()),
        FieldType::Json => "be a JSON value".into(),
        FieldType::Option(inner) => {
            let note = value_note(inner).unwrap_or_else(|| "a str value".into());
            format!("be null or {}", note.strip_prefix("be ").unwrap_or(&note))
        }
        FieldType::Enum(spec) if spec.is_unit() => {
            let names: Vec<_> = spec.variants.iter().map(|variant| &*variant.name).collect();
            format!(
                "exactly match (no extra characters) one of: {}",
                names.join("; ")
            )
        }
        FieldType::List(_)
        | FieldType::Map(_)
        | FieldType::Tuple(_)
        | FieldType::Struct(_)
        | FieldType::Enum(_) => {
            format!("adhere to the JSON schema: {}", to_json(&json_schema(ty)))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signature::FieldValue;

    #[test]
    fn types_are_named_as_python_names_them() {
        let cases = [
            (<Option<Vec<u8>>>::TYPE, "Optional[list[int]]"),
            (
                <std::collections::HashMap<String, f32>>::TYPE,
                "dict[str, float]",
            ),
            (serde_json::Value::TYPE, "Any"),
        ];
        for (ty, name) in cases {
            assert_eq!(type_name(ty), name);
        }
    }

    #[test]
    fn a_note_says_what_null_stands_beside() {
        assert_eq!(
            value_note(<Option<String>>::TYPE).as_deref(),
            Some("be null or a str value")
        );
        assert_eq!(
            value_note(<Option<bool>>::TYPE).as_deref(),
            Some("be null or true or false")
        );
        assert_eq!(value_note(String::TYPE), None);
        assert_eq!(
            value_note(<Vec<i64>>::TYPE).as_deref(),
            Some(r#"adhere to the JSON schema: {"type": "array", "items": {"type": "integer"}}"#)
        );
    }
}

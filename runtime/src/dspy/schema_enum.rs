//! JSON schemas of enums: names alone, or objects that a key tells apart (serde's `tag`).

use serde_json::{Map, Value as Json};

use crate::signature::{EnumSpec, FieldType, Payload, Str, VariantSpec};

use super::schema::Reader;

/// An enum whose values are names: `enum`, `const`, or a `oneOf` of such.
pub(super) fn unit(schema: &Map<String, Json>, name: &str) -> Option<FieldType> {
    let mut variants = Vec::new();
    let mut is_option = false;
    names(schema, &mut variants, &mut is_option)?;
    if variants.is_empty() {
        return None;
    }
    let ty = FieldType::Enum(EnumSpec {
        name: name.to_owned().into(),
        desc: desc(schema),
        variants: variants.into(),
        tag: Str::Borrowed("type"),
    });
    Some(match is_option {
        true => FieldType::Option(ty.into()),
        false => ty,
    })
}

/// Adds the names that a schema allows; `None` if it allows anything else. schemars writes variants without a description
/// as one `enum`, each other as a `const`, and the two side by side in a `oneOf`.
fn names(
    schema: &Map<String, Json>,
    variants: &mut Vec<VariantSpec>,
    is_option: &mut bool,
) -> Option<()> {
    if let Some(Json::Array(choices)) = schema.get("oneOf") {
        return choices
            .iter()
            .try_for_each(|choice| names(choice.as_object()?, variants, is_option));
    }
    let one = schema.get("const").map(std::slice::from_ref);
    let allowed = one.or_else(|| schema.get("enum")?.as_array().map(Vec::as_slice))?;
    for value in allowed {
        match value {
            Json::Null => *is_option = true,
            Json::String(name) if variants.iter().all(|known| known.name != name.as_str()) => {
                variants.push(variant(name, desc(schema), Payload::Unit));
            }
            _ => return None,
        }
    }
    Some(())
}

/// An enum with data: objects that all have one key with a constant name each.
pub(super) fn tagged<'s>(
    reader: &mut Reader<'s>,
    choices: &[&'s Json],
    schema: &Map<String, Json>,
    name: &str,
) -> Option<FieldType> {
    let objects: Option<Vec<_>> = choices
        .iter()
        .map(|choice| Some((choice.as_object()?, choice.get("properties")?.as_object()?)))
        .collect();
    let objects = objects.filter(|objects| !objects.is_empty())?;
    let is_tag = |key: &&String| {
        let mut all = objects.iter();
        all.all(|(_, properties)| constant(properties.get(*key)).is_some())
    };
    let (_, first) = objects.first()?;
    let tag = first.keys().find(is_tag)?;
    let mut variants: Vec<VariantSpec> = Vec::new();
    for (object, properties) in &objects {
        let name = constant(properties.get(tag))?;
        if variants.iter().any(|known| known.name == name) {
            return None;
        }
        let fields = reader.fields(properties, &[tag]);
        let payload = match fields.is_empty() {
            true => Payload::Unit,
            false => Payload::Fields(fields.into()),
        };
        variants.push(variant(name, desc(object), payload));
    }
    Some(FieldType::Enum(EnumSpec {
        name: name.to_owned().into(),
        desc: desc(schema),
        // Variants that are all without data would be read as bare names.
        variants: match variants.iter().all(|v| matches!(v.payload, Payload::Unit)) {
            true => return None,
            false => variants.into(),
        },
        tag: tag.clone().into(),
    }))
}

fn constant(schema: Option<&Json>) -> Option<&str> {
    let schema = schema?;
    match schema.get("const") {
        Some(name) => name.as_str(),
        None => match schema.get("enum")?.as_array()?.as_slice() {
            [name] => name.as_str(),
            _ => None,
        },
    }
}

fn variant(name: &str, desc: Str, payload: Payload) -> VariantSpec {
    VariantSpec {
        name: name.to_owned().into(),
        aliases: Vec::new().into(),
        desc,
        payload,
    }
}

fn desc(schema: &Map<String, Json>) -> Str {
    let text = schema.get("description").and_then(Json::as_str);
    text.unwrap_or_default().to_owned().into()
}

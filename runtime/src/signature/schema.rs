//! JSON Schema of a field type.

use serde_json::{Map, Value as Json, json};

use super::{
    Bound, Constraint, DateKind, EnumSpec, FieldSpec, FieldType, ListKind, Payload, StructSpec,
    VariantSpec,
};

/// The JSON Schema (draft 2020-12) of a type. A type that contains itself becomes a `$ref` into `$defs`.
#[must_use]
pub fn json_schema(ty: &FieldType) -> Json {
    let mut writer = Writer::default();
    let mut schema = writer.schema(ty);
    // A recursive type has its body in `$defs`; the root then only refers to it.
    if !writer.defs.is_empty()
        && let Json::Object(root) = &mut schema
    {
        root.insert("$defs".into(), Json::Object(writer.defs));
    }
    schema
}

/// Types on the way from the root, and those of them that were met again.
#[derive(Default)]
struct Writer {
    open: Vec<(String, bool)>,
    defs: Map<String, Json>,
}

impl Writer {
    fn schema(&mut self, ty: &FieldType) -> Json {
        match ty {
            FieldType::String => json!({"type": "string"}),
            FieldType::Char => json!({"type": "string", "minLength": 1, "maxLength": 1}),
            FieldType::Date(kind) => match kind {
                DateKind::Date => json!({"type": "string", "format": "date"}),
                DateKind::Utc => json!({"type": "string", "format": "date-time"}),
                // JSON Schema's own formats ask for a zone.
                DateKind::Time | DateKind::DateTime => {
                    json!({"type": "string", "pattern": format!("^{}$", kind.regex(true))})
                }
            },
            FieldType::Bool => json!({"type": "boolean"}),
            FieldType::Int(_) => json!({"type": "integer"}),
            FieldType::Float(_) => json!({"type": "number"}),
            FieldType::Json => json!({}),
            FieldType::Option(inner) => json!({"anyOf": [self.schema(inner), {"type": "null"}]}),
            FieldType::List(list) => {
                let items = self.schema(&list.item);
                match list.kind {
                    ListKind::List => json!({"type": "array", "items": items}),
                    ListKind::Set => json!({"type": "array", "items": items, "uniqueItems": true}),
                    ListKind::Array(len) => {
                        json!({"type": "array", "items": items, "minItems": len, "maxItems": len})
                    }
                }
            }
            FieldType::Tuple(items) => {
                let len = items.len();
                let items: Vec<_> = items.iter().map(|item| self.schema(item)).collect();
                json!({"type": "array", "prefixItems": items, "minItems": len, "maxItems": len})
            }
            FieldType::Map(value) => {
                json!({"type": "object", "additionalProperties": self.schema(value)})
            }
            FieldType::Struct(spec) => self.named(&spec.name, |writer| {
                writer.object(None, &spec.fields, struct_desc(spec))
            }),
            FieldType::Enum(spec) if spec.is_unit() => unit_enum(spec),
            FieldType::Enum(spec) => self.named(&spec.name, |writer| {
                let variants: Vec<_> = spec
                    .variants
                    .iter()
                    .map(|variant| writer.variant(spec, variant))
                    .collect();
                json!({"anyOf": variants})
            }),
        }
    }

    /// The schema of a named type, or a reference where it stands within itself.
    fn named(&mut self, name: &str, body: impl FnOnce(&mut Self) -> Json) -> Json {
        let reference = json!({"$ref": format!("#/$defs/{name}")});
        if let Some((_, met_again)) = self.open.iter_mut().find(|(open, _)| open == name) {
            *met_again = true;
            return reference;
        }
        self.open.push((name.into(), false));
        let schema = body(self);
        match self.open.pop() {
            Some((_, true)) => {
                self.defs.insert(name.into(), schema);
                reference
            }
            _ => schema,
        }
    }

    fn variant(&mut self, spec: &EnumSpec, variant: &VariantSpec) -> Json {
        let tag = (&*spec.tag, &*variant.name);
        let desc = &variant.desc;
        match &variant.payload {
            Payload::Unit => self.object(Some(tag), &[], desc),
            Payload::Fields(fields) => self.object(Some(tag), fields, desc),
            Payload::Value(ty) => {
                let value = FieldSpec::owned("value", "", ty.clone());
                self.object(Some(tag), &[value], desc)
            }
        }
    }

    fn object(&mut self, tag: Option<(&str, &str)>, fields: &[FieldSpec], desc: &str) -> Json {
        let mut properties = Map::new();
        let mut required = Vec::new();
        if let Some((key, name)) = tag {
            properties.insert(key.into(), json!({"type": "string", "enum": [name]}));
            required.push(Json::from(key));
        }
        for field in fields {
            properties.insert(field.name.to_string(), self.field(field));
            if !field.may_be_missing() {
                required.push(Json::from(&*field.name));
            }
        }
        let mut object = Map::from_iter([("type".into(), "object".into())]);
        object.insert("properties".into(), properties.into());
        if !required.is_empty() {
            object.insert("required".into(), required.into());
        }
        describe(&mut object, desc);
        object.into()
    }

    fn field(&mut self, field: &FieldSpec) -> Json {
        let mut schema = self.schema(&field.ty);
        if let Json::Object(object) = &mut schema {
            for constraint in &*field.constraints {
                constrain(object, constraint);
            }
            describe(object, &field.desc);
        }
        schema
    }
}

fn struct_desc(spec: &StructSpec) -> &str {
    &spec.desc
}

fn unit_enum(spec: &EnumSpec) -> Json {
    let names: Vec<_> = spec.variants.iter().map(|variant| &*variant.name).collect();
    json!({"type": "string", "enum": names})
}

fn describe(object: &mut Map<String, Json>, desc: &str) {
    if !desc.is_empty() {
        object.insert("description".into(), desc.into());
    }
}

fn constrain(object: &mut Map<String, Json>, constraint: &Constraint) {
    let kind = object
        .get("type")
        .and_then(Json::as_str)
        .unwrap_or("")
        .to_owned();
    let mut set = |key: &str, value: Json| {
        object.insert(key.into(), value);
    };
    match constraint {
        Constraint::Min(bound) => set("minimum", bound_json(*bound)),
        Constraint::Max(bound) => set("maximum", bound_json(*bound)),
        Constraint::Len { min, max } => {
            let (least, most) = match kind.as_str() {
                "array" => ("minItems", "maxItems"),
                "object" => ("minProperties", "maxProperties"),
                _ => ("minLength", "maxLength"),
            };
            set(least, (*min).into());
            if *max != usize::MAX {
                set(most, (*max).into());
            }
        }
        Constraint::Regex(pattern) => set("pattern", format!("^(?:{pattern})$").into()),
        Constraint::OneOf(options) => {
            set(
                "enum",
                options.iter().map(|option| Json::from(&**option)).collect(),
            );
        }
        Constraint::OneLine => set("pattern", "^[^\\r\\n]*$".into()),
        Constraint::Unique => set("uniqueItems", true.into()),
    }
}

fn bound_json(bound: Bound) -> Json {
    match bound {
        // A bound beyond 64 bits is one of a 128-bit type: JSON readers take it for a float anyway.
        Bound::Int(n) => i64::try_from(n).map_or_else(|_| Json::from(n as f64), Json::from),
        Bound::UInt(n) => Json::from(n as f64),
        Bound::Float(x) => Json::from(x),
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;
    use crate::signature::{FieldValue, Str, TypeRef};

    #[test]
    fn a_struct_lists_what_is_required() {
        let spec = StructSpec {
            name: Str::Borrowed("Person"),
            desc: Str::Borrowed(""),
            fields: Cow::Owned(vec![
                FieldSpec::owned("name", "", TypeRef::of::<String>()),
                FieldSpec::owned("age", "in years", TypeRef::of::<Option<i64>>()),
            ]),
        };
        assert_eq!(
            json_schema(&FieldType::Struct(spec)).to_string(),
            r#"{"type":"object","properties":{"name":{"type":"string"},"age":{"anyOf":[{"type":"integer"},{"type":"null"}],"description":"in years"}},"required":["name"]}"#
        );
    }

    #[test]
    fn a_type_within_itself_is_a_reference() {
        static TREE: FieldType = FieldType::Struct(StructSpec {
            name: Str::Borrowed("Tree"),
            desc: Str::Borrowed(""),
            fields: Cow::Borrowed(&[FieldSpec::new(
                "next",
                "",
                TypeRef::Lazy(|| &TREE),
                &[],
                None,
            )]),
        });
        assert_eq!(
            json_schema(&TREE).to_string(),
            r##"{"$ref":"#/$defs/Tree","$defs":{"Tree":{"type":"object","properties":{"next":{"$ref":"#/$defs/Tree"}},"required":["next"]}}}"##
        );
    }

    #[test]
    fn scalars_have_the_plain_schemas() {
        let cases = [
            (u8::TYPE, r#"{"type":"integer"}"#),
            (
                <Option<f64>>::TYPE,
                r#"{"anyOf":[{"type":"number"},{"type":"null"}]}"#,
            ),
            (
                <std::collections::BTreeMap<String, serde_json::Value>>::TYPE,
                r#"{"type":"object","additionalProperties":{}}"#,
            ),
        ];
        for (ty, schema) in cases {
            assert_eq!(json_schema(ty).to_string(), schema);
        }
    }
}

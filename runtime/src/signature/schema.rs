//! JSON Schema of a field type.

use serde_json::{Map, Value as Json, json};

use super::alike::alike;
use super::reader::PAYLOAD_KEY;
use super::{
    Bound, Constraint, DateKind, EnumSpec, FieldSpec, FieldType, ListKind, Payload, VariantSpec,
};

/// The JSON Schema (draft 2020-12) of a type. A type that contains itself becomes a `$ref` into `$defs`; of two types
/// of one name that differ the second is numbered there.
#[must_use]
pub fn json_schema(ty: &FieldType) -> Json {
    let mut writer = Writer::default();
    let mut schema = writer.schema(ty);
    // A recursive type has its body in `$defs`; the root then only refers to it.
    if !writer.done.is_empty()
        && let Json::Object(root) = &mut schema
    {
        let defs = writer.done.into_iter().map(|done| (done.name, done.schema));
        root.insert("$defs".into(), Json::Object(defs.collect()));
    }
    schema
}

/// Types on the way from the root, and those that were met again within themselves.
#[derive(Default)]
struct Writer<'t> {
    open: Vec<Open<'t>>,
    done: Vec<Definition<'t>>,
}

/// A type whose schema is being written.
struct Open<'t> {
    ty: &'t FieldType,
    /// The name of its definition, once it was met again.
    definition: Option<String>,
}

/// An entry of `$defs`.
struct Definition<'t> {
    ty: &'t FieldType,
    name: String,
    schema: Json,
}

impl<'t> Writer<'t> {
    fn schema(&mut self, ty: &'t FieldType) -> Json {
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
            FieldType::Struct(spec) => self.named(ty, &spec.name, |writer| {
                writer.object(None, &spec.fields, &spec.desc)
            }),
            FieldType::Enum(spec) if spec.is_unit() => unit_enum(spec),
            FieldType::Enum(spec) => self.named(ty, &spec.name, |writer| {
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
    fn named(
        &mut self,
        ty: &'t FieldType,
        name: &str,
        body: impl FnOnce(&mut Self) -> Json,
    ) -> Json {
        if let Some(done) = self.done.iter().find(|done| alike(done.ty, ty)) {
            return reference(&done.name);
        }
        if let Some(at) = self.open.iter().position(|open| alike(open.ty, ty)) {
            let definition = self.open[at].definition.take();
            let definition = definition.unwrap_or_else(|| self.free_name(name));
            let reference = reference(&definition);
            self.open[at].definition = Some(definition);
            return reference;
        }
        self.open.push(Open {
            ty,
            definition: None,
        });
        let schema = body(self);
        match self.open.pop().and_then(|open| open.definition) {
            Some(name) => {
                let reference = reference(&name);
                self.done.push(Definition { ty, name, schema });
                reference
            }
            None => schema,
        }
    }

    /// The name, or the name and a number where another type has it.
    fn free_name(&self, name: &str) -> String {
        let open = self
            .open
            .iter()
            .filter_map(|open| open.definition.as_deref());
        let done = self.done.iter().map(|done| done.name.as_str());
        let taken: Vec<&str> = open.chain(done).collect();
        let mut free = name.to_owned();
        let mut number = 1;
        while taken.contains(&free.as_str()) {
            number += 1;
            free = format!("{name}_{number}");
        }
        free
    }

    fn variant(&mut self, spec: &'t EnumSpec, variant: &'t VariantSpec) -> Json {
        let tag = (&*spec.tag, &*variant.name);
        let desc = &variant.desc;
        match &variant.payload {
            Payload::Unit => self.object(Some(tag), &[], desc),
            Payload::Fields(fields) => self.object(Some(tag), fields, desc),
            Payload::Value(ty) => {
                let mut properties = Properties::of(Some(tag));
                properties.add(PAYLOAD_KEY, self.schema(ty), !ty.is_option());
                properties.into_schema(desc)
            }
        }
    }

    fn object(&mut self, tag: Option<(&str, &str)>, fields: &'t [FieldSpec], desc: &str) -> Json {
        let mut properties = Properties::of(tag);
        for field in fields {
            properties.add(&field.name, self.field(field), !field.may_be_missing());
        }
        properties.into_schema(desc)
    }

    fn field(&mut self, field: &'t FieldSpec) -> Json {
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

fn reference(definition: &str) -> Json {
    json!({"$ref": format!("#/$defs/{definition}")})
}

/// The properties of an object, and which of them are required.
struct Properties {
    all: Map<String, Json>,
    required: Vec<Json>,
}

impl Properties {
    /// None but the tag that names the variant.
    fn of(tag: Option<(&str, &str)>) -> Self {
        let mut properties = Properties {
            all: Map::new(),
            required: Vec::new(),
        };
        if let Some((key, name)) = tag {
            properties.add(key, json!({"type": "string", "enum": [name]}), true);
        }
        properties
    }

    fn add(&mut self, name: &str, schema: Json, required: bool) {
        self.all.insert(name.into(), schema);
        if required {
            self.required.push(name.into());
        }
    }

    fn into_schema(self, desc: &str) -> Json {
        let mut object = Map::from_iter([("type".into(), "object".into())]);
        object.insert("properties".into(), self.all.into());
        if !self.required.is_empty() {
            object.insert("required".into(), self.required.into());
        }
        describe(&mut object, desc);
        object.into()
    }
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
    use crate::signature::{FieldValue, Str, StructSpec, TypeRef};

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

    /// A struct `Node` of these fields.
    const fn node(fields: &'static [FieldSpec]) -> FieldType {
        FieldType::Struct(StructSpec::new("Node", "", fields))
    }

    const fn field(name: &'static str, ty: TypeRef) -> FieldSpec {
        FieldSpec::new(name, "", ty, &[], None)
    }

    #[test]
    fn two_types_of_one_name_have_a_definition_each() {
        static OUTER: FieldType = node(
            const {
                &[
                    field("inner", TypeRef::Lazy(|| &INNER)),
                    field("next", TypeRef::Lazy(|| &OUTER)),
                    field("again", TypeRef::Lazy(|| &INNER)),
                ]
            },
        );
        static INNER: FieldType = node(
            const {
                &[
                    field("size", TypeRef::Lazy(|| &FieldType::Bool)),
                    field("up", TypeRef::Lazy(|| &OUTER)),
                    field("self", TypeRef::Lazy(|| &INNER)),
                ]
            },
        );
        let schema = json_schema(&OUTER);
        let (outer, inner) = ("#/$defs/Node", "#/$defs/Node_2");
        let within = |definition: &str, name: &str| {
            schema["$defs"][definition]["properties"][name]["$ref"].clone()
        };
        assert_eq!(schema["$ref"], outer);
        assert_eq!(within("Node", "next"), outer);
        assert_eq!(within("Node", "inner"), inner);
        assert_eq!(within("Node", "again"), inner);
        assert_eq!(within("Node_2", "up"), outer);
        assert_eq!(within("Node_2", "self"), inner);
    }

    #[test]
    fn a_type_that_is_not_recursive_is_no_other_of_its_name() {
        static OUTER: FieldType = node(const { &[field("inner", TypeRef::Lazy(|| &INNER))] });
        static INNER: FieldType =
            node(const { &[field("size", TypeRef::Lazy(|| &FieldType::Bool))] });
        assert_eq!(
            json_schema(&OUTER).to_string(),
            r#"{"type":"object","properties":{"inner":{"type":"object","properties":{"size":{"type":"boolean"}},"required":["size"]}},"required":["inner"]}"#
        );
    }

    #[test]
    fn copies_of_one_type_share_a_definition() {
        static ONE: FieldType = node(const { &[field("next", TypeRef::Lazy(|| &TWO))] });
        static TWO: FieldType = node(const { &[field("next", TypeRef::Lazy(|| &ONE))] });
        assert_eq!(
            json_schema(&ONE).to_string(),
            r##"{"$ref":"#/$defs/Node","$defs":{"Node":{"type":"object","properties":{"next":{"$ref":"#/$defs/Node"}},"required":["next"]}}}"##
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

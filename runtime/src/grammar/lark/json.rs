//! Values as JSON on one line.

use std::fmt::Write as _;

use serde_json::json;

use crate::signature::{EnumSpec, FieldSpec, FieldType, ListKind, Payload, TypeRef};

use super::super::GrammarError;
use super::super::bounds::len_of;
use super::super::walk::distinct_items;
use super::scalars::JSON_NUMBER;
use super::{Rules, literal};

impl Rules {
    /// A value as JSON.
    pub fn json_value(
        &mut self,
        ty: &FieldType,
        field: &FieldSpec,
    ) -> Result<String, GrammarError> {
        match ty {
            FieldType::String => self.json_string(field),
            FieldType::Char => Ok(self.terminal(r#""[^"\\\x00-\x1f\x7f]""#)),
            FieldType::Date(kind) => {
                // Zeros at a fraction's end would make two texts of one time.
                let regex = kind.regex(!self.in_item);
                Ok(self.terminal(&format!("\"({regex})\"")))
            }
            FieldType::Bool => Ok("(\"true\" | \"false\")".into()),
            FieldType::Int(int) => self.integer(*int, field),
            FieldType::Float(float) => self.float(*float, field),
            FieldType::Json => Ok(self.any_json()),
            FieldType::Option(inner) => {
                let value = self.json_value(inner, field)?;
                Ok(self.define(false, format!("\"null\" | {value}")))
            }
            FieldType::List(list) => {
                let outside = self.in_item;
                self.in_item |= distinct_items(list, field)?;
                let item = self.bare_json(&list.item, field);
                self.in_item = outside;
                let item = item?;
                let (min, max) = match list.kind {
                    ListKind::Array(len) => (len, Some(len)),
                    ListKind::List | ListKind::Set => len_of(field).unwrap_or((0, None)),
                };
                Ok(self.repeated("[", &item, "]", min, max))
            }
            FieldType::Tuple(items) => {
                let items: Vec<_> = items
                    .iter()
                    .map(|item| self.bare_json(item, field))
                    .collect::<Result<_, _>>()?;
                Ok(self.define(false, format!("\"[\" {} \"]\"", items.join(" \", \" "))))
            }
            FieldType::Map(value) => {
                let key = self.json_text();
                let value = self.bare_json(value, field)?;
                let entry = self.define(false, format!("{key} \": \" {value}"));
                let (min, max) = len_of(field).unwrap_or((0, None));
                Ok(self.repeated("{", &entry, "}", min, max))
            }
            FieldType::Struct(spec) => {
                let address = spec.fields.as_ptr() as usize;
                self.named_rule(address, |rules| rules.object(None, &spec.fields))
            }
            FieldType::Enum(spec) if spec.is_unit() => {
                let quoted = |name: &str| literal(&json!(name).to_string());
                self.choice(
                    spec.variants.iter().map(|variant| quoted(&variant.name)),
                    field,
                )
            }
            FieldType::Enum(spec) => self.tagged(spec),
        }
    }

    /// A value inside a container, to which the field's own constraints do not apply.
    fn bare_json(&mut self, ty: &TypeRef, field: &FieldSpec) -> Result<String, GrammarError> {
        let inner = FieldSpec::owned(field.name.to_string(), "", ty.clone());
        self.json_value(ty, &inner)
    }

    fn tagged(&mut self, spec: &EnumSpec) -> Result<String, GrammarError> {
        let address = spec.variants.as_ptr() as usize;
        self.named_rule(address, |rules| {
            let mut variants = Vec::new();
            for variant in &*spec.variants {
                let tag = Some((&*spec.tag, &*variant.name));
                variants.push(match &variant.payload {
                    Payload::Unit => rules.object(tag, &[])?,
                    Payload::Fields(fields) => rules.object(tag, fields)?,
                    Payload::Value(ty) => {
                        rules.object(tag, &[FieldSpec::owned("value", "", ty.clone())])?
                    }
                });
            }
            Ok(variants.join(" | "))
        })
    }

    pub fn object(
        &mut self,
        tag: Option<(&str, &str)>,
        fields: &[FieldSpec],
    ) -> Result<String, GrammarError> {
        let mut parts = Vec::new();
        if let Some((key, name)) = tag {
            parts.push(literal(&format!("{}: {}", json!(key), json!(name))));
        }
        for field in fields {
            let value = self.json_value(&field.ty, field)?;
            parts.push(format!(
                "{} {value}",
                literal(&format!("{}: ", json!(field.name)))
            ));
        }
        if parts.is_empty() {
            return Ok(literal("{}"));
        }
        Ok(format!("\"{{\" {} \"}}\"", parts.join(" \", \" ")))
    }

    /// Any JSON. Numbers are bounded, so that each can be held, and strings have no halves of surrogate pairs.
    fn any_json(&mut self) -> String {
        const ANY: &str = "json_value";
        if self.known.contains_key(ANY) {
            return ANY.into();
        }
        self.known.insert(ANY.into(), ANY.into());
        let text = self.json_text();
        let number = self.terminal(JSON_NUMBER);
        let object = format!("{text} \": \" {ANY}");
        let object = self.repeated("{", &object, "}", 0, None);
        let array = self.repeated("[", ANY, "]", 0, None);
        let _ = writeln!(
            self.text,
            "{ANY}: \"null\" | \"true\" | \"false\" | {number} | {text} | {object} | {array}"
        );
        ANY.into()
    }
}

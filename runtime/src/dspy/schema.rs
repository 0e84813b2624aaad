//! JSON schemas, as schemars writes them, to field types and constraints.
//!
//! What no field type can say (types within themselves, enums tagged from outside, several types at once) becomes any JSON, and
//! the result says that it is not exact.

use std::sync::Arc;

use serde_json::{Map, Value as Json};

use crate::signature::{
    Bound, Constraint, DefaultValue, FieldSpec, FieldType, FloatType, IntType, ListKind, ListType,
    StructSpec, TypeRef,
};

use super::schema_enum::{tagged, unit};
use super::value_of;

/// Schemas come from anywhere, so recursion is bounded.
const MAX_DEPTH: usize = 32;

/// What a schema says.
pub(super) struct Read {
    pub ty: FieldType,
    /// Demands on the value itself.
    pub constraints: Vec<Constraint>,
    /// Whether the type says all that the schema does.
    pub is_exact: bool,
}

impl Read {
    pub fn exact(ty: FieldType) -> Self {
        Read {
            ty,
            constraints: Vec::new(),
            is_exact: true,
        }
    }
}

/// The type of a whole schema; `name` is its name unless it has one itself.
pub(super) fn read_schema(schema: &Json, name: &str) -> Read {
    let mut reader = Reader::new(schema);
    let (ty, constraints) = reader.read(schema, name);
    reader.result(ty, constraints)
}

/// The struct of these properties. What they refer to is lost.
pub(super) fn read_properties(properties: &Map<String, Json>, name: &str) -> Read {
    let mut reader = Reader::new(&Json::Null);
    let ty = reader.structure(properties, &[], name, "");
    reader.result(ty, Vec::new())
}

pub(super) struct Reader<'s> {
    root: &'s Json,
    /// References being followed: one within itself has no end.
    open: Vec<&'s str>,
    depth: usize,
    is_exact: bool,
}

impl<'s> Reader<'s> {
    fn new(root: &'s Json) -> Self {
        Reader {
            root,
            open: Vec::new(),
            depth: 0,
            is_exact: true,
        }
    }

    fn result(self, ty: FieldType, constraints: Vec<Constraint>) -> Read {
        Read {
            ty,
            constraints,
            is_exact: self.is_exact,
        }
    }

    fn read(&mut self, schema: &'s Json, name: &str) -> (FieldType, Vec<Constraint>) {
        if self.depth == MAX_DEPTH {
            return (self.any(), Vec::new());
        }
        self.depth += 1;
        let read = match schema {
            Json::Object(object) => self.object(object, name),
            Json::Bool(true) => (FieldType::Json, Vec::new()),
            _ => (self.any(), Vec::new()),
        };
        self.depth -= 1;
        read
    }

    /// The type alone, where there is no place for demands.
    pub fn ty(&mut self, schema: &'s Json, name: &str) -> TypeRef {
        let (ty, constraints) = self.read(schema, name);
        self.is_exact &= constraints.is_empty();
        ty.into()
    }

    /// Any JSON in the place of what can't be said.
    pub fn any(&mut self) -> FieldType {
        self.is_exact = false;
        FieldType::Json
    }

    fn object(
        &mut self,
        schema: &'s Map<String, Json>,
        name: &str,
    ) -> (FieldType, Vec<Constraint>) {
        let name = schema.get("title").and_then(Json::as_str).unwrap_or(name);
        if let Some(Json::String(reference)) = schema.get("$ref") {
            return self.reference(reference);
        }
        if let Some(names) = unit(schema, name) {
            return (names, Vec::new());
        }
        for key in ["anyOf", "oneOf", "allOf"] {
            if let Some(Json::Array(choices)) = schema.get(key) {
                return self.choice(choices, schema, name);
            }
        }
        match schema.get("type") {
            Some(Json::String(ty)) => self.typed(ty, schema, name),
            Some(Json::Array(types)) => {
                let is_null = |ty: &&Json| ty.as_str() == Some("null");
                let rest: Vec<_> = types.iter().filter(|ty| !is_null(ty)).collect();
                let [Json::String(ty)] = rest[..] else {
                    return (self.any(), Vec::new());
                };
                let (ty, constraints) = self.typed(ty, schema, name);
                match types.len() {
                    1 => (ty, constraints),
                    _ => (FieldType::Option(ty.into()), constraints),
                }
            }
            _ if ["const", "enum", "not", "if"]
                .iter()
                .any(|key| schema.contains_key(*key)) =>
            {
                (self.any(), Vec::new())
            }
            _ if schema.contains_key("properties") => self.typed("object", schema, name),
            _ => (FieldType::Json, Vec::new()),
        }
    }

    fn reference(&mut self, reference: &'s str) -> (FieldType, Vec<Constraint>) {
        let target = reference
            .strip_prefix('#')
            .and_then(|pointer| self.root.pointer(pointer));
        let Some(target) = target else {
            return (self.any(), Vec::new());
        };
        if self.open.contains(&reference) {
            return (self.any(), Vec::new());
        }
        self.open.push(reference);
        let name = reference.rsplit('/').next().unwrap_or_default();
        let read = self.read(target, name);
        self.open.pop();
        read
    }

    /// One of several schemas: one or null, one alone, or an enum with data.
    fn choice(
        &mut self,
        choices: &'s [Json],
        schema: &'s Map<String, Json>,
        name: &str,
    ) -> (FieldType, Vec<Constraint>) {
        let is_null = |choice: &&Json| choice.get("type").and_then(Json::as_str) == Some("null");
        let rest: Vec<_> = choices.iter().filter(|choice| !is_null(choice)).collect();
        let (ty, constraints) = match rest[..] {
            [one] => self.read(one, name),
            _ => match tagged(self, &rest, schema, name) {
                Some(ty) => (ty, Vec::new()),
                None => (self.any(), Vec::new()),
            },
        };
        match rest.len() == choices.len() {
            true => (ty, constraints),
            false => (FieldType::Option(ty.into()), constraints),
        }
    }

    fn typed(
        &mut self,
        ty: &str,
        schema: &'s Map<String, Json>,
        name: &str,
    ) -> (FieldType, Vec<Constraint>) {
        let format = schema.get("format").and_then(Json::as_str).unwrap_or("");
        match ty {
            "string" => match (length(schema, "minLength"), length(schema, "maxLength")) {
                (Some(1), Some(1)) => (FieldType::Char, Vec::new()),
                (min, max) => {
                    let mut constraints: Vec<_> = len(min, max).into_iter().collect();
                    constraints.extend(self.pattern(schema));
                    (FieldType::String, constraints)
                }
            },
            "boolean" => (FieldType::Bool, Vec::new()),
            "integer" => {
                let int = int_type(format);
                (FieldType::Int(int), int_bounds(schema, int))
            }
            "number" => {
                let float = if format == "float" {
                    FloatType::F32
                } else {
                    FloatType::F64
                };
                (FieldType::Float(float), float_bounds(schema))
            }
            "array" => self.array(schema, name),
            "object" => (self.map_or_struct(schema, name), Vec::new()),
            _ => (self.any(), Vec::new()),
        }
    }

    fn pattern(&mut self, schema: &Map<String, Json>) -> Option<Constraint> {
        let pattern = schema.get("pattern")?.as_str()?;
        // Ours match the whole text, in another dialect.
        let whole = pattern.strip_prefix('^').and_then(|p| p.strip_suffix('$'));
        match whole {
            Some(whole) if regex::Regex::new(&format!("^(?:{whole})$")).is_ok() => {
                Some(Constraint::Regex(whole.to_owned().into()))
            }
            _ => {
                self.is_exact = false;
                None
            }
        }
    }

    fn array(&mut self, schema: &'s Map<String, Json>, name: &str) -> (FieldType, Vec<Constraint>) {
        if let Some(Json::Array(items)) = schema.get("prefixItems") {
            let items: Vec<TypeRef> = items.iter().map(|item| self.ty(item, name)).collect();
            return match items.is_empty() {
                true => (self.any(), Vec::new()),
                false => (FieldType::Tuple(items.into()), Vec::new()),
            };
        }
        let item = match schema.get("items") {
            Some(items) => self.ty(items, "Item"),
            None => FieldType::Json.into(),
        };
        let (min, max) = (length(schema, "minItems"), length(schema, "maxItems"));
        let (kind, demands) = match (min, max) {
            (Some(min), Some(max)) if min == max => (ListKind::Array(min), None),
            _ if schema.get("uniqueItems") == Some(&Json::Bool(true)) => {
                (ListKind::Set, len(min, max))
            }
            _ => (ListKind::List, len(min, max)),
        };
        let list = FieldType::List(ListType { item, kind });
        (list, demands.into_iter().collect())
    }

    fn map_or_struct(&mut self, schema: &'s Map<String, Json>, name: &str) -> FieldType {
        if let Some(Json::Object(properties)) = schema.get("properties") {
            let desc = schema.get("description").and_then(Json::as_str);
            return self.structure(properties, &[], name, desc.unwrap_or_default());
        }
        let by_pattern = schema.get("patternProperties").and_then(Json::as_object);
        let value = match (schema.get("additionalProperties"), by_pattern) {
            // Keys that are no strings: numbers, as a rule.
            (_, Some(by_pattern)) => {
                self.is_exact = false;
                by_pattern.values().next()
            }
            (Some(value @ Json::Object(_)), None) => Some(value),
            _ => None,
        };
        match value {
            Some(value) => FieldType::Map(self.ty(value, name)),
            None => FieldType::Map(FieldType::Json.into()),
        }
    }

    /// The struct of all properties but those `without`.
    pub fn structure(
        &mut self,
        properties: &'s Map<String, Json>,
        without: &[&str],
        name: &str,
        desc: &str,
    ) -> FieldType {
        FieldType::Struct(StructSpec {
            name: name.to_owned().into(),
            desc: desc.to_owned().into(),
            fields: self.fields(properties, without).into(),
        })
    }

    pub fn fields(
        &mut self,
        properties: &'s Map<String, Json>,
        without: &[&str],
    ) -> Vec<FieldSpec> {
        properties
            .iter()
            .filter(|(name, _)| !without.contains(&name.as_str()))
            .map(|(name, schema)| {
                let (ty, constraints) = self.read(schema, name);
                let desc = schema.get("description").and_then(Json::as_str);
                let default = schema.get("default").map(value_of);
                FieldSpec {
                    constraints: constraints.into(),
                    default: default.map(|value| DefaultValue::Owned(Arc::new(value))),
                    ..FieldSpec::owned(name, desc.unwrap_or_default(), ty)
                }
            })
            .collect()
    }
}

fn length(schema: &Map<String, Json>, key: &str) -> Option<usize> {
    usize::try_from(schema.get(key)?.as_u64()?).ok()
}

fn len(min: Option<usize>, max: Option<usize>) -> Option<Constraint> {
    let demands = min.is_some_and(|min| min > 0) || max.is_some();
    demands.then(|| Constraint::Len {
        min: min.unwrap_or(0),
        max: max.unwrap_or(usize::MAX),
    })
}

/// schemars writes the width as the format: `uint8`, `int64`, `int` for `isize`.
fn int_type(format: &str) -> IntType {
    let (signed, bits) = match format.strip_prefix('u') {
        Some(rest) => (false, rest),
        None => (true, format),
    };
    let bits = match bits.strip_prefix("int") {
        Some("8") => 8,
        Some("16") => 16,
        Some("32") => 32,
        Some("128") => 128,
        Some("64" | "") => 64,
        _ => {
            return IntType {
                signed: true,
                bits: 64,
            };
        }
    };
    IntType { signed, bits }
}

/// The bounds that the width does not imply.
fn int_bounds(schema: &Map<String, Json>, int: IntType) -> Vec<Constraint> {
    let bound = |key: &str| schema.get(key)?.as_number()?.as_i128();
    let min = bound("minimum")
        .or_else(|| bound("exclusiveMinimum")?.checked_add(1))
        .filter(|min| *min > int.min());
    let max = bound("maximum")
        .or_else(|| bound("exclusiveMaximum")?.checked_sub(1))
        .filter(|max| u128::try_from(*max).is_ok_and(|max| max < int.max()) || *max < 0);
    let min = min.map(|min| Constraint::Min(Bound::Int(min)));
    let max = max.map(|max| Constraint::Max(Bound::Int(max)));
    min.into_iter().chain(max).collect()
}

fn float_bounds(schema: &Map<String, Json>) -> Vec<Constraint> {
    let bound = |key: &str| Some(Bound::Float(schema.get(key)?.as_f64()?));
    let min = bound("minimum").map(Constraint::Min);
    let max = bound("maximum").map(Constraint::Max);
    min.into_iter().chain(max).collect()
}

//! Lists without repetitions, in linear time: what sets keep, and what `unique` asks for.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, Hash, Hasher, RandomState};

use crate::signature::{FieldSpec, FieldType, ListKind, Payload, Value};

use super::constraint::same;

/// The items of a list without repetitions, each at its first place, in linear time.
pub(super) fn distinct(items: Vec<Value>) -> Vec<Value> {
    distinct_by(items, |item| Cow::Borrowed(item))
}

/// The items of a set without repetitions: sets and maps within them are equal in any order.
pub(super) fn distinct_of(item: &FieldType, items: Vec<Value>) -> Vec<Value> {
    match has_order(item, 0) {
        true => distinct(items),
        false => distinct_by(items, |value| Cow::Owned(ordered(item, value.clone()))),
    }
}

fn distinct_by(items: Vec<Value>, form: impl Fn(&Value) -> Cow<'_, Value>) -> Vec<Value> {
    // Keyed at random: a reply can't be made to collide.
    let keys = RandomState::new();
    let mut seen: HashMap<u64, Vec<usize>, BuildHasherDefault<Hashed>> = HashMap::default();
    let mut kept: Vec<Value> = Vec::new();
    for item in items {
        let mut hasher = keys.build_hasher();
        hash(&form(&item), &mut hasher);
        let alike = seen.entry(hasher.finish()).or_default();
        if !alike.iter().any(|at| same(&form(&kept[*at]), &form(&item))) {
            alike.push(kept.len());
            kept.push(item);
        }
    }
    kept
}

/// How deep a type is looked into: a recursive one has no end, and is taken for one that holds anything.
const MOST_LEVELS: usize = 32;

/// Whether equal values of the type are written in one order.
fn has_order(ty: &FieldType, level: usize) -> bool {
    if level > MOST_LEVELS {
        return false;
    }
    let fields = |fields: &[FieldSpec]| fields.iter().all(|f| has_order(&f.ty, level + 1));
    match ty {
        FieldType::Json | FieldType::Map(_) => false,
        FieldType::Option(inner) => has_order(inner, level + 1),
        FieldType::List(list) => list.kind != ListKind::Set && has_order(&list.item, level + 1),
        FieldType::Tuple(items) => items.iter().all(|item| has_order(item, level + 1)),
        FieldType::Struct(spec) => fields(&spec.fields),
        FieldType::Enum(spec) => spec.variants.iter().all(|variant| match &variant.payload {
            Payload::Unit => true,
            Payload::Value(ty) => has_order(ty, level + 1),
            Payload::Fields(all) => fields(all),
        }),
        _ => true,
    }
}

/// The value with its sets and maps in one order. Depth is bounded by the reader, so this recursion is too.
fn ordered(ty: &FieldType, value: Value) -> Value {
    let pairs = |fields: &[FieldSpec], entries: Vec<(String, Value)>| {
        let entries = entries.into_iter().map(|(key, value)| {
            let field = fields.iter().find(|field| field.name == key);
            match field {
                Some(field) => (key, ordered(&field.ty, value)),
                None => (key, value),
            }
        });
        Value::Map(entries.collect())
    };
    match (ty, value) {
        (_, Value::Null) => Value::Null,
        (FieldType::Option(inner), value) => ordered(inner, value),
        (FieldType::List(list), Value::List(items)) => {
            let items = items.into_iter().map(|item| ordered(&list.item, item));
            let mut items: Vec<Value> = items.collect();
            if list.kind == ListKind::Set {
                items.sort_by_cached_key(|item| serde_json::to_string(item).unwrap_or_default());
            }
            Value::List(items)
        }
        (FieldType::Tuple(types), Value::List(items)) => {
            let items = types.iter().zip(items).map(|(ty, item)| ordered(ty, item));
            Value::List(items.collect())
        }
        (FieldType::Json, Value::List(items)) => {
            Value::List(items.into_iter().map(|item| ordered(ty, item)).collect())
        }
        (FieldType::Map(_) | FieldType::Json, Value::Map(entries)) => {
            let inner = match ty {
                FieldType::Map(inner) => &**inner,
                _ => ty,
            };
            let entries = entries
                .into_iter()
                .map(|(key, item)| (key, ordered(inner, item)));
            let mut entries: Vec<_> = entries.collect();
            entries.sort_by(|one, other| one.0.cmp(&other.0));
            Value::Map(entries)
        }
        (FieldType::Struct(spec), Value::Map(entries)) => pairs(&spec.fields, entries),
        (FieldType::Enum(spec), Value::Map(entries)) => {
            let tag = entries
                .iter()
                .find(|(key, _)| *key == spec.tag)
                .map(|(_, tag)| tag);
            let variant = spec
                .variants
                .iter()
                .find(|variant| matches!(tag, Some(Value::String(tag)) if *tag == variant.name));
            match variant.map(|variant| &variant.payload) {
                Some(Payload::Fields(fields)) => pairs(fields, entries),
                Some(Payload::Value(ty)) => {
                    let field = FieldSpec::owned("value", "", ty.clone());
                    pairs(&[field], entries)
                }
                _ => Value::Map(entries),
            }
        }
        (_, value) => value,
    }
}

/// Takes a hash for its own hash.
#[derive(Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

/// Depth is bounded by the reader, so this recursion is too.
fn hash(value: &Value, hasher: &mut impl Hasher) {
    std::mem::discriminant(value).hash(hasher);
    match value {
        Value::Null => {}
        Value::Bool(b) => b.hash(hasher),
        Value::Int(n) => n.hash(hasher),
        Value::UInt(n) => n.hash(hasher),
        // Equal floats may differ in bits (0.0 and -0.0), NaN in none that count.
        Value::Float(x) if x.is_nan() => 1u8.hash(hasher),
        Value::Float(x) => (x + 0.0).to_bits().hash(hasher),
        Value::String(text) => text.hash(hasher),
        Value::List(items) => items.iter().for_each(|item| hash(item, hasher)),
        Value::Map(entries) => entries.iter().for_each(|(key, item)| {
            key.hash(hasher);
            hash(item, hasher);
        }),
    }
}

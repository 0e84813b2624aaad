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
    let mut distinct = Distinct::default();
    for item in items {
        let key = match form(&item) {
            Cow::Borrowed(_) => None,
            Cow::Owned(key) => Some(key),
        };
        distinct.push(item, key);
    }
    distinct.kept
}

/// The keys of an object as they come: which are there already, in linear time.
pub(super) struct Keys {
    /// At random: a reply can't be made to collide.
    seeds: [u64; 2],
    /// By hash: half of that, and one more than the number of a key. A third at least is free. None for a few keys.
    slots: Vec<(u32, u32)>,
    count: usize,
}

/// So many keys are compared sooner than hashed.
const FEW: usize = 8;

impl Keys {
    /// For at most so many keys.
    pub fn of(most: usize) -> Self {
        let (seeds, slots) = match most > FEW {
            true => (seeds(), (most + most / 2).next_power_of_two()),
            false => ([0; 2], 0),
        };
        Keys {
            seeds,
            slots: vec![(0, 0); slots],
            count: 0,
        }
    }

    /// The number of an equal key, `key` giving each by its number; else it gets the next number.
    pub fn known<'k>(&mut self, wanted: &str, key: impl Fn(usize) -> &'k str) -> Option<usize> {
        if self.slots.is_empty() {
            let known = (0..self.count).find(|at| key(*at) == wanted);
            self.count += usize::from(known.is_none());
            return known;
        }
        let mut hasher = Mixed::new(self.seeds);
        hasher.write(wanted.as_bytes());
        let hash = hasher.finish();
        let (half, last) = ((hash >> 32) as u32, self.slots.len() - 1);
        let mut slot = hash as usize & last;
        while let (known, number @ 1..) = self.slots[slot] {
            let at = number as usize - 1;
            if known == half && key(at) == wanted {
                return Some(at);
            }
            slot = (slot + 1) & last;
        }
        self.count += 1;
        self.slots[slot] = (half, self.count as u32);
        None
    }
}

fn seeds() -> [u64; 2] {
    let random = RandomState::new();
    [random.hash_one(0u8), random.hash_one(1u8) | 1]
}

/// Items as they come, each kept once.
pub(super) struct Distinct {
    /// At random: a reply can't be made to collide.
    seeds: [u64; 2],
    seen: HashMap<u64, Vec<usize>, BuildHasherDefault<Hashed>>,
    /// The first of each.
    pub kept: Vec<Value>,
    /// The integers from 0 to 127 that are kept, a bit each: the usual items of a list that repeats them.
    small: u128,
    /// What they are compared by, where that is not themselves.
    keys: Vec<Value>,
}

impl Default for Distinct {
    fn default() -> Self {
        Distinct {
            seeds: seeds(),
            seen: HashMap::default(),
            kept: Vec::new(),
            small: 0,
            keys: Vec::new(),
        }
    }
}

impl Distinct {
    /// Keeps an item unless it is there. Either all items of a list have keys, or none has.
    pub fn push(&mut self, item: Value, key: Option<Value>) {
        if let (Value::Int(n @ 0..=127), None) = (&item, &key) {
            let bit = 1u128 << n;
            if self.small & bit != 0 {
                return;
            }
            self.small |= bit;
        }
        let own = key.as_ref().unwrap_or(&item);
        let mut hasher = Mixed::new(self.seeds);
        hash(own, &mut hasher);
        let alike = self.seen.entry(hasher.finish()).or_default();
        let known = if key.is_some() {
            &self.keys
        } else {
            &self.kept
        };
        if alike.iter().any(|at| same(&known[*at], own)) {
            return;
        }
        alike.push(self.kept.len());
        self.keys.extend(key);
        self.kept.push(item);
    }
}

/// Multiplies and folds: a few cycles a word, where the library's hash takes twenty.
struct Mixed {
    state: u64,
    factor: u64,
}

impl Mixed {
    fn new([state, factor]: [u64; 2]) -> Self {
        Mixed { state, factor }
    }
}

impl Hasher for Mixed {
    fn finish(&self) -> u64 {
        self.state
    }

    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.write_u64(u64::from_le_bytes(*word));
        }
        let rest = rest
            .iter()
            .rev()
            .fold(0, |word, byte| word << 8 | u64::from(*byte));
        self.write_u64(rest);
        self.write_u64(bytes.len() as u64);
    }

    fn write_u64(&mut self, word: u64) {
        let product = u128::from(self.state ^ word).wrapping_mul(u128::from(self.factor));
        self.state =
            (product as u64) ^ ((product >> 64) as u64).rotate_left(23) ^ word.rotate_left(32);
    }

    fn write_u8(&mut self, byte: u8) {
        self.write_u64(byte.into());
    }

    fn write_isize(&mut self, n: isize) {
        self.write_u64(n as u64);
    }

    fn write_i128(&mut self, n: i128) {
        self.write_u128(n as u128);
    }

    fn write_u128(&mut self, n: u128) {
        self.write_u64(n as u64);
        self.write_u64((n >> 64) as u64);
    }
}

/// How deep a type is looked into: a recursive one has no end, and is taken for one that holds anything.
const MOST_LEVELS: usize = 32;

/// Whether equal values of the type are written in one order.
pub(super) fn has_order(ty: &FieldType, level: usize) -> bool {
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

//! Grammars that were compiled before, known again by their constraint: nothing is written to find one.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::signature::{FieldSpec, FieldType, SignatureSpec, TypeRef};

use super::{Constraint, Grammar};

/// Compiled grammars are small, but a server may be asked for ever new ones.
const MOST_KEPT: usize = 256;

/// A tool's name with its arguments.
type ToolFields = (String, Vec<FieldSpec>);

/// Grammars by constraint.
#[derive(Default)]
pub(super) struct Cache {
    kept: HashMap<u64, Vec<(Constraint, Grammar)>>,
    count: usize,
}

impl Cache {
    pub fn get(&self, constraint: &Constraint) -> Option<Grammar> {
        let alike = self.kept.get(&fingerprint(constraint))?;
        let (_, grammar) = alike.iter().find(|(known, _)| same(known, constraint))?;
        Some(grammar.clone())
    }

    pub fn keep(&mut self, constraint: &Constraint, grammar: Grammar) {
        if self.count >= MOST_KEPT {
            *self = Cache::default();
        }
        self.count += 1;
        let alike = self.kept.entry(fingerprint(constraint)).or_default();
        alike.push((constraint.clone(), grammar));
    }
}

fn fingerprint(constraint: &Constraint) -> u64 {
    let mut hasher = DefaultHasher::new();
    std::mem::discriminant(constraint).hash(&mut hasher);
    match constraint {
        Constraint::Signature(spec) | Constraint::SplitSections(spec) => {
            hash_fields(&spec.outputs, &mut hasher);
        }
        Constraint::ToolStep { spec, tools } => {
            hash_fields(&spec.outputs, &mut hasher);
            for (name, fields) in tools {
                name.hash(&mut hasher);
                hash_fields(fields, &mut hasher);
            }
        }
        Constraint::Lark(text) | Constraint::Regex(text) => text.hash(&mut hasher),
        Constraint::JsonSchema(schema) => schema.hash(&mut hasher),
    }
    hasher.finish()
}

fn hash_fields(fields: &[FieldSpec], hasher: &mut DefaultHasher) {
    for field in fields {
        field.name.hash(hasher);
        address(&field.ty).hash(hasher);
    }
}

fn same(one: &Constraint, other: &Constraint) -> bool {
    match (one, other) {
        (Constraint::Signature(one), Constraint::Signature(other))
        | (Constraint::SplitSections(one), Constraint::SplitSections(other)) => {
            same_spec(one, other)
        }
        (
            Constraint::ToolStep { spec: one, tools },
            Constraint::ToolStep {
                spec: other,
                tools: others,
            },
        ) => {
            let alike = |(one, other): (&ToolFields, &ToolFields)| {
                one.0 == other.0 && same_fields(&one.1, &other.1)
            };
            same_spec(one, other)
                && tools.len() == others.len()
                && tools.iter().zip(others).all(alike)
        }
        (Constraint::Lark(one), Constraint::Lark(other))
        | (Constraint::Regex(one), Constraint::Regex(other)) => one == other,
        (Constraint::JsonSchema(one), Constraint::JsonSchema(other)) => one == other,
        _ => false,
    }
}

fn same_spec(one: &SignatureSpec, other: &SignatureSpec) -> bool {
    one.format == other.format && same_fields(&one.outputs, &other.outputs)
}

/// Whether grammars of these fields are alike. Types made at run time are alike only if they are one and the same: the
/// constraints that are kept hold on to theirs, so that no other type takes their place in memory.
fn same_fields(one: &[FieldSpec], other: &[FieldSpec]) -> bool {
    let alike = |(one, other): (&FieldSpec, &FieldSpec)| {
        one.name == other.name
            && address(&one.ty) == address(&other.ty)
            && one.constraints == other.constraints
    };
    one.len() == other.len() && one.iter().zip(other).all(alike)
}

/// Where a type is: a static one is always in one place.
fn address(ty: &TypeRef) -> usize {
    std::ptr::from_ref::<FieldType>(ty) as usize
}

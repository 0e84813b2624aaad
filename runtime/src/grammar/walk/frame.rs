//! A container under way: how far it is, and what it holds already.

use std::sync::Arc;

use super::count::lists;
use super::shape::{Id, Plan, Shape};

/// A list, tuple, map, struct or tagged variant that has been opened.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    pub shape: Id,
    /// Whether it is in braces: `Json` may be either.
    pub braces: bool,
    /// Values that are finished.
    pub done: usize,
    /// Of a tagged shape, once it is known.
    pub variant: Option<usize>,
    /// Keys of a map, or items that may not come again, in order. Shared between the copies that try tokens.
    pub seen: Arc<Vec<Vec<u8>>>,
}

impl Frame {
    pub fn new(shape: Id, braces: bool) -> Self {
        Frame {
            shape,
            braces,
            done: 0,
            variant: None,
            seen: Arc::default(),
        }
    }

    /// The shape of the next value; `None` if that is a tag or nothing can follow.
    pub fn next(&self, plan: &Plan) -> Option<Id> {
        match &plan.shapes[self.shape] {
            Shape::List { item, .. } => Some(*item),
            Shape::Map { value, .. } => Some(*value),
            Shape::Json => Some(self.shape),
            Shape::Tuple(ids) | Shape::Record(ids) => ids.get(self.done).copied(),
            Shape::Tagged(_, variants) => variants[self.variant?]
                .get(self.done.checked_sub(1)?)
                .copied(),
            _ => None,
        }
    }

    /// Whether its keys are text of the model's own.
    pub fn has_keys(&self, plan: &Plan) -> bool {
        self.braces && matches!(plan.shapes[self.shape], Shape::Map { .. } | Shape::Json)
    }

    pub fn has_distinct_items(&self, plan: &Plan) -> bool {
        matches!(plan.shapes[self.shape], Shape::List { distinct: true, .. })
    }

    /// Whether one more value may follow that nests as deep as it must.
    pub fn may_grow(&self, plan: &Plan, depth: usize) -> bool {
        let (next, min) = match &plan.shapes[self.shape] {
            Shape::List { item, min, .. } => (*item, *min),
            Shape::Map { value, min } => (*value, *min),
            _ => return true,
        };
        self.done < min || plan.heights[next].saturating_add(depth) <= super::MOST_NESTING
    }

    /// Ways to go on to its end once `done` values are finished.
    pub fn ways(&self, plan: &Plan, done: usize) -> u128 {
        match &plan.shapes[self.shape] {
            Shape::List { item, min, max, .. } => lists(plan.count(*item), *min, *max, done),
            Shape::Tuple(ids) | Shape::Record(ids) => {
                plan.product(ids.get(done..).unwrap_or_default())
            }
            Shape::Tagged(_, variants) => match self.variant {
                Some(variant) => {
                    let rest = variants[variant].get(done.saturating_sub(1)..);
                    plan.product(rest.unwrap_or_default())
                }
                // The tag under way counts the variants itself, and what follows each.
                None if done > 0 => 1,
                None => plan.count(self.shape),
            },
            _ => u128::MAX,
        }
    }

    /// Notes an item or key. `false` if it was there.
    pub fn note(&mut self, item: &[u8]) -> bool {
        match self.seen.binary_search_by(|seen| seen.as_slice().cmp(item)) {
            Ok(_) => false,
            Err(at) => {
                Arc::make_mut(&mut self.seen).insert(at, item.to_vec());
                true
            }
        }
    }

    /// How many of the seen begin with these bytes.
    pub fn seen_with(&self, begin: &[u8]) -> usize {
        let from = self.seen.partition_point(|seen| seen.as_slice() < begin);
        let rest = &self.seen[from..];
        rest.partition_point(|seen| seen.starts_with(begin))
    }
}

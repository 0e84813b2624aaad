//! What follows from the shapes: how deep and how long their values are at least, and which need looking after.

use super::shape::{Id, Plan, Shape};

impl Plan {
    /// Finds each shape's least nesting: again and again until nothing changes, as a shape may refer to itself.
    pub(super) fn measure(&mut self) {
        let mut heights = vec![usize::MAX; self.shapes.len()];
        loop {
            let mut changed = false;
            for id in 0..self.shapes.len() {
                let deepest = |ids: &[Id]| ids.iter().map(|id| heights[*id]).max().unwrap_or(0);
                let height = match &self.shapes[id] {
                    Shape::List { item, min, .. } if *min > 0 => heights[*item].saturating_add(1),
                    Shape::Map { value, min } if *min > 0 => heights[*value].saturating_add(1),
                    Shape::List { .. } | Shape::Map { .. } => 1,
                    Shape::Tuple(ids) | Shape::Record(ids) => deepest(ids).saturating_add(1),
                    Shape::Tagged(_, variants) => {
                        let least = variants.iter().map(|ids| deepest(ids)).min();
                        least.unwrap_or(0).saturating_add(1)
                    }
                    _ => 0,
                };
                changed |= height != heights[id];
                heights[id] = height;
            }
            if !changed {
                break;
            }
        }
        self.heights = heights;
        self.weigh();
    }

    /// Whether values of this shape need a walker: something in it must differ, or it may nest without end.
    pub(super) fn matters(&self, root: Id) -> bool {
        let mut open = vec![root];
        let mut seen = vec![false; self.shapes.len()];
        while let Some(id) = open.pop() {
            if std::mem::replace(&mut seen[id], true) {
                continue;
            }
            match &self.shapes[id] {
                Shape::Json | Shape::Map { .. } | Shape::List { distinct: true, .. } => {
                    return true;
                }
                Shape::Option(inner) | Shape::List { item: inner, .. } => open.push(*inner),
                Shape::Tuple(ids) | Shape::Record(ids) => {
                    if self.reaches(id, ids) {
                        return true;
                    }
                    open.extend(ids);
                }
                Shape::Tagged(_, variants) => {
                    if variants.iter().any(|ids| self.reaches(id, ids)) {
                        return true;
                    }
                    open.extend(variants.iter().flatten());
                }
                _ => {}
            }
        }
        false
    }

    /// Whether a shape contains itself.
    fn reaches(&self, goal: Id, from: &[Id]) -> bool {
        let mut open = from.to_vec();
        let mut seen = vec![false; self.shapes.len()];
        while let Some(id) = open.pop() {
            if id == goal {
                return true;
            }
            if std::mem::replace(&mut seen[id], true) {
                continue;
            }
            match &self.shapes[id] {
                Shape::Option(inner) | Shape::List { item: inner, .. } => open.push(*inner),
                Shape::Map { value, .. } => open.push(*value),
                Shape::Tuple(ids) | Shape::Record(ids) => open.extend(ids),
                Shape::Tagged(_, variants) => open.extend(variants.iter().flatten()),
                _ => {}
            }
        }
        false
    }

    /// Finds how many bytes may be missing of each value under way: of a container, those that its own keys and least
    /// values take.
    fn weigh(&mut self) {
        const SCALAR: usize = 40;
        // More than any reply has; what is added to it or multiplied with it must not overflow.
        const FAR: usize = 1 << 40;
        let mut least = vec![FAR; self.shapes.len()];
        loop {
            let mut changed = false;
            for id in 0..self.shapes.len() {
                let sum = |ids: &[Id]| ids.iter().fold(2, |sum, id| least[*id].saturating_add(sum));
                let bytes = match &self.shapes[id] {
                    Shape::Text { min, .. } => min.saturating_add(2),
                    Shape::Names(names) => names.iter().map(Vec::len).max().unwrap_or(0),
                    Shape::Option(_) | Shape::Json => 4,
                    Shape::List { item, min, .. } => min
                        .saturating_mul((least[*item] + 2).min(1 << 20))
                        .saturating_add(2),
                    Shape::Map { value, min } => min
                        .saturating_mul((least[*value] + 8).min(1 << 20))
                        .saturating_add(2),
                    Shape::Tuple(ids) | Shape::Record(ids) => sum(ids) + self.keys[id],
                    Shape::Tagged(_, variants) => {
                        variants.iter().map(|ids| sum(ids)).min().unwrap_or(0) + self.keys[id]
                    }
                    _ => 8,
                };
                let bytes = bytes.min(FAR);
                changed |= bytes != least[id];
                least[id] = bytes;
            }
            if !changed {
                break;
            }
        }
        let sum = |ids: &[Id]| ids.iter().map(|id| least[*id] + 2).sum::<usize>();
        let rest = |id: Id| match &self.shapes[id] {
            // Behind a comma or a key one more is owed.
            Shape::List { item, min, .. } => min
                .saturating_add(1)
                .saturating_mul(least[*item] + 2)
                .saturating_add(2),
            Shape::Map { value, min } => min
                .saturating_add(1)
                .saturating_mul(least[*value] + 8)
                .saturating_add(8),
            Shape::Tuple(ids) | Shape::Record(ids) => 2 + sum(ids) + self.keys[id],
            Shape::Tagged(_, variants) => {
                2 + variants.iter().map(|ids| sum(ids)).max().unwrap_or(0) + self.keys[id]
            }
            Shape::Json => 8,
            Shape::Option(_) => 0,
            Shape::Text { min, .. } => min.saturating_add(8),
            _ => SCALAR,
        };
        self.rests = (0..self.shapes.len()).map(rest).collect();
    }
}

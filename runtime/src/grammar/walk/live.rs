//! Whether a value under way can still become a valid one: the ways that are left against those that are taken.

use super::MOST_NESTING;
use super::scalar::{Role, Scalar};
use super::shape::{Id, Shape};
use super::walker::{At, Walker};

impl Walker {
    /// Whether the item under way can still become one that is not there yet, and a tag one that has room.
    pub(super) fn is_live(&self) -> bool {
        if let Some(Scalar {
            role: Role::Tag(id),
            text,
            ..
        }) = &self.scalar
            && let Shape::Tagged(tags, _) = &self.plan.shapes[*id]
        {
            let mut fitting = tags
                .iter()
                .enumerate()
                .filter(|(_, tag)| tag.starts_with(text));
            if !fitting.any(|(variant, _)| self.has_room(*id, variant)) {
                return false;
            }
        }
        let Some((depth, text)) = &self.item else {
            return true;
        };
        let Some(container) = self.frames.get(depth - 1) else {
            return true;
        };
        if let Some((escapes, ways)) = self
            .scalar
            .as_ref()
            .and_then(|s| s.ways_after_escape(&self.plan))
        {
            let ways = ways.saturating_mul(self.ways_above(*depth));
            let mut begin = text.clone();
            return escapes.iter().any(|escape| {
                let meant = match escape {
                    b'n' => b'\n',
                    b't' => b'\t',
                    other => *other,
                };
                begin.push(meant);
                let live = ways > container.seen_with(&begin) as u128;
                begin.pop();
                live
            });
        }
        let own = match (self.at, &self.scalar) {
            (At::Value(id), _) => self.plan.count(id),
            (At::Scalar, Some(scalar)) => scalar.ways(&self.plan),
            _ => 1,
        };
        let ways = own.saturating_mul(self.ways_above(*depth));
        ways > container.seen_with(text) as u128
    }

    /// Ways in which the containers within the item can go on.
    fn ways_above(&self, depth: usize) -> u128 {
        let in_value = match (self.at, &self.scalar) {
            (At::Value(_), _) => true,
            (At::Scalar, Some(scalar)) => scalar.role != Role::Name,
            _ => false,
        };
        let top = self.frames.len().wrapping_sub(1);
        self.frames
            .iter()
            .enumerate()
            .skip(depth)
            .map(|(at, frame)| {
                let running = at != top || in_value;
                frame.ways(&self.plan, frame.done + usize::from(running))
            })
            .fold(1, u128::saturating_mul)
    }

    /// Whether what follows a tag nests no deeper than there is room.
    pub(super) fn has_room(&self, id: Id, variant: usize) -> bool {
        let Shape::Tagged(_, variants) = &self.plan.shapes[id] else {
            return false;
        };
        let heights = variants[variant].iter().map(|id| self.plan.heights[*id]);
        heights.max().unwrap_or(0).saturating_add(self.frames.len()) <= MOST_NESTING
    }

    /// Bytes that may be missing at the end of the reply for what is open here; the sections to come are not among them.
    pub fn rest(&self) -> usize {
        let open = self.frames.iter().map(|frame| self.plan.rests[frame.shape]);
        open.fold(40, usize::saturating_add)
    }
}

//! How many values a shape has: exactly, or as many as fit the integer.

use super::dates::dates;
use super::shape::{Id, Plan, Shape};

/// Unicode scalar values without controls, `"` and `\`.
const PLAIN_CHARS: u128 = 0x11_0000 - 0x800 - 32 - 1 - 2;

impl Plan {
    /// How many distinct values a shape has. Shapes that contain themselves are never asked for.
    pub(super) fn count(&self, id: Id) -> u128 {
        match &self.shapes[id] {
            Shape::Text { min, max, escapes } => texts(*min, *max, escapes, 0),
            Shape::Char => PLAIN_CHARS,
            Shape::Other | Shape::Json | Shape::Map { .. } => u128::MAX,
            Shape::Names(names) => names.len() as u128,
            Shape::Number(grid) => grid.count(),
            Shape::Date(kind) => dates(*kind, b""),
            Shape::Option(inner) => self.count(*inner).saturating_add(1),
            Shape::List { item, min, max, .. } => lists(self.count(*item), *min, *max, 0),
            Shape::Tuple(ids) | Shape::Record(ids) => self.product(ids),
            Shape::Tagged(_, variants) => variants
                .iter()
                .map(|ids| self.product(ids))
                .fold(0, u128::saturating_add),
        }
    }

    pub(super) fn product(&self, ids: &[Id]) -> u128 {
        ids.iter()
            .map(|id| self.count(*id))
            .fold(1, u128::saturating_mul)
    }
}

/// Ways to go on after `done` of at least `min` and at most `max` items, each one of `count`.
pub(super) fn lists(count: u128, min: usize, max: Option<usize>, done: usize) -> u128 {
    let least = min.saturating_sub(done);
    let most = max.map(|max| max.saturating_sub(done));
    if max.is_some_and(|max| max < done) || most.is_some_and(|most| most < least) {
        return 0;
    }
    if count == 0 {
        return u128::from(least == 0);
    }
    if count == 1 {
        return most.map_or(u128::MAX, |most| (most - least) as u128 + 1);
    }
    // Powers of two or more: past 128 of them the sum no longer fits.
    let mut power = count.saturating_pow(least.min(128) as u32);
    let mut sum = 0u128;
    for _ in least..=most.unwrap_or(usize::MAX) {
        sum = sum.saturating_add(power);
        if sum == u128::MAX {
            break;
        }
        power = power.saturating_mul(count);
    }
    sum
}

/// Ways to go on after `done` characters of a string. `/` has two spellings and is one character.
pub(super) fn texts(min: usize, max: Option<usize>, escapes: &[u8], done: usize) -> u128 {
    lists(PLAIN_CHARS + escapes.len() as u128 - 1, min, max, done)
}

/// How many characters begin with these bytes of UTF-8, and how many bytes are still to come.
pub(super) fn characters(begin: &[u8]) -> u128 {
    match begin {
        [] => PLAIN_CHARS,
        [0xC2..=0xDF] => 64,
        [0xE0 | 0xED] => 32 * 64,
        [0xE1..=0xEF] => 64 * 64,
        [0xF0] => 48 * 64 * 64,
        [0xF4] => 16 * 64 * 64,
        [0xF1..=0xF3] => 64 * 64 * 64,
        [0xE0..=0xEF, _] => 64,
        [0xF0..=0xF4, _] => 64 * 64,
        [0xF0..=0xF4, _, _] => 64,
        _ => 1,
    }
}

/// Bytes of the character that begins with this byte.
pub(super) fn width(first: u8) -> usize {
    match first {
        0xC0..=0xDF => 2,
        0xE0..=0xEF => 3,
        0xF0..=0xFF => 4,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_add_up() {
        let mut sum = 0;
        for first in 0x20..=0xF4u8 {
            if !matches!(first, b'"' | b'\\' | 0x7F | 0x80..=0xC1) {
                sum += characters(&[first]);
            }
        }
        assert_eq!(sum, PLAIN_CHARS);
    }

    #[test]
    fn lists_add_up() {
        assert_eq!(lists(2, 0, Some(3), 0), 1 + 2 + 4 + 8);
        assert_eq!(lists(2, 2, Some(3), 1), 2 + 4);
        assert_eq!(lists(2, 0, Some(3), 3), 1);
        assert_eq!(lists(3, 2, Some(2), 0), 9);
        assert_eq!(lists(0, 0, None, 0), 1);
        assert_eq!(lists(0, 1, None, 0), 0);
        assert_eq!(lists(1, 2, Some(4), 0), 3);
        assert_eq!(lists(2, 0, None, 0), u128::MAX);
        assert_eq!(lists(5, 0, Some(1), 2), 0);
    }
}

//! A string, number or word under way: what of it is read, and how many values can still come of it.

use super::count::{characters, texts, width};
use super::dates::dates;
use super::shape::{Id, Plan, Shape};

/// What a scalar is read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Of a shape.
    Value(Id),
    /// The word `null`.
    Null,
    /// The tag of the shape.
    Tag(Id),
    /// A key of the model's own.
    Key,
    /// A key that is forced.
    Name,
}

/// A scalar that has begun.
#[derive(Debug, Clone)]
pub(super) struct Scalar {
    pub role: Role,
    /// Whether it is in quotes.
    pub quoted: bool,
    /// Characters of a string that are finished.
    pub chars: usize,
    /// Bytes of a character that is not.
    pub cut: Vec<u8>,
    /// Whether a backslash stands last.
    pub escaped: bool,
    /// What is kept of it: of names and numbers all, of the rest what `canon` takes.
    pub text: Vec<u8>,
}

impl Scalar {
    pub fn new(role: Role, quoted: bool) -> Self {
        Scalar {
            role,
            quoted,
            chars: 0,
            cut: Vec::new(),
            escaped: false,
            text: Vec::new(),
        }
    }

    /// Whether its text counts as it is written, rather than by its characters.
    pub fn is_literal(&self, plan: &Plan) -> bool {
        match self.role {
            Role::Null | Role::Tag(_) => true,
            Role::Value(id) => matches!(
                plan.shapes[id],
                Shape::Names(_) | Shape::Number(_) | Shape::Date(_)
            ),
            Role::Key | Role::Name => false,
        }
    }

    /// Takes a byte of a string that neither ends it nor is a backslash; gives what it stands for.
    pub fn byte(&mut self, byte: u8) -> u8 {
        if std::mem::take(&mut self.escaped) {
            self.chars += 1;
            return match byte {
                b'n' => b'\n',
                b't' => b'\t',
                b'r' => b'\r',
                b'b' => 8,
                b'f' => 12,
                other => other,
            };
        }
        self.cut.push(byte);
        if self.cut.len() >= width(self.cut[0]) {
            self.cut.clear();
            self.chars += 1;
        }
        byte
    }

    /// Values that its text can still become.
    pub fn ways(&self, plan: &Plan) -> u128 {
        match self.role {
            Role::Null | Role::Name => 1,
            Role::Key => u128::MAX,
            Role::Tag(id) => match &plan.shapes[id] {
                Shape::Tagged(tags, variants) => tags
                    .iter()
                    .zip(variants)
                    .filter(|(tag, _)| tag.starts_with(&self.text))
                    .map(|(_, ids)| plan.product(ids))
                    .fold(0, u128::saturating_add),
                _ => u128::MAX,
            },
            Role::Value(id) => match &plan.shapes[id] {
                Shape::Names(names) => names
                    .iter()
                    .filter(|name| name.starts_with(&self.text))
                    .count() as u128,
                Shape::Number(grid) => grid.beginning_with(&self.text),
                Shape::Date(kind) => {
                    dates(*kind, self.text.strip_prefix(b"\"").unwrap_or_default())
                }
                Shape::Char if self.chars > 0 => 1,
                Shape::Char => characters(&self.cut),
                Shape::Text { min, max, escapes } if self.cut.is_empty() => {
                    texts(*min, *max, escapes, self.chars)
                }
                Shape::Text { min, max, escapes } => {
                    let rest = texts(*min, *max, escapes, self.chars + 1);
                    characters(&self.cut).saturating_mul(rest)
                }
                _ => u128::MAX,
            },
        }
    }

    /// What a backslash may be followed by, with the values that can come of each.
    pub fn ways_after_escape(&self, plan: &Plan) -> Option<(&'static [u8], u128)> {
        let Role::Value(id) = self.role else {
            return None;
        };
        match &plan.shapes[id] {
            Shape::Text { min, max, escapes } if self.escaped => {
                Some((escapes, texts(*min, *max, escapes, self.chars + 1)))
            }
            _ => None,
        }
    }

    /// Whether it may end here, as far as the shape says and the grammar can't.
    pub fn may_end(&self, plan: &Plan) -> bool {
        match self.role {
            Role::Value(id) => match &plan.shapes[id] {
                Shape::Number(grid) if grid.places > 0 => grid.is_one(&self.text),
                _ => true,
            },
            _ => true,
        }
    }
}

//! The walker within keys, strings, numbers and words.

use super::scalar::{Role, Scalar};
use super::shape::{Id, Shape};
use super::walker::{At, END, Walker};

impl Walker {
    /// A byte of a scalar that counts as it is written.
    pub(super) fn literal(&mut self, byte: u8) {
        if let Some(scalar) = &mut self.scalar
            && scalar.is_literal(&self.plan)
        {
            scalar.text.push(byte);
            self.canon(byte);
        }
    }

    pub(super) fn key(&mut self) -> bool {
        let Some(frame) = self.top() else {
            return false;
        };
        let own = frame.has_keys(&self.plan);
        if self.at == At::Opened && own && !self.grows() {
            return false;
        }
        if own {
            self.item = Some((self.frames.len(), Vec::new()));
        }
        let role = if own { Role::Key } else { Role::Name };
        self.scalar = Some(Scalar::new(role, true));
        self.at = At::Scalar;
        true
    }

    /// Behind the key of a tag: the tag is a value like others, but chooses what follows.
    pub(super) fn tag(&mut self) -> bool {
        let Some(frame) = self.top() else {
            return false;
        };
        self.scalar = Some(Scalar::new(Role::Tag(frame.shape), false));
        self.at = At::Scalar;
        true
    }

    pub(super) fn in_scalar(&mut self, byte: u8) -> bool {
        let Some(scalar) = &mut self.scalar else {
            return false;
        };
        if let Role::Tag(_) = scalar.role
            && !scalar.quoted
        {
            // The blank between colon and tag.
            if byte == b'"' {
                scalar.quoted = true;
                self.literal(byte);
            }
            return true;
        }
        if !scalar.quoted {
            if matches!(byte, b',' | b']' | b'}' | b'\n') {
                return self.scalar_ends() && self.byte(byte);
            }
            self.literal(byte);
            return self.is_live();
        }
        let literal = scalar.is_literal(&self.plan);
        match byte {
            b'"' if !scalar.escaped => {
                self.literal(byte);
                self.scalar_ends()
            }
            b'\\' if !scalar.escaped => {
                scalar.escaped = true;
                self.literal(byte);
                self.is_live()
            }
            _ => {
                let meant = scalar.byte(byte);
                if literal {
                    self.literal(byte);
                } else if scalar.role != Role::Name {
                    self.canon(meant);
                }
                self.is_live()
            }
        }
    }

    fn scalar_ends(&mut self) -> bool {
        let Some(scalar) = self.scalar.take() else {
            return false;
        };
        let in_item = self.item.is_some();
        if in_item && !scalar.may_end(&self.plan) {
            return false;
        }
        if scalar.role != Role::Name {
            self.canon(END);
        }
        match scalar.role {
            Role::Name => {
                self.at = At::Key;
                true
            }
            Role::Key => {
                self.at = At::Key;
                let key = self.item.take().map(|(_, text)| text).unwrap_or_default();
                self.frames.last_mut().is_some_and(|frame| frame.note(&key))
            }
            Role::Tag(id) => self.tagged(id, &scalar.text) && self.value_ends(),
            Role::Null | Role::Value(_) => self.value_ends(),
        }
    }

    /// Chooses the variant of the tag, if there is room for its nesting.
    fn tagged(&mut self, id: Id, tag: &[u8]) -> bool {
        let Shape::Tagged(tags, _) = &self.plan.shapes[id] else {
            return false;
        };
        let variant = tags.iter().position(|known| known == tag);
        match self.frames.last_mut() {
            Some(frame) => frame.variant = variant,
            None => return false,
        }
        variant.is_some_and(|variant| self.has_room(id, variant))
    }
}

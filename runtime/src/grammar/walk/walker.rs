//! Follows a reply byte by byte and refuses what leads to a value that may not be.

use std::sync::Arc;

use super::MOST_NESTING;
use super::frame::Frame;
use super::scalar::{Role, Scalar};
use super::shape::{Content, Id, Plan, Shape};

/// Marks in the form by which items are compared. No UTF-8 has these bytes, so no text looks like a mark.
pub(super) const END: u8 = 0xFF;
const OPEN: u8 = 0xFE;
const CLOSE: u8 = 0xFD;

/// Names of tools and texts in front of arguments are no longer than this, or are none.
const LONGEST_NAME: usize = 1024;

/// Where a reply stands.
#[derive(Debug)]
pub(in super::super) struct Walker {
    pub(super) plan: Arc<Plan>,
    pub(super) section: usize,
    pub(super) at: At,
    pub(super) frames: Vec<Frame>,
    pub(super) scalar: Option<Scalar>,
    /// The item under way that must differ from others: the depth of its container, and its text in one form.
    pub(super) item: Option<(usize, Vec<u8>)>,
    /// The text of a section that is looked after for its text alone.
    pub(super) word: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum At {
    /// So many bytes into what stands before the section.
    Before(usize),
    /// In a section that needs no looking after, the last bytes of which are so many of what stands before the next.
    Text(usize),
    /// Before a value.
    Value(Id),
    /// In a string, number or word.
    Scalar,
    /// Behind an opening bracket.
    Opened,
    /// Behind a comma in braces, or a key.
    Key,
    /// Behind a value in a container.
    After,
    /// Behind everything.
    End,
}

impl Clone for Walker {
    fn clone(&self) -> Self {
        Walker {
            plan: Arc::clone(&self.plan),
            section: self.section,
            at: self.at,
            frames: self.frames.clone(),
            scalar: self.scalar.clone(),
            item: self.item.clone(),
            word: self.word.clone(),
        }
    }

    /// Tokens are tried on one copy after another: its memory is used again.
    fn clone_from(&mut self, other: &Self) {
        self.plan.clone_from(&other.plan);
        self.section = other.section;
        self.at = other.at;
        self.frames.clone_from(&other.frames);
        self.scalar.clone_from(&other.scalar);
        self.item.clone_from(&other.item);
        self.word.clone_from(&other.word);
    }
}

/// Which tokens have to be tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Watch {
    None,
    /// Those that may end a string.
    Quotes,
    All,
}

impl Walker {
    pub fn new(plan: Arc<Plan>) -> Self {
        Walker {
            plan,
            section: 0,
            at: At::Before(0),
            frames: Vec::new(),
            scalar: None,
            item: None,
            word: Vec::new(),
        }
    }

    /// Takes bytes that the grammar allows. `false` if no valid reply begins so; the walker is then of no use any more.
    pub fn take(&mut self, bytes: &[u8]) -> bool {
        bytes.iter().all(|byte| self.byte(*byte))
    }

    /// Which tokens have to be tried from here.
    pub fn watch(&self) -> Watch {
        match self.at {
            At::End => Watch::None,
            // The longest beginning of a marker that text has by chance.
            At::Text(matched) if matched <= 2 => Watch::None,
            At::Scalar => match &self.scalar {
                Some(scalar) if scalar.quoted && !scalar.is_literal(&self.plan) => {
                    let bounded = match scalar.role {
                        Role::Value(id) => !matches!(
                            self.plan.shapes[id],
                            Shape::Text { max: None, .. } | Shape::Other | Shape::Json
                        ),
                        _ => false,
                    };
                    if bounded && self.item.is_some() {
                        Watch::All
                    } else {
                        Watch::Quotes
                    }
                }
                _ => Watch::All,
            },
            _ => Watch::All,
        }
    }

    pub(super) fn byte(&mut self, byte: u8) -> bool {
        match self.at {
            At::End => true,
            At::Before(matched) => self.before(matched, byte),
            At::Text(matched) => self.text(matched, byte),
            At::Scalar => self.in_scalar(byte),
            _ if byte == b' ' => true,
            At::Value(id) => self.begin(id, byte) && self.is_live(),
            At::Opened => match byte {
                b']' | b'}' => self.close(),
                b'"' if self.top().is_some_and(|frame| frame.braces) => self.key(),
                _ => match self.next_value() {
                    Some(id) => self.begin(id, byte) && self.is_live(),
                    None => false,
                },
            },
            At::Key => match byte {
                b'"' => self.key(),
                b':' => match self.next_value() {
                    Some(id) => {
                        self.at = At::Value(id);
                        true
                    }
                    None => self.tag(),
                },
                _ => false,
            },
            At::After => match byte {
                b',' => self.comma(),
                b']' | b'}' => self.close(),
                _ => false,
            },
        }
    }

    fn before(&mut self, matched: usize, byte: u8) -> bool {
        let section = &self.plan.sections[self.section];
        if section.before.get(matched) != Some(&byte) {
            return false;
        }
        if matched + 1 < section.before.len() {
            self.at = At::Before(matched + 1);
            return true;
        }
        self.entered()
    }

    /// What stands before the section has ended.
    fn entered(&mut self) -> bool {
        if self.section + 1 == self.plan.sections.len() {
            self.at = At::End;
            return true;
        }
        let word = std::mem::take(&mut self.word);
        self.at = match &self.plan.sections[self.section].content {
            Content::Any => At::Text(0),
            Content::Value(id) => At::Value(*id),
            Content::Arguments(tools) => {
                let id = tools.iter().find(|(name, _)| *name == word);
                id.map_or(At::Text(0), |(_, id)| At::Value(*id))
            }
        };
        true
    }

    fn text(&mut self, matched: usize, byte: u8) -> bool {
        let next = &self.plan.sections[self.section + 1];
        if matches!(next.content, Content::Arguments(_)) && self.word.len() < LONGEST_NAME {
            self.word.push(byte);
        }
        let marker = &next.before;
        let mut matched = matched;
        // The longest beginning of the marker that the text now ends with.
        while matched > 0 && marker[matched] != byte {
            let known = &marker[..matched];
            matched = (1..matched)
                .rev()
                .find(|length| known.ends_with(&marker[..*length]))
                .unwrap_or(0);
        }
        if marker[matched] == byte {
            matched += 1;
        }
        self.at = At::Text(matched);
        if matched < marker.len() {
            return true;
        }
        let length = self.word.len().saturating_sub(matched);
        self.word.truncate(length);
        self.section += 1;
        self.entered()
    }

    pub(super) fn top(&self) -> Option<&Frame> {
        self.frames.last()
    }

    pub(super) fn next_value(&self) -> Option<Id> {
        self.top()?.next(&self.plan)
    }

    /// The first byte of a value.
    fn begin(&mut self, id: Id, byte: u8) -> bool {
        let plan = Arc::clone(&self.plan);
        let depth = self.frames.len();
        if self.at == At::Opened && !self.grows() {
            return false;
        }
        self.item_begins();
        let (mut id, mut role) = (id, Role::Value(id));
        if let Shape::Option(inner) = &plan.shapes[id] {
            if byte == b'n' {
                role = Role::Null;
            } else {
                id = *inner;
                role = Role::Value(id);
                if plan.heights[id].saturating_add(depth) > MOST_NESTING {
                    return false;
                }
            }
        }
        match byte {
            b'[' | b'{' => {
                if plan.shapes_json(id) && depth >= MOST_NESTING {
                    return false;
                }
                self.canon(OPEN);
                self.frames.push(Frame::new(id, byte == b'{'));
                self.at = At::Opened;
                true
            }
            b'"' => {
                self.scalar = Some(Scalar::new(role, true));
                self.at = At::Scalar;
                self.literal(byte);
                true
            }
            _ => {
                self.scalar = Some(Scalar::new(role, false));
                self.at = At::Scalar;
                self.literal(byte);
                true
            }
        }
    }

    /// Whether the container on top may have one more value.
    pub(super) fn grows(&self) -> bool {
        let depth = self.frames.len();
        self.top()
            .is_none_or(|frame| frame.may_grow(&self.plan, depth))
    }

    /// Begins the form of an item that must differ, where the container on top asks for it.
    fn item_begins(&mut self) {
        if self.item.is_none()
            && self
                .top()
                .is_some_and(|frame| frame.has_distinct_items(&self.plan))
        {
            self.item = Some((self.frames.len(), Vec::new()));
        }
    }

    pub(super) fn canon(&mut self, byte: u8) {
        if let Some((_, text)) = &mut self.item {
            text.push(byte);
        }
    }

    pub(super) fn value_ends(&mut self) -> bool {
        let depth = self.frames.len();
        let Some(frame) = self.frames.last_mut() else {
            self.section += 1;
            self.at = At::Before(0);
            return true;
        };
        frame.done += 1;
        self.at = At::After;
        match self.item.take() {
            Some((at, text)) if at == depth => frame.note(&text),
            item => {
                self.item = item;
                self.is_live()
            }
        }
    }

    fn comma(&mut self) -> bool {
        if !self.grows() {
            return false;
        }
        let Some(frame) = self.top() else {
            return false;
        };
        if frame.braces {
            self.at = At::Key;
            return true;
        }
        let Some(next) = frame.next(&self.plan) else {
            return false;
        };
        if frame.has_distinct_items(&self.plan) && self.plan.count(next) <= frame.seen.len() as u128
        {
            return false;
        }
        self.at = At::Value(next);
        self.item_begins();
        self.is_live()
    }

    fn close(&mut self) -> bool {
        self.canon(CLOSE);
        self.frames.pop();
        self.value_ends()
    }
}

impl Plan {
    fn shapes_json(&self, id: Id) -> bool {
        matches!(self.shapes[id], Shape::Json)
    }
}

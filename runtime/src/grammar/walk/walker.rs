//! Follows a reply byte by byte and refuses what leads to a value that may not be.

use std::sync::Arc;

use super::MOST_NESTING;
use super::frame::Frame;
use super::scalar::{Role, Scalar};
use super::shape::{Content, Id, Plan, Shape};

/// Marks in the form by which items are compared. No UTF-8 has these bytes, so no text looks like a mark.
const END: u8 = 0xFF;
const OPEN: u8 = 0xFE;
const CLOSE: u8 = 0xFD;

/// Names of tools and texts in front of arguments are no longer than this, or are none.
const LONGEST_NAME: usize = 1024;

/// Where a reply stands.
#[derive(Debug)]
pub(in super::super) struct Walker {
    plan: Arc<Plan>,
    section: usize,
    at: At,
    frames: Vec<Frame>,
    scalar: Option<Scalar>,
    /// The item under way that must differ from others: the depth of its container, and its text in one form.
    item: Option<(usize, Vec<u8>)>,
    /// The text of a section that is looked after for its text alone.
    word: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
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

    fn byte(&mut self, byte: u8) -> bool {
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

    fn top(&self) -> Option<&Frame> {
        self.frames.last()
    }

    fn next_value(&self) -> Option<Id> {
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
                if depth + plan.heights[id] > MOST_NESTING {
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
    fn grows(&self) -> bool {
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

    fn canon(&mut self, byte: u8) {
        if let Some((_, text)) = &mut self.item {
            text.push(byte);
        }
    }

    /// A byte of a scalar that counts as it is written.
    fn literal(&mut self, byte: u8) {
        if let Some(scalar) = &mut self.scalar
            && scalar.is_literal(&self.plan)
        {
            scalar.text.push(byte);
            self.canon(byte);
        }
    }

    fn key(&mut self) -> bool {
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
    fn tag(&mut self) -> bool {
        let Some(frame) = self.top() else {
            return false;
        };
        self.scalar = Some(Scalar::new(Role::Tag(frame.shape), false));
        self.at = At::Scalar;
        true
    }

    fn in_scalar(&mut self, byte: u8) -> bool {
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

    /// Whether what follows a tag nests no deeper than there is room.
    fn has_room(&self, id: Id, variant: usize) -> bool {
        let Shape::Tagged(_, variants) = &self.plan.shapes[id] else {
            return false;
        };
        let heights = variants[variant].iter().map(|id| self.plan.heights[*id]);
        self.frames.len() + heights.max().unwrap_or(0) <= MOST_NESTING
    }

    fn value_ends(&mut self) -> bool {
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

    /// Whether the item under way can still become one that is not there yet, and a tag one that has room.
    fn is_live(&self) -> bool {
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
}

impl Plan {
    fn shapes_json(&self, id: Id) -> bool {
        matches!(self.shapes[id], Shape::Json)
    }
}

//! A tolerant JSON reader: text to a tree of nodes that still know their text and place, every leniency noted.
//!
//! It has a stack of its own and a greatest depth, so that no input can drive recursion, here or in what walks the tree.

use std::borrow::Cow;

use super::RepairKind;
use super::loose_text::{bare, comment_or_space, plain_number, string};

/// Deeper JSON is refused.
pub(super) const MAX_DEPTH: usize = 128;

/// A value as it is written.
#[derive(Debug, Clone)]
pub(super) struct Node<'t> {
    pub(super) at: usize,
    pub(super) end: usize,
    pub(super) kind: NodeKind<'t>,
}

impl<'t> Node<'t> {
    fn number(at: usize, text: &'t str) -> Self {
        let (end, kind) = (at + text.len(), NodeKind::Bare(text));
        Node { at, end, kind }
    }
}

#[derive(Debug, Clone)]
pub(super) enum NodeKind<'t> {
    /// Without quotes: a number, a literal or a word. The wanted type decides.
    Bare(&'t str),
    /// In quotes, unescaped.
    Text(Cow<'t, str>),
    List {
        items: Vec<Node<'t>>,
        closed: bool,
    },
    Map {
        entries: Vec<(Cow<'t, str>, Node<'t>)>,
        closed: bool,
    },
}

/// Why a text is not even loose JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SyntaxFault {
    pub(super) at: usize,
    pub(super) what: &'static str,
    pub(super) deep: bool,
    /// The text ended inside a string or before a value.
    pub(super) at_end: bool,
}

impl SyntaxFault {
    pub(super) fn new(at: usize, what: &'static str) -> Self {
        SyntaxFault {
            at,
            what,
            deep: false,
            at_end: false,
        }
    }

    pub(super) fn ended(at: usize, what: &'static str) -> Self {
        SyntaxFault {
            at,
            what,
            deep: false,
            at_end: true,
        }
    }
}

/// The leniencies that a text needed, with the place of each.
pub(super) type Notes = Vec<(RepairKind, usize)>;

enum Frame<'t> {
    List {
        at: usize,
        close: Option<u8>,
        items: Vec<Node<'t>>,
    },
    Map {
        at: usize,
        entries: Vec<(Cow<'t, str>, Node<'t>)>,
        key: Option<Cow<'t, str>>,
    },
}

#[derive(Clone, Copy, PartialEq)]
enum Expect {
    /// A value, a key, or the closing bracket.
    First,
    /// As `First`, but after a comma.
    Next,
    /// A comma or the closing bracket.
    Comma,
    /// The value of a key.
    Value,
}

/// Reads the value that begins with a bracket at `start`.
pub(super) fn read<'t>(
    text: &'t str,
    start: usize,
    notes: &mut Notes,
) -> Result<Node<'t>, SyntaxFault> {
    Reader {
        text,
        pos: start,
        notes,
        stack: Vec::new(),
    }
    .run(None)
}

/// Reads the whole text as the items of a list without its brackets.
pub(super) fn read_items<'t>(text: &'t str, notes: &mut Notes) -> Result<Node<'t>, SyntaxFault> {
    let frame = Frame::List {
        at: 0,
        close: None,
        items: Vec::new(),
    };
    Reader {
        text,
        pos: 0,
        notes,
        stack: Vec::new(),
    }
    .run(Some(frame))
}

struct Reader<'t, 'n> {
    text: &'t str,
    pos: usize,
    notes: &'n mut Notes,
    stack: Vec<Frame<'t>>,
}

impl<'t> Reader<'t, '_> {
    fn run(mut self, outer: Option<Frame<'t>>) -> Result<Node<'t>, SyntaxFault> {
        match outer {
            Some(frame) => self.stack.push(frame),
            None => self.open()?,
        }
        let mut expect = Expect::First;
        loop {
            let line_broken = comment_or_space(self.text, &mut self.pos, self.notes)?;
            let Some(byte) = self.peek() else {
                return self.end_of_text(expect);
            };
            match expect {
                Expect::Comma if byte == b',' => {
                    self.pos += 1;
                    expect = Expect::Next;
                }
                Expect::First | Expect::Next | Expect::Comma if self.closes(byte) => {
                    if expect == Expect::Next {
                        self.notes.push((RepairKind::TrailingComma, self.pos));
                    }
                    self.pos += 1;
                    if let Some(root) = self.close(true)? {
                        return Ok(root);
                    }
                    expect = Expect::Comma;
                }
                Expect::Comma => {
                    self.missing_comma(byte, line_broken)?;
                    expect = Expect::Next;
                }
                Expect::First | Expect::Next if self.in_map() => {
                    expect = self.key(expect)?;
                }
                _ => expect = self.value(byte)?,
            }
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.pos).copied()
    }

    fn in_map(&self) -> bool {
        matches!(self.stack.last(), Some(Frame::Map { .. }))
    }

    fn closes(&self, byte: u8) -> bool {
        match self.stack.last() {
            Some(Frame::Map { .. }) => byte == b'}',
            Some(Frame::List { close, .. }) => *close == Some(byte),
            None => false,
        }
    }

    fn open(&mut self) -> Result<(), SyntaxFault> {
        if self.stack.len() >= MAX_DEPTH {
            let deep = SyntaxFault::new(self.pos, "nested too deeply");
            return Err(SyntaxFault { deep: true, ..deep });
        }
        let at = self.pos;
        let list = |close| Frame::List {
            at,
            close: Some(close),
            items: Vec::new(),
        };
        let frame = match self.peek() {
            Some(b'[') => list(b']'),
            Some(b'(') => {
                self.notes.push((RepairKind::PythonLiteral, at));
                list(b')')
            }
            Some(b'{') => Frame::Map {
                at,
                entries: Vec::new(),
                key: None,
            },
            _ => return Err(SyntaxFault::new(at, "no bracket begins here")),
        };
        self.stack.push(frame);
        self.pos += 1;
        Ok(())
    }

    /// Ends the innermost list or map; gives the whole if it was the outermost.
    fn close(&mut self, closed: bool) -> Result<Option<Node<'t>>, SyntaxFault> {
        let (at, kind) = match self.stack.pop() {
            Some(Frame::List { at, items, .. }) => (at, NodeKind::List { items, closed }),
            Some(Frame::Map { at, entries, .. }) => (at, NodeKind::Map { entries, closed }),
            None => return Err(SyntaxFault::new(self.pos, "a bracket closes nothing")),
        };
        let node = Node {
            at,
            end: self.pos,
            kind,
        };
        if self.stack.is_empty() {
            return Ok(Some(node));
        }
        self.add(node)?;
        Ok(None)
    }

    fn add(&mut self, node: Node<'t>) -> Result<(), SyntaxFault> {
        match self.stack.last_mut() {
            Some(Frame::List { items, .. }) => items.push(node),
            Some(Frame::Map { entries, key, .. }) => match key.take() {
                Some(key) => entries.push((key, node)),
                None => return Err(SyntaxFault::new(node.at, "a value without a key")),
            },
            None => return Err(SyntaxFault::new(node.at, "a value outside of brackets")),
        }
        Ok(())
    }

    fn value(&mut self, byte: u8) -> Result<Expect, SyntaxFault> {
        if matches!(byte, b'[' | b'{' | b'(') {
            self.open()?;
            return Ok(Expect::First);
        }
        let at = self.pos;
        if let Some(number) = plain_number(self.text, at) {
            self.pos += number.len();
            self.add(Node::number(at, number))?;
            self.numbers();
            return Ok(Expect::Comma);
        }
        let kind = match string(self.text, &mut self.pos, self.notes)? {
            Some(text) => NodeKind::Text(text),
            None => {
                let tuple = self.closes(b')');
                NodeKind::Bare(bare(self.text, &mut self.pos, tuple)?)
            }
        };
        self.add(Node {
            at,
            end: self.pos,
            kind,
        })?;
        Ok(Expect::Comma)
    }

    /// The plain numbers that follow in a list: long lists are made of them.
    fn numbers(&mut self) {
        let Some(Frame::List { items, .. }) = self.stack.last_mut() else {
            return;
        };
        while let Some(rest) = self.text[self.pos..].strip_prefix(',') {
            let at = self.pos + 1 + usize::from(rest.starts_with(' '));
            let Some(number) = plain_number(self.text, at) else {
                return;
            };
            self.pos = at + number.len();
            items.push(Node::number(at, number));
        }
    }

    /// A key and its colon; or, where a comma or bracket follows, the first item of a Python set.
    fn key(&mut self, expect: Expect) -> Result<Expect, SyntaxFault> {
        let at = self.pos;
        let quoted = string(self.text, &mut self.pos, self.notes)?;
        let name = match quoted.clone() {
            Some(key) => key,
            None => {
                let rest = &self.text[at..];
                let end = rest
                    .find([':', ',', '}', '\n', '{', '[', '"'])
                    .unwrap_or(rest.len());
                self.pos = at + end;
                Cow::Borrowed(rest[..end].trim())
            }
        };
        let key_end = self.pos;
        comment_or_space(self.text, &mut self.pos, self.notes)?;
        match self.peek() {
            Some(b':') if !name.is_empty() || quoted.is_some() => {
                if quoted.is_none() {
                    self.notes.push((RepairKind::Unquoted, at));
                }
                self.pos += 1;
                if let Some(Frame::Map { key, .. }) = self.stack.last_mut() {
                    *key = Some(name);
                }
                Ok(Expect::Value)
            }
            Some(b',' | b'}') if expect == Expect::First && !name.is_empty() => {
                let kind = match quoted {
                    Some(text) => NodeKind::Text(text),
                    None => NodeKind::Bare(self.text[at..key_end].trim()),
                };
                let first = Node {
                    at,
                    end: key_end,
                    kind,
                };
                self.become_set(first);
                Ok(Expect::Comma)
            }
            None => Err(SyntaxFault::ended(self.pos, "it ends before a key's value")),
            Some(_) => Err(SyntaxFault::new(at, "expected a key and a colon")),
        }
    }

    fn become_set(&mut self, first: Node<'t>) {
        if let Some(Frame::Map { at, .. }) = self.stack.last() {
            let at = *at;
            self.notes.push((RepairKind::PythonLiteral, at));
            self.stack.pop();
            self.stack.push(Frame::List {
                at,
                close: Some(b'}'),
                items: vec![first],
            });
        }
    }

    /// A missing comma is plain only where a new line begins, or a key or bracket follows.
    fn missing_comma(&mut self, byte: u8, line_broken: bool) -> Result<(), SyntaxFault> {
        let follows = matches!(byte, b'{' | b'[');
        let plain = match self.stack.last() {
            Some(Frame::Map { .. }) => line_broken && byte != b']' && byte != b')',
            Some(Frame::List { items, .. }) => {
                let after_bracket = matches!(
                    items.last().map(|node| &node.kind),
                    Some(NodeKind::List { .. } | NodeKind::Map { .. })
                );
                follows && after_bracket
            }
            None => false,
        };
        if !plain {
            return Err(SyntaxFault::new(
                self.pos,
                "expected a comma or a closing bracket",
            ));
        }
        self.notes.push((RepairKind::MissingComma, self.pos));
        Ok(())
    }

    fn end_of_text(mut self, expect: Expect) -> Result<Node<'t>, SyntaxFault> {
        let implicit =
            self.stack.len() == 1 && matches!(self.stack[0], Frame::List { close: None, .. });
        if expect == Expect::Value {
            return Err(SyntaxFault::ended(self.pos, "it ends before a key's value"));
        }
        if !implicit {
            self.notes.push((RepairKind::MissingBracket, self.pos));
        }
        loop {
            let closed = matches!(self.stack.last(), Some(Frame::List { close: None, .. }));
            if let Some(root) = self.close(closed)? {
                return Ok(root);
            }
        }
    }
}

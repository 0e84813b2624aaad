//! A tolerant JSON reader: text to a tree of nodes that still know their text and place, every leniency noted.
//!
//! It has a stack of its own and a greatest depth, so that no input can drive recursion, here or in what walks the tree.

use super::RepairKind;
use super::loose_text::{bare, comment_or_space, plain_number, string};
use super::tree::{LONGEST, Tag, Tree};

/// Deeper JSON is refused.
pub(super) const MAX_DEPTH: usize = 128;

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

/// The leniencies that a text needed: each kind once, where it was needed first.
#[derive(Debug, Default)]
pub(super) struct Notes {
    seen: u128,
    list: Vec<(RepairKind, usize)>,
}

const _: () = assert!(RepairKind::ALL.len() <= u128::BITS as usize);

impl Notes {
    pub(super) fn add(&mut self, kind: RepairKind, at: usize) {
        let bit = 1 << kind as u32;
        if self.seen & bit == 0 {
            self.seen |= bit;
            self.list.push((kind, at));
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (RepairKind, usize)> + '_ {
        self.list.iter().copied()
    }
}

/// How a list or map ends.
#[derive(Clone, Copy, PartialEq)]
enum Bracket {
    Square,
    Round,
    /// A Python set.
    Braces,
    /// With the end of the text.
    End,
    Map,
}

/// A list or map that is being read.
struct Frame {
    /// In the tree's row.
    place: usize,
    count: usize,
    bracket: Bracket,
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
) -> Result<Tree<'t>, SyntaxFault> {
    let mut reader = Reader::new(text, start, notes)?;
    reader.frame = reader.open(0)?;
    reader.run()
}

/// Reads the whole text as the items of a list without its brackets.
pub(super) fn read_items<'t>(text: &'t str, notes: &mut Notes) -> Result<Tree<'t>, SyntaxFault> {
    let mut reader = Reader::new(text, 0, notes)?;
    reader.tree.open(0);
    reader.run()
}

/// Whether the object that begins at `start` has a first key, and one that `wanted` takes.
pub(super) fn first_key(text: &str, start: usize, wanted: impl FnOnce(&str) -> bool) -> bool {
    let mut notes = Notes::default();
    let read = || {
        let mut reader = Reader::new(text, start, &mut notes)?;
        reader.frame = reader.open(0)?;
        comment_or_space(text, &mut reader.pos, reader.notes)?;
        let key = reader.tree.len();
        let expect = reader.key(Expect::First)?;
        Ok::<_, SyntaxFault>(expect == Expect::Value && wanted(reader.tree.text(key)))
    };
    read().unwrap_or(false)
}

struct Reader<'t, 'n> {
    text: &'t str,
    pos: usize,
    notes: &'n mut Notes,
    tree: Tree<'t>,
    /// The innermost list or map, and those around it.
    frame: Frame,
    outer: Vec<Frame>,
    /// Whether a list or map was the last value.
    after_bracket: bool,
}

impl<'t, 'n> Reader<'t, 'n> {
    fn new(text: &'t str, pos: usize, notes: &'n mut Notes) -> Result<Self, SyntaxFault> {
        let reader = Reader {
            text,
            pos,
            notes,
            tree: Tree::new(text),
            frame: Frame {
                place: 0,
                count: 0,
                bracket: Bracket::End,
            },
            outer: Vec::new(),
            after_bracket: false,
        };
        let too_long = || SyntaxFault::new(pos, "the text is longer than a gibibyte");
        (text.len() <= LONGEST)
            .then_some(reader)
            .ok_or_else(too_long)
    }

    fn run(mut self) -> Result<Tree<'t>, SyntaxFault> {
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
                        self.notes.add(RepairKind::TrailingComma, self.pos);
                    }
                    self.pos += 1;
                    if self.close() {
                        return Ok(self.tree);
                    }
                    expect = Expect::Comma;
                }
                Expect::Comma => {
                    self.missing_comma(byte, line_broken)?;
                    expect = Expect::Next;
                }
                Expect::First | Expect::Next if self.frame.bracket == Bracket::Map => {
                    expect = self.key(expect)?;
                }
                _ => expect = self.value(byte)?,
            }
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.pos).copied()
    }

    fn closes(&self, byte: u8) -> bool {
        match self.frame.bracket {
            Bracket::Map | Bracket::Braces => byte == b'}',
            Bracket::Square => byte == b']',
            Bracket::Round => byte == b')',
            Bracket::End => false,
        }
    }

    /// A list or map that begins here, inside of so many others.
    fn open(&mut self, depth: usize) -> Result<Frame, SyntaxFault> {
        let at = self.pos;
        if depth >= MAX_DEPTH {
            let deep = SyntaxFault::new(at, "nested too deeply");
            return Err(SyntaxFault { deep: true, ..deep });
        }
        let bracket = match self.peek() {
            Some(b'[') => Bracket::Square,
            Some(b'{') => Bracket::Map,
            _ => {
                self.notes.add(RepairKind::PythonLiteral, at);
                Bracket::Round
            }
        };
        self.pos += 1;
        Ok(Frame {
            place: self.tree.open(at),
            count: 0,
            bracket,
        })
    }

    /// Ends the innermost list or map; whether it was the outermost.
    fn close(&mut self) -> bool {
        let tag = match self.frame.bracket {
            Bracket::Map => Tag::Map,
            _ => Tag::List,
        };
        self.close_as(tag)
    }

    fn close_as(&mut self, tag: Tag) -> bool {
        let Frame { place, count, .. } = self.frame;
        self.tree.close(place, tag, self.pos, count);
        self.after_bracket = true;
        match self.outer.pop() {
            Some(outer) => {
                self.frame = outer;
                self.frame.count += 1;
                false
            }
            None => true,
        }
    }

    fn value(&mut self, byte: u8) -> Result<Expect, SyntaxFault> {
        if matches!(byte, b'[' | b'{' | b'(') {
            let inner = self.open(self.outer.len() + 1)?;
            self.outer.push(std::mem::replace(&mut self.frame, inner));
            return Ok(Expect::First);
        }
        self.after_bracket = false;
        let at = self.pos;
        if let Some(number) = plain_number(self.text, at) {
            self.pos += number.len();
            match self.frame.bracket {
                Bracket::Map => {
                    self.tree.bare(at, self.pos);
                    self.frame.count += 1;
                }
                _ => self.numbers(at),
            }
            return Ok(Expect::Comma);
        }
        match string(self.text, &mut self.pos, self.notes, self.tree.decoded())? {
            Some(quoted) => self.tree.quoted(at, self.pos, quoted),
            None => {
                let tuple = self.frame.bracket == Bracket::Round;
                bare(self.text, &mut self.pos, tuple)?;
                self.tree.bare(at, self.pos);
            }
        }
        self.frame.count += 1;
        Ok(Expect::Comma)
    }

    /// A plain number of a list and those that follow it: long lists are made of them.
    fn numbers(&mut self, begin: usize) {
        let mut count = 1;
        while let Some(rest) = self.text[self.pos..].strip_prefix(',') {
            let at = self.pos + 1 + usize::from(rest.starts_with(' '));
            let Some(number) = plain_number(self.text, at) else {
                break;
            };
            self.pos = at + number.len();
            count += 1;
        }
        match count {
            1 => self.tree.bare(begin, self.pos),
            _ => self.tree.numbers(begin, self.pos, count),
        }
        self.frame.count += count;
    }

    /// A key and its colon; or, where a comma or bracket follows, the first item of a Python set.
    fn key(&mut self, expect: Expect) -> Result<Expect, SyntaxFault> {
        let (at, key) = (self.pos, self.tree.len());
        let quoted = string(self.text, &mut self.pos, self.notes, self.tree.decoded())?;
        let mut named = true;
        match quoted {
            Some(quoted) => self.tree.quoted(at, self.pos, quoted),
            None => {
                let rest = &self.text[at..];
                let end = rest
                    .find([':', ',', '}', '\n', '{', '[', '"'])
                    .unwrap_or(rest.len());
                let name = rest[..end].trim_end();
                named = !name.is_empty();
                self.pos = at + end;
                self.tree.bare(at, at + name.len());
            }
        }
        comment_or_space(self.text, &mut self.pos, self.notes)?;
        match self.peek() {
            Some(b':') if named => {
                if quoted.is_none() {
                    self.notes.add(RepairKind::Unquoted, at);
                }
                self.pos += 1;
                Ok(Expect::Value)
            }
            Some(b',' | b'}') if expect == Expect::First && !self.tree.text(key).is_empty() => {
                let begin = self.tree.begin(self.frame.place);
                self.notes.add(RepairKind::PythonLiteral, begin);
                self.frame.bracket = Bracket::Braces;
                self.frame.count = 1;
                self.after_bracket = false;
                Ok(Expect::Comma)
            }
            None => Err(SyntaxFault::ended(self.pos, "it ends before a key's value")),
            Some(_) => Err(SyntaxFault::new(at, "expected a key and a colon")),
        }
    }

    /// A missing comma is plain only where a new line begins, or a key or bracket follows.
    fn missing_comma(&mut self, byte: u8, line_broken: bool) -> Result<(), SyntaxFault> {
        let plain = match self.frame.bracket {
            Bracket::Map => line_broken && byte != b']' && byte != b')',
            _ => matches!(byte, b'{' | b'[') && self.after_bracket,
        };
        if !plain {
            return Err(SyntaxFault::new(
                self.pos,
                "expected a comma or a closing bracket",
            ));
        }
        self.notes.add(RepairKind::MissingComma, self.pos);
        Ok(())
    }

    fn end_of_text(mut self, expect: Expect) -> Result<Tree<'t>, SyntaxFault> {
        if expect == Expect::Value {
            return Err(SyntaxFault::ended(self.pos, "it ends before a key's value"));
        }
        if !self.outer.is_empty() || self.frame.bracket != Bracket::End {
            self.notes.add(RepairKind::MissingBracket, self.pos);
        }
        loop {
            let tag = match self.frame.bracket {
                Bracket::Map => Tag::OpenMap,
                Bracket::End => Tag::List,
                _ => Tag::OpenList,
            };
            if self.close_as(tag) {
                return Ok(self.tree);
            }
        }
    }
}

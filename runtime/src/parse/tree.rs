//! What the tolerant JSON reader makes of a text: one row of words, a container's items right behind it. No node has memory
//! of its own, for there may be a million, and most of what reading such a reply costs is fresh memory.

use std::rc::Rc;

/// A longer text is refused: places are kept in 30 bits.
pub(super) const LONGEST: usize = (1 << PLACE_BITS) - 1;

const PLACE_BITS: u32 = 30;
const TAG_BITS: u32 = 4;
const PLACE: u64 = LONGEST as u64;

/// A text that was read. The outermost value is the first in the row.
#[derive(Debug)]
pub(super) struct Tree<'t> {
    text: &'t str,
    /// A word for each value: its tag, place and length. A second one follows those that need it.
    words: Vec<u64>,
    /// The texts of strings with escapes, one after the other.
    decoded: String,
}

/// A value as it is written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node<'a> {
    pub(super) at: usize,
    pub(super) end: usize,
    pub(super) kind: NodeKind<'a>,
}

impl<'a> Node<'a> {
    pub(super) fn number(at: usize, text: &'a str) -> Self {
        let (end, kind) = (at + text.len(), NodeKind::Bare(text));
        Node { at, end, kind }
    }
}

#[derive(Debug, Clone, Copy)]
pub(super) enum NodeKind<'a> {
    /// Without quotes: a number, a literal or a word. The wanted type decides.
    Bare(&'a str),
    /// In quotes, unescaped.
    Text(&'a str),
    List {
        items: Items<'a>,
        closed: bool,
    },
    Map {
        entries: Entries<'a>,
        closed: bool,
    },
}

/// What the first word of a value says of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Tag {
    Bare,
    /// In quotes of one byte each.
    Quoted,
    /// In quotes of three bytes each.
    LongQuoted,
    /// With escapes; the second word says where in `decoded`.
    Decoded,
    /// Plain numbers with a comma and at most one blank between them; the second word counts them.
    Numbers,
    /// The second word says how many words and how many items are inside.
    List,
    OpenList,
    Map,
    OpenMap,
}

fn word(tag: Tag, at: usize, end: usize) -> u64 {
    tag as u64 | (at as u64) << TAG_BITS | ((end - at) as u64) << (TAG_BITS + PLACE_BITS)
}

fn tag(word: u64) -> Tag {
    match word & ((1 << TAG_BITS) - 1) {
        0 => Tag::Bare,
        1 => Tag::Quoted,
        2 => Tag::LongQuoted,
        3 => Tag::Decoded,
        4 => Tag::Numbers,
        5 => Tag::List,
        6 => Tag::OpenList,
        7 => Tag::Map,
        _ => Tag::OpenMap,
    }
}

fn span(word: u64) -> (usize, usize) {
    let at = (word >> TAG_BITS & PLACE) as usize;
    (at, at + (word >> (TAG_BITS + PLACE_BITS)) as usize)
}

fn pair(low: usize, high: usize) -> u64 {
    low as u64 | (high as u64) << 32
}

fn halves(pair: u64) -> (usize, usize) {
    (pair as u32 as usize, (pair >> 32) as usize)
}

/// A string in quotes that was read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Quoted {
    /// As it stands between quotes of one byte each.
    Plain,
    /// As it stands between quotes of three bytes each.
    Long,
    /// Unescaped, from here on in the tree's own text.
    Decoded(usize),
}

impl<'t> Tree<'t> {
    /// Nothing yet, of a text of at most [`LONGEST`] bytes.
    pub(super) fn new(text: &'t str) -> Self {
        Tree {
            text,
            words: Vec::new(),
            decoded: String::new(),
        }
    }

    /// Where strings are unescaped to.
    pub(super) fn decoded(&mut self) -> &mut String {
        &mut self.decoded
    }

    pub(super) fn bare(&mut self, at: usize, end: usize) {
        self.words.push(word(Tag::Bare, at, end));
    }

    pub(super) fn quoted(&mut self, at: usize, end: usize, quoted: Quoted) {
        match quoted {
            Quoted::Plain => self.words.push(word(Tag::Quoted, at, end)),
            Quoted::Long => self.words.push(word(Tag::LongQuoted, at, end)),
            Quoted::Decoded(from) => {
                let place = pair(from, self.decoded.len());
                self.words.extend([word(Tag::Decoded, at, end), place]);
            }
        }
    }

    pub(super) fn numbers(&mut self, at: usize, end: usize, count: usize) {
        let first = word(Tag::Numbers, at, end);
        self.words.extend([first, pair(count, 0)]);
    }

    /// Begins a list or map; gives its place in the row.
    pub(super) fn open(&mut self, at: usize) -> usize {
        let place = self.words.len();
        self.words.extend([word(Tag::List, at, at), 0]);
        place
    }

    /// Ends the list or map at a place in the row.
    pub(super) fn close(&mut self, place: usize, tag: Tag, end: usize, count: usize) {
        let inside = self.words.len() - place - 2;
        self.words[place] = word(tag, self.begin(place), end);
        self.words[place + 1] = pair(inside, count);
    }

    /// Where in the text the value at a place in the row begins.
    pub(super) fn begin(&self, place: usize) -> usize {
        span(self.words[place]).0
    }

    /// How many words the row has.
    pub(super) fn len(&self) -> usize {
        self.words.len()
    }

    pub(super) fn root(&self) -> Node<'_> {
        self.node(0)
    }

    /// The text of a string or bare word.
    pub(super) fn text(&self, place: usize) -> &str {
        let first = self.words[place];
        let (at, end) = span(first);
        match tag(first) {
            Tag::Quoted => &self.text[at + 1..end - 1],
            Tag::LongQuoted => &self.text[at + 3..end - 3],
            Tag::Decoded => {
                let (from, to) = halves(self.words[place + 1]);
                &self.decoded[from..to]
            }
            _ => &self.text[at..end],
        }
    }

    fn node(&self, place: usize) -> Node<'_> {
        let first = self.words[place];
        let (at, end) = span(first);
        let tag = tag(first);
        let kind = match tag {
            Tag::Bare | Tag::Numbers => NodeKind::Bare(&self.text[at..end]),
            Tag::Quoted | Tag::LongQuoted | Tag::Decoded => NodeKind::Text(self.text(place)),
            Tag::List | Tag::OpenList => NodeKind::List {
                items: Items(self.inside(place)),
                closed: tag == Tag::List,
            },
            Tag::Map | Tag::OpenMap => NodeKind::Map {
                entries: Entries(self.inside(place)),
                closed: tag == Tag::Map,
            },
        };
        Node { at, end, kind }
    }

    fn inside(&self, place: usize) -> Inside<'_> {
        let (words, count) = halves(self.words[place + 1]);
        Inside {
            tree: self,
            begin: place + 2,
            end: place + 2 + words,
            count,
        }
    }

    /// Where the next value after this one begins.
    fn after(&self, place: usize) -> usize {
        match tag(self.words[place]) {
            Tag::Bare | Tag::Quoted | Tag::LongQuoted => place + 1,
            Tag::Decoded | Tag::Numbers => place + 2,
            _ => place + 2 + halves(self.words[place + 1]).0,
        }
    }
}

/// The part of the row that belongs to a list or map.
#[derive(Debug, Clone, Copy)]
struct Inside<'a> {
    tree: &'a Tree<'a>,
    begin: usize,
    end: usize,
    count: usize,
}

/// The items of a list.
#[derive(Debug, Clone, Copy)]
pub(super) struct Items<'a>(Inside<'a>);

impl<'a> Items<'a> {
    pub(super) fn len(&self) -> usize {
        self.0.count
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Node<'a>> + use<'a> {
        self.parts().flat_map(|part| {
            let (node, numbers) = match part {
                Part::Node(node) => (Some(node), Numbers { text: "", at: 0 }),
                Part::Numbers(numbers) => (None, numbers),
            };
            let numbers = numbers.map(|(at, number)| Node::number(at, number));
            node.into_iter().chain(numbers)
        })
    }

    pub(super) fn parts(&self) -> impl Iterator<Item = Part<'a>> + use<'a> {
        let Inside {
            tree, begin, end, ..
        } = self.0;
        let mut next = begin;
        std::iter::from_fn(move || {
            let place = next;
            if place >= end {
                return None;
            }
            next = tree.after(place);
            Some(match tag(tree.words[place]) {
                Tag::Numbers => Part::Numbers(Numbers {
                    text: tree.text(place),
                    at: tree.begin(place),
                }),
                _ => Part::Node(tree.node(place)),
            })
        })
    }

    /// The item of a list of one.
    pub(super) fn single(&self) -> Option<Node<'a>> {
        self.iter().next().filter(|_| self.len() == 1)
    }
}

/// One item of a list, or a run of them.
pub(super) enum Part<'a> {
    Node(Node<'a>),
    Numbers(Numbers<'a>),
}

/// The numbers of a run, each with its place. They are told apart a second time here: keeping a node for each takes longer.
pub(super) struct Numbers<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Iterator for Numbers<'a> {
    type Item = (usize, &'a str);

    #[inline]
    fn next(&mut self) -> Option<(usize, &'a str)> {
        let (text, at) = (self.text, self.at);
        let length = text.bytes().position(|byte| byte == b',');
        let (number, rest) = text.split_at(length.unwrap_or(text.len()));
        let rest = rest.strip_prefix(',').unwrap_or(rest);
        self.text = rest.strip_prefix(' ').unwrap_or(rest);
        self.at += text.len() - self.text.len();
        (!number.is_empty()).then_some((at, number))
    }
}

/// The entries of a map.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entries<'a>(Inside<'a>);

impl<'a> Entries<'a> {
    pub(super) fn len(&self) -> usize {
        self.0.count
    }

    /// Keys, with the places of their values in the row.
    pub(super) fn places(&self) -> impl Iterator<Item = (&'a str, usize)> + use<'a> {
        let Inside {
            tree, begin, end, ..
        } = self.0;
        let mut next = begin;
        std::iter::from_fn(move || {
            let key = next;
            if key >= end {
                return None;
            }
            let value = tree.after(key);
            next = tree.after(value);
            Some((tree.text(key), value))
        })
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&'a str, Node<'a>)> + use<'a> {
        let tree = self.0.tree;
        self.places()
            .map(move |(key, value)| (key, tree.node(value)))
    }

    /// The entry of a map of one.
    pub(super) fn single(&self) -> Option<(&'a str, Node<'a>)> {
        self.iter().next().filter(|_| self.len() == 1)
    }

    /// The value of a key.
    pub(super) fn get(&self, wanted: &str) -> Option<Node<'a>> {
        let mut entries = self.iter();
        entries.find_map(|(key, node)| (key == wanted).then_some(node))
    }
}

/// A value together with the tree that it is part of.
#[derive(Debug, Clone)]
pub(super) struct Branch<'t> {
    pub(super) tree: Rc<Tree<'t>>,
    pub(super) place: usize,
}

impl Branch<'_> {
    pub(super) fn node(&self) -> Node<'_> {
        self.tree.node(self.place)
    }
}

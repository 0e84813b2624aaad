//! What stands in front of a reply: white space and whole `<think>` blocks.

use super::super::thinking::{find_close, may_open, opening};
use super::lines::Lines;

/// Passes over what stands in front.
#[derive(Debug, Default)]
pub(super) struct Opening {
    cursor: usize,
    block: Option<Block>,
    /// The last blocks that have ended, and where.
    last: Option<Block>,
    before_last: usize,
}

#[derive(Debug, Clone, Copy)]
struct Block {
    begin: usize,
    close: &'static str,
    /// Its closing tag ends no earlier; of one that has ended, where it does.
    end: usize,
}

impl Opening {
    /// Where the answer begins and the line that it begins on, once that is known.
    pub fn pass(&mut self, text: &str) -> Option<(usize, Lines)> {
        loop {
            if let Some(block) = &mut self.block {
                let Some(length) = find_close(&text[block.end..], block.close) else {
                    let tail = block.close.len();
                    let mut end = text.len().saturating_sub(tail).max(block.end);
                    while !text.is_char_boundary(end) {
                        end -= 1;
                    }
                    block.end = end;
                    return None;
                };
                let ended = Block {
                    end: block.end + length,
                    ..*block
                };
                self.before_last = self.last.map_or(0, |block| block.end);
                self.cursor = ended.end;
                (self.last, self.block) = (Some(ended), None);
            }
            let rest = &text[self.cursor..];
            let space = match self.last {
                None => rest.trim_start_matches(['\u{feff}', ' ', '\n', '\r', '\t']),
                Some(_) => rest.trim_start(),
            };
            self.cursor = text.len() - space.len();
            if space.is_empty() || may_open(space) {
                return None;
            }
            let Some((length, close)) = opening(space) else {
                return Some((self.cursor, self.lines(text)));
            };
            self.block = Some(Block {
                begin: self.cursor,
                close,
                end: self.cursor + length,
            });
        }
    }

    /// A marker may follow a block on its line, if the block is all that stands in front of it.
    fn lines(&self, text: &str) -> Lines {
        let Some(block) = self.last else {
            return Lines::new(0);
        };
        let line = text[..block.end].rfind(['\n', '\r']).map_or(0, |at| at + 1);
        match block.begin <= line && self.before_last <= line {
            true => Lines::new(block.end),
            false => Lines::within_text(block.end),
        }
    }
}

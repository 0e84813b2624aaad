//! The end of a section's text as it comes in: what the reply's end may still take away from it is held back.
//!
//! That is white space, control tokens, and an end marker within the last line. Each character is looked at once.

use super::super::CONTROL_TOKENS;

/// Watches one section.
#[derive(Debug)]
pub(super) struct Tail {
    tokens: TokenTail,
    marker: MarkerTail,
}

impl Tail {
    pub fn new(begin: usize) -> Self {
        Tail {
            tokens: TokenTail {
                cursor: begin,
                ..TokenTail::default()
            },
            marker: MarkerTail {
                cursor: begin,
                solid: begin,
                ..MarkerTail::default()
            },
        }
    }

    /// Up to where the text is certain, when its lines are so up to `end`.
    pub fn certain(&mut self, text: &str, end: usize) -> usize {
        let end = self.tokens.certain(text, end);
        self.marker.certain(text, end)
    }
}

/// White space and control tokens at the end.
#[derive(Debug, Default)]
struct TokenTail {
    cursor: usize,
    /// Where they begin.
    begin: Option<usize>,
    /// Where the beginning of a control token stands.
    token: Option<usize>,
}

impl TokenTail {
    fn certain(&mut self, text: &str, end: usize) -> usize {
        for (at, c) in text[self.cursor..end].char_indices() {
            self.look(text, self.cursor + at, c);
        }
        self.cursor = end;
        self.begin.unwrap_or(end)
    }

    fn look(&mut self, text: &str, at: usize, c: char) {
        if let Some(begin) = self.token {
            let part = &text[begin..at + c.len_utf8()];
            let mut alike = CONTROL_TOKENS
                .iter()
                .filter(|token| token.starts_with(part));
            match alike.next() {
                Some(token) if token.len() == part.len() => self.token = None,
                Some(_) => {}
                None => {
                    (self.begin, self.token) = (None, None);
                    self.look_afresh(at, c);
                }
            }
        } else {
            self.look_afresh(at, c);
        }
    }

    fn look_afresh(&mut self, at: usize, c: char) {
        match c {
            '<' => {
                self.token = Some(at);
                self.begin.get_or_insert(at);
            }
            c if c.is_whitespace() => {
                self.begin.get_or_insert(at);
            }
            _ => self.begin = None,
        }
    }
}

/// What may become `[[ ## completed ## ]]` at the end of the text.
#[derive(Debug, Default)]
struct MarkerTail {
    cursor: usize,
    /// The end of the text in front of the last brackets, white space left out, and how many letters of the
    /// marker's name follow them.
    open: Option<(usize, usize)>,
    /// The end of the last character that is no white space.
    solid: usize,
    /// If the last character is a bracket: where the text in front of it ends.
    before_bracket: Option<usize>,
}

const COMPLETED: &str = "completed";

impl MarkerTail {
    fn certain(&mut self, text: &str, end: usize) -> usize {
        if self.cursor < end {
            for (at, c) in text[self.cursor..end].char_indices() {
                self.look(self.cursor + at, c);
            }
            self.cursor = end;
        }
        let open = self.open.map(|(before, _)| before);
        open.or(self.before_bracket).unwrap_or(end)
    }

    /// A marker's letters and digits are those of its name, whatever else stands between them.
    fn look(&mut self, at: usize, c: char) {
        let before = std::mem::replace(&mut self.before_bracket, (c == '[').then_some(self.solid));
        if let (Some(before), '[') = (before, c) {
            self.open = Some((before, 0));
        } else if let Some((_, letters)) = &mut self.open
            && c.is_alphanumeric()
        {
            let more = c.to_lowercase();
            let rest = COMPLETED.get(*letters..).unwrap_or_default();
            let fits = more.clone().count() == 1 && more.clone().all(|c| rest.starts_with(c));
            *letters += 1;
            if !fits {
                self.open = None;
            }
        }
        if !c.is_whitespace() {
            self.solid = at + c.len_utf8();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_end_may_take_away_is_held_back() {
        for (text, certain) in [
            ("Oslo", "Oslo"),
            ("Oslo \n", "Oslo"),
            ("Oslo <|im_", "Oslo"),
            ("Oslo<|im_end|> </s>\n", "Oslo"),
            ("Oslo <|im_end|> it is", "Oslo <|im_end|> it is"),
            ("a < b", "a < b"),
            ("a <<|im_end|>", "a <"),
            ("Oslo [[ ## completed ## ]]", "Oslo"),
            ("Oslo [[ ## COM", "Oslo"),
            ("Oslo [[ ## compl<|im_end|>", "Oslo"),
            ("Oslo [[", "Oslo"),
            ("Oslo [", "Oslo"),
            ("Oslo [[ ## complex", "Oslo [[ ## complex"),
            ("[[ ## city ## ]] [[[", "[[ ## city ## ]] ["),
            (
                "Oslo [[ ## completed ## ]] ok",
                "Oslo [[ ## completed ## ]] ok",
            ),
        ] {
            let mut tail = Tail::new(0);
            let mut last = 0;
            for (at, c) in text.char_indices() {
                last = tail.certain(text, at + c.len_utf8());
            }
            assert_eq!(&text[..last], certain, "{text:?}");
            assert_eq!(Tail::new(0).certain(text, text.len()), last, "{text:?}");
        }
    }
}

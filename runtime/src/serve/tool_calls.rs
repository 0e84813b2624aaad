//! Calls out of a reply while it is written: the reply follows the grammar of `tools`.

use super::tools::{CLOSE, OPEN};

/// What a piece of a reply turns out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    /// Text outside of calls.
    Text(String),
    /// A call begins: its number and the function.
    Call { index: usize, name: String },
    /// More of the arguments of a call, as JSON text.
    Arguments { index: usize, text: String },
}

/// Reads a reply piece by piece.
#[derive(Debug, Default)]
pub(super) struct CallReader {
    unread: String,
    state: State,
    /// Calls that have begun.
    calls: usize,
}

#[derive(Debug, Default, Clone, Copy)]
enum State {
    #[default]
    Text,
    /// Before the arguments of a call.
    Head,
    Arguments(Json),
    /// After the arguments, before the end of the call.
    Tail,
}

/// Where in a JSON object a reader is.
#[derive(Debug, Default, Clone, Copy)]
struct Json {
    depth: usize,
    in_string: bool,
    escaped: bool,
}

const NAME: &str = "\n{\"name\": \"";
const ARGUMENTS: &str = "\", \"arguments\": ";

impl CallReader {
    /// What is certain after more of the reply.
    pub fn push(&mut self, text: &str) -> Vec<Part> {
        self.unread.push_str(text);
        let mut parts = Vec::new();
        while self.step(&mut parts) {}
        parts
    }

    /// What is left when the reply has ended.
    pub fn finish(self) -> Vec<Part> {
        match self.state {
            State::Text if !self.unread.trim().is_empty() => vec![Part::Text(self.unread)],
            _ => Vec::new(),
        }
    }

    /// How many calls have begun.
    pub fn calls(&self) -> usize {
        self.calls
    }

    /// Reads on as far as it can in one state; says whether it got into another.
    fn step(&mut self, parts: &mut Vec<Part>) -> bool {
        match self.state {
            State::Text => self.text(parts),
            State::Head => self.head(parts),
            State::Arguments(json) => self.arguments(json, parts),
            State::Tail => match self.unread.find(CLOSE) {
                Some(at) => {
                    self.unread.drain(..at + CLOSE.len());
                    self.state = State::Text;
                    true
                }
                None => false,
            },
        }
    }

    fn text(&mut self, parts: &mut Vec<Part>) -> bool {
        let (end, next) = match self.unread.find(OPEN) {
            Some(at) => (at, Some(at + OPEN.len())),
            None => (self.unread.len() - begun(&self.unread), None),
        };
        // The line break between calls is no text.
        let text = &self.unread[..end];
        let is_break = self.calls > 0 && text.trim().is_empty();
        if !text.is_empty() && !is_break {
            parts.push(Part::Text(text.to_owned()));
        }
        self.unread.drain(..next.unwrap_or(end));
        if next.is_some() {
            self.state = State::Head;
        }
        next.is_some()
    }

    fn head(&mut self, parts: &mut Vec<Part>) -> bool {
        let Some(at) = self.unread.find(ARGUMENTS) else {
            return false;
        };
        let name = self.unread[..at].trim_start_matches(NAME).to_owned();
        let index = self.calls;
        self.calls += 1;
        self.unread.drain(..at + ARGUMENTS.len());
        self.state = State::Arguments(Json::default());
        parts.push(Part::Call { index, name });
        true
    }

    fn arguments(&mut self, mut json: Json, parts: &mut Vec<Part>) -> bool {
        let end = json.end_in(&self.unread);
        let text: String = self
            .unread
            .drain(..end.unwrap_or(self.unread.len()))
            .collect();
        if !text.is_empty() {
            let index = self.calls.saturating_sub(1);
            parts.push(Part::Arguments { index, text });
        }
        self.state = match end {
            Some(_) => State::Tail,
            None => State::Arguments(json),
        };
        end.is_some()
    }
}

impl Json {
    /// Reads on; the byte after the end of the object, if it ends.
    fn end_in(&mut self, text: &str) -> Option<usize> {
        for (at, byte) in text.bytes().enumerate() {
            if self.in_string {
                match byte {
                    _ if self.escaped => self.escaped = false,
                    b'\\' => self.escaped = true,
                    b'"' => self.in_string = false,
                    _ => {}
                }
                continue;
            }
            match byte {
                b'"' => self.in_string = true,
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.depth == 0 {
                        return Some(at + 1);
                    }
                }
                _ => {}
            }
        }
        None
    }
}

/// Bytes at the end of a text with which a call may begin.
fn begun(text: &str) -> usize {
    let ends = (1..OPEN.len()).rev();
    ends.into_iter()
        .find(|end| text.ends_with(&OPEN[..*end]))
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Text, and calls with their arguments, however the reply is cut into pieces.
    fn read(reply: &str, size: usize) -> (String, Vec<(String, String)>) {
        let mut reader = CallReader::default();
        let chars: Vec<char> = reply.chars().collect();
        let mut parts: Vec<Part> = Vec::new();
        for piece in chars.chunks(size) {
            parts.extend(reader.push(&piece.iter().collect::<String>()));
        }
        parts.extend(reader.finish());
        let mut read: (String, Vec<(String, String)>) = Default::default();
        for part in parts {
            match part {
                Part::Text(text) => read.0 += &text,
                Part::Call { index, name } => {
                    assert_eq!(index, read.1.len());
                    read.1.push((name, String::new()));
                }
                Part::Arguments { index, text } => read.1[index].1 += &text,
            }
        }
        read
    }

    const CALLS: &str = "<tool_call>\n{\"name\": \"look\", \"arguments\": {\"a\": \"}</tool_call>\\\"\", \"b\": [1, {}]}}\n</tool_call>";

    #[test]
    fn calls_are_found_in_any_pieces() {
        let reply = format!(
            "I look < it <tool up.\n{CALLS}\n<tool_call>\n{{\"name\": \"b\", \"arguments\": {{}}}}\n</tool_call>"
        );
        for size in 1..reply.len() {
            let (text, calls) = read(&reply, size);
            assert_eq!(text, "I look < it <tool up.\n", "{size}");
            assert_eq!(calls.len(), 2, "{size}");
            assert_eq!(calls[0].0, "look");
            let arguments: serde_json::Value = serde_json::from_str(&calls[0].1).expect("JSON");
            assert_eq!(arguments["a"], "}</tool_call>\"");
            assert_eq!(calls[1], ("b".to_owned(), "{}".to_owned()));
        }
    }

    #[test]
    fn text_without_calls_is_text() {
        for reply in ["", "a < b", "ends with <tool", "<tool_cal"] {
            for size in 1..10 {
                assert_eq!(read(reply, size), (reply.to_owned(), Vec::new()));
            }
        }
    }

    #[test]
    fn a_call_that_breaks_off_is_no_text() {
        let (text, calls) = read("<tool_call>\n{\"name\": \"look\", \"argum", 3);
        assert_eq!((text.as_str(), calls.len()), ("", 0));
    }
}

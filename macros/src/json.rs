//! A small JSON reader that knows the line of every entry, which is what an error in a file of demos must name.

/// A JSON value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Json {
    Null,
    Bool(bool),
    Number(Number),
    String(String),
    /// Items, each with its line.
    List(Vec<(usize, Json)>),
    Map(Vec<Entry>),
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Number {
    Int(i128),
    UInt(u128),
    Float(f64),
}

/// One entry of a map.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    pub(crate) key: String,
    /// Line of the key, from 1.
    pub(crate) line: usize,
    pub(crate) value: Json,
}

/// A record of a file: a map and the line that it begins on.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Record {
    pub(crate) line: usize,
    pub(crate) entries: Vec<Entry>,
}

/// What is wrong, and on which line.
#[derive(Debug, PartialEq)]
pub(crate) struct Fault {
    pub(crate) line: usize,
    pub(crate) message: String,
}

/// Nesting beyond this is refused: the checks of the runtime recurse, and constant evaluation has 128 frames.
const DEEPEST: usize = 32;

/// The records of a JSON file (one array of objects) or a JSONL file (an object a line).
pub(crate) fn records(text: &str) -> Result<Vec<Record>, Fault> {
    let mut reader = Reader {
        rest: text.strip_prefix('\u{feff}').unwrap_or(text),
        line: 1,
        depth: 0,
    };
    let mut records = Vec::new();
    reader.skip_space();
    let in_array = reader.take("[");
    loop {
        reader.skip_space();
        if reader.rest.is_empty() && !in_array || in_array && records.is_empty() && reader.take("]")
        {
            break;
        }
        let line = reader.line;
        let entries = match reader.value()? {
            Json::Map(entries) => entries,
            Json::Null => return no_record(line, "null"),
            Json::Bool(_) => return no_record(line, "a boolean"),
            Json::Number(_) => return no_record(line, "a number"),
            Json::String(_) => return no_record(line, "a string"),
            Json::List(_) => return no_record(line, "an array"),
        };
        records.push(Record { line, entries });
        reader.skip_space();
        if in_array && !reader.take(",") {
            if reader.take("]") {
                break;
            }
            return Err(fault(
                reader.line,
                format!(
                    "expected `,` or `]` after the record, found {}",
                    reader.next_shown()
                ),
            ));
        }
    }
    reader.skip_space();
    if reader.rest.is_empty() {
        Ok(records)
    } else {
        Err(fault(
            reader.line,
            format!(
                "expected the end of the file, found {}",
                reader.next_shown()
            ),
        ))
    }
}

fn fault(line: usize, message: String) -> Fault {
    Fault { line, message }
}

fn no_record<T>(line: usize, found: &str) -> Result<T, Fault> {
    Err(fault(line, format!("a record is an object, found {found}")))
}

struct Reader<'t> {
    rest: &'t str,
    line: usize,
    depth: usize,
}

impl Reader<'_> {
    fn skip_space(&mut self) {
        while let Some(c) = self
            .rest
            .chars()
            .next()
            .filter(|c| matches!(c, ' ' | '\t' | '\r' | '\n'))
        {
            self.line += usize::from(c == '\n');
            self.rest = &self.rest[1..];
        }
    }

    fn take(&mut self, token: &str) -> bool {
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn next_shown(&self) -> String {
        self.rest
            .chars()
            .next()
            .map_or_else(|| "the end of the file".into(), |c| format!("`{c}`"))
    }

    fn error<T>(&self, expected: &str) -> Result<T, Fault> {
        Err(fault(
            self.line,
            format!("expected {expected}, found {}", self.next_shown()),
        ))
    }

    fn value(&mut self) -> Result<Json, Fault> {
        self.skip_space();
        for (word, value) in [
            ("null", Json::Null),
            ("true", Json::Bool(true)),
            ("false", Json::Bool(false)),
        ] {
            if self.take(word) {
                return Ok(value);
            }
        }
        match self.rest.chars().next() {
            Some('"') => self.string().map(Json::String),
            Some('[') => self.nested(Self::list),
            Some('{') => self.nested(Self::map),
            Some('-' | '0'..='9') => self.number(),
            _ => self.error("a JSON value"),
        }
    }

    fn nested(&mut self, read: fn(&mut Self) -> Result<Json, Fault>) -> Result<Json, Fault> {
        if self.depth == DEEPEST {
            return Err(fault(
                self.line,
                format!("nested deeper than {DEEPEST} levels"),
            ));
        }
        self.depth += 1;
        let value = read(self);
        self.depth -= 1;
        value
    }

    fn list(&mut self) -> Result<Json, Fault> {
        self.take("[");
        let mut items = Vec::new();
        self.skip_space();
        if self.take("]") {
            return Ok(Json::List(items));
        }
        loop {
            self.skip_space();
            let line = self.line;
            items.push((line, self.value()?));
            self.skip_space();
            if self.take("]") {
                return Ok(Json::List(items));
            }
            if !self.take(",") {
                return self.error("`,` or `]`");
            }
        }
    }

    fn map(&mut self) -> Result<Json, Fault> {
        self.take("{");
        let mut entries: Vec<Entry> = Vec::new();
        self.skip_space();
        if self.take("}") {
            return Ok(Json::Map(entries));
        }
        loop {
            self.skip_space();
            let line = self.line;
            if !self.rest.starts_with('"') {
                return self.error("a key in double quotes");
            }
            let key = self.string()?;
            if entries.iter().any(|entry| entry.key == key) {
                return Err(fault(line, format!("the key `{key}` is given twice")));
            }
            self.skip_space();
            if !self.take(":") {
                return self.error("`:`");
            }
            let value = self.value()?;
            entries.push(Entry { key, line, value });
            self.skip_space();
            if self.take("}") {
                return Ok(Json::Map(entries));
            }
            if !self.take(",") {
                return self.error("`,` or `}`");
            }
        }
    }

    fn number(&mut self) -> Result<Json, Fault> {
        let end = self
            .rest
            .find(|c: char| !matches!(c, '0'..='9' | '-' | '+' | '.' | 'e' | 'E'))
            .unwrap_or(self.rest.len());
        let (digits, rest) = self.rest.split_at(end);
        let whole = digits.strip_prefix('-').unwrap_or(digits);
        let leading_zero = matches!(whole.as_bytes(), [b'0', b'0'..=b'9', ..]);
        let is_int = whole.bytes().all(|byte| byte.is_ascii_digit());
        let value = if leading_zero || whole.starts_with('.') || whole.ends_with('.') {
            None
        } else if is_int {
            let int = digits.parse().map(Number::Int);
            int.or_else(|_| digits.parse().map(Number::UInt)).ok()
        } else {
            digits
                .parse::<f64>()
                .ok()
                .filter(|x| x.is_finite())
                .map(Number::Float)
        };
        match value {
            Some(value) => {
                self.rest = rest;
                Ok(Json::Number(value))
            }
            None => Err(fault(
                self.line,
                format!("`{digits}` is no number, or too large for one"),
            )),
        }
    }

    fn string(&mut self) -> Result<String, Fault> {
        self.take("\"");
        let mut text = String::new();
        loop {
            let mut chars = self.rest.chars();
            let Some(c) = chars.next() else {
                return self.error("the closing `\"` of a string");
            };
            self.rest = chars.as_str();
            match c {
                '"' => return Ok(text),
                '\\' => text.push(self.escape()?),
                c if c < ' ' => {
                    return Err(fault(
                        self.line,
                        "a string has a raw control character: escape it, as in `\\n`".into(),
                    ));
                }
                c => text.push(c),
            }
        }
    }

    fn escape(&mut self) -> Result<char, Fault> {
        let mut chars = self.rest.chars();
        let c = chars.next();
        self.rest = chars.as_str();
        Ok(match c {
            Some('n') => '\n',
            Some('t') => '\t',
            Some('r') => '\r',
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some(c @ ('"' | '\\' | '/')) => c,
            Some('u') => {
                let first = self.hex()?;
                let code = if (0xd800..0xdc00).contains(&first) && self.take("\\u") {
                    let second = self.hex()?;
                    let low = second.checked_sub(0xdc00).filter(|low| *low < 0x400);
                    low.map(|low| 0x10000 + ((first - 0xd800) << 10) + low)
                } else {
                    Some(first)
                };
                match code.and_then(char::from_u32) {
                    Some(c) => c,
                    None => {
                        return Err(fault(
                            self.line,
                            "`\\u` escapes half of a surrogate pair".into(),
                        ));
                    }
                }
            }
            _ => return Err(fault(self.line, "unknown escape in a string".into())),
        })
    }

    fn hex(&mut self) -> Result<u32, Fault> {
        let digits = self
            .rest
            .get(..4)
            .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        match digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()) {
            Some(code) => {
                self.rest = &self.rest[4..];
                Ok(code)
            }
            None => self.error("four hexadecimal digits after `\\u`"),
        }
    }
}

#[cfg(test)]
mod tests;

//! The tokens of loose JSON: white space with comments, strings in any quotes, bare words.

use super::RepairKind;
use super::loose::{Notes, SyntaxFault};
use super::tree::Quoted;

/// Skips white space and comments; whether a line ended among them.
#[inline]
pub(super) fn comment_or_space(
    text: &str,
    pos: &mut usize,
    notes: &mut Notes,
) -> Result<bool, SyntaxFault> {
    let bytes = text.as_bytes();
    // One blank or none, as nearly always.
    if bytes.get(*pos) == Some(&b' ') {
        *pos += 1;
    }
    match bytes.get(*pos) {
        Some(b'!'..=b'~') if !matches!(bytes[*pos], b'/' | b'#') => Ok(false),
        _ => comments_and_space(text, pos, notes),
    }
}

fn comments_and_space(text: &str, pos: &mut usize, notes: &mut Notes) -> Result<bool, SyntaxFault> {
    let bytes = text.as_bytes();
    let mut line_broken = false;
    loop {
        match bytes.get(*pos) {
            Some(b'\n' | b'\r') => {
                line_broken = true;
                *pos += 1;
            }
            Some(b' ' | b'\t' | 0xb | 0xc) => *pos += 1,
            Some(b'/') if bytes.get(*pos + 1) == Some(&b'/') => line_comment(text, pos, notes),
            Some(b'#') => line_comment(text, pos, notes),
            Some(b'/') if bytes.get(*pos + 1) == Some(&b'*') => {
                notes.add(RepairKind::Comment, *pos);
                let Some(end) = text[*pos + 2..].find("*/") else {
                    return Err(SyntaxFault::ended(*pos, "a comment has no end"));
                };
                *pos += end + 4;
            }
            Some(byte) if !byte.is_ascii() => match text[*pos..].chars().next() {
                Some(c) if c.is_whitespace() || c == '\u{feff}' => *pos += c.len_utf8(),
                _ => return Ok(line_broken),
            },
            _ => return Ok(line_broken),
        }
    }
}

fn line_comment(text: &str, pos: &mut usize, notes: &mut Notes) {
    notes.add(RepairKind::Comment, *pos);
    *pos += text[*pos..].find('\n').unwrap_or(text.len() - *pos);
}

/// A string in quotes, if one begins here; `decoded` takes its text where that has escapes. A quote within it that is not
/// escaped is kept where it can be told from the end of the string.
pub(super) fn string(
    text: &str,
    pos: &mut usize,
    notes: &mut Notes,
    decoded: &mut String,
) -> Result<Option<Quoted>, SyntaxFault> {
    let bytes = text.as_bytes();
    if let Some(open @ (b'"' | b'\'')) = bytes.get(*pos)
        && let Some(end) = plain_end(bytes, *pos + 1, *open)
    {
        if *open != b'"' {
            notes.add(RepairKind::OtherQuotes, *pos);
        }
        *pos = end + 1;
        return Ok(Some(Quoted::Plain));
    }
    let rest = &text[*pos..];
    let (open, close) = match rest.chars().next() {
        Some('"') => ('"', '"'),
        Some('\'') => ('\'', '\''),
        Some('`') => ('`', '`'),
        Some('“') => ('“', '”'),
        Some('‘') => ('‘', '’'),
        _ => return Ok(None),
    };
    if rest.starts_with("```") || rest.starts_with("'''") || rest.starts_with("\"\"\"") {
        triple(text, pos, notes)?;
        return Ok(Some(Quoted::Long));
    }
    if open != '"' {
        notes.add(RepairKind::OtherQuotes, *pos);
    }
    let start = *pos + open.len_utf8();
    let mut escapes = false;
    let decoded_from = decoded.len();
    let mut copied = start;
    let mut at = start;
    let mut inner_open = false;
    let close_first = {
        let mut buffer = [0; 4];
        close.encode_utf8(&mut buffer).as_bytes()[0]
    };
    loop {
        let Some(&byte) = bytes.get(at) else {
            return Err(SyntaxFault::ended(*pos, "a string has no end"));
        };
        if byte == b'\\' && close != '`' {
            escapes = true;
            decoded.push_str(&text[copied..at]);
            escape(text, &mut at, decoded, notes)?;
            copied = at;
        } else if byte == close_first && text[at..].starts_with(close) {
            let after = at + close.len_utf8();
            match role(text, start, at, after, inner_open, open == close) {
                Role::End => {
                    *pos = after;
                    if escapes {
                        decoded.push_str(&text[copied..at]);
                        return Ok(Some(Quoted::Decoded(decoded_from)));
                    }
                    return Ok(Some(match close.len_utf8() {
                        1 => Quoted::Plain,
                        _ => Quoted::Long,
                    }));
                }
                Role::Inner { opens } => {
                    notes.add(RepairKind::InnerQuote, at);
                    inner_open = opens;
                    at = after;
                }
                Role::Unclear => {
                    return Err(SyntaxFault::new(at, "it is unclear where a string ends"));
                }
            }
        } else {
            if byte < 0x20 {
                notes.add(RepairKind::RawControl, at);
            }
            at += 1;
        }
    }
}

/// The quote that ends a string without anything special in it, as nearly all do; what follows leaves no doubt that it is the end.
fn plain_end(bytes: &[u8], start: usize, quote: u8) -> Option<usize> {
    let special = |byte: &u8| *byte == quote || *byte == b'\\' || *byte < 0x20;
    let end = start + bytes[start..].iter().position(special)?;
    let ends = matches!(bytes.get(end + 1), Some(b',' | b':' | b'}' | b']' | b')'));
    (bytes[end] == quote && ends).then_some(end)
}

enum Role {
    End,
    Inner { opens: bool },
    Unclear,
}

/// What a quote within a string is: its end, or one of an inner pair that should have been escaped.
fn role(text: &str, start: usize, at: usize, after: usize, inner_open: bool, same: bool) -> Role {
    let rest = &text[after..];
    let next = rest.trim_start_matches([' ', '\t']).chars().next();
    let structural = matches!(
        next,
        None | Some(',' | ':' | '}' | ']' | ')' | '\n' | '\r' | '#' | '/')
    );
    if !same {
        return match structural {
            true => Role::End,
            false => Role::Unclear,
        };
    }
    let before = text[start..at].chars().next_back();
    let beside = rest.chars().next();
    match (structural, inner_open) {
        (true, false) => Role::End,
        (true, true) => Role::Unclear,
        (false, true) => Role::Inner { opens: false },
        (false, false) => {
            let opens = before.is_none_or(|c| c.is_whitespace() || matches!(c, '(' | '=' | ':'))
                && beside.is_some_and(char::is_alphanumeric);
            let apostrophe = text[at..].starts_with('\'')
                && before.is_some_and(char::is_alphanumeric)
                && beside.is_some_and(char::is_alphanumeric);
            match (opens, apostrophe) {
                (_, true) => Role::Inner { opens: false },
                (true, _) => Role::Inner { opens: true },
                _ => Role::Unclear,
            }
        }
    }
}

/// Three quotes: everything up to the next three is text, with a first line break left out.
fn triple(text: &str, pos: &mut usize, notes: &mut Notes) -> Result<(), SyntaxFault> {
    notes.add(RepairKind::OtherQuotes, *pos);
    let quotes = &text[*pos..*pos + 3];
    if quotes == "```" {
        return Err(SyntaxFault::new(*pos, "a code fence inside JSON"));
    }
    let start = *pos + 3;
    let Some(length) = text[start..].find(quotes) else {
        // `""` may be an empty string before something else; three quotes without an end are no text.
        return Err(SyntaxFault::ended(*pos, "a string has no end"));
    };
    *pos = start + length + 3;
    Ok(())
}

/// The character of an escape at `at`, which moves past it.
fn escape(
    text: &str,
    at: &mut usize,
    out: &mut String,
    notes: &mut Notes,
) -> Result<(), SyntaxFault> {
    let begin = *at;
    let Some(c) = text[begin + 1..].chars().next() else {
        return Err(SyntaxFault::ended(begin, "a string has no end"));
    };
    *at = begin + 1 + c.len_utf8();
    match c {
        '"' | '\\' | '/' => out.push(c),
        '\'' | '`' => {
            notes.add(RepairKind::StrayEscape, begin);
            out.push(c);
        }
        'n' => out.push('\n'),
        't' => out.push('\t'),
        'r' => out.push('\r'),
        'b' => out.push('\u{8}'),
        'f' => out.push('\u{c}'),
        'u' => {
            let Some(first) = hex4(text, *at) else {
                return Err(SyntaxFault::new(
                    begin,
                    "`\\u` needs four hexadecimal digits",
                ));
            };
            *at += 4;
            out.push(code_point(text, at, first, begin)?);
        }
        '\n' => {
            return Err(SyntaxFault::new(begin, "a backslash before a line break"));
        }
        other => {
            notes.add(RepairKind::StrayEscape, begin);
            out.push('\\');
            out.push(other);
        }
    }
    Ok(())
}

/// Half of a surrogate pair is no character; replacing it would change the text unseen.
fn code_point(text: &str, at: &mut usize, first: u32, begin: usize) -> Result<char, SyntaxFault> {
    let lone = SyntaxFault::new(begin, "half of a surrogate pair is no character");
    if (0xd800..0xdc00).contains(&first) {
        let low = text[*at..]
            .starts_with("\\u")
            .then(|| hex4(text, *at + 2))
            .flatten()
            .filter(|low| (0xdc00..0xe000).contains(low))
            .ok_or_else(|| lone.clone())?;
        *at += 6;
        let whole = 0x10000 + ((first - 0xd800) << 10) + (low - 0xdc00);
        return char::from_u32(whole).ok_or(lone);
    }
    char::from_u32(first).ok_or(lone)
}

fn hex4(text: &str, at: usize) -> Option<u32> {
    let digits = text.get(at..at + 4)?;
    digits
        .bytes()
        .all(|b| b.is_ascii_hexdigit())
        .then(|| u32::from_str_radix(digits, 16).ok())
        .flatten()
}

/// A word without quotes, up to the next comma, bracket or line break.
pub(super) fn bare(text: &str, pos: &mut usize, tuple: bool) -> Result<(), SyntaxFault> {
    let start = *pos;
    let bytes = text.as_bytes();
    let mut at = start;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b',' | b']' | b'}' | b'\n' | b'\r' => break,
            b')' if tuple => break,
            b'#' if at > start && bytes[at - 1] == b' ' => break,
            b'/' if at > start
                && bytes[at - 1] == b' '
                && matches!(bytes.get(at + 1), Some(b'/' | b'*')) =>
            {
                break;
            }
            b'"' | b'[' | b'{' => {
                return Err(SyntaxFault::new(
                    at,
                    "expected a comma or a closing bracket",
                ));
            }
            b':' if matches!(bytes.get(at + 1), None | Some(b' ' | b'\t' | b'\n')) => {
                return Err(SyntaxFault::new(at, "a colon in a word without quotes"));
            }
            _ => at += 1,
        }
    }
    let word = text[start..at].trim_end();
    if word.is_empty() {
        return Err(SyntaxFault::new(start, "expected a value"));
    }
    *pos = start + word.len();
    Ok(())
}

/// Digits up to a comma or closing bracket, the most common item of long lists.
pub(super) fn plain_number(text: &str, start: usize) -> Option<&str> {
    let bytes = &text.as_bytes()[start..];
    let length = bytes
        .iter()
        .position(|b| !matches!(b, b'0'..=b'9' | b'-' | b'.'))?;
    let plain = length > 0 && matches!(bytes[length], b',' | b']' | b'}');
    plain.then(|| &text[start..start + length])
}

//! Lists and objects written as lines: bullets, numbers, `key: value`.

/// The items of a bulleted or numbered list that is the whole text, but for an introduction that ends in a colon.
///
/// `None` too where lines continue or nest: how they belong together is not certain.
///
/// `indent` is how far the first line was indented, where the text was trimmed.
pub(super) fn bullets(text: &str, indent: usize) -> Option<Vec<&str>> {
    let mut items = Vec::new();
    let mut style = None;
    let mut column = None;
    for (number, line) in text.lines().enumerate() {
        let trimmed = line.trim();
        if trimmed.is_empty() {
            continue;
        }
        let depth = match number {
            0 => indent,
            _ => line.len() - line.trim_start().len(),
        };
        match bullet(trimmed) {
            Some((kind, item)) => {
                if *style.get_or_insert(kind) != kind || *column.get_or_insert(depth) != depth {
                    return None;
                }
                items.push(item);
            }
            None if items.is_empty() && trimmed.trim_end_matches('*').ends_with(':') => {}
            None => return None,
        }
    }
    (!items.is_empty()).then_some(items)
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Style {
    Sign(char),
    Number,
}

fn bullet(line: &str) -> Option<(Style, &str)> {
    let sign = line.chars().next()?;
    if matches!(sign, '-' | '*' | '+' | '•' | '‣' | '◦' | '·' | '–') {
        let rest = &line[sign.len_utf8()..];
        let item = rest.trim();
        let spaced = rest.starts_with([' ', '\t']) || !sign.is_ascii();
        return (spaced && !item.is_empty()).then_some((Style::Sign(sign), item));
    }
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    if digits == 0 || digits > 6 {
        return None;
    }
    let rest = line[digits..].strip_prefix(['.', ')'])?;
    let item = rest.trim();
    (rest.starts_with([' ', '\t']) && !item.is_empty()).then_some((Style::Number, item))
}

/// The entries of `key: value` lines that are the whole text.
pub(super) fn key_lines(text: &str) -> Option<Vec<(&str, &str)>> {
    let mut entries = Vec::new();
    for line in text.lines() {
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        let line = bullet(line).map_or(line, |(_, item)| item);
        entries.push(key_value(line)?);
    }
    (!entries.is_empty()).then_some(entries)
}

/// `key: value` with emphasis or quotes around the key.
pub(in super::super) fn key_value(line: &str) -> Option<(&str, &str)> {
    let colon = line.bytes().position(|byte| byte == b':')?;
    let (key, value) = (&line[..colon], &line[colon + 1..]);
    // `**key:** value` leaves half of its emphasis before the value, `**key**: value` none.
    let opening = key.len() - key.trim_start_matches(['*', '_', '`']).len();
    let bare = key.trim_start_matches(['*', '_', '`']);
    let closed = bare.ends_with(['*', '_', '`']) && opening > 0;
    let value = match opening > 0 && !closed {
        true => value.strip_prefix(&key[..opening]).unwrap_or(value),
        false => value,
    };
    let name = bare.trim_end_matches(['*', '_', '`']).trim();
    let name = super::peel::quoted(name).unwrap_or(name);
    let strange = |byte| matches!(byte, b'{' | b'[' | b'"' | b'\n');
    let plain = !name.is_empty() && name.len() <= 100 && !name.bytes().any(strange);
    let spaced = value.is_empty() || value.starts_with([' ', '\t', '\n']);
    (plain && spaced).then(|| (name, value.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bullets_are_read_where_each_line_is_one() {
        let items = |text| bullets(text, 0).map(|items| items.join("|"));
        assert_eq!(items("- x\n- y"), Some("x|y".into()));
        assert_eq!(items("The tags:\n\n1. x\n2. y"), Some("x|y".into()));
        assert_eq!(items("• x\n• y"), Some("x|y".into()));
        for no in [
            "- x\n  more\n- y",
            "- x\n  - y",
            "- x\n* y",
            "x\ny",
            "-x",
            "- x\nThat is all.",
            "-5\n-6",
            "",
        ] {
            assert_eq!(items(no), None, "{no:?}");
        }
    }

    #[test]
    fn keys_lose_emphasis_and_quotes() {
        for line in ["a: 1", "**a**: 1", "**a:** 1", "`a`: 1", "\"a\": 1"] {
            assert_eq!(key_value(line), Some(("a", "1")), "{line:?}");
        }
        for no in ["a", "http://x", "{\"a\": 1}", ": 1"] {
            assert_eq!(key_value(no), None, "{no:?}");
        }
    }
}

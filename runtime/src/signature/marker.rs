//! Section markers `[[ ## name ## ]]`: how they are recognized, and how text is kept from being one.
//!
//! The formatter escapes by the same rule by which the parser recognizes, so that they can't drift apart.

use std::borrow::Cow;

/// The name in a line that opens a section, and what follows the marker on that line.
///
/// Lenient in white space and letters: `[[ ## answer ## ]] 42`, `[[##Answer##]]`. Emphasis around the
/// marker (`**[[ ## answer ## ]]**`) and heading signs before it are the parser's affair, not this function's.
#[must_use]
pub fn marker_name(line: &str) -> Option<(&str, &str)> {
    let inner = line
        .trim_start()
        .strip_prefix("[[")?
        .trim_start()
        .strip_prefix("##")?;
    let end = inner.find("##")?;
    let rest = inner[end + 2..].trim_start().strip_prefix("]]")?;
    let name = inner[..end].trim();
    (!name.is_empty() && !name.contains(['\n', '[', ']'])).then_some((name, rest))
}

/// Adds a backslash to each line that could be read as a marker. [`unescape_markers`] takes it away.
#[must_use]
pub fn escape_markers(text: &str) -> Cow<'_, str> {
    edit_marker_lines(text, |_slashes| Some("\\"), 0)
}

/// Takes the backslash away that [`escape_markers`] added.
#[must_use]
pub fn unescape_markers(text: &str) -> Cow<'_, str> {
    edit_marker_lines(text, |slashes| (slashes > 0).then_some(""), 1)
}

/// Rewrites each line that is white space, backslashes and a marker's beginning: `with` gives what to put in the
/// place of the first `drop` backslashes.
fn edit_marker_lines(
    text: &str,
    with: impl Fn(usize) -> Option<&'static str>,
    drop: usize,
) -> Cow<'_, str> {
    if !text.contains("[[") {
        return Cow::Borrowed(text);
    }
    let mut edited = String::with_capacity(text.len() + 8);
    for line in text.split_inclusive(is_line_break) {
        let body = line.trim_start();
        let marker = body.trim_start_matches('\\');
        let slashes = body.len() - marker.len();
        match with(slashes).filter(|_| opens_marker(marker)) {
            Some(prefix) => {
                edited.push_str(&line[..line.len() - body.len()]);
                edited.push_str(prefix);
                edited.push_str(&body[drop..]);
            }
            None => edited.push_str(line),
        }
    }
    Cow::Owned(edited)
}

/// Whether a line that begins so could be read as a marker: wider than [`marker_name`], for safety.
fn opens_marker(text: &str) -> bool {
    text.strip_prefix("[[")
        .is_some_and(|rest| rest.trim_start().starts_with('#'))
}

/// Characters that some reader takes for the end of a line.
pub(crate) fn is_line_break(c: char) -> bool {
    matches!(
        c,
        '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markers_are_recognized_leniently() {
        assert_eq!(marker_name("[[ ## answer ## ]]"), Some(("answer", "")));
        assert_eq!(marker_name("  [[##Answer##]] 42"), Some(("Answer", " 42")));
        for no in [
            "",
            "[[",
            "[[ ## ## ]]",
            "[[ ## a",
            "x [[ ## a ## ]]",
            "\\[[ ## a ## ]]",
            "[ [ ## a ## ]]",
        ] {
            assert_eq!(marker_name(no), None, "{no:?}");
        }
    }

    #[test]
    fn escaped_text_holds_no_marker_and_comes_back() {
        for text in [
            "[[ ## answer ## ]]\n42",
            "a\n \t[[##answer##]]\r\n\\[[ ## b ## ]]\n\\\\[[ # c",
            "x\u{2028}[[ ## answer ## ]]",
            "x\r[[ ## answer ## ]]",
            "no marker [[ ## inline ## ]] here",
            "\\[[ ## answer ## ]]",
            "",
        ] {
            let escaped = escape_markers(text);
            assert!(
                escaped
                    .split(is_line_break)
                    .all(|line| marker_name(line).is_none()),
                "{escaped:?}"
            );
            assert_eq!(unescape_markers(&escaped), text);
        }
        assert_eq!(
            escape_markers("no marker [[ ## inline ## ]]"),
            "no marker [[ ## inline ## ]]"
        );
    }
}

//! Grammar rules for text in which one mark does not occur.

/// Rules of `text`: any text without `mark`, which begins with `<`. Lexemes are as long as they can be, so that what only begins like the mark
/// is text, and the mark itself is left to the rule that expects it.
pub(super) fn rules(mark: &str) -> String {
    let begun = mark.char_indices().skip(1).map(|(end, _)| &mark[..end]);
    let begun: Vec<_> = begun.map(quoted).collect();
    format!(
        "text: (CHUNK | BEGUN)*\nCHUNK: /[^<]+/\nBEGUN: {}\n",
        begun.join(" | ")
    )
}

/// A text as Lark writes it.
pub(super) fn quoted(text: &str) -> String {
    // JSON escapes all that Lark does, and nothing else occurs here.
    serde_json::Value::from(text).to_string()
}

//! Takes from around a scalar what models like to put there: emphasis, quotes, fences, labels, a full stop.

use super::super::RepairKind;
use super::super::names::folded;

/// One layer less, and its name. `field` tells a label such as `rank: 3` from other text.
pub(super) fn peel_once<'t>(text: &'t str, field: &str) -> Option<(&'t str, RepairKind)> {
    if let Some(inner) = whole_fence(text) {
        return Some((inner, RepairKind::Fence));
    }
    if let Some(inner) = emphasised(text) {
        return Some((inner, RepairKind::Emphasis));
    }
    if let Some(inner) = quoted(text) {
        return Some((inner, RepairKind::Quotes));
    }
    if let Some(inner) = tagged(text, field) {
        return Some((inner, RepairKind::Wrapped));
    }
    if let Some(rest) = labelled(text, field) {
        return Some((rest, RepairKind::Label));
    }
    let bare = text.strip_suffix(['.', '!', ',', ';', '。'])?.trim_end();
    (!bare.is_empty()).then_some((bare, RepairKind::Punctuation))
}

/// The text inside a code fence that is the whole text.
pub(in super::super) fn whole_fence(text: &str) -> Option<&str> {
    let inner = text.strip_prefix("```")?;
    let inner = inner.strip_suffix("```")?;
    if inner.contains("```") || inner.starts_with('`') {
        return None;
    }
    let body = match inner.split_once('\n') {
        Some((info, body)) if info.trim().chars().all(is_info) => body,
        Some(_) => inner,
        None => inner,
    };
    Some(body.trim())
}

/// What stands after the opening fence: `json`, `c++`, `main.py`.
fn is_info(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '+' | '-' | '_' | '.' | '#')
}

fn emphasised(text: &str) -> Option<&str> {
    for sign in ["***", "**", "__", "*", "_", "`", "~~"] {
        if let Some(inner) = between(text, sign, sign) {
            return Some(inner);
        }
    }
    between(text, "\\boxed{", "}").or_else(|| between(text, "\\(", "\\)"))
}

pub(super) fn quoted(text: &str) -> Option<&str> {
    // Asked of each of many lines, most of which begin with a letter.
    if text.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return None;
    }
    [
        ("\"", "\""),
        ("'", "'"),
        ("“", "”"),
        ("‘", "’"),
        ("«", "»"),
        ("„", "“"),
    ]
    .iter()
    .find_map(|(open, close)| between(text, open, close))
}

/// The text between two signs that occur nowhere within.
fn between<'t>(text: &'t str, open: &str, close: &str) -> Option<&'t str> {
    let inner = text.strip_prefix(open)?.strip_suffix(close)?;
    let plain = !inner.contains(open) && !inner.contains(close) && !inner.trim().is_empty();
    plain.then(|| inner.trim())
}

/// `<rank>3</rank>` in the section `rank`.
fn tagged<'t>(text: &'t str, field: &str) -> Option<&'t str> {
    let (name, rest) = text.strip_prefix('<')?.split_once('>')?;
    let inner = rest.strip_suffix('>')?;
    let (inner, closing) = inner.rsplit_once("</")?;
    (name == closing && folded(name) == folded(field) && !inner.contains('<')).then(|| inner.trim())
}

/// What follows `rank:`, `Answer =` or `The answer is` on a single line.
fn labelled<'t>(text: &'t str, field: &str) -> Option<&'t str> {
    if text.contains('\n') {
        return None;
    }
    let is_label = |label: &str| {
        let label = folded(label);
        let field = folded(field);
        label == field
            || matches!(
                label.as_ref(),
                "answer"
                    | "finalanswer"
                    | "theansweris"
                    | "thefinalansweris"
                    | "result"
                    | "value"
                    | "output"
            )
            || label.strip_prefix("the").is_some_and(|rest| rest == field)
            || label.strip_suffix("is").is_some_and(|rest| {
                rest == field || rest.strip_prefix("the") == Some(field.as_ref())
            })
    };
    let split = text
        .split_once(':')
        .or_else(|| text.split_once('='))
        .filter(|(label, _)| is_label(label))
        .or_else(|| {
            let at = text.find(" is ")? + 3;
            is_label(&text[..at]).then(|| text.split_at(at))
        });
    let (_, rest) = split?;
    // `**Answer:** 3` leaves the second half of its emphasis.
    let rest = rest.trim_start_matches(['*', '_']).trim();
    (!rest.is_empty()).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_come_off_one_by_one() {
        for (text, wanted) in [
            ("**3**", Some("3")),
            ("`3`", Some("3")),
            ("\"3\"", Some("3")),
            ("```json\n3\n```", Some("3")),
            ("```3```", Some("3")),
            ("rank: 3", Some("3")),
            ("**Rank:** 3", Some("3")),
            ("The answer is 3", Some("3")),
            ("the rank is 3", Some("3")),
            ("<rank>3</rank>", Some("3")),
            ("\\boxed{3}", Some("3")),
            ("3.", Some("3")),
            ("3", None),
            ("age: 3", None),
            ("**", None),
            ("\"", None),
            ("**a** and **b**", None),
        ] {
            assert_eq!(
                peel_once(text, "rank").map(|(inner, _)| inner),
                wanted,
                "{text:?}"
            );
        }
    }
}

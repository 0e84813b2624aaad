//! Tells the decimal point of a number from its thousands separators.

use super::number::{NumberFault, Wanted};

/// The digits before and after the decimal point.
pub(super) struct Parts {
    pub(super) whole: String,
    pub(super) fraction: String,
    pub(super) separators: bool,
}

/// Tells decimal point from thousands separator, by where they stand.
pub(super) fn separate(body: &str, wanted: Wanted, in_json: bool) -> Result<Parts, NumberFault> {
    let allowed = |c: char| c.is_ascii_digit() || is_separator(c) || c == '.';
    if !body.chars().any(|c| c.is_ascii_digit()) || !body.chars().all(allowed) {
        return Err(NumberFault::NotOne);
    }
    let points = body.matches('.').count();
    let commas = body.matches(',').count();
    let (whole, fraction) = match (points, commas) {
        (0, _) => (body, ""),
        (1, 0) => split_at_char(body, '.'),
        (_, 0) => return european(body, ""),
        (1, _) if body.rfind('.') > body.rfind(',') => split_at_char(body, '.'),
        (_, 1) if body.rfind(',') > body.rfind('.') => {
            let (whole, fraction) = split_at_char(body, ',');
            return european(whole, fraction);
        }
        _ => return Err(NumberFault::NotOne),
    };
    let plain_fraction = fraction.bytes().all(|b| b.is_ascii_digit());
    if !plain_fraction || (whole.is_empty() && fraction.is_empty()) {
        return Err(NumberFault::NotOne);
    }
    let separators = whole.contains(is_separator);
    let whole = match separators {
        true => grouped(whole).ok_or(NumberFault::NotOne)?,
        false => whole.to_owned(),
    };
    // `12.000` as an integer is twelve to some writers and twelve thousand to others.
    let thousands_like = (1..=3).contains(&whole.len()) && fraction.len() == 3 && !separators;
    if wanted == Wanted::Integer && thousands_like && !in_json && fraction == "000" {
        let candidates = vec![whole.clone(), format!("{whole}{fraction}")];
        return Err(NumberFault::Ambiguous(candidates));
    }
    let fraction = fraction.to_owned();
    Ok(Parts {
        whole,
        fraction,
        separators,
    })
}

/// `1.234.567` or `1.234,56`: points for thousands.
fn european(whole: &str, fraction: &str) -> Result<Parts, NumberFault> {
    let commas = whole.replace('.', ",");
    let plain = whole.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    if !plain || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return Err(NumberFault::NotOne);
    }
    let whole = grouped(&commas).ok_or(NumberFault::NotOne)?;
    let fraction = fraction.to_owned();
    Ok(Parts {
        whole,
        fraction,
        separators: true,
    })
}

fn split_at_char(text: &str, at: char) -> (&str, &str) {
    text.split_once(at).unwrap_or((text, ""))
}

fn is_separator(c: char) -> bool {
    matches!(
        c,
        ',' | '_' | '\'' | '’' | '\u{a0}' | '\u{202f}' | '\u{2009}'
    )
}

/// The digits of a number with separators: `_` between any digits, the others between groups of three of one kind.
fn grouped(whole: &str) -> Option<String> {
    let separator = whole.chars().find(|c| is_separator(*c))?;
    let mut groups = whole.split(separator);
    let first = groups.next()?;
    let all_digits = |group: &str| !group.is_empty() && group.bytes().all(|b| b.is_ascii_digit());
    let well_formed = match separator {
        '_' => all_digits(first) && groups.all(all_digits),
        _ => {
            all_digits(first)
                && first.len() <= 3
                && !first.starts_with('0')
                && groups.all(|group| group.len() == 3 && all_digits(group))
        }
    };
    well_formed.then(|| whole.replace(separator, ""))
}

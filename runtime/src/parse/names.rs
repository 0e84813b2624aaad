//! Names in replies: compared exactly, then without case, spaces and punctuation.

use std::borrow::Cow;

/// A name without case and without what is no letter or digit.
pub(super) fn folded(name: &str) -> Cow<'_, str> {
    if name
        .bytes()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    {
        return Cow::Borrowed(name);
    }
    name.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

/// How a name was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Match {
    Exact(usize),
    /// The only one that is equal but for case, spaces and punctuation.
    Folded(usize),
}

/// The place of `wanted` among `names`; `None` too if several are equal but for spelling.
pub(super) fn find<'n>(
    wanted: &str,
    names: impl Iterator<Item = &'n str> + Clone,
) -> Option<Match> {
    if let Some(at) = names.clone().position(|name| name == wanted) {
        return Some(Match::Exact(at));
    }
    let wanted = folded(wanted);
    if wanted.is_empty() {
        return None;
    }
    let mut alike = names.enumerate().filter(|(_, name)| folded(name) == wanted);
    let (at, _) = alike.next()?;
    alike.next().is_none().then_some(Match::Folded(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_names_win_and_alike_ones_must_be_single() {
        let find = |wanted| find(wanted, ["a_b", "AB", "c"].into_iter());
        assert_eq!(find("AB"), Some(Match::Exact(1)));
        assert_eq!(find("a b"), None);
        assert_eq!(find("C"), Some(Match::Folded(2)));
        assert_eq!(find("**"), None);
    }
}

//! "Did you mean": the nearest of the known words, if it is near enough.

/// The word of `known` that `word` was probably meant to be.
pub(crate) fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let word = word.to_lowercase();
    let limit = match word.chars().count() {
        0..=2 => 1,
        3..=5 => 2,
        _ => 3,
    };
    known
        .iter()
        .map(|candidate| {
            let lower = candidate.to_lowercase();
            // `one-line` and `oneline` are nearer to `one_line` than their letters tell.
            let bare = |text: &str| text.replace(['_', '-', ' '], "");
            let distance = if bare(&word) == bare(&lower) {
                0
            } else {
                strsim::damerau_levenshtein(&word, &lower)
            };
            (distance, *candidate)
        })
        .filter(|(distance, candidate)| *distance <= limit && *distance < candidate.chars().count())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// `; did you mean `word`?`, or nothing. `quote` goes before and after the word.
pub(crate) fn did_you_mean(word: &str, known: &[&str]) -> String {
    nearest(word, known).map_or_else(String::new, |near| format!("; did you mean `{near}`?"))
}

/// `` `a`, `b` or `c` ``.
pub(crate) fn one_of(words: &[&str]) -> String {
    let quoted: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: [&str; 4] = ["rename", "rename_all", "one_line", "min"];

    #[test]
    fn near_words_are_found() {
        for (typed, meant) in [
            ("rename_al", "rename_all"),
            ("renmae", "rename"),
            ("oneline", "one_line"),
            ("Min", "min"),
        ] {
            assert_eq!(nearest(typed, &KEYS), Some(meant), "{typed}");
        }
    }

    #[test]
    fn far_words_are_not() {
        for typed in ["", "x", "temperature", "mi_xyz"] {
            assert_eq!(nearest(typed, &KEYS), None, "{typed}");
        }
    }

    #[test]
    fn a_list_ends_in_or() {
        assert_eq!(one_of(&["a", "b", "c"]), "`a`, `b` or `c`");
        assert_eq!(one_of(&["a"]), "`a`");
    }
}

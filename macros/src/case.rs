//! `rename_all`: from Rust's spelling of a field or variant to the one shown.

use crate::suggest;

/// How names are respelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Case {
    Lower,
    Upper,
    Pascal,
    Camel,
    Snake,
    ScreamingSnake,
    Kebab,
    ScreamingKebab,
}

const CASES: [(&str, Case); 8] = [
    ("lowercase", Case::Lower),
    ("UPPERCASE", Case::Upper),
    ("PascalCase", Case::Pascal),
    ("camelCase", Case::Camel),
    ("snake_case", Case::Snake),
    ("SCREAMING_SNAKE_CASE", Case::ScreamingSnake),
    ("kebab-case", Case::Kebab),
    ("SCREAMING-KEBAB-CASE", Case::ScreamingKebab),
];

impl Case {
    /// The case of that name, or what is wrong with the name.
    pub(crate) fn named(name: &str) -> Result<Self, String> {
        let names = CASES.map(|(known, _)| known);
        CASES
            .into_iter()
            .find(|(known, _)| *known == name)
            .map(|(_, case)| case)
            .ok_or_else(|| match suggest::nearest(name, &names) {
                Some(near) => format!("unknown case `{name}`; did you mean `{near}`?"),
                None => format!("unknown case `{name}`: write {}", suggest::one_of(&names)),
            })
    }

    /// Respells a name, whichever way it is written.
    pub(crate) fn apply(self, name: &str) -> String {
        let words = words(name);
        let join = |each: fn(&str) -> String, separator: &str| {
            words
                .iter()
                .map(|word| each(word))
                .collect::<Vec<_>>()
                .join(separator)
        };
        match self {
            Case::Lower => join(str::to_lowercase, ""),
            Case::Upper => join(str::to_uppercase, ""),
            Case::Pascal => join(capitalized, ""),
            Case::Camel => words
                .iter()
                .enumerate()
                .map(|(at, word)| {
                    if at == 0 {
                        word.to_lowercase()
                    } else {
                        capitalized(word)
                    }
                })
                .collect(),
            Case::Snake => join(str::to_lowercase, "_"),
            Case::ScreamingSnake => join(str::to_uppercase, "_"),
            Case::Kebab => join(str::to_lowercase, "-"),
            Case::ScreamingKebab => join(str::to_uppercase, "-"),
        }
    }
}

fn capitalized(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map_or_else(String::new, |first| {
        first
            .to_uppercase()
            .chain(chars.as_str().to_lowercase().chars())
            .collect()
    })
}

/// Parts `snake_case`, `PascalCase` and `HTTPServer` into words.
fn words(name: &str) -> Vec<String> {
    let chars: Vec<char> = name.chars().collect();
    let mut words = vec![String::new()];
    for (at, &c) in chars.iter().enumerate() {
        if c == '_' {
            words.push(String::new());
            continue;
        }
        let after_lower = at > 0 && !chars[at - 1].is_uppercase();
        let before_lower = chars.get(at + 1).is_some_and(|next| next.is_lowercase());
        if c.is_uppercase() && (after_lower || before_lower) {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut() {
            word.push(c);
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_respelled() {
        let cases = [
            (Case::Kebab, "OnFire", "on-fire"),
            (Case::Snake, "HTTPServer", "http_server"),
            (Case::Camel, "due_date", "dueDate"),
            (Case::Pascal, "due_date", "DueDate"),
            (Case::ScreamingSnake, "OnFire", "ON_FIRE"),
            (Case::ScreamingKebab, "OnFire", "ON-FIRE"),
            (Case::Lower, "OnFire", "onfire"),
            (Case::Upper, "on_fire", "ONFIRE"),
            (Case::Snake, "ÄrgerlichÖde", "ärgerlich_öde"),
        ];
        for (case, from, to) in cases {
            assert_eq!(case.apply(from), to, "{case:?} of {from}");
        }
    }

    #[test]
    fn an_unknown_case_names_the_nearest() {
        assert_eq!(
            Case::named("kebabcase"),
            Err("unknown case `kebabcase`; did you mean `kebab-case`?".into())
        );
        assert!(Case::named("loud").is_err_and(|text| text.contains("`snake_case`")));
    }
}

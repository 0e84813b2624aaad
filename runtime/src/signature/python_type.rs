//! Types as Python writes them, which is how DSPy's signatures and saved programs have them.

use super::shorthand::top_level;
use super::type_string::parse_type;
use super::{EnumSpec, FieldType, ListKind, ListType, Payload, SpecError, Str, VariantSpec};

/// Recursion is driven by the input, so it is bounded.
const MAX_DEPTH: usize = 32;

/// The type, if it is written in Python's way; what is not may be Rust's.
pub(super) fn parse_python_type(text: &str) -> Option<Result<FieldType, SpecError>> {
    python(text.trim(), 0)
}

/// A type within another: Python's, or any.
fn inner(text: &str, depth: usize) -> Result<FieldType, SpecError> {
    if depth > MAX_DEPTH {
        let message = format!("a type is nested at most {MAX_DEPTH} deep");
        return Err(SpecError::new(message));
    }
    let text = text.trim();
    python(text, depth).unwrap_or_else(|| parse_type(text))
}

fn python(text: &str, depth: usize) -> Option<Result<FieldType, SpecError>> {
    if let Some(optional) = or_none(text) {
        return Some(inner(optional, depth + 1).map(option));
    }
    let list = |item: FieldType, kind| {
        let item = item.into();
        FieldType::List(ListType { item, kind })
    };
    let Some((head, rest)) = text.split_once('[') else {
        return Some(Ok(match text {
            "list" | "List" => list(FieldType::String, ListKind::List),
            "dict" | "Dict" => FieldType::Map(FieldType::Json.into()),
            "Any" | "object" => FieldType::Json,
            _ => return None,
        }));
    };
    let head = head.trim().trim_start_matches("typing.");
    if !matches!(
        head,
        "list"
            | "List"
            | "set"
            | "Set"
            | "dict"
            | "Dict"
            | "tuple"
            | "Tuple"
            | "Optional"
            | "Literal"
    ) {
        return None;
    }
    let Some(arguments) = rest.trim_end().strip_suffix(']') else {
        return Some(Err(SpecError::new(format!(
            "expected `]` at the end of `{text}`"
        ))));
    };
    let parts = by_commas(arguments);
    Some(match (head, parts.as_slice()) {
        ("Literal", names) => literal(names),
        ("list" | "List", [item]) => inner(item, depth + 1).map(|item| list(item, ListKind::List)),
        ("set" | "Set", [item]) => inner(item, depth + 1).map(|item| list(item, ListKind::Set)),
        ("Optional", [item]) => inner(item, depth + 1).map(option),
        ("dict" | "Dict", [key, value]) if matches!(key.trim(), "str" | "String") => {
            inner(value, depth + 1).map(|value| FieldType::Map(value.into()))
        }
        ("dict" | "Dict", [_, _]) => Err(SpecError::new("the keys of a `dict` are `str`")),
        ("tuple" | "Tuple", items) => items
            .iter()
            .map(|item| inner(item, depth + 1).map(Into::into))
            .collect::<Result<Vec<_>, _>>()
            .map(|items| FieldType::Tuple(items.into())),
        (head, parts) => Err(SpecError::new(format!(
            "`{head}` takes {} type{}, not {}",
            if head.eq_ignore_ascii_case("dict") {
                2
            } else {
                1
            },
            if head.eq_ignore_ascii_case("dict") {
                "s"
            } else {
                ""
            },
            parts.len()
        ))),
    })
}

fn option(inner: FieldType) -> FieldType {
    match inner {
        already @ FieldType::Option(_) => already,
        inner => FieldType::Option(inner.into()),
    }
}

/// What stands before `| None`.
fn or_none(text: &str) -> Option<&str> {
    // An enum of this crate parts its variants by bars, and one of them may be named so.
    if text.starts_with("enum") {
        return None;
    }
    let bar = top_level(text)
        .into_iter()
        .rev()
        .find(|at| text[*at..].starts_with('|'))?;
    (text[bar + 1..].trim() == "None").then(|| text[..bar].trim())
}

fn by_commas(text: &str) -> Vec<&str> {
    // Within the brackets of a `Literal` an apostrophe opens a quote: so it does here, one level down.
    let wrapped = format!("[{text}]");
    let (mut depth, mut quote, mut last) = (0usize, None, ' ');
    let (mut parts, mut start) = (Vec::new(), 0);
    for (at, c) in wrapped.char_indices() {
        match (quote, c) {
            (Some(open), c) if c == open && last != '\\' => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '[' | '(' | '<' | '{') => depth += 1,
            (None, ']' | ')' | '>' | '}') => depth = depth.saturating_sub(1),
            (None, ',') if depth == 1 => {
                parts.push(&text[start..at - 1]);
                start = at;
            }
            (None, _) => {}
        }
        last = c;
    }
    parts.push(&text[start..]);
    parts
}

fn literal(names: &[&str]) -> Result<FieldType, SpecError> {
    let mut variants: Vec<VariantSpec> = Vec::new();
    for written in names {
        let written = written.trim();
        let name = unquoted(written).ok_or_else(|| {
            SpecError::new(format!(
                "the choices of a `Literal` are in quotes, and `{written}` is not"
            ))
        })?;
        if name.is_empty() || variants.iter().any(|known| known.name == name) {
            let message = format!("`{written}` is empty or given twice in a `Literal`");
            return Err(SpecError::new(message));
        }
        variants.push(VariantSpec {
            name: Str::Owned(name),
            aliases: Vec::new().into(),
            desc: Str::Borrowed(""),
            payload: Payload::Unit,
        });
    }
    Ok(FieldType::Enum(EnumSpec {
        name: Str::Borrowed("Enum"),
        desc: Str::Borrowed(""),
        variants: variants.into(),
        tag: Str::Borrowed("type"),
    }))
}

fn unquoted(text: &str) -> Option<String> {
    let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    let inside = text.strip_prefix(quote)?.strip_suffix(quote)?;
    let mut name = String::new();
    let mut escaped = false;
    for c in inside.chars() {
        escaped = c == '\\' && !escaped;
        if !escaped {
            name.push(c);
        }
    }
    Some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        match parse_python_type(text) {
            None => "not Python's".into(),
            Some(Ok(ty)) => format!("{:?}", super::super::TypeRef::from(ty)),
            Some(Err(error)) => error.to_string(),
        }
    }

    #[test]
    fn types_are_read_as_python_writes_them() {
        for (text, expected) in [
            ("list[str]", "List<String>"),
            ("typing.List[ Optional[bool] ]", "List<Option<Bool>>"),
            ("dict[str, list[str]]", "Map<List<String>>"),
            ("Vec<bool> | None", "Option<List<Bool>>"),
            ("tuple[str, bool]", "Tuple([String, Bool])"),
            ("set[Vec<str>]", "List<List<String>>"),
            ("Any", "Json"),
            ("object", "Json"),
            ("list", "List<String>"),
            ("Dict", "Map<Json>"),
            ("List[Set[bool]]", "List<List<Bool>>"),
            (
                "Dict[String, Tuple[bool, str]]",
                "Map<Tuple([Bool, String])>",
            ),
            ("Optional[bool | None]", "Option<Bool>"),
            ("Literal[\"a\"]", "Enum(Enum)"),
            ("Vec<bool>", "not Python's"),
            ("enum:A|None", "not Python's"),
            ("str", "not Python's"),
            ("list[str", "expected `]` at the end of `list[str`"),
            ("dict[int, str]", "the keys of a `dict` are `str`"),
            ("list[str, str]", "`list` takes 1 type, not 2"),
            ("dict[str]", "`dict` takes 2 types, not 1"),
            (
                "tuple[str, dict[int, str]]",
                "the keys of a `dict` are `str`",
            ),
            (
                "Literal['a', 'a']",
                "`'a'` is empty or given twice in a `Literal`",
            ),
            ("Literal['']", "`''` is empty or given twice in a `Literal`"),
            (
                "Literal['a]",
                "the choices of a `Literal` are in quotes, and `'a` is not",
            ),
            (
                "Literal[low]",
                "the choices of a `Literal` are in quotes, and `low` is not",
            ),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }

    #[test]
    fn the_choices_of_a_literal_may_hold_anything() {
        let ty = parse_python_type(r#"Literal['a, b', "it's", 'c\'d']"#)
            .expect("Python's")
            .expect("a type");
        let mut names = Vec::new();
        if let FieldType::Enum(choices) = &ty {
            names.extend(choices.variants.iter().map(|one| &*one.name));
        }
        assert_eq!(names, ["a, b", "it's", "c'd"], "{ty:?}");
    }

    #[test]
    fn deep_types_end_in_an_error() {
        let deep = format!("{}str{}", "list[".repeat(10_000), "]".repeat(10_000));
        assert!(shown(&deep).contains("at most 32 deep"));
    }
}

//! Prompts in DSPy's chat format, known by their system message: what its replies must hold.

use serde_json::{Value as Json, json};

use crate::grammar::Constraint;
use crate::signature::SignatureSpec;

/// What a reply to this system message must be, if the message is one of DSPy's or dspy-rs's chat adapter.
///
/// Of a field only the type is read. One that no type here can say, such as a class, is any JSON.
pub(super) fn constraint(system: &str) -> Option<Constraint> {
    let (_, rest) = system.split_once("Your output fields are:\n")?;
    let (listed, rest) =
        rest.split_once("All interactions will be structured in the following way")?;
    let structure = rest.split_once("[[ ## completed ## ]]")?.0;
    let mut outputs: Vec<Json> = Vec::new();
    for line in listed.lines() {
        let Some((name, ty)) = field(line) else {
            // A description goes on in the next lines.
            continue;
        };
        // What only looks like a field of the list has no section.
        if !structure.contains(&format!("[[ ## {name} ## ]]")) {
            continue;
        }
        outputs.push(json!({"name": name, "type": known_type(ty, note(structure, name))}));
    }
    let spec = SignatureSpec::from_json(&json!({"name": "Dspy", "outputs": outputs})).ok()?;
    Some(Constraint::SplitSections(spec))
}

/// Name and type of a line such as "1. `stars` (int): From 1 to 5."
fn field(line: &str) -> Option<(&str, &str)> {
    let (number, rest) = line.split_once(". `")?;
    if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (name, rest) = rest.split_once("` (")?;
    Some((name, &rest[..first_close(rest)?]))
}

/// The bracket that closes the type: types have brackets of their own.
fn first_close(text: &str) -> Option<usize> {
    let mut depth = 0usize;
    for (at, c) in text.char_indices() {
        match c {
            '(' | '[' | '<' => depth += 1,
            ')' if depth == 0 => return Some(at),
            ')' | ']' | '>' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}

/// What the structure says of a field's value.
fn note<'s>(structure: &'s str, name: &str) -> &'s str {
    let marker = format!("[[ ## {name} ## ]]\n");
    let section = structure
        .split_once(&marker)
        .map_or("", |(_, section)| section);
    section.split("[[ ## ").next().unwrap_or_default()
}

/// The type in the words of [`SignatureSpec::from_json`].
fn known_type(ty: &str, note: &str) -> String {
    if note.contains("JSON schema") && !is_plain(ty) {
        return "Json".into();
    }
    let names = literal(ty.trim());
    names
        .or_else(|| rust_type(ty))
        .unwrap_or_else(|| "Json".into())
}

/// Types whose JSON schema says no more than their name.
fn is_plain(ty: &str) -> bool {
    rust_type(ty).is_some() && !ty.contains("Json")
}

/// A type of Python's or Rust's, if it is one that has a name in both worlds. dspy-rs writes `Vec < String >`.
fn rust_type(ty: &str) -> Option<String> {
    let ty: String = ty.split_whitespace().collect();
    spaceless_type(&ty)
}

fn spaceless_type(ty: &str) -> Option<String> {
    let inner = |open: &str, close: &str| {
        let inner = ty.strip_prefix(open)?.strip_suffix(close)?;
        spaceless_type(inner)
    };
    if let Some(item) = ["list[", "List["].iter().find_map(|open| inner(open, "]")) {
        return Some(format!("Vec<{item}>"));
    }
    if let Some(item) = inner("Optional[", "]") {
        return Some(format!("Option<{item}>"));
    }
    if let Some(value) = inner("dict[str,", "]").or_else(|| inner("HashMap<String,", ">")) {
        return Some(format!("HashMap<String, {value}>"));
    }
    for name in ["Vec", "Option"] {
        if let Some(item) = inner(&format!("{name}<"), ">") {
            return Some(format!("{name}<{item}>"));
        }
    }
    Some(match ty {
        "str" | "String" | "&str" => "String".into(),
        "Any" | "Value" | "serde_json::Value" => "Json".into(),
        "int" => "i64".into(),
        "float" | "f64" => "f64".into(),
        "f32" | "bool" | "char" | "i8" | "i16" | "i32" | "i64" | "i128" | "isize" | "u8"
        | "u16" | "u32" | "u64" | "u128" | "usize" => ty.into(),
        _ => return None,
    })
}

/// Python's `Literal['a', 'b']`: one of some words.
fn literal(ty: &str) -> Option<String> {
    let inner = ty.strip_prefix("Literal[")?.strip_suffix(']')?;
    let names: Vec<_> = inner
        .split(", ")
        .map(|name| {
            let quoted = |quote: char| name.strip_prefix(quote)?.strip_suffix(quote);
            quoted('\'').or_else(|| quoted('"'))
        })
        .collect::<Option<_>>()?;
    let is_plain =
        |name: &&str| !name.is_empty() && !name.contains(['|', '>', ',', ')', ']', ';', '\\']);
    names
        .iter()
        .all(is_plain)
        .then(|| format!("enum:{}", names.join("|")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outputs(system: &str) -> Option<Vec<(String, String)>> {
        let Constraint::SplitSections(spec) = constraint(system)? else {
            return None;
        };
        let shown = spec.outputs.iter().map(|field| {
            (
                field.name.to_string(),
                crate::prompt::type_name(&field.ty).to_string(),
            )
        });
        Some(shown.collect())
    }

    #[test]
    fn a_prompt_of_dspy_says_what_its_replies_hold() {
        let system = "Your input fields are:\n1. `text` (str): A text.\n2. `n` (int):\nYour output fields are:\n\
            1. `reasoning` (str): Think.\n5. `no` (str): a description that looks like a field\n2. `stars` (int): From 1 (bad) to 5.\n3. `sort` (Literal['a b', 'c']): \n\
            4. `tags` (list[str]): \n5. `who` (Person): \n\
            All interactions will be structured in the following way, with the appropriate values filled in.\n\n\
            [[ ## text ## ]]\n{text}\n\n[[ ## reasoning ## ]]\n{reasoning}\n\n[[ ## stars ## ]]\n{stars}        # note: the value you produce must be a single int value\n\n\
            [[ ## sort ## ]]\n{sort}\n\n[[ ## tags ## ]]\n{tags}        # note: the value you produce must adhere to the JSON schema: {}\n\n\
            [[ ## who ## ]]\n{who}        # note: the value you produce must adhere to the JSON schema: {}\n\n[[ ## completed ## ]]\n";
        let outputs = outputs(system).expect("a spec");
        let names: Vec<_> = outputs.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["reasoning", "stars", "sort", "tags", "who"]);
        let types: Vec<_> = outputs.iter().map(|(_, ty)| ty.as_str()).collect();
        assert_eq!(types[0], "str");
        assert_eq!(types[1], "int");
        assert_eq!(types[3], "list[str]");
    }

    #[test]
    fn types_of_both_worlds_are_read() {
        for (ty, known) in [
            ("Vec < String >", "Vec<String>"),
            ("list[list[int]]", "Vec<Vec<i64>>"),
            ("dict[str, Any]", "HashMap<String, Json>"),
            ("Option<u8>", "Option<u8>"),
            ("Literal['a b', \"c\"]", "enum:a b|c"),
            ("Literal[1, 2]", "Json"),
            ("str | None", "Json"),
            ("Person", "Json"),
        ] {
            assert_eq!(known_type(ty, ""), known, "{ty}");
        }
    }

    #[test]
    fn other_prompts_are_left_alone() {
        for system in [
            "",
            "You are a helpful assistant.",
            "Your output fields are:\n1. `a` (str): \n",
            "Your output fields are:\nAll interactions will be structured in the following way [[ ## completed ## ]]",
        ] {
            assert!(constraint(system).is_none(), "{system}");
        }
    }
}

//! `example!`, `examples!` and `example_file!`.

use proc_macro2::{Delimiter, Group, TokenStream};
use quote::{ToTokens, quote};

use super::said;
use crate::entry;

#[test]
fn entries_of_an_example() {
    for (entries, messages) in [
        (
            "",
            &["an example needs entries: `\"question\": \"input\" => \"...\"`"][..],
        ),
        (
            "\"q\": \"input\" => 1",
            &[
                "the example has no output: give one as `\"answer\": \"output\" => \"...\"`, or pass the inputs alone as a signature's input",
            ],
        ),
        (
            "\"q\": \"input\" => 1, \"q\": \"output\" => 2",
            &["the key `q` is given twice"],
        ),
        (
            "\"q\": \"inptu\" => 1, \"a\": \"output\" => 2",
            &["unknown role `inptu`; did you mean `input`?"],
        ),
        ("S { a: 1, a: 2, .. }", &["field `a` is given twice"]),
        (
            "\"q\": \"input\" => 1 \"a\": \"output\" => 2",
            &["expected `,` between entries"],
        ),
        (
            "\"q\" => 1, \"a\": \"output\" => 2",
            &["expected `:` and the role, `\"input\"` or `\"output\"`"],
        ),
        (
            "\"q\": 3 => 1, \"a\": \"output\" => 2",
            &["a role is a string: write `\"input\"` or `\"output\"`"],
        ),
        (
            "\"q\": \"temperature\" => 1, \"a\": \"output\" => 2",
            &["unknown role `temperature`: write `input` or `output`"],
        ),
        (
            "3: \"input\" => 1, \"a\": \"output\" => 2",
            &["a key is a string: write `\"question\": \"input\" => ...`"],
        ),
        (
            "question: \"input\", \"a\": \"output\" => 2",
            &[
                "a key is a string: write `\"question\"`",
                "expected `=>` and the value: `\"key\": \"input\" => ...`",
            ],
        ),
    ] {
        let tokens: TokenStream = format!("[::candle_signature] {entries}")
            .parse()
            .expect("tokens");
        assert_eq!(said(entry::one_example(tokens)), messages, "{entries}");
    }
}

#[test]
fn files_of_examples() {
    let folder =
        std::env::temp_dir().join(format!("candle-signature-macros-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let path = folder.join("demos.jsonl");
    let shown = path.display().to_string();
    let of_file = |rest: TokenStream| {
        said(entry::file_of_examples(
            quote!([::candle_signature] #shown #rest),
        ))
    };
    std::fs::write(&path, "\n").expect("a file");
    assert_eq!(
        of_file(quote!(as S)),
        [format!("`{shown}` holds no records")]
    );
    std::fs::write(&path, "{\"x\": 1}\n[2]").expect("a file");
    assert_eq!(
        of_file(quote!(as S)),
        [format!("{shown}:2: a record is an object, found an array")]
    );
    let most = u128::MAX.to_string();
    std::fs::write(&path, format!("{{\"x\": true, \"y\": {most}}}")).expect("a file");
    let code = entry::file_of_examples(quote!([::candle_signature] #shown as S)).to_string();
    assert!(code.contains("Literal :: Bool (true)"), "{code}");
    assert!(
        code.contains(&format!("Literal :: UInt ({most})")),
        "{code}"
    );
    assert_eq!(
        said(entry::file_of_examples(
            quote!([::candle_signature] "demos.txt" as S)
        )),
        ["`demos.txt` is neither `.json` nor `.jsonl`"]
    );
    assert_eq!(
        of_file(quote!(as S, .. 3)),
        ["expected nothing more, or `, ..` for demos that leave fields out"]
    );
    std::fs::remove_dir_all(&folder).expect("the folder is removed");
}

/// What a `macro_rules!` passes on comes in a group that nobody wrote.
#[test]
fn literals_are_checked_wherever_they_stand() {
    let most: TokenStream = u128::MAX.to_string().parse().expect("a number");
    for (value, literal) in [
        (quote!(Some("x")), "Literal :: Text (\"x\")".to_owned()),
        (quote!(("x")), "Literal :: Text (\"x\")".to_owned()),
        (quote!(true), "Literal :: Bool (true)".to_owned()),
        (most.clone(), format!("Literal :: UInt ({most})")),
        (
            Group::new(Delimiter::None, quote!("x")).into_token_stream(),
            "Literal :: Text (\"x\")".to_owned(),
        ),
    ] {
        let code = entry::one_example(quote!([::candle_signature] S { a: #value }));
        let code = code.to_string();
        assert!(code.contains(&literal), "{code}");
    }
}

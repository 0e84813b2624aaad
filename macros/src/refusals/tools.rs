//! Functions that are no tools.

use quote::quote;

use super::said;
use crate::tool;

#[test]
fn functions_that_are_no_tools() {
    let of_tool = |item: &str| said(tool::expand(quote!(), item.parse().expect("tokens")));
    for (item, messages) in [
        (
            "unsafe extern \"C\" fn f(x: u8, ...) -> String { x }",
            &[
                "the tool `f` is unsafe: no one checks what a model passes to it",
                "the tool `f` is an `extern` function: make it a plain one",
                "a tool has a fixed number of arguments",
            ][..],
        ),
        (
            "fn f(#[arg(skip)] x: u8) -> String { x }",
            &["`skip` is a key of `#[value]`: every argument of a tool is given"],
        ),
        (
            "fn f(#[arg(min = 1)] #[arg(max = 3)] x: u8) -> String { x }",
            &["`#[arg]` is given twice: put all keys into one list"],
        ),
        (
            "fn f(&self) -> String { x }",
            &[
                "the tool `f` takes `self`: a tool is a free function; implement `Tool` by hand for one with state",
            ],
        ),
        (
            "fn f<T>() -> String { x }",
            &["the tool `f` is generic: a model can't choose a type, so give every argument one"],
        ),
        (
            "fn finish() -> String { x }",
            &[
                "the name `finish` is taken: by it a model ends its tool calls; write `#[candle_tool(name = \"...\")]`",
            ],
        ),
        (
            "fn f((x, y): (u8, u8)) -> String { x }",
            &["an argument of a tool has a name: the model passes arguments by name"],
        ),
        (
            "fn f(#[arg(temperature)] x: u8) -> String { x }",
            &[
                "unknown key `temperature` in `#[arg]`; its keys are `desc`, `rename`, `with`, `default`, `min`, `max`, `len`, `regex`, `one_of`, `one_line` and `unique`",
            ],
        ),
        (
            "fn f() -> String",
            &["unexpected end of input, expected curly braces"],
        ),
    ] {
        assert_eq!(of_tool(item), messages, "{item}");
    }
}

#[test]
fn names_that_are_no_tools() {
    let item = quote!(
        fn f() -> String {
            x
        }
    );
    assert_eq!(
        said(tool::expand(quote!(name = "a b"), item)),
        ["the tool's name \"a b\" may have letters, digits, `_` and `-` only"]
    );
}

//! Keys of signatures, values and their fields.

use quote::quote;

use super::{of_output, of_signature, of_value};

#[test]
fn keys_of_an_output() {
    for (keys, ty, message) in [
        (
            "default(1)",
            "u8",
            "`default` takes no list: write `default = ...`",
        ),
        ("with = 3", "u8", "`with` needs a path: `with = my_module`"),
        (
            "alias = \"y\"",
            "u8",
            "`alias` is a key of enum variants: a field has one name",
        ),
        (
            "max = 1e39",
            "f32",
            "`max = 1e39` is out of the range of `f32`: -3.4028235e38 to 3.4028235e38",
        ),
        ("min = 1e400", "f64", "`min` needs a number: `min = 0`"),
        (
            "min = -170141183460469231731687303715884105729",
            "i128",
            "`min` needs a number: `min = 0`",
        ),
        (
            "max = 340282366920938463463374607431768211455",
            "i128",
            "`max = 340282366920938463463374607431768211455` is out of the range of `i128`: -170141183460469231731687303715884105728 to 170141183460469231731687303715884105727",
        ),
        (
            "max = 300f32",
            "u8",
            "`max = 300f32` is out of the range of `u8`: it holds whole numbers",
        ),
        (
            r#"regex = "(?-u)\\xff""#,
            "String",
            r"`(?-u)\xff` is not a regular expression: pattern can match invalid UTF-8",
        ),
        (
            r#"regex = "a\n(""#,
            "String",
            "`a\n(` is not a regular expression: unclosed group",
        ),
        (
            "len = \"a\"..",
            "String",
            "`len` needs a length or a range of lengths: `len = 1..=5`",
        ),
        (
            "one_of = \"a\"",
            "String",
            "`one_of` needs a list of strings: `one_of = [\"a\", \"b\"]`",
        ),
        (
            "one_of = [1]",
            "String",
            "`one_of` lists strings: `one_of = [\"a\", \"b\"]`",
        ),
        (
            "one_of = [\"a\", \"a\"]",
            "String",
            "`one_of` lists \"a\" twice",
        ),
        ("min = 1, min = 2", "u8", "`min` is given twice"),
        ("min = \"1\"", "u8", "`min` needs a number: `min = 0`"),
        (
            "len = \"1\"",
            "String",
            "`len` needs a length or a range of lengths: `len = 1..=5`",
        ),
        (
            "unique",
            "HashSet<u8>",
            "`unique` needs a list; `HashSet<u8>` is a set, and distinct by itself",
        ),
        (
            "\"what it is\"",
            "u8",
            "expected a key: to describe a field write `desc = \"...\"`",
        ),
        (
            "one_line = true",
            "String",
            "`one_line` takes no value: write `one_line` alone",
        ),
        (
            "",
            "Vec<usize>",
            "`usize` differs in size from machine to machine, a prompt must not: use `u64` for `x`",
        ),
        (
            "",
            "&u8",
            "`x` borrows, and must own its value: use `u8` for `&u8`",
        ),
        ("", "[u8]", "`[u8]` has no size: use `Vec<u8>` for `x`"),
        (
            "",
            "Option<isize>",
            "`isize` differs in size from machine to machine, a prompt must not: use `i64` for `x`",
        ),
    ] {
        assert_eq!(of_output(keys, ty), [message], "{keys} {ty}");
    }
}

#[test]
fn constraints_that_do_not_suit_name_the_type() {
    for (ty, kind) in [
        ("char", "a character"),
        ("bool", "a boolean"),
        ("f64", "a float"),
        ("[u8; 2]", "an array"),
        ("(u8, u8)", "a tuple"),
        ("HashMap<String, u8>", "a map"),
        ("BTreeSet<u8>", "a set"),
        ("serde_json::Value", "a JSON value"),
        ("(Vec<u8>)", "a list"),
        ("Option<Box<bool>>", "a boolean"),
    ] {
        let shown = crate::attr::shown(&syn::parse_str::<syn::Type>(ty).expect("a type"));
        let message = format!("`one_line` needs a string; `{shown}` is {kind}");
        assert_eq!(of_output("one_line", ty), [message]);
    }
}

#[test]
fn a_bound_above_the_other_is_found_for_numbers_of_every_kind() {
    const MOST: &str = "340282366920938463463374607431768211455";
    const LESS: &str = "340282366920938463463374607431768211454";
    for (min, max, fine) in [
        ("1", "2", true),
        ("2", "1", false),
        ("-1", "-2", false),
        (LESS, MOST, true),
        (MOST, LESS, false),
        (MOST, "1", false),
        ("1", MOST, true),
        ("1", "0.5", false),
        ("0.5", "1", true),
        (MOST, "0.5", false),
        ("0.5", MOST, true),
    ] {
        // Of a type of the user's own, whose spelling tells no range.
        let keys = format!("min = {min}, max = {max}");
        let expected: &[String] = match fine {
            true => &[],
            false => &[format!(
                "no number is at least {min} and at most {max}: `min` must not be above `max`"
            )],
        };
        assert_eq!(of_output(&keys, "Score"), expected, "{keys}");
    }
}

#[test]
fn keys_of_a_signature_and_its_halves() {
    let field = quote!({ #[output] x: u8 });
    for (head, message) in [
        (
            quote!(#[signature(vis = "")] pub(crate) struct S),
            "`S` is `pub(crate)`, and its halves can't be seen by fewer: they are part of its trait",
        ),
        (
            quote!(#[signature(format = "jsno")] struct S),
            "unknown format `jsno`; did you mean `json`?",
        ),
        (
            quote!(#[signature(format = "markdown")] struct S),
            "unknown format `markdown`: write `chat` or `json`",
        ),
        (
            quote!(#[signature(vis = "publik x")] struct S),
            "`publik x` is not a visibility: write `vis = \"pub(crate)\"`, or `vis = \"\"` for a private one",
        ),
        (
            quote!(#[signature(rename_all = "kebabcase")] struct S),
            "unknown case `kebabcase`; did you mean `kebab-case`?",
        ),
        (
            quote!(#[signature(input(derive))] struct S),
            "`derive` needs a list: `derive(Eq, Hash)`",
        ),
        (
            quote!(#[signature(output(derives(Eq)))] struct S),
            "unknown key `derives` in `output(...)`; did you mean `derive`?",
        ),
        (
            quote!(#[signature(rename_all = 3)] struct S),
            "`rename_all` needs a string: `rename_all = \"...\"`",
        ),
        (
            quote!(#[signature(temperature = 3)] struct S),
            "unknown key `temperature` in `#[signature]`; its keys are `instruction`, `format`, `rename_all`, `crate`, `input`, `output` and `vis`",
        ),
    ] {
        let shown = head.to_string();
        assert_eq!(of_signature(quote!(#head #field)), [message], "{shown}");
    }
}

#[test]
fn keys_of_a_value() {
    for (item, message) in [
        (
            quote!(
                enum E {
                    #[value(rename = "a", alias = "a", desc = "first")]
                    A,
                }
            ),
            "`a` is already a name of variant `A`: drop the alias",
        ),
        (
            quote!(
                #[value(desc = "what it is", tag = "t")]
                struct S {
                    x: u8,
                }
            ),
            "`tag` is for enums whose variants carry data: this type has none, drop `tag`",
        ),
        (
            quote!(
                enum E {
                    #[value(default)]
                    A,
                }
            ),
            "unknown key `default` in `#[value]`; its keys are `rename`, `alias` and `desc`",
        ),
        (
            quote!(
                #[value(rename = "")]
                struct S {
                    x: u8,
                }
            ),
            "the name \"\" of the type is empty: choose another with `rename = \"...\"`",
        ),
        (
            quote!(
                struct S {
                    #[value(skip, rename = "y")]
                    x: u8,
                }
            ),
            "a field with `skip` is neither shown nor read: drop `skip` or `rename`",
        ),
        (
            quote!(
                struct S {
                    #[value(skip, min = 3)]
                    x: u8,
                }
            ),
            "a field with `skip` is neither shown nor read: drop `skip` or `min`",
        ),
        (
            quote!(
                struct S {
                    #[value(min = 3)]
                    #[value(max = 3)]
                    x: u8,
                }
            ),
            "`#[value]` is given twice: put all keys into one list",
        ),
        (
            quote!(
                enum E {
                    A(#[value(min = 3)] u8),
                }
            ),
            "the value of a variant is written as it is: `#[value]` has nothing to name here",
        ),
    ] {
        let shown = item.to_string();
        assert_eq!(of_value(item), [message], "{shown}");
    }
}

#[test]
fn keys_that_stand_in_the_wrong_place() {
    let constraints = "`min`, `max`, `len`, `regex`, `one_of`, `one_line` and `unique`";
    for (keys, message) in [
        (
            "format_with = f",
            "`format_with` is a key of `#[input]`: only inputs are formatted by it".into(),
        ),
        (
            "skip",
            "`skip` is a key of `#[value]`: leave the field out of the signature instead".into(),
        ),
        (
            "temperature = 1",
            format!(
                "unknown key `temperature` in `#[output]`; its keys are `desc`, `rename`, `with`, `default`, `check`, `assert`, {constraints}"
            ),
        ),
    ] {
        assert_eq!(of_output(keys, "String"), [message], "{keys}");
    }
    for (keys, message) in [
        (
            quote!(default),
            "`default` is a key of `#[output]`: an input is always given".into(),
        ),
        (
            quote!(assert(f, "a")),
            "`assert` is a key of `#[output]`: only what a model replies can be asked for again"
                .into(),
        ),
        (
            quote!(with = m, format_with = f),
            "`format_with` and `with` exclude each other: let `m::into_value` format the value"
                .into(),
        ),
        (
            quote!(temperature),
            format!(
                "unknown key `temperature` in `#[input]`; its keys are `desc`, `rename`, `with`, `format_with`, {constraints}"
            ),
        ),
    ] {
        let item = quote!(
            struct S {
                #[input(#keys)]
                x: String,
                #[output]
                y: u8,
            }
        );
        assert_eq!(of_signature(item), [message], "{keys}");
    }
}

#[test]
fn names_that_no_prompt_can_show() {
    for (name, fault) in [
        ("", "is empty"),
        (" a", "begins or ends with white space"),
        ("a\nb", "has a line break or control character in it"),
        ("a ## b", "reads as a section marker (`[[ ## name ## ]]`)"),
        (
            "a`",
            "has a backtick or brace in it, which the prompt uses to quote names",
        ),
    ] {
        let item = quote!(
            struct S {
                #[output(rename = #name)]
                x: u8,
            }
        );
        let message = format!(
            "the name {name:?} of the output `x` {fault}: choose another with `rename = \"...\"`"
        );
        assert_eq!(of_signature(item), [message]);
    }
}

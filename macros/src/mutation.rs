//! Whatever Rust item a derive is put on gives errors, never a panic: items are made by chance and by mutation.

use proc_macro2::{TokenStream, TokenTree};
use proptest::prelude::*;
use quote::quote;

use crate::{entry, expand, expand_value, tool};

/// Right and wrong pieces of attributes.
const ATTRS: [&str; 34] = [
    "#[input]",
    "#[output]",
    "#[ouput]",
    "#[value]",
    "#[signature]",
    "#[input()]",
    "#[output(,)]",
    "#[input = 3]",
    "#[output(desc = \"x\")]",
    "#[output(desc)]",
    "#[output(rename = \"\")]",
    "#[output(rename = \"a\", rename = \"b\")]",
    "#[output(min = 1, max = 0)]",
    "#[output(min = -170141183460469231731687303715884105728)]",
    "#[output(max = 340282366920938463463374607431768211455)]",
    "#[output(max = 1e400)]",
    "#[output(min = 1f32)]",
    "#[output(len = ..)]",
    "#[output(len = 5..1)]",
    "#[output(len = ..=99999999999999999999)]",
    "#[output(len = 0..0)]",
    "#[output(regex = \"(\")]",
    "#[output(regex = \"\\\\w{9}{9}{9}\")]",
    "#[output(one_of = [])]",
    "#[output(one_of = [1, \"a\"])]",
    "#[output(unique, one_line)]",
    "#[output(default = [1, (2, 3)])]",
    "#[output(with = a::b)]",
    "#[input(with = \"a b\", format_with = 7)]",
    "#[value(skip, alias = \"x\")]",
    "#[value(rename_all = \"kebab-case\", tag = \"a\")]",
    "#[signature(crate = \"x\", vis = \"pub(in a)\", format = \"json\")]",
    "#[signature(input(derive(A, ::b::C<D>), bare), output = 1)]",
    "/// A doc comment.",
];

const TYPES: [&str; 22] = [
    "String",
    "u8",
    "i128",
    "Option<f32>",
    "Vec<Vec<u8>>",
    "&'static str",
    "&[T]",
    "[u8; N]",
    "[u8]",
    "str",
    "(u8, T)",
    "()",
    "HashMap<String, T>",
    "Box<dyn Fn(u8) -> u8 + Send>",
    "impl Sized",
    "fn(u8)",
    "*const T",
    "!",
    "_",
    "m!()",
    "<T as Trait>::Type",
    "r#type::Raw<'a, { 1 + 1 }>",
];

const NAMES: [&str; 10] = [
    "a",
    "A",
    "r#type",
    "completed",
    "reasoning",
    "größe",
    "_x",
    "f0",
    "Self_",
    "values",
];

const HEADS: [&str; 12] = [
    "struct S",
    "pub struct S<T>",
    "struct S<'a, T: Clone, const N: usize>",
    "enum E",
    "enum E<T>",
    "union U",
    "pub(crate) struct r#S",
    "struct S<T = u8>",
    "struct Größe",
    "pub(in crate::a) enum E",
    "struct B<B>",
    "struct S<T: ?Sized>",
];

fn attrs() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(&ATTRS[..]), 0..3).prop_map(|attrs| attrs.join("\n"))
}

fn field() -> impl Strategy<Value = String> {
    let name = prop::sample::select(&NAMES[..]);
    let ty = prop::sample::select(&TYPES[..]);
    (attrs(), name, ty).prop_map(|(attrs, name, ty)| format!("{attrs}\n{name}: {ty}"))
}

fn fields() -> impl Strategy<Value = String> {
    prop::collection::vec(field(), 0..5).prop_map(|fields| fields.join(", "))
}

fn variant() -> impl Strategy<Value = String> {
    let ty = prop::sample::select(&TYPES[..]);
    let name = prop::sample::select(&NAMES[..]);
    (attrs(), name, 0..4, ty, fields()).prop_map(|(attrs, name, kind, ty, fields)| match kind {
        0 => format!("{attrs}\n{name}"),
        1 => format!("{attrs}\n{name}({ty})"),
        2 => format!("{attrs}\n{name}({ty}, {ty})"),
        _ => format!("{attrs}\n{name} {{ {fields} }}"),
    })
}

fn item() -> impl Strategy<Value = String> {
    let body = prop_oneof![
        fields().prop_map(|fields| format!("{{ {fields} }}")),
        prop::collection::vec(variant(), 0..4)
            .prop_map(|variants| format!("{{ {} }}", variants.join(", "))),
        prop::sample::select(&["();", "(u8);", "(u8, String);", ";"][..]).prop_map(String::from),
    ];
    (attrs(), prop::sample::select(&HEADS[..]), body)
        .prop_map(|(attrs, head, body)| format!("{attrs}\n{head} {body}"))
}

/// Drops or doubles one token somewhere.
fn mutated(tokens: TokenStream, at: usize, double: bool, left: &mut usize) -> TokenStream {
    let mut out = Vec::new();
    for token in tokens {
        let hit = *left == at;
        *left += 1;
        let token = match token {
            TokenTree::Group(group) => {
                let inner = mutated(group.stream(), at, double, left);
                TokenTree::Group(proc_macro2::Group::new(group.delimiter(), inner))
            }
            other => other,
        };
        match (hit, double) {
            (false, _) => out.push(token),
            (true, true) => out.extend([token.clone(), token]),
            (true, false) => {}
        }
    }
    out.into_iter().collect()
}

/// What every macro makes of the tokens must at least be tokens of Rust.
fn derive_both(tokens: TokenStream) {
    let Ok(input) = syn::parse2(tokens) else {
        return;
    };
    for code in [expand::derive(&input), expand_value::derive(&input)] {
        syn::parse2::<syn::File>(code).expect("generated code is Rust");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_item_makes_a_derive_panic(item in item()) {
        if let Ok(tokens) = item.parse::<TokenStream>() {
            derive_both(tokens);
        }
    }

    #[test]
    fn no_mutated_item_makes_a_derive_panic(item in item(), at in 0usize..80, double: bool) {
        if let Ok(tokens) = item.parse::<TokenStream>() {
            derive_both(mutated(tokens, at, double, &mut 0));
        }
    }

    #[test]
    fn no_function_makes_a_tool_panic(fields in fields(), attrs in attrs(), at in 0usize..60, double: bool) {
        let function = format!("{attrs}\nasync fn f({fields}) -> T {{}}");
        if let Ok(tokens) = function.parse::<TokenStream>() {
            let attrs = quote!(name = "x", nam, crate = 3);
            let _ = tool::expand(TokenStream::new(), tokens.clone());
            let _ = tool::expand(attrs, mutated(tokens, at, double, &mut 0));
        }
    }

    #[test]
    fn no_tokens_make_an_example_panic(at in 0usize..60, again in 0usize..60, double: bool, which in 0usize..4) {
        let source = [
            quote!([::candle_signature] a::B { c: "d", e: [1, -2.5, Some("x")], r#type: F { g: ("h", 'i') }, .. }),
            quote!([::candle_signature] "question": "input" => "a", "answer": "output" => [1, "b", None::<u8>]),
            quote!([::candle_signature] A { b: 1, .. }, { "c": "output" => d }, E { f }),
            quote!([::candle_signature] "no/such/file.jsonl" as a::B<C>, ..),
        ];
        let tokens = mutated(source[which].clone(), at, double, &mut 0);
        let tokens = mutated(tokens, again, !double, &mut 0);
        let _ = entry::one_example(tokens.clone());
        let _ = entry::many_examples(tokens.clone());
        let _ = entry::file_of_examples(tokens);
    }
}

#[test]
fn most_made_items_parse() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let parsed = (0..200).filter(|_| {
        let made = item()
            .new_tree(&mut runner)
            .expect("a strategy without filters")
            .current();
        syn::parse_str::<syn::DeriveInput>(&made).is_ok()
    });
    let parsed = parsed.count();
    assert!(parsed > 60, "only {parsed} of 200 items reach the derives");
}

//! What the derives write, formatted as a reviewer would read it.
//!
//! After a change: `UPDATE_EXPECT=1 cargo test -p candle-signature-macros`, then read the difference.

use expect_test::expect_file;
use proc_macro2::TokenStream;
use quote::quote;

use crate::{expand, expand_value, tool};

fn formatted(tokens: TokenStream) -> String {
    prettyplease::unparse(&syn::parse2(tokens).expect("generated code is Rust"))
}

fn signature(item: TokenStream) -> String {
    formatted(expand::derive(&syn::parse2(item).expect("an item")))
}

fn value(item: TokenStream) -> String {
    formatted(expand_value::derive(&syn::parse2(item).expect("an item")))
}

#[test]
fn a_small_signature() {
    let code = signature(quote! {
        /// Answer the question.
        struct QA {
            /// What is asked.
            #[input]
            question: String,
            #[output]
            answer: String,
        }
    });
    expect_file!["../snapshots/small.rs"].assert_eq(&code);
}

#[test]
fn a_large_signature() {
    let code = signature(quote! {
        /// Sort the support ticket.
        ///
        /// Be quick.
        #[signature(format = "json", rename_all = "camelCase", output(derive(serde::Serialize)))]
        pub struct Triage {
            /// The customer's words.
            #[input(len = 1..=2000)]
            ticket: String,
            #[input(format_with = render)]
            history: Vec<Message>,
            /// How soon someone must look at it.
            #[output]
            urgency: Urgency,
            #[output(unique, len = ..=5, default)]
            tags: Vec<String>,
            #[output(min = 0.0, max = 1.0)]
            confidence: f64,
            #[output(rename = "owner", regex = "[a-z]+(-[0-9])?")]
            assigned_to: Option<String>,
            #[output(with = seconds)]
            due_in: std::time::Duration,
            #[output(one_of = ["en", "de"], default = "en")]
            language: String,
        }
    });
    expect_file!["../snapshots/large.rs"].assert_eq(&code);
}

#[test]
fn an_odd_signature() {
    let code = signature(quote! {
        #[signature(crate = "renamed::path", instruction = "", vis = "pub(crate)", input(bare))]
        struct r#Extract<T: Clone, const N: usize>
        where
            T: Ord,
        {
            #[output]
            r#type: [T; N],
        }
    });
    assert!(
        !code.contains("candle_signature"),
        "only the crate's given path is used"
    );
    expect_file!["../snapshots/odd.rs"].assert_eq(&code);
}

#[test]
fn values() {
    let code = value(quote! {
        /// How soon.
        #[value(rename_all = "kebab-case")]
        enum Urgency {
            Low,
            /// Now.
            #[value(alias = "burning")]
            OnFire,
        }
    });
    expect_file!["../snapshots/unit_enum.rs"].assert_eq(&code);
    let code = value(quote! {
        #[value(tag = "kind")]
        enum Shape {
            Nothing,
            Named(String),
            Circle {
                #[value(min = 0.0)]
                radius: f64,
                #[value(skip)]
                cache: Cache,
            },
        }
    });
    expect_file!["../snapshots/data_enum.rs"].assert_eq(&code);
    let code = value(quote! {
        struct Person {
            name: String,
            #[value(default = 18)]
            age: u8,
            boss: Option<Box<Person>>,
        }
    });
    expect_file!["../snapshots/struct.rs"].assert_eq(&code);
    let code = value(quote!(
        struct Score(u8);
    ));
    expect_file!["../snapshots/newtype.rs"].assert_eq(&code);
}

#[test]
fn a_tool() {
    let code = formatted(tool::expand(
        quote!(),
        quote! {
            /// Search the encyclopedia.
            async fn search(
                /// What for.
                query: &str,
                #[arg(default = 3)] limit: u8,
            ) -> Result<Vec<String>, Unreachable> {
                find(query, limit).await
            }
        },
    ));
    expect_file!["../snapshots/tool.rs"].assert_eq(&code);
}

#[test]
fn a_broken_signature_still_has_its_types() {
    let code = signature(quote! {
        struct QA {
            #[input]
            question: String,
            #[ouput]
            answer: Mood,
        }
    });
    expect_file!["../snapshots/fallback.rs"].assert_eq(&code);
}

/// Lines beside the table, of which the two structs with their docs take 20 and the calls with theirs 33.
#[test]
fn a_signature_costs_few_lines() {
    let fields = (0..6).map(|at| {
        let (ident, role) = (
            quote::format_ident!("field_{at}"),
            if at < 3 {
                quote!(input)
            } else {
                quote!(output)
            },
        );
        quote!(#[#role] #ident: String)
    });
    let code = signature(quote! {
        /// Six fields.
        struct Six { #(#fields),* }
    });
    expect_file!["../snapshots/six.rs"].assert_eq(&code);
    let total = code.lines().count();
    // A row of the table is a call of five arguments, which prettyplease gives a line each.
    let table = code.matches("FieldSpec::new(").count() * 7;
    println!("expanded lines of a signature of 6 fields: {total}, of these {table} for the table");
    assert!(
        total - table <= 127,
        "{total} lines, {table} of them for the table"
    );
}

//! What the macros say of mistakes, read from the `compile_error!` in the code they write. `ui-tests/cases` has those that users make
//! most, as they see them, with the place; here are the words alone, of the others too.

mod checks;
mod examples;
mod keys;
mod tools;

use proc_macro2::{Group, TokenStream, TokenTree};
use quote::quote;

use crate::{expand, expand_value};

/// The messages within the code, in order.
fn said(code: TokenStream) -> Vec<String> {
    let mut messages = Vec::new();
    let mut is_error = false;
    for token in code {
        match token {
            TokenTree::Ident(name) => is_error = name == "compile_error",
            TokenTree::Group(group) if is_error => {
                messages.push(text(&group));
                is_error = false;
            }
            TokenTree::Group(group) => messages.extend(said(group.stream())),
            _ => {}
        }
    }
    messages
}

fn text(group: &Group) -> String {
    let text: syn::LitStr = syn::parse2(group.stream()).expect("the message of an error");
    text.value()
}

fn of_signature(item: TokenStream) -> Vec<String> {
    said(expand::derive(&syn::parse2(item).expect("an item")))
}

fn of_value(item: TokenStream) -> Vec<String> {
    said(expand_value::derive(&syn::parse2(item).expect("an item")))
}

/// What is said of a signature whose one field is `x`, an output.
fn of_output(keys: &str, ty: &str) -> Vec<String> {
    let (keys, ty): (TokenStream, TokenStream) = (
        keys.parse().expect("tokens"),
        ty.parse().expect("a type's tokens"),
    );
    of_signature(quote!(struct S { #[output(#keys)] x: #ty }))
}

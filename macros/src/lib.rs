//! Macros of candle-signature: syntax in, code out. Use them by way of the crate `candle-signature`.

mod ast;
mod attr;
mod case;
mod check;
mod constraint;
mod convert;
mod ctxt;
mod entry;
mod example;
mod example_file;
mod expand;
mod expand_field;
mod expand_value;
mod fallback;
mod field;
mod generics;
mod json;
mod krate;
mod literal;
#[cfg(test)]
mod mutation;
mod pattern;
#[cfg(test)]
mod refusals;
mod shape;
#[cfg(test)]
mod snapshots;
mod suggest;
mod tool;
mod untyped;
mod usual;
mod valid;
mod value;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Makes a struct of `#[input]` and `#[output]` fields a typed signature, as `candle_signature::CandleSignature` documents.
// The odd words are slips of the hand for `input` and `output`: known here, they get one message that
// says so instead of rustc's "cannot find attribute" beside it.
#[proc_macro_derive(
    CandleSignature,
    attributes(
        signature, input, output, value, inputs, outputs, imput, inptu, inpt, intput, ouput,
        outptu, ouptut, outpt, outut, out
    )
)]
pub fn derive_signature(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    expand::derive(&input).into()
}

/// Makes a struct or an enum a type that a field can have, as `candle_signature::CandleValue` documents.
#[proc_macro_derive(CandleValue, attributes(value, signature, input, output))]
pub fn derive_value(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    expand_value::derive(&input).into()
}

/// Makes a function a tool, as `candle_signature::candle_tool` documents.
#[proc_macro_attribute]
pub fn candle_tool(attrs: TokenStream, item: TokenStream) -> TokenStream {
    tool::expand(attrs.into(), item.into()).into()
}

/// What `candle_signature::example!` hands its tokens to, with the crate's path in front.
#[proc_macro]
#[doc(hidden)]
pub fn example(input: TokenStream) -> TokenStream {
    entry::one_example(input.into()).into()
}

/// What `candle_signature::examples!` hands its tokens to.
#[proc_macro]
#[doc(hidden)]
pub fn examples(input: TokenStream) -> TokenStream {
    entry::many_examples(input.into()).into()
}

/// What `candle_signature::example_file!` hands its tokens to.
#[proc_macro]
#[doc(hidden)]
pub fn example_file(input: TokenStream) -> TokenStream {
    entry::file_of_examples(input.into()).into()
}

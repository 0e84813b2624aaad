//! Entry of the function-like macros: takes the crate's path off the front of the tokens.

use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{LitStr, Path, Token, braced, bracketed, token};

use crate::krate::private_of;
use crate::{example, example_file, untyped};

/// Parses `[path] rest`, the rest by `parse`.
fn with_crate(
    tokens: TokenStream,
    parse: impl FnOnce(&Path, ParseStream) -> syn::Result<TokenStream>,
) -> TokenStream {
    let parser = |input: ParseStream| {
        let krate;
        bracketed!(krate in input);
        let krate = krate.call(Path::parse_mod_style)?;
        parse(&private_of(&krate), input)
    };
    parser
        .parse2(tokens)
        .unwrap_or_else(syn::Error::into_compile_error)
}

/// `example!`.
pub(crate) fn one_example(tokens: TokenStream) -> TokenStream {
    with_crate(tokens, one)
}

/// A typed example if a path opens it, else an untyped one.
fn one(private: &Path, input: ParseStream) -> syn::Result<TokenStream> {
    let is_path =
        (input.peek(syn::Ident::peek_any) || input.peek(Token![::]) || input.peek(Token![<]))
            && (input.peek2(Token![::]) || !input.peek2(Token![:]));
    if is_path {
        Ok(example::expand(private, &input.parse()?))
    } else {
        Ok(untyped::expand(private, input))
    }
}

/// `examples!`.
pub(crate) fn many_examples(tokens: TokenStream) -> TokenStream {
    with_crate(tokens, |private, input| {
        let mut all = Vec::new();
        while !input.is_empty() {
            if input.peek(token::Brace) {
                let body;
                braced!(body in input);
                all.push(untyped::expand(private, &body));
            } else if input.peek(LitStr) {
                return Err(input.error(
                    "an untyped example stands in braces: `{ \"question\": \"input\" => ... }`",
                ));
            } else {
                all.push(example::expand(private, &input.parse()?));
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(quote!(#private::list([#(#all),*])))
    })
}

/// `example_file!`.
pub(crate) fn file_of_examples(tokens: TokenStream) -> TokenStream {
    with_crate(tokens, |private, input| {
        Ok(example_file::expand(private, &input.parse()?))
    })
}

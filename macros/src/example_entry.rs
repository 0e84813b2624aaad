//! Entry of the function-like macros: takes the crate's path off the front of the tokens.

use proc_macro2::TokenStream;
use syn::parse::{Parse, ParseStream, Parser};
use syn::{Path, bracketed};

use crate::example;

/// `[path] tokens`.
fn with_crate<T: Parse>(tokens: TokenStream) -> syn::Result<(Path, T)> {
    let parse = |input: ParseStream| {
        let krate;
        bracketed!(krate in input);
        Ok((krate.call(Path::parse_mod_style)?, input.parse()?))
    };
    parse.parse2(tokens)
}

/// `example!`.
pub(crate) fn expand(tokens: TokenStream) -> TokenStream {
    match with_crate(tokens) {
        Ok((krate, typed)) => example::expand(&krate, &typed),
        Err(error) => error.to_compile_error(),
    }
}

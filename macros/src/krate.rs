//! The path of what generated code calls, and how it is made short.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{Path, parse_quote};

/// Where the crate is unless `crate = "..."` says otherwise.
pub(crate) fn default() -> Path {
    parse_quote!(::candle_signature)
}

/// The name of the runtime's private module within [`scope`].
pub(crate) fn alias() -> Path {
    parse_quote!(__candle)
}

/// Items in a scope of their own, in which [`alias`] is the private module of the crate at `path`.
pub(crate) fn scope(path: &Path, items: TokenStream) -> TokenStream {
    let alias = alias();
    // The lint `unused_qualifications` speaks up where a user has imported what generated code spells out, the other
    // where a field is not named as Rust does, which the struct itself may allow.
    quote! {
        #[allow(unused_qualifications, non_snake_case)]
        const _: () = {
            use #path::__private as #alias;
            #items
        };
    }
}

/// What a function-like macro calls, which has no scope of its own.
pub(crate) fn private_of(path: &Path) -> Path {
    parse_quote!(#path::__private)
}

/// The private module's path, reported at `span`: an error in a call is shown where its first token is said to be.
pub(crate) fn private_at(private: &Path, span: Span) -> TokenStream {
    private
        .into_token_stream()
        .into_iter()
        .map(|mut token: TokenTree| {
            // `$crate` is found by where it was written; any other path is the same everywhere.
            let is_dollar_crate = token.to_string() == "$crate";
            token.set_span(if is_dollar_crate {
                span.resolved_at(token.span())
            } else {
                span
            });
            token
        })
        .collect()
}

//! The path of the runtime crate in generated code.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{Path, parse_quote};

/// Where the crate is unless `crate = "..."` says otherwise.
pub(crate) fn default() -> Path {
    parse_quote!(::candle_signature)
}

/// The path of what generated code calls.
pub(crate) fn private(krate: &Path) -> TokenStream {
    quote!(#krate::__private)
}

/// The same, reported at `span`: an error in a call is shown where its first token is said to be.
pub(crate) fn private_at(krate: &Path, span: Span) -> TokenStream {
    private(krate)
        .into_token_stream()
        .into_iter()
        .map(|mut token: TokenTree| {
            // `$crate` is found by where it was written; a path that begins with `::` is the same everywhere.
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

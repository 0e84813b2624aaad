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
/// Names resolve as before, which `$crate` needs.
pub(crate) fn private_at(krate: &Path, span: Span) -> TokenStream {
    private(krate)
        .into_token_stream()
        .into_iter()
        .map(|mut token: TokenTree| {
            token.set_span(span.resolved_at(token.span()));
            token
        })
        .collect()
}

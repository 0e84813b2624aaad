//! The path of the runtime crate in generated code.

use syn::{Path, parse_quote};

/// Where the crate is unless `crate = "..."` says otherwise.
pub(crate) fn default() -> Path {
    parse_quote!(::candle_signature)
}

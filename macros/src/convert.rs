//! Literals as typed values: `"..."` becomes whatever text type is wanted, `[..]` whatever sequence.
//!
//! Only the spelling decides, so that everything else meets rustc's own checks at the user's tokens.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, ExprLit, Lit, Path};

use crate::krate::private_at;

/// The expression with its literals wrapped in conversions of the runtime.
pub(crate) fn convert(private: &Path, expr: &Expr) -> TokenStream {
    let each = |items: &syn::punctuated::Punctuated<Expr, syn::Token![,]>| -> Vec<TokenStream> {
        items.iter().map(|item| convert(private, item)).collect()
    };
    let span = expr.span();
    match expr {
        Expr::Lit(ExprLit {
            lit: Lit::Str(_), ..
        }) => {
            let private = private_at(private, span);
            quote_spanned!(span=> #private::text(#expr))
        }
        Expr::Array(array) => {
            let items = each(&array.elems);
            let list = quote_spanned!(span=> [#(#items),*]);
            let private = private_at(private, span);
            quote_spanned!(span=> #private::items(#list))
        }
        Expr::Tuple(tuple) if !tuple.elems.is_empty() => {
            let items = each(&tuple.elems);
            quote_spanned!(span=> (#(#items,)*))
        }
        Expr::Paren(inner) => convert(private, &inner.expr),
        Expr::Group(inner) => convert(private, &inner.expr),
        Expr::Struct(literal) if literal.qself.is_none() => {
            let (path, rest) = (&literal.path, &literal.rest);
            let dots = &literal.dot2_token;
            let fields = literal.fields.iter().map(|field| {
                let member = &field.member;
                let value = convert(private, &field.expr);
                quote!(#member: #value)
            });
            quote!(#path { #(#fields,)* #dots #rest })
        }
        // `Some("x")`, `Shape::Named("x")`: a constructor, going by its capital letter.
        Expr::Call(call) if is_constructor(&call.func) => {
            let (func, args) = (&call.func, each(&call.args));
            quote_spanned!(span=> #func(#(#args),*))
        }
        other => quote!(#other),
    }
}

fn is_constructor(func: &Expr) -> bool {
    let Expr::Path(path) = func else { return false };
    path.path.segments.last().is_some_and(|last| {
        last.ident
            .to_string()
            .chars()
            .next()
            .is_some_and(char::is_uppercase)
    })
}

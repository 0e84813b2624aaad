//! Literals as data for the checks of the runtime: of source code, and of JSON.

use proc_macro2::{Literal, TokenStream};
use quote::quote;
use syn::{Expr, ExprLit, Lit, Path};

use crate::constraint::{NumberValue, number_of};
use crate::json::{Entry, Json, Number};

/// The literal that an expression is; `None` if it is none.
pub(crate) fn of_expr(private: &Path, expr: &Expr) -> Option<TokenStream> {
    let literal = quote!(#private::check::Literal);
    match expr {
        Expr::Lit(ExprLit {
            lit: Lit::Str(text),
            ..
        }) => Some(quote!(#literal::Text(#text))),
        Expr::Lit(ExprLit {
            lit: Lit::Bool(flag),
            ..
        }) => Some(quote!(#literal::Bool(#flag))),
        Expr::Array(array) => {
            let items = array
                .elems
                .iter()
                .map(|item| of_expr(private, item).unwrap_or_else(|| quote!(#literal::Unknown)));
            // Where they stand, rustc says.
            Some(quote!(#literal::List(&[#((0, #items)),*])))
        }
        Expr::Paren(inner) => of_expr(private, &inner.expr),
        Expr::Group(inner) => of_expr(private, &inner.expr),
        Expr::Call(call) => match (&*call.func, call.args.len()) {
            (Expr::Path(func), 1) if func.path.is_ident("Some") => {
                of_expr(private, call.args.first()?)
            }
            _ => None,
        },
        other => Some(number(private, number_of(other)?.value)),
    }
}

fn number(private: &Path, value: NumberValue) -> TokenStream {
    let literal = quote!(#private::check::Literal);
    match value {
        NumberValue::Int(n) => {
            let n = Literal::i128_unsuffixed(n);
            quote!(#literal::Int(#n))
        }
        NumberValue::UInt(n) => {
            let n = Literal::u128_unsuffixed(n);
            quote!(#literal::UInt(#n))
        }
        NumberValue::Float(x) => {
            let x = Literal::f64_unsuffixed(x);
            quote!(#literal::Float(#x))
        }
    }
}

/// A JSON value as data.
pub(crate) fn of_json(private: &Path, json: &Json) -> TokenStream {
    let literal = quote!(#private::check::Literal);
    match json {
        Json::Null => quote!(#literal::Null),
        Json::Bool(flag) => quote!(#literal::Bool(#flag)),
        Json::Number(value) => {
            let value = match *value {
                Number::Int(n) => NumberValue::Int(n),
                Number::UInt(n) => NumberValue::UInt(n),
                Number::Float(x) => NumberValue::Float(x),
            };
            number(private, value)
        }
        Json::String(text) => quote!(#literal::Text(#text)),
        Json::List(items) => {
            let items = items.iter().map(|(line, item)| {
                let (line, item) = (Literal::usize_unsuffixed(*line), of_json(private, item));
                quote!((#line, #item))
            });
            quote!(#literal::List(&[#(#items),*]))
        }
        Json::Map(entries) => {
            let entries = entries.iter().map(|entry| entry_of_json(private, entry));
            quote!(#literal::Map(&[#(#entries),*]))
        }
    }
}

/// An entry of a map, with its line.
pub(crate) fn entry_of_json(private: &Path, entry: &Entry) -> TokenStream {
    let line = Literal::usize_unsuffixed(entry.line);
    let (name, value) = (&entry.key, of_json(private, &entry.value));
    quote!(#private::check::Entry { line: #line, name: #name, value: #value })
}

//! `example!(Signature { field: value, .. })`: a typed demonstration, checked by rustc at the user's own tokens.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned;
use syn::{Expr, Ident, Path, Token, braced};

use crate::convert::convert;
use crate::ctxt::Ctxt;
use crate::krate::private_at;
use crate::literal;

/// `Signature { field: value, .. }`.
pub(crate) struct Typed {
    path: Path,
    fields: Vec<(Ident, Expr)>,
    /// `..`: fields are left out.
    partial: Option<Token![..]>,
}

impl Parse for Typed {
    fn parse(input: ParseStream) -> syn::Result<Self> {
        let path: Path = input.parse()?;
        let body;
        braced!(body in input);
        let mut fields = Vec::new();
        let mut partial = None;
        while !body.is_empty() {
            if body.peek(Token![..]) {
                partial = Some(body.parse()?);
                if !body.is_empty() {
                    return Err(body.error(
                        "`..` stands last and alone: it marks a demo that leaves fields out",
                    ));
                }
                break;
            }
            let name: Ident = body.call(Ident::parse_any)?;
            let value = if body.peek(Token![:]) {
                body.parse::<Token![:]>()?;
                body.parse()?
            } else if body.is_empty() || body.peek(Token![,]) {
                syn::parse_quote!(#name)
            } else {
                return Err(body.error(format!("expected `:` and a value after `{name}`")));
            };
            fields.push((name, value));
            if !body.is_empty() {
                body.parse::<Token![,]>()?;
            }
        }
        Ok(Typed {
            path,
            fields,
            partial,
        })
    }
}

/// The demo, or what is wrong with its form.
pub(crate) fn expand(private: &Path, typed: &Typed) -> TokenStream {
    let cx = Ctxt::new();
    let mut seen: Vec<&Ident> = Vec::new();
    for (name, _) in &typed.fields {
        if seen.contains(&name) {
            cx.error(name, format!("field `{name}` is given twice"));
        }
        seen.push(name);
    }
    if let Err(errors) = cx.check() {
        let errors = errors.to_compile_error();
        let path = &typed.path;
        return quote!({ #errors <#private::Demo<#path>>::from_partial(::core::default::Default::default()) });
    }
    let path = &typed.path;
    let checks = typed
        .fields
        .iter()
        .filter_map(|(name, value)| check(private, path, name, value));
    let demo = match typed.partial {
        None => {
            let fields = typed.fields.iter().map(|(name, value)| {
                let value = convert(private, value);
                quote!(#name: #value)
            });
            {
                let at_path = private_at(private, path.span());
                quote_spanned!(path.span()=> <#path as #at_path::Signature>::into_demo(#path { #(#fields),* }))
            }
        }
        Some(_) => {
            let fields = typed.fields.iter().map(|(name, value)| {
                let (shown, value) = (name.unraw().to_string(), convert(private, value));
                quote_spanned!(name.span()=> .part(#shown, |whole: #path| whole.#name).is(#value).done())
            });
            quote! {
                #[allow(unused_imports)]
                use #private::ForeignPart as _;
                <#private::Demo<#path>>::from_partial(::core::default::Default::default()) #(#fields)*
            }
        }
    };
    quote_spanned!(path.span()=> { #(#checks)* #demo })
}

/// The check of a literal against the field's constraints, made while the program compiles.
fn check(private: &Path, path: &Path, name: &Ident, value: &Expr) -> Option<TokenStream> {
    let literal = literal::of_expr(private, value)?;
    let (name, span) = (name.unraw().to_string(), innermost(value).span());
    let private = private_at(private, span);
    let call = quote_spanned!(span=> #private::check::example_value(&<#path as #private::Signature>::CHECKS, #name, &#literal));
    // An item can't name `Self` or a parameter of the function around it; a const block can, and is evaluated
    // once the function is compiled.
    let is_own = path.is_ident("Self")
        || path
            .segments
            .iter()
            .any(|segment| !segment.arguments.is_empty());
    Some(if is_own {
        quote_spanned!(span=> const { #call };)
    } else {
        quote_spanned!(span=> const _: () = #call;)
    })
}

/// The literal within `Some(..)`.
fn innermost(value: &Expr) -> &Expr {
    match value {
        Expr::Call(call) => call.args.first().map_or(value, innermost),
        other => other,
    }
}

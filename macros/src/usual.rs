//! `Debug`, `Clone` and `PartialEq` of the two halves.
//!
//! Over the standard library's types they are derived. A type of the user's need not have them: then they are
//! implemented for as long as its fields have them, and a missing one is an error only where it is used.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

use crate::ast::{HalfAttrs, Signature};
use crate::expand::half_ident;
use crate::field::{Field, Role};
use crate::shape::is_standard;

/// The `#[derive(...)]` of a half.
pub(crate) fn derives(signature: &Signature, half: Role) -> TokenStream {
    let attrs = half_attrs(signature, half);
    let usual = (!attrs.bare && can_derive(signature, half)).then(|| {
        quote!(
            ::core::fmt::Debug,
            ::core::clone::Clone,
            ::core::cmp::PartialEq,
        )
    });
    let more = &attrs.derives;
    if usual.is_none() && more.is_empty() {
        return TokenStream::new();
    }
    quote!(#[derive(#usual #(#more),*)])
}

fn half_attrs<'s>(signature: &'s Signature, half: Role) -> &'s HalfAttrs {
    match half {
        Role::Input => &signature.attrs.input,
        Role::Output => &signature.attrs.output,
    }
}

/// A derive on a generic struct bounds its parameters already.
fn can_derive(signature: &Signature, half: Role) -> bool {
    let generic = !signature.original.generics.params.is_empty();
    generic || signature.half(half).all(|field| is_standard(field.ty))
}

/// The implementations that take the place of derives.
pub(crate) fn impls(signature: &Signature, half: Role) -> TokenStream {
    if half_attrs(signature, half).bare || can_derive(signature, half) {
        return TokenStream::new();
    }
    let ident = half_ident(signature, half);
    let name = ident.to_string();
    let fields: Vec<_> = signature.half(half).collect();
    let idents: Vec<_> = fields.iter().map(|field| field.ident).collect();
    let names = idents.iter().map(ToString::to_string);
    let [debug, clone, partial_eq] = [
        quote!(::core::fmt::Debug),
        quote!(::core::clone::Clone),
        quote!(::core::cmp::PartialEq),
    ]
    .map(|usual| {
        let bounds = bounds(&fields, &usual);
        quote!(#[automatically_derived] impl #usual for #ident where #bounds)
    });
    quote! {
        #debug {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.debug_struct(#name)#(.field(#names, &self.#idents))*.finish()
            }
        }

        #clone {
            fn clone(&self) -> Self {
                Self { #(#idents: ::core::clone::Clone::clone(&self.#idents),)* }
            }
        }

        #partial_eq {
            fn eq(&self, other: &Self) -> ::core::primitive::bool {
                #(self.#idents == other.#idents)&&*
            }
        }
    }
}

/// Bounds that may be false: with a lifetime of their own they are looked at only where the impl is used
/// (<https://github.com/rust-lang/rust/issues/48214>).
fn bounds(fields: &[&Field], usual: &TokenStream) -> TokenStream {
    let mut types: Vec<String> = Vec::new();
    fields
        .iter()
        .map(|field| field.ty)
        .filter(|ty| !is_standard(ty))
        .filter(|ty| {
            let spelled = ty.to_token_stream().to_string();
            let new = !types.contains(&spelled);
            types.push(spelled);
            new
        })
        .map(|ty| quote!(for<'any> #ty: #usual,))
        .collect()
}

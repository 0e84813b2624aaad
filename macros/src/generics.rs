//! Type and const parameters: which half has which, and what they are bound by.

use proc_macro2::TokenStream;
use quote::quote;
use syn::visit::Visit;
use syn::{GenericParam, Generics, Ident, Path};

use crate::ast::Signature;
use crate::field::Role;

/// The bounds of a generic signature's parameters, on each function: of an argument that breaks them rustc then says
/// which, where bounds on the `impl` would make it say that there is no such function.
pub(crate) fn method_bounds(private: &Path, generics: &Generics) -> TokenStream {
    let params: Vec<_> = generics.type_params().map(|param| &param.ident).collect();
    if params.is_empty() {
        return TokenStream::new();
    }
    quote!(where #(#params: #private::FieldValue + ::core::marker::Send + 'static),*)
}

/// Those parameters and bounds of the signature that the fields of one half mention.
pub(crate) fn half_generics(signature: &Signature, half: Role) -> Generics {
    let all = &signature.original.generics;
    let mut mentioned = Mentioned::default();
    for field in signature.half(half) {
        mentioned.visit_type(field.ty);
    }
    let used = |param: &GenericParam| match param {
        GenericParam::Type(ty) => mentioned.has(&ty.ident),
        GenericParam::Const(constant) => mentioned.has(&constant.ident),
        GenericParam::Lifetime(_) => false,
    };
    let dropped: Vec<_> = all
        .params
        .iter()
        .filter(|param| !used(param))
        .filter_map(|param| match param {
            GenericParam::Type(ty) => Some(&ty.ident),
            GenericParam::Const(constant) => Some(&constant.ident),
            GenericParam::Lifetime(_) => None,
        })
        .collect();
    let mut generics = all.clone();
    generics.params = all
        .params
        .iter()
        .filter(|param| used(param))
        .cloned()
        .collect();
    if generics.params.is_empty() {
        return Generics::default();
    }
    if let Some(clause) = &mut generics.where_clause {
        clause.predicates = clause
            .predicates
            .iter()
            .filter(|predicate| {
                let mut within = Mentioned::default();
                within.visit_where_predicate(predicate);
                !dropped.iter().any(|ident| within.has(ident))
            })
            .cloned()
            .collect();
    }
    generics
}

/// The generics with the bounds that the traits ask of every type parameter.
pub(crate) fn bounded(private: &Path, generics: &Generics) -> Generics {
    let mut generics = generics.clone();
    for param in generics.type_params_mut() {
        param.default = None;
        param.bounds.push(syn::parse_quote!(#private::FieldValue));
        param.bounds.push(syn::parse_quote!(::core::marker::Send));
        param.bounds.push(syn::parse_quote!('static));
    }
    generics
}

/// Identifiers that a piece of syntax mentions.
#[derive(Default)]
struct Mentioned(Vec<Ident>);

impl Mentioned {
    fn has(&self, ident: &Ident) -> bool {
        self.0.contains(ident)
    }
}

impl Visit<'_> for Mentioned {
    fn visit_ident(&mut self, ident: &Ident) {
        self.0.push(ident.clone());
    }
}

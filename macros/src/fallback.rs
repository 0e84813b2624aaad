//! What a broken item still emits, so that its mistakes are the only errors: every use of it elsewhere type-checks.

use proc_macro2::TokenStream;
use quote::quote;

use crate::ast::Signature;
use crate::expand;
use crate::field::Role;
use crate::krate;
use crate::usual;
use crate::valid::is_hopeless;
use crate::value::Value;

/// Halves, traits and calls of a broken signature. None of it ever runs.
pub(crate) fn signature(signature: &Signature) -> TokenStream {
    if signature
        .fields
        .iter()
        .any(|(_, field)| is_hopeless(field.ty))
    {
        return TokenStream::new();
    }
    let private = &krate::alias();
    let ident = &signature.original.ident;
    let halves = [Role::Input, Role::Output].map(|half| definition(signature, half));
    let half_impls = [Role::Input, Role::Output].map(|half| half_impls(signature, half));
    let (impl_generics, ty_generics, where_clause) = signature.original.generics.split_for_impl();
    let [input, output] =
        [Role::Input, Role::Output].map(|half| expand::half_type(signature, half));
    let vis = expand::vis(signature);
    // A type parameter or lifetime need not suit the traits: without the impls its own error stands alone.
    let signature_impl = signature.original.generics.params.is_empty().then(|| {
        quote! {
            impl #private::Signature for #ident {
                type Input = #input;
                type Output = #output;
                fn split(self) -> (Self::Input, Self::Output) {
                    ::core::unreachable!()
                }
            }

            impl #private::CanReason for #ident {}
        }
    });
    let impls = quote! {
        #(#half_impls)*
        #signature_impl

        #[allow(dead_code)]
        impl #impl_generics #ident #ty_generics #where_clause {
            #vis async fn predict<Any: ?::core::marker::Sized>(_: &Any, _: #input) -> #private::Asked<#output> {
                ::core::unreachable!()
            }

            #vis async fn predict_all<Any: ?::core::marker::Sized>(
                _: &Any,
                _: impl ::core::iter::IntoIterator<Item = #input>,
            ) -> #private::Vec<#private::Asked<#output>> {
                ::core::unreachable!()
            }

            #vis fn stream<AnyBackend: ?::core::marker::Sized>(
                _: &AnyBackend,
                _: #input,
            ) -> #private::PredictStream<'_, #output> {
                ::core::unreachable!()
            }

            #vis fn format(_: #input) -> #private::Vec<#private::Message> {
                ::core::unreachable!()
            }

            #vis fn parse(_: &#private::str) -> #private::Parsed<#output> {
                ::core::unreachable!()
            }
        }
    };
    let impls = krate::scope(&signature.attrs.crate_path, impls);
    quote!(#(#halves)* #impls)
}

fn definition(signature: &Signature, half: Role) -> TokenStream {
    if has_lifetime(signature) {
        // The fields may borrow for a lifetime that the half doesn't have.
        let (vis, ident) = (expand::vis(signature), expand::half_ident(signature, half));
        return quote!(#[allow(dead_code)] #vis struct #ident;);
    }
    let definition = expand::half_struct(signature, half);
    quote!(#[allow(dead_code)] #definition)
}

fn half_impls(signature: &Signature, half: Role) -> TokenStream {
    if !signature.original.generics.params.is_empty() {
        return TokenStream::new();
    }
    let private = &krate::alias();
    let (ident, usual_impls) = (
        expand::half_ident(signature, half),
        usual::impls(signature, half),
    );
    quote! {
        #usual_impls

        impl #private::FieldSet for #ident {
            const FIELDS: &'static [#private::FieldSpec] = &[];

            fn from_values(_: #private::FieldValues) -> #private::Result<Self, #private::Vec<#private::ValueError>> {
                ::core::unreachable!()
            }

            fn into_values(self) -> #private::FieldValues {
                ::core::unreachable!()
            }
        }
    }
}

fn has_lifetime(signature: &Signature) -> bool {
    signature.original.generics.lifetimes().next().is_some()
}

/// The trait of a broken field type.
pub(crate) fn value(value: &Value) -> TokenStream {
    let (private, input) = (&krate::alias(), value.original);
    let ident = &input.ident;
    let (impl_generics, ty_generics, where_clause) = input.generics.split_for_impl();
    let value_impl = quote! {
        impl #impl_generics #private::FieldValue for #ident #ty_generics #where_clause {
            const TYPE: &'static #private::FieldType = &#private::FieldType::Json;

            fn from_value(_: #private::Value) -> #private::Result<Self, #private::ValueError> {
                ::core::unreachable!()
            }

            fn into_value(self) -> #private::Value {
                ::core::unreachable!()
            }
        }
    };
    krate::scope(&value.crate_path, value_impl)
}

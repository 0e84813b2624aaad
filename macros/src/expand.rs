//! Code of a signature: its two halves, the spec, and the calls that a user writes.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::ext::IdentExt;
use syn::{DeriveInput, Ident, Visibility};

use crate::ast::{Format, Signature};
use crate::check;
use crate::ctxt::Ctxt;
use crate::expand_field as field_code;
use crate::fallback;
use crate::field::{Field, Role};
use crate::generics::{bounded, half_generics, method_bounds};
use crate::krate;
use crate::pattern::programs;
use crate::usual;
use crate::valid;

/// `#[derive(CandleSignature)]`.
pub(crate) fn derive(input: &DeriveInput) -> TokenStream {
    let cx = Ctxt::new();
    let signature = Signature::read(&cx, input);
    valid::signature(&cx, &signature);
    match cx.check() {
        Ok(()) => expand(&signature),
        Err(errors) => {
            let (errors, fallback) = (errors.to_compile_error(), fallback::signature(&signature));
            quote!(#errors #fallback)
        }
    }
}

/// The names of the generated structs.
pub(crate) fn half_ident(signature: &Signature, half: Role) -> Ident {
    let name = signature.original.ident.unraw();
    match half {
        Role::Input => format_ident!("{name}Input", span = signature.original.ident.span()),
        Role::Output => format_ident!("{name}Output", span = signature.original.ident.span()),
    }
}

fn expand(signature: &Signature) -> TokenStream {
    let halves = [Role::Input, Role::Output];
    let [input, output] = halves.map(|half| half_struct(signature, half));
    let [input_impls, output_impls] = halves.map(|half| half_impls(signature, half));
    let signature_impl = signature_impl(signature);
    let calls = calls(signature);
    let impls = quote!(#input_impls #output_impls #signature_impl #calls);
    let impls = krate::scope(&signature.attrs.crate_path, impls);
    quote!(#input #output #impls)
}

fn half_impls(signature: &Signature, half: Role) -> TokenStream {
    let private = &krate::alias();
    let ident = half_ident(signature, half);
    let fields: Vec<_> = signature.half(half).collect();
    let generics = bounded(private, &half_generics(signature, half));
    let (impl_generics, ty_generics, where_clause) = generics.split_for_impl();
    let specs = fields.iter().map(|field| field_code::spec(private, field));
    let read = field_code::read_all(
        private,
        &quote!(Self),
        &quote!(#private::Reader::of::<Self>(values)),
        &fields,
        "all",
    );
    let written = fields.iter().map(|field| {
        let ident = field.ident;
        field_code::into_value(private, field, &quote!(self.#ident))
    });
    let usual_impls = usual::impls(signature, half);
    quote! {
        #usual_impls

        impl #impl_generics #private::FieldSet for #ident #ty_generics #where_clause {
            const FIELDS: &'static [#private::FieldSpec] = &[#(#specs),*];

            fn from_values(values: #private::FieldValues) -> #private::Read<Self> {
                #read
            }

            fn into_values(self) -> #private::FieldValues {
                let values = [#(#written),*];
                #private::values::<Self>(values)
            }
        }
    }
}

/// The struct of one half; the fallback emits it too.
pub(crate) fn half_struct(signature: &Signature, half: Role) -> TokenStream {
    let vis = vis(signature);
    let ident = half_ident(signature, half);
    let generics = half_generics(signature, half);
    let where_clause = &generics.where_clause;
    let derives = usual::derives(signature, half);
    let name = signature.original.ident.unraw();
    let doc = format!("The {}s of [`{name}`].", half.word());
    let fields = signature.half(half).map(|field| {
        let (ident, ty) = (field.ident, field.ty);
        let docs = field_docs(field, half);
        quote!(#docs #vis #ident: #ty)
    });
    quote! {
        #[doc = #doc]
        #derives
        #vis struct #ident #generics #where_clause {
            #(#fields,)*
        }
    }
}

/// The user's doc comment, or a sentence so that `missing_docs` has nothing to say.
fn field_docs(field: &Field, half: Role) -> TokenStream {
    if !field.docs.is_empty() {
        let docs = &field.docs;
        return quote!(#(#docs)*);
    }
    let text = if field.desc.is_empty() {
        format!("The {} `{}`.", half.word(), field.shown)
    } else {
        field.desc.clone()
    };
    quote!(#[doc = #text])
}

/// The visibility of everything generated: the signature's own, unless told otherwise.
pub(crate) fn vis<'a>(signature: &'a Signature) -> &'a Visibility {
    match &signature.attrs.vis {
        Some((vis, _)) => vis,
        None => &signature.original.vis,
    }
}

fn signature_impl(signature: &Signature) -> TokenStream {
    let private = &krate::alias();
    let ident = &signature.original.ident;
    let (name, instruction) = (ident.unraw().to_string(), &signature.instruction);
    let generics = bounded(private, &signature.original.generics);
    let (impl_generics, ty_generics, where_clause) = generics.split_for_impl();
    let (input, output) = (
        half_type(signature, Role::Input),
        half_type(signature, Role::Output),
    );
    let format = match signature.attrs.format {
        Format::Chat => quote!(),
        Format::Json => {
            quote!(const FORMAT: #private::PromptFormat = #private::PromptFormat::Json;)
        }
    };
    let renamed: Vec<_> = signature
        .fields
        .iter()
        .map(|(_, field)| (field.ident.unraw().to_string(), &field.shown))
        .filter(|(ident, shown)| ident != *shown)
        .map(|(ident, shown)| quote!((#ident, #shown)))
        .collect();
    let renamed = if renamed.is_empty() {
        quote!()
    } else {
        quote!(const RENAMED: &'static [(&'static #private::str, &'static #private::str)] = &[#(#renamed),*];)
    };
    let programs = programs(signature.fields.iter().map(|(_, field)| field));
    let programs = (!programs.is_empty())
        .then(|| quote!(const PROGRAMS: &'static [#private::check::Program] = &[#(#programs),*];));
    let special = special(signature);
    let checks = checks(signature);
    let has_reasoning = signature
        .fields
        .iter()
        .any(|(_, field)| field.shown.eq_ignore_ascii_case("reasoning"));
    let can_reason = (!has_reasoning).then(|| {
        quote! {
            impl #impl_generics #private::CanReason for #ident #ty_generics #where_clause {}
        }
    });
    let split = split(signature);
    quote! {
        impl #impl_generics #private::Signature for #ident #ty_generics #where_clause {
            type Input = #input;
            type Output = #output;
            const NAME: &'static #private::str = #name;
            const INSTRUCTION: &'static #private::str = #instruction;
            #format
            #renamed
            #programs
            #special
            #checks

            #split
        }

        #can_reason
    }
}

/// How fields with `with` and `format_with` are written in a partial demo, which has no half to write them.
fn special(signature: &Signature) -> TokenStream {
    let private = &krate::alias();
    let rows: Vec<_> = signature
        .fields
        .iter()
        .filter(|(_, field)| field.attrs.with.is_some() || field.attrs.format_with.is_some())
        .map(|(_, field)| {
            let (name, ty) = (field.ident.unraw().to_string(), field.ty);
            let value = field_code::into_value(private, field, &quote!(*value));
            quote!((#name, |value| {
                let value = value.downcast::<#ty>().ok()?;
                #private::Some(#value)
            }))
        })
        .collect();
    if rows.is_empty() {
        return TokenStream::new();
    }
    quote! {
        const SPECIAL: &'static [(&'static #private::str, #private::WriteSpecial)] = &[#(#rows),*];
    }
}

/// `fn checks`, where there are any.
fn checks(signature: &Signature) -> TokenStream {
    let private = &krate::alias();
    let all: Vec<_> = signature
        .fields
        .iter()
        .flat_map(|(_, field)| field.attrs.checks.iter().map(move |check| (field, check)))
        .map(|(field, check)| check::code(private, field, check))
        .collect();
    if all.is_empty() {
        return TokenStream::new();
    }
    quote! {
        fn checks() -> #private::Vec<#private::Check<Self::Output>> {
            #private::list([#(#all),*])
        }
    }
}

/// `fn split`.
fn split(signature: &Signature) -> TokenStream {
    let part = |half| {
        let ident = half_ident(signature, half);
        let fields = signature.half(half).map(|field| field.ident);
        quote!(#ident { #(#fields),* })
    };
    let (input, output) = (part(Role::Input), part(Role::Output));
    let fields = signature.fields.iter().map(|(_, field)| field.ident);
    quote! {
        fn split(self) -> (Self::Input, Self::Output) {
            let Self { #(#fields),* } = self;
            let __input = #input;
            let __output = #output;
            (__input, __output)
        }
    }
}

fn calls(signature: &Signature) -> TokenStream {
    let private = &krate::alias();
    let vis = vis(signature);
    let ident = &signature.original.ident;
    let generics = &signature.original.generics;
    let (impl_generics, ty_generics, where_clause) = generics.split_for_impl();
    let bounds = method_bounds(private, generics);
    let (input, output) = (
        half_type(signature, Role::Input),
        half_type(signature, Role::Output),
    );
    // The lint asks for a heading of its own, where half a sentence says as much.
    quote! {
        #[allow(clippy::missing_errors_doc)]
        impl #impl_generics #ident #ty_generics #where_clause {
            /// Asks a backend for the outputs. Fails with its error, or with each field of the reply that can't be read and those that can.
            #vis async fn predict(
                backend: &impl #private::Backend,
                input: #input,
            ) -> #private::Asked<#output> #bounds {
                #private::predict::<Self, _>(backend, input).await
            }

            /// Asks for every input at once; the answers keep their order, and a failure loses no other.
            #vis async fn predict_all(
                backend: &impl #private::Backend,
                inputs: impl ::core::iter::IntoIterator<Item = #input>,
            ) -> #private::Vec<#private::Asked<#output>> #bounds {
                #private::predict_all::<Self, _>(backend, inputs).await
            }

            /// Asks a backend for the outputs, and tells the fields while they are generated.
            #vis fn stream(
                backend: &impl #private::Backend,
                input: #input,
            ) -> #private::PredictStream<'_, #output> #bounds {
                #private::stream::<Self, _>(backend, input)
            }

            /// The messages that [`predict`](Self::predict) sends.
            #[must_use]
            #vis fn format(input: #input) -> #private::Vec<#private::Message> #bounds {
                #private::format::<Self>(input)
            }

            /// The outputs that a reply holds. Fails with each field that is missing or can't be read and those that can.
            #vis fn parse(reply: &#private::str) -> #private::Parsed<#output> #bounds {
                #private::parse::<Self>(reply)
            }
        }
    }
}

/// `NameInput<T>`: the half with the parameters that it uses.
pub(crate) fn half_type(signature: &Signature, half: Role) -> TokenStream {
    let ident = half_ident(signature, half);
    let generics = half_generics(signature, half);
    let (_, ty_generics, _) = generics.split_for_impl();
    quote!(#ident #ty_generics)
}

//! Code of a signature: its two halves, the spec, and the calls that a user writes.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::ext::IdentExt;
use syn::{DeriveInput, Ident, Visibility};

use crate::ast::{Format, Signature};
use crate::constraint::Kind;
use crate::ctxt::Ctxt;
use crate::expand_field as field_code;
use crate::fallback;
use crate::field::{Field, Role};
use crate::generics::{bounded, half_generics, method_bounds};
use crate::krate;
use crate::pattern;
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
        "errors",
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
                #private::values::<Self, _>([#(#written),*])
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
        Format::Json => quote!(.with_format(#private::PromptFormat::Json)),
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
        quote!(const RENAMED: &'static [(&'static ::core::primitive::str, &'static ::core::primitive::str)] = &[#(#renamed),*];)
    };
    let patterns = patterns(signature);
    let special = special(signature);
    let has_reasoning = signature
        .fields
        .iter()
        .any(|(_, field)| field.shown.eq_ignore_ascii_case("reasoning"));
    let can_reason = (!has_reasoning).then(|| {
        quote! {
            #[automatically_derived]
            impl #impl_generics #private::CanReason for #ident #ty_generics #where_clause {}
        }
    });
    let split = split(signature);
    quote! {
        impl #impl_generics #private::Signature for #ident #ty_generics #where_clause {
            type Input = #input;
            type Output = #output;
            const SPEC: &'static #private::SignatureSpec = &#private::SignatureSpec::new(
                #name,
                #instruction,
                <#input as #private::FieldSet>::FIELDS,
                <#output as #private::FieldSet>::FIELDS,
            )#format;
            #renamed
            #patterns
            #special

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
        const SPECIAL: &'static [(&'static ::core::primitive::str, #private::WriteSpecial)] = &[#(#rows),*];
    }
}

/// The programs by which literals are checked against `regex`.
fn patterns(signature: &Signature) -> TokenStream {
    let private = &krate::alias();
    let rows: Vec<_> = signature
        .fields
        .iter()
        .flat_map(|(_, field)| {
            field
                .attrs
                .constraints
                .iter()
                .map(move |constraint| (field, constraint))
        })
        .filter_map(|(field, constraint)| {
            let Kind::Regex(regex) = &constraint.kind else {
                return None;
            };
            let (name, program) = (&field.shown, pattern::program(private, &regex.value())?);
            Some(quote!((#name, #program)))
        })
        .collect();
    if rows.is_empty() {
        return TokenStream::new();
    }
    quote! {
        const PATTERNS: &'static [(&'static ::core::primitive::str, &'static [#private::check::Step])] = &[#(#rows),*];
    }
}

/// `fn split`; the fallback emits it too.
pub(crate) fn split(signature: &Signature) -> TokenStream {
    let part = |half| {
        let ident = half_ident(signature, half);
        let fields = signature.half(half).map(|field| field.ident);
        quote!(#ident { #(#fields: self.#fields,)* })
    };
    // A repetition consumes its iterator once; the names are needed twice.
    let (input, output) = (part(Role::Input), part(Role::Output));
    quote! {
        fn split(self) -> (Self::Input, Self::Output) {
            (#input, #output)
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
    quote! {
        impl #impl_generics #ident #ty_generics #where_clause {
            /// Asks a backend for the outputs.
            ///
            /// # Errors
            /// What the backend reports, or which fields of the reply could not be read, with those that could.
            #vis async fn predict<AnyBackend: #private::Backend + ?::core::marker::Sized>(
                backend: &AnyBackend,
                input: #input,
            ) -> #private::Asked<#output> #bounds {
                #private::predict::<Self, AnyBackend>(backend, input).await
            }

            /// Asks for every input at once; the answers keep their order, and a failure loses no other.
            #vis async fn predict_all<AnyBackend: #private::Backend + ?::core::marker::Sized>(
                backend: &AnyBackend,
                inputs: impl ::core::iter::IntoIterator<Item = #input>,
            ) -> #private::Vec<#private::Asked<#output>> #bounds {
                #private::predict_all::<Self, AnyBackend>(backend, inputs).await
            }

            /// Asks a backend for the outputs, and tells the fields while they are generated.
            #vis fn stream<AnyBackend: #private::Backend + ?::core::marker::Sized>(
                backend: &AnyBackend,
                input: #input,
            ) -> #private::PredictStream<'_, #output> #bounds {
                #private::stream::<Self, AnyBackend>(backend, input)
            }

            /// The messages that [`predict`](Self::predict) sends.
            #[must_use]
            #vis fn format(input: #input) -> #private::Vec<#private::Message> #bounds {
                #private::format::<Self>(input)
            }

            /// The outputs that a reply holds.
            ///
            /// # Errors
            /// Every field that is missing or can't be read, with those that can.
            #vis fn parse(completion: &::core::primitive::str) -> #private::Result<#output, #private::ParseError> #bounds {
                #private::parse::<Self>(completion)
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

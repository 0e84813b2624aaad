//! Code of a field type of the user's own: its type as data, and the way from and to untyped values.

use proc_macro2::{Literal, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{DeriveInput, Type};

use crate::ctxt::Ctxt;
use crate::expand::bounded;
use crate::expand_field::{self as field_code, read_all, table};
use crate::fallback;
use crate::field::Field;
use crate::value::{Body, Payload, Value, Variant};

/// `#[derive(CandleValue)]`.
pub(crate) fn derive(input: &DeriveInput) -> TokenStream {
    let cx = Ctxt::new();
    let value = Value::read(&cx, input);
    match cx.check() {
        Ok(()) => expand(&value),
        Err(errors) => {
            let (errors, fallback) = (errors.to_compile_error(), fallback::value(&value));
            quote!(#errors #fallback)
        }
    }
}

fn expand(value: &Value) -> TokenStream {
    let private = private(value);
    let ident = &value.original.ident;
    let generics = bounded(&value.krate, &value.original.generics);
    let (impl_generics, ty_generics, where_clause) = generics.split_for_impl();
    let (ty, from, into) = match &value.body {
        Body::Struct(fields) => structure(value, fields),
        Body::Newtype(inner) => newtype(value, inner),
        Body::Enum(variants) => enumeration(value, variants),
        Body::Broken => return TokenStream::new(),
    };
    quote! {
        #[automatically_derived]
        impl #impl_generics #private::FieldValue for #ident #ty_generics #where_clause {
            const TYPE: &'static #private::FieldType = #ty;

            fn from_value(value: #private::Value) -> #private::Result<Self, #private::ValueError> {
                #from
            }

            fn into_value(self) -> #private::Value {
                #into
            }
        }
    }
}

fn private(value: &Value) -> TokenStream {
    let krate = &value.krate;
    quote!(#krate::__private)
}

/// `TYPE` of the type being derived.
fn own_type(value: &Value) -> TokenStream {
    let private = private(value);
    quote!(<Self as #private::FieldValue>::TYPE)
}

fn shown<'f, 'a>(fields: &'f [Field<'a>]) -> impl Iterator<Item = &'f Field<'a>> {
    fields.iter().filter(|field| field.is_shown())
}

fn structure(value: &Value, fields: &[Field]) -> (TokenStream, TokenStream, TokenStream) {
    let (private, krate, own) = (private(value), &value.krate, own_type(value));
    let (name, desc) = (&value.shown, &value.desc);
    let specs = table(shown(fields).map(|field| field_code::spec(krate, field)));
    let ty = quote!(&#private::FieldType::Struct(#private::StructSpec::new(#name, #desc, #specs)));
    let all: Vec<_> = fields.iter().collect();
    let rows = quote!(#private::struct_fields(#own));
    let from = read_all(
        krate,
        &quote!(Self),
        &rows,
        &quote!(#private::struct_values(value)?),
        &all,
        "error",
    );
    let written = shown(fields).map(|field| {
        let ident = field.ident;
        field_code::into_value(krate, field, &quote!(self.#ident))
    });
    let into = quote!(#private::struct_value(#own, [#(#written),*]));
    (ty, from, into)
}

fn newtype(value: &Value, inner: &Type) -> (TokenStream, TokenStream, TokenStream) {
    let private = private(value);
    let as_value = quote_spanned!(inner.span()=> <#inner as #private::FieldValue>);
    (
        quote!(#as_value::TYPE),
        quote!(#as_value::from_value(value).map(Self)),
        quote!(#as_value::into_value(self.0)),
    )
}

fn enumeration(value: &Value, variants: &[Variant]) -> (TokenStream, TokenStream, TokenStream) {
    let (private, own) = (private(value), own_type(value));
    let (name, desc, tag) = (&value.shown, &value.desc, &value.tag);
    let specs = table(variants.iter().map(|variant| variant_spec(value, variant)));
    let ty =
        quote!(&#private::FieldType::Enum(#private::EnumSpec::new(#name, #desc, #tag, #specs)));
    if variants
        .iter()
        .all(|variant| matches!(variant.payload, Payload::Unit))
    {
        let arms = arms(variants, |variant| {
            let ident = variant.ident;
            quote!(Self::#ident)
        });
        let from = quote! {
            #private::Ok(match #private::unit_variant(#own, &value)? { #(#arms)* })
        };
        let names = variants.iter().map(|variant| {
            let (ident, name) = (variant.ident, &variant.shown);
            quote!(Self::#ident => #name,)
        });
        return (
            ty,
            from,
            quote!(#private::unit_value(match self { #(#names)* })),
        );
    }
    let arms = arms(variants, |variant| read_variant(value, variant));
    let from = quote! {
        let (at, values) = #private::variant(#own, value)?;
        match at { #(#arms)* }
    };
    let writes = variants
        .iter()
        .enumerate()
        .map(|(at, variant)| write_variant(value, at, variant));
    (ty, from, quote!(match self { #(#writes)* }))
}

/// `0 => .., 1 => .., _ => ..`: the last is the one left.
fn arms<'v>(
    variants: &'v [Variant<'v>],
    body: impl Fn(&Variant) -> TokenStream,
) -> impl Iterator<Item = TokenStream> {
    let last = variants.len().saturating_sub(1);
    variants.iter().enumerate().map(move |(at, variant)| {
        let body = body(variant);
        if at == last {
            quote!(_ => #body,)
        } else {
            let at = Literal::usize_unsuffixed(at);
            quote!(#at => #body,)
        }
    })
}

fn variant_spec(value: &Value, variant: &Variant) -> TokenStream {
    let (private, krate) = (private(value), &value.krate);
    let (name, desc, aliases) = (&variant.shown, &variant.desc, &variant.aliases);
    let payload = match &variant.payload {
        Payload::Unit => quote!(#private::Payload::Unit),
        Payload::Value(ty) => quote!(#private::Payload::Value(#private::TypeRef::of::<#ty>())),
        Payload::Fields(fields) => {
            let specs = table(shown(fields).map(|field| field_code::spec(krate, field)));
            quote!(#private::Payload::Fields(#private::Cow::Borrowed(#specs)))
        }
    };
    let aliases = table(
        aliases
            .iter()
            .map(|alias| quote!(#private::Cow::Borrowed(#alias))),
    );
    quote!(#private::VariantSpec::new(#name, #desc, #aliases, #payload))
}

fn read_variant(value: &Value, variant: &Variant) -> TokenStream {
    let (private, krate, own, ident) =
        (private(value), &value.krate, own_type(value), variant.ident);
    match &variant.payload {
        Payload::Unit => quote!(#private::Ok(Self::#ident)),
        Payload::Value(ty) => {
            let from = quote_spanned!(ty.span()=> <#ty as #private::FieldValue>::from_value);
            quote!(#private::payload(values, #from).map(Self::#ident))
        }
        Payload::Fields(fields) => {
            let all: Vec<_> = fields.iter().collect();
            let rows = quote!(#private::variant_fields(#own, at));
            let read = read_all(
                krate,
                &quote!(Self::#ident),
                &rows,
                &quote!(values),
                &all,
                "error",
            );
            quote!({ #read })
        }
    }
}

fn write_variant(value: &Value, at: usize, variant: &Variant) -> TokenStream {
    let (private, krate, own, ident) =
        (private(value), &value.krate, own_type(value), variant.ident);
    let at = Literal::usize_unsuffixed(at);
    match &variant.payload {
        Payload::Unit => quote!(Self::#ident => #private::variant_value(#own, #at, []),),
        Payload::Value(ty) => {
            let into = quote_spanned!(ty.span()=> <#ty as #private::FieldValue>::into_value);
            quote!(Self::#ident(value) => #private::variant_value(#own, #at, [#into(value)]),)
        }
        Payload::Fields(fields) => {
            let locals: Vec<_> = (0..fields.len()).map(|at| format_ident!("f{at}")).collect();
            let patterns = fields.iter().zip(&locals).map(|(field, local)| {
                let ident = field.ident;
                if field.is_shown() {
                    quote!(#ident: #local)
                } else {
                    quote!(#ident: _)
                }
            });
            let written = fields
                .iter()
                .zip(&locals)
                .filter(|(field, _)| field.is_shown())
                .map(|(field, local)| field_code::into_value(krate, field, &quote!(#local)));
            quote!(Self::#ident { #(#patterns),* } => #private::variant_value(#own, #at, [#(#written),*]),)
        }
    }
}

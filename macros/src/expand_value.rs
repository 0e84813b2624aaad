//! Code of a field type of the user's own: its type as data, and the way from and to untyped values.

use proc_macro2::{Literal, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::{DeriveInput, Type};

use crate::ctxt::Ctxt;
use crate::expand_field::{self as field_code, as_field_value, read_all, table};
use crate::fallback;
use crate::field::Field;
use crate::generics::bounded;
use crate::krate::{self, private_at};
use crate::pattern::programs;
use crate::shape::mentions_generic;
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
    let private = &krate::alias();
    let ident = &value.original.ident;
    let generics = bounded(&krate::alias(), &value.original.generics);
    let (impl_generics, ty_generics, where_clause) = generics.split_for_impl();
    let (ty, from, into) = match &value.body {
        Body::Struct(fields) => structure(value, fields),
        Body::Newtype(inner) => newtype(inner),
        Body::Enum(variants) => enumeration(value, variants),
    };
    let (table, consts) = consts(value, &ty);
    let value_impl = quote! {
        #table

        #[automatically_derived]
        impl #impl_generics #private::FieldValue for #ident #ty_generics #where_clause {
            #consts

            fn from_value(value: #private::Value) -> #private::Result<Self, #private::ValueError> {
                #from
            }

            fn into_value(self) -> #private::Value {
                #into
            }
        }
    };
    krate::scope(&value.crate_path, value_impl)
}

/// `TYPE` and `KNOWN`, and the static that both are of: a static may refer to itself, as a type may contain itself.
/// There is no generic static, so a generic type has constants, and its fields' rows leave out what could contain it.
fn consts(value: &Value, ty: &TokenStream) -> (TokenStream, TokenStream) {
    let private = &krate::alias();
    let programs = programs(all_fields(value));
    let inner = match &value.body {
        Body::Newtype(inner) => Some(*inner),
        _ => None,
    };
    if !is_generic(value) {
        let table = match inner {
            Some(inner) => {
                let [ty, known] =
                    ["TYPE", "KNOWN"].map(|item| as_field_value(private, inner, item));
                quote!(#private::Table { ty: #ty, programs: #known.programs() })
            }
            None => quote!(#private::Table { ty: #ty, programs: &[#(#programs),*] }),
        };
        let consts = quote! {
            const TYPE: &'static #private::FieldType = __TABLE.ty;
            const KNOWN: #private::Known = #private::Known::at(&__TABLE);
        };
        return (quote!(static __TABLE: #private::Table = #table;), consts);
    }
    let own = own_type();
    let known = match inner {
        Some(inner) if mentions_generic(inner) => quote!(#private::Known::NOTHING),
        Some(inner) => as_field_value(private, inner, "KNOWN"),
        None => {
            quote!(#private::Known::at(const { &#private::Table::new(#own, &[#(#programs),*]) }))
        }
    };
    let consts = quote! {
        const TYPE: &'static #private::FieldType = #ty;
        const KNOWN: #private::Known = #known;
    };
    (TokenStream::new(), consts)
}

fn is_generic(value: &Value) -> bool {
    !value.original.generics.params.is_empty()
}

fn all_fields<'v>(value: &'v Value) -> impl Iterator<Item = &'v Field<'v>> {
    let (own, variants): (&[Field], &[Variant]) = match &value.body {
        Body::Struct(fields) => (fields, &[]),
        Body::Enum(variants) => (&[], variants),
        Body::Newtype(_) => (&[], &[]),
    };
    let of_variants = variants.iter().flat_map(|variant| match &variant.payload {
        Payload::Fields(fields) => fields.as_slice(),
        _ => &[],
    });
    own.iter().chain(of_variants)
}

/// The row of a field.
fn spec(value: &Value, field: &Field) -> TokenStream {
    let private = &krate::alias();
    if field.attrs.with.is_none() {
        field_code::spec_of(private, field, &type_ref(value, field.ty))
    } else {
        field_code::spec(private, field)
    }
}

fn type_ref(value: &Value, ty: &Type) -> TokenStream {
    let private = &krate::alias();
    if is_generic(value) && mentions_generic(ty) {
        let ty = as_field_value(private, ty, "TYPE");
        quote!(#private::TypeRef::Lazy(|| #ty))
    } else {
        as_field_value(private, ty, "REF")
    }
}

/// `TYPE` of the type being derived.
fn own_type() -> TokenStream {
    let private = &krate::alias();
    quote!(<Self as #private::FieldValue>::TYPE)
}

fn shown<'f, 'a>(fields: &'f [Field<'a>]) -> impl Iterator<Item = &'f Field<'a>> {
    fields.iter().filter(|field| field.is_shown())
}

fn structure(value: &Value, fields: &[Field]) -> (TokenStream, TokenStream, TokenStream) {
    let (private, own) = (&krate::alias(), own_type());
    let (name, desc) = (&value.shown, &value.desc);
    let specs = table(shown(fields).map(|field| spec(value, field)));
    let ty = quote!(&#private::FieldType::Struct(#private::StructSpec::new(#name, #desc, #specs)));
    let all: Vec<_> = fields.iter().collect();
    let reader = quote!(#private::Reader::new(#private::struct_values(value)?, #private::struct_fields(#own)));
    let from = read_all(private, &quote!(Self), &reader, &all, "one");
    let written = shown(fields).map(|field| {
        let ident = field.ident;
        field_code::into_value(private, field, &quote!(self.#ident))
    });
    let into = quote!(#private::struct_value(#own, [#(#written),*]));
    (ty, from, into)
}

fn newtype(inner: &Type) -> (TokenStream, TokenStream, TokenStream) {
    let [ty, from, into] = ["TYPE", "from_value", "into_value"]
        .map(|item| as_field_value(&krate::alias(), inner, item));
    (ty, quote!(#from(value).map(Self)), quote!(#into(self.0)))
}

fn enumeration(value: &Value, variants: &[Variant]) -> (TokenStream, TokenStream, TokenStream) {
    let (private, own) = (&krate::alias(), own_type());
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
    let arms = arms(variants, read_variant);
    let from = quote! {
        let (at, values) = #private::variant(#own, value)?;
        match at { #(#arms)* }
    };
    let writes = variants
        .iter()
        .enumerate()
        .map(|(at, variant)| write_variant(at, variant));
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
    let private = &krate::alias();
    let (name, desc, aliases) = (&variant.shown, &variant.desc, &variant.aliases);
    let payload = match &variant.payload {
        Payload::Unit => quote!(#private::Payload::Unit),
        Payload::Value(ty) => {
            let ty = type_ref(value, ty);
            quote!(#private::Payload::Value(#ty))
        }
        Payload::Fields(fields) => {
            let specs = table(shown(fields).map(|field| spec(value, field)));
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

fn read_variant(variant: &Variant) -> TokenStream {
    let (private, own, ident) = (&krate::alias(), own_type(), variant.ident);
    match &variant.payload {
        Payload::Unit => quote!(#private::Ok(Self::#ident)),
        Payload::Value(ty) => {
            let from = as_field_value(private, ty, "from_value");
            let (first, last) = field_code::ends(ty);
            let at = private_at(private, first);
            let payload = field_code::call_at(
                quote_spanned!(first=> #at::payload),
                last,
                quote!(values, #from),
            );
            quote!(#payload.map(Self::#ident))
        }
        Payload::Fields(fields) => {
            let all: Vec<_> = fields.iter().collect();
            let reader = quote!(#private::Reader::new(values, #private::variant_fields(#own, at)));
            let read = read_all(private, &quote!(Self::#ident), &reader, &all, "one");
            quote!({ #read })
        }
    }
}

fn write_variant(at: usize, variant: &Variant) -> TokenStream {
    let (private, own, ident) = (&krate::alias(), own_type(), variant.ident);
    let at = Literal::usize_unsuffixed(at);
    match &variant.payload {
        Payload::Unit => quote!(Self::#ident => #private::variant_value(#own, #at, []),),
        Payload::Value(ty) => {
            let into = as_field_value(private, ty, "into_value");
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
                .map(|(field, local)| field_code::into_value(private, field, &quote!(#local)));
            quote!(Self::#ident { #(#patterns),* } => #private::variant_value(#own, #at, [#(#written),*]),)
        }
    }
}

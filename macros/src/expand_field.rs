//! Code of one field: its row in the table, and its way from and to an untyped value.

use proc_macro2::{Delimiter, Group, Literal, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Path, Type};

use crate::constraint::{Constraint, Kind, NumberValue};
use crate::convert::convert;
use crate::field::Field;
use crate::krate::private_at;

/// `FieldSpec::new(...)`.
pub(crate) fn spec(private: &Path, field: &Field) -> TokenStream {
    let ty = type_ref(private, field);
    spec_of(private, field, &ty)
}

/// The same with a reference to its type other than the usual one.
pub(crate) fn spec_of(private: &Path, field: &Field, ty: &TokenStream) -> TokenStream {
    let (name, desc, attrs) = (&field.shown, &field.desc, &field.attrs);
    let checked = attrs.with.is_none() && attrs.format_with.is_none();
    let constraints = attrs
        .constraints
        .iter()
        .map(|constraint| constraint_tokens(private, constraint, checked.then_some(field.ty)));
    let default = match &attrs.default {
        None => quote!(#private::None),
        Some(_) => {
            let value = default_value(private, field);
            let value = into_value(private, field, &value);
            quote!(#private::Some(#private::DefaultValue::Lazy(|| #value)))
        }
    };
    let at = attrs
        .constraints
        .first()
        .map_or_else(Span::call_site, |constraint| constraint.key.span());
    let constraints = table_at(at, constraints);
    quote!(#private::FieldSpec::new(#name, #desc, #ty, #constraints, #default))
}

/// `&'static [..]` as the argument of a call: only a constant of its own lets the rows live that long.
pub(crate) fn table(rows: impl Iterator<Item = TokenStream>) -> TokenStream {
    table_at(Span::call_site(), rows)
}

fn table_at(span: Span, rows: impl Iterator<Item = TokenStream>) -> TokenStream {
    let rows: Vec<_> = rows.collect();
    if rows.is_empty() {
        quote!(&[])
    } else {
        quote_spanned!(span=> const { &[#(#rows),*] })
    }
}

fn type_ref(private: &Path, field: &Field) -> TokenStream {
    let ty = field.ty;
    if field.attrs.format_with.is_some() {
        quote!(#private::TypeRef::TEXT)
    } else if let Some(with) = &field.attrs.with {
        let ty = of_module(with, "TYPE");
        quote!(#private::TypeRef::Static(#ty))
    } else {
        as_field_value(private, ty, "REF")
    }
}

/// The typed value of `default` or `default = value`.
pub(crate) fn default_value(private: &Path, field: &Field) -> TokenStream {
    match &field.attrs.default {
        Some((_, Some(value))) => {
            let (ty, value) = (field.ty, convert(private, value));
            quote!({ let value: #ty = #value; value })
        }
        Some((span, None)) => default_of(*span, field.ty),
        None => default_of(field.ty.span(), field.ty),
    }
}

fn default_of(span: Span, ty: &Type) -> TokenStream {
    quote_spanned!(span=> <#ty as ::core::default::Default>::default())
}

/// The function from an untyped value to the field's type.
pub(crate) fn from_value(private: &Path, field: &Field) -> TokenStream {
    match &field.attrs.with {
        Some(with) => of_module(with, "from_value"),
        None => as_field_value(private, field.ty, "from_value"),
    }
}

/// The untyped value of a typed one.
pub(crate) fn into_value(private: &Path, field: &Field, value: &TokenStream) -> TokenStream {
    if let Some(format_with) = &field.attrs.format_with {
        let private = private_at(private, format_with.span());
        let value: TokenStream = value
            .clone()
            .into_iter()
            .map(|mut token| {
                token.set_span(format_with.span());
                token
            })
            .collect();
        return quote_spanned!(format_with.span()=> #private::Value::String(#format_with(&#value)));
    }
    let into = match &field.attrs.with {
        Some(with) => of_module(with, "into_value"),
        None => as_field_value(private, field.ty, "into_value"),
    };
    quote!(#into(#value))
}

/// `module::item`, reported at the module: that is where it is to be added.
fn of_module(module: &Path, item: &str) -> TokenStream {
    let item = syn::Ident::new(item, module.span());
    quote_spanned!(module.span()=> #module::#item)
}

/// `<T as FieldValue>::function`, all at the type's place: that is where a missing impl is to be reported.
pub(crate) fn as_field_value(private: &Path, ty: &Type, function: &str) -> TokenStream {
    let function = syn::Ident::new(function, ty.span());
    let private = private_at(private, ty.span());
    quote_spanned!(ty.span()=> <#ty as #private::FieldValue>::#function)
}

/// A constraint; with a type given, also the check that the constraint suits it.
fn constraint_tokens(private: &Path, constraint: &Constraint, ty: Option<&Type>) -> TokenStream {
    let span = constraint.key.span();
    let at_key = private_at(private, span);
    // For a foreign type (`with = ...`) only its module knows what suits it.
    let (suffix, generics) = match ty {
        Some(ty) => ("_of", quote_spanned!(span=> ::<#ty>)),
        None => ("", quote!()),
    };
    let call = |name: &str| {
        let name = syn::Ident::new(&format!("{name}{suffix}"), span);
        quote_spanned!(span=> #at_key::constraint::#name #generics)
    };
    match &constraint.kind {
        Kind::Min(bound) => {
            let (call, bound) = (call("min"), self::bound(private, bound.value));
            quote_spanned!(span=> #call(#bound))
        }
        Kind::Max(bound) => {
            let (call, bound) = (call("max"), self::bound(private, bound.value));
            quote_spanned!(span=> #call(#bound))
        }
        Kind::Len { min, max } => {
            let call = call("len");
            let max = if *max == usize::MAX {
                quote!(::core::primitive::usize::MAX)
            } else {
                let max = Literal::usize_unsuffixed(*max);
                quote!(#max)
            };
            let min = Literal::usize_unsuffixed(*min);
            quote!(#call(#min, #max))
        }
        Kind::Regex(pattern) => {
            let call = call("regex");
            quote!(#call(#pattern))
        }
        Kind::OneOf(choices) => {
            let call = call("one_of");
            let choices = table(
                choices
                    .iter()
                    .map(|choice| quote!(#at_key::Str::Borrowed(#choice))),
            );
            quote!(#call(#choices))
        }
        Kind::OneLine => {
            let call = call("one_line");
            quote!(#call())
        }
        Kind::Unique => {
            let call = call("unique");
            quote!(#call())
        }
    }
}

fn bound(private: &Path, bound: NumberValue) -> TokenStream {
    match bound {
        NumberValue::Int(n) => {
            let n = Literal::i128_unsuffixed(n);
            quote!(#private::Bound::Int(#n))
        }
        NumberValue::UInt(n) => {
            let n = Literal::u128_unsuffixed(n);
            quote!(#private::Bound::UInt(#n))
        }
        NumberValue::Float(x) => {
            let x = Literal::f64_unsuffixed(x);
            quote!(#private::Bound::Float(#x))
        }
    }
}

/// The body of `from_values`: `constructor { field, .. }` of what `reader` gives, or all its errors (`ending` is
/// `all`) or the first (`one`).
pub(crate) fn read_all(
    private: &Path,
    constructor: &TokenStream,
    reader: &TokenStream,
    fields: &[&Field],
    ending: &str,
) -> TokenStream {
    let ending = quote::format_ident!("{ending}");
    let shown = fields.iter().filter(|field| field.is_shown());
    let locals: Vec<_> = shown
        .clone()
        .enumerate()
        .map(|(at, _)| quote::format_ident!("f{at}"))
        .collect();
    let takes = shown.clone().map(|field| take(private, field));
    let idents = shown.map(|field| field.ident);
    let skipped = fields
        .iter()
        .filter(|field| !field.is_shown())
        .map(|field| {
            let (ident, value) = (field.ident, default_value(private, field));
            quote!(#ident: #value)
        });
    let mutable = (!locals.is_empty()).then(|| quote!(mut));
    quote! {
        let #mutable read = #reader;
        #(let #locals = #takes;)*
        read.#ending(|| #private::Some(#constructor { #(#idents: #locals?,)* #(#skipped,)* }))
    }
}

/// `read.take(from_value)`, reported at the type.
pub(crate) fn take(private: &Path, field: &Field) -> TokenStream {
    let (first, last) = ends(field.ty);
    call_at(
        quote_spanned!(first=> read.take),
        last,
        from_value(private, field),
    )
}

/// `callee(arguments)`, shown to stand where the type stands: from its first token to its last. An error about the
/// type then has one place however often it is found, and rustc shows it once.
pub(crate) fn call_at(callee: TokenStream, last: Span, arguments: TokenStream) -> TokenStream {
    let mut arguments = Group::new(Delimiter::Parenthesis, arguments);
    arguments.set_span(last);
    quote!(#callee #arguments)
}

/// The spans of the first and last token.
pub(crate) fn ends(tokens: &impl ToTokens) -> (Span, Span) {
    let tokens: Vec<_> = tokens.to_token_stream().into_iter().collect();
    let span = |token: Option<&TokenTree>| token.map_or_else(Span::call_site, TokenTree::span);
    (span(tokens.first()), span(tokens.last()))
}

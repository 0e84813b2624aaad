//! `#[candle_tool]`: a function that a program may call for the model. The function stays as it is; beside it
//! stands a unit struct that implements `Tool`.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::{
    Attribute, FnArg, Ident, ItemFn, LitStr, Pat, Path, ReturnType, Safety, Type, parse_quote,
};

use crate::attr::{self, set_once, unknown_key};
use crate::case::Case;
use crate::ctxt::Ctxt;
use crate::expand_field as field_code;
use crate::field::{Field, Place, check_distinct, check_name};
use crate::krate;
use crate::valid::field_type;

/// The keys of `#[candle_tool(...)]`.
#[derive(Default)]
struct ToolAttrs {
    name: Option<LitStr>,
    description: Option<LitStr>,
    krate: Option<Path>,
}

const KEYS: [&str; 3] = ["name", "description", "crate"];

/// One argument of the function: its parts, kept so that a [`Field`] can refer to them.
struct Argument {
    attrs: Vec<Attribute>,
    ident: Ident,
    /// The type that is read: `String` for `&str`.
    ty: Type,
    borrowed: bool,
}

/// The item, and the tool or its mistakes.
pub(crate) fn expand(attrs: TokenStream, item: TokenStream) -> TokenStream {
    match syn::parse2::<ItemFn>(item.clone()) {
        Ok(function) => expand_fn(attrs, function),
        Err(error) => {
            // Of a function, what is wrong with it; of anything else, that it is none.
            let is_fn = item
                .clone()
                .into_iter()
                .any(|token| token.to_string() == "fn");
            let error = if is_fn {
                error
            } else {
                syn::Error::new(Span::call_site(), "`#[candle_tool]` stands on a function")
            };
            let error = error.to_compile_error();
            quote!(#error #item)
        }
    }
}

fn expand_fn(attrs: TokenStream, mut function: ItemFn) -> TokenStream {
    let cx = Ctxt::new();
    let attrs = ToolAttrs::read(&cx, attrs);
    check_form(&cx, &function);
    let arguments = take_arguments(&cx, &mut function);
    let fields: Vec<_> = arguments
        .iter()
        .map(|argument| read_field(&cx, argument))
        .collect();
    for field in &fields {
        field.check(&cx, &format!("argument `{}`", field.ident));
        field_type(&cx, field);
    }
    check_distinct(&cx, &fields);
    let name = attrs
        .name
        .as_ref()
        .map_or_else(|| function.sig.ident.unraw().to_string(), LitStr::value);
    match &attrs.name {
        Some(given) => check_tool_name(&cx, given, &name),
        None => check_tool_name(&cx, &function.sig.ident, &name),
    }
    let crate_path = attrs.krate.unwrap_or_else(krate::default);
    let private = &krate::alias();
    let description = match &attrs.description {
        Some(text) => text.value().trim().to_owned(),
        None => attr::doc_text(&function.attrs),
    };
    let (errors, body) = match cx.check() {
        Ok(()) => (
            None,
            Some(call(private, &function, &name, &arguments, &fields)),
        ),
        Err(errors) => (Some(errors.to_compile_error()), None),
    };
    if function.sig.receiver().is_some() {
        // Within an `impl` no struct could stand beside the function.
        return quote!(#function #errors);
    }
    let tool = tool(&crate_path, &function, &name, &description, &fields, body);
    quote!(#function #errors #tool)
}

impl ToolAttrs {
    fn read(cx: &Ctxt, tokens: TokenStream) -> Self {
        let mut attrs = ToolAttrs::default();
        for entry in attr::list_entries(cx, tokens) {
            match entry.name().as_str() {
                "name" => set_once(cx, &mut attrs.name, &entry, entry.string(cx)),
                "description" => set_once(cx, &mut attrs.description, &entry, entry.string(cx)),
                "crate" => set_once(
                    cx,
                    &mut attrs.krate,
                    &entry,
                    entry.path(cx, "crate = \"path\""),
                ),
                _ => unknown_key(cx, &entry, "#[candle_tool]", &KEYS),
            }
        }
        attrs
    }
}

fn check_form(cx: &Ctxt, function: &ItemFn) {
    let (sig, name) = (&function.sig, &function.sig.ident);
    if !sig.generics.params.is_empty() {
        cx.error(&sig.generics, format!("the tool `{name}` is generic: a model can't choose a type, so give every argument one"));
    }
    if let Safety::Unsafe(keyword) = &sig.safety {
        cx.error(
            keyword,
            format!("the tool `{name}` is unsafe: no one checks what a model passes to it"),
        );
    }
    if let Some(keyword) = &sig.abi {
        cx.error(
            keyword,
            format!("the tool `{name}` is an `extern` function: make it a plain one"),
        );
    }
    if let Some(variadic) = &sig.variadic {
        cx.error(variadic, "a tool has a fixed number of arguments");
    }
    for input in &sig.inputs {
        if let FnArg::Receiver(receiver) = input {
            cx.error(receiver, format!("the tool `{name}` takes `self`: a tool is a free function; implement `Tool` by hand for one with state"));
        }
    }
}

fn check_tool_name(cx: &Ctxt, tokens: &dyn quote::ToTokens, name: &str) {
    check_name(cx, tokens, name, "the tool");
    if name == "finish" {
        cx.error(tokens, "the name `finish` is taken: by it a model ends its tool calls; write `#[candle_tool(name = \"...\")]`");
    } else if name.contains(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-'))
        && !name.trim().is_empty()
    {
        cx.error(
            tokens,
            format!("the tool's name {name:?} may have letters, digits, `_` and `-` only"),
        );
    }
}

/// Takes the attributes and doc comments off the arguments, where rustc would refuse them.
fn take_arguments(cx: &Ctxt, function: &mut ItemFn) -> Vec<Argument> {
    let mut arguments = Vec::new();
    for input in &mut function.sig.inputs {
        let FnArg::Typed(typed) = input else { continue };
        let mine = |attr: &Attribute| attr.path().is_ident("arg") || attr.path().is_ident("doc");
        let attrs: Vec<_> = typed
            .attrs
            .iter()
            .filter(|attr| mine(attr))
            .cloned()
            .collect();
        typed.attrs.retain(|attr| !mine(attr));
        let Pat::Ident(pat) = &*typed.pat else {
            cx.error(
                &typed.pat,
                "an argument of a tool has a name: the model passes arguments by name",
            );
            continue;
        };
        let borrowed = matches!(&*typed.ty, Type::Reference(reference)
            if matches!(&*reference.elem, Type::Path(path) if path.path.is_ident("str")));
        let ty = if borrowed {
            parse_quote!(::std::string::String)
        } else {
            (*typed.ty).clone()
        };
        arguments.push(Argument {
            attrs,
            ident: pat.ident.clone(),
            ty,
            borrowed,
        });
    }
    arguments
}

fn read_field<'a>(cx: &Ctxt, argument: &'a Argument) -> Field<'a> {
    let mut given = argument
        .attrs
        .iter()
        .filter(|attr| attr.path().is_ident("arg"));
    let first = given.next();
    for twice in given {
        cx.error(twice, "`#[arg]` is given twice: put all keys into one list");
    }
    Field::read_argument(
        cx,
        &argument.attrs,
        &argument.ident,
        &argument.ty,
        first,
        Place::Argument,
    )
}

/// `SearchTool` for `search`.
fn tool_ident(function: &ItemFn) -> Ident {
    let name = Case::Pascal.apply(&function.sig.ident.unraw().to_string());
    let name = name
        .strip_suffix("Tool")
        .filter(|rest| !rest.is_empty())
        .unwrap_or(&name);
    format_ident!("{name}Tool", span = function.sig.ident.span())
}

/// The body of `Tool::call`.
fn call(
    private: &Path,
    function: &ItemFn,
    name: &str,
    arguments: &[Argument],
    fields: &[Field],
) -> TokenStream {
    let locals: Vec<_> = (0..fields.len()).map(|at| format_ident!("f{at}")).collect();
    let takes = fields.iter().map(|field| field_code::take(private, field));
    let read = (!fields.is_empty()).then(|| {
        quote! {
            let mut read = #private::Reader::strict(arguments, fields);
            #(let #locals = #takes;)*
            let read = read.all(|| #private::Some((#(#locals?,)*)));
            let (#(#locals,)*) = read.map_err(|errors| #private::tool_arguments(#name, errors))?;
        }
    });
    let passed = arguments.iter().zip(&locals).map(|(argument, local)| {
        if argument.borrowed {
            quote!(&#local)
        } else {
            quote!(#local)
        }
    });
    let wait = function
        .sig
        .asyncness
        .map(|_| quote_spanned!(function.sig.ident.span()=> .await));
    // A result of the wrong type is reported at the type that says so.
    let (first, last) = match &function.sig.output {
        ReturnType::Type(_, ty) => field_code::ends(ty),
        ReturnType::Default => (Span::call_site(), Span::call_site()),
    };
    let at_output = krate::private_at(private, first);
    let mut callee = function.sig.ident.clone();
    callee.set_span(first);
    let called = field_code::call_at(quote!(#callee), last, quote!(#(#passed),*));
    let result = field_code::call_at(
        quote_spanned!(first=> #at_output::tool_result),
        last,
        quote!(#name, #called #wait),
    );
    quote! {
        let fields = self.arguments();
        #private::Box::pin(async move {
            #private::check_arguments(#name, &arguments, fields)?;
            #read
            #result
        })
    }
}

/// The struct and its `Tool`; without a body, as after mistakes, one that never runs.
fn tool(
    crate_path: &Path,
    function: &ItemFn,
    name: &str,
    description: &str,
    fields: &[Field],
    body: Option<TokenStream>,
) -> TokenStream {
    let private = &krate::alias();
    let (vis, ident) = (&function.vis, tool_ident(function));
    let doc = format!(
        "The tool `{name}`: calls [`{}`].",
        function.sig.ident.unraw()
    );
    let specs: Vec<_> = match &body {
        Some(_) => fields
            .iter()
            .map(|field| field_code::spec(private, field))
            .collect(),
        None => Vec::new(),
    };
    let (argument, body) = match body {
        Some(body) => (quote!(arguments), body),
        None => (quote!(_), quote!(::core::unreachable!())),
    };
    let tool_impl = quote! {
        #[automatically_derived]
        impl #private::Tool for #ident {
            fn name(&self) -> &::core::primitive::str {
                #name
            }

            fn description(&self) -> &::core::primitive::str {
                #description
            }

            fn arguments(&self) -> &[#private::FieldSpec] {
                const ARGUMENTS: &[#private::FieldSpec] = &[#(#specs),*];
                ARGUMENTS
            }

            fn call(&self, #argument: #private::FieldValues) -> #private::ToolFuture<'_> {
                #body
            }
        }
    };
    let tool_impl = krate::scope(crate_path, tool_impl);
    quote! {
        #[doc = #doc]
        #[derive(::core::fmt::Debug, ::core::clone::Clone, ::core::marker::Copy)]
        #vis struct #ident;

        #tool_impl
    }
}

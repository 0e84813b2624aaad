//! `example! { "question": "input" => "...", "answer": "output" => "..." }`: the untyped example.

use proc_macro2::{TokenStream, TokenTree};
use quote::quote;
use syn::parse::ParseStream;
use syn::{Expr, LitStr, Path, Token};

use crate::ctxt::Ctxt;
use crate::field::Role;
use crate::suggest;

struct Entry {
    key: LitStr,
    role: Role,
    value: Expr,
}

/// An `Example`, or everything that is wrong with its entries.
pub(crate) fn expand(private: &Path, input: ParseStream) -> TokenStream {
    let cx = Ctxt::new();
    let span = input.span();
    let before = input.is_empty();
    let (entries, complete) = entries(&cx, input);
    let has_output = entries.iter().any(|entry| entry.role == Role::Output);
    if before {
        cx.error_at(
            span,
            "an example needs entries: `\"question\": \"input\" => \"...\"`",
        );
    } else if complete && !has_output {
        cx.error_at(span, "the example has no output: give one as `\"answer\": \"output\" => \"...\"`, or pass the inputs alone as a signature's input");
    }
    if let Err(errors) = cx.check() {
        let errors = errors.to_compile_error();
        return quote!({ #errors <#private::Example as ::core::default::Default>::default() });
    }
    let keys_of = |role| {
        entries
            .iter()
            .filter(move |entry| entry.role == role)
            .map(|entry| &entry.key)
    };
    let (inputs, outputs) = (keys_of(Role::Input), keys_of(Role::Output));
    let data = entries.iter().map(|entry| {
        let (key, value) = (&entry.key, value(private, &entry.value));
        quote!((#key, #value))
    });
    quote!(#private::untyped_example([#(#data),*], &[#(#inputs),*], &[#(#outputs),*]))
}

/// A list is untyped item by item, so that its items may differ.
fn value(private: &Path, expr: &Expr) -> TokenStream {
    match expr {
        Expr::Array(array) => {
            let items = array.elems.iter().map(|item| value(private, item));
            quote!(#private::Value::List(#private::list([#(#items),*])))
        }
        other => quote!(#private::IntoValue::into_untyped(#other)),
    }
}

/// The entries, and whether each of them could be read.
fn entries(cx: &Ctxt, input: ParseStream) -> (Vec<Entry>, bool) {
    let mut entries: Vec<Entry> = Vec::new();
    let mut complete = true;
    while !input.is_empty() {
        match entry(cx, input) {
            Ok(Some(entry)) => {
                let key = entry.key.value();
                if entries.iter().any(|known| known.key.value() == key) {
                    cx.error(&entry.key, format!("the key `{key}` is given twice"));
                }
                entries.push(entry);
            }
            Ok(None) => complete = false,
            Err(error) => {
                cx.push(error);
                complete = false;
            }
        }
        if !input.is_empty() && !input.peek(Token![,]) {
            if complete {
                cx.push(input.error("expected `,` between entries"));
                complete = false;
            }
            while !input.is_empty() && !input.peek(Token![,]) {
                let _ = input.parse::<TokenTree>();
            }
        }
        let _ = input.parse::<Option<Token![,]>>();
    }
    (entries, complete)
}

/// `"key": "role" => value`; `None` where the key or role is reported and the rest could still be read.
fn entry(cx: &Ctxt, input: ParseStream) -> syn::Result<Option<Entry>> {
    let key = if input.peek(LitStr) {
        Some(input.parse::<LitStr>()?)
    } else {
        let token: TokenTree = input.parse()?;
        let shown = token.to_string();
        let hint = match &token {
            TokenTree::Ident(_) => format!(": write `\"{shown}\"`"),
            _ => ": write `\"question\": \"input\" => ...`".into(),
        };
        cx.error(&token, format!("a key is a string{hint}"));
        None
    };
    if !input.peek(Token![:]) {
        return Err(input.error("expected `:` and the role, `\"input\"` or `\"output\"`"));
    }
    input.parse::<Token![:]>()?;
    let role = role(cx, input)?;
    if !input.peek(Token![=>]) {
        let role = role.map_or("input", Role::word);
        return Err(input.error(format!(
            "expected `=>` and the value: `\"{}\": \"{role}\" => ...`",
            key.map_or_else(|| "key".into(), |key| key.value())
        )));
    }
    input.parse::<Token![=>]>()?;
    if input.is_empty() || input.peek(Token![,]) {
        return Err(input.error("expected a value after `=>`"));
    }
    let value = input.parse()?;
    Ok(match (key, role) {
        (Some(key), Some(role)) => Some(Entry { key, role, value }),
        _ => None,
    })
}

fn role(cx: &Ctxt, input: ParseStream) -> syn::Result<Option<Role>> {
    if !input.peek(LitStr) {
        let token: TokenTree = input.parse()?;
        let shown = token.to_string();
        let hint = match shown.as_str() {
            "input" | "output" => format!("write `\"{shown}\"`"),
            _ => "write `\"input\"` or `\"output\"`".into(),
        };
        cx.error(&token, format!("a role is a string: {hint}"));
        return Ok(None);
    }
    let word: LitStr = input.parse()?;
    Ok(match word.value().as_str() {
        "input" => Some(Role::Input),
        "output" => Some(Role::Output),
        other => {
            let hint = suggest::did_you_mean(other, &["input", "output"]);
            let hint = if hint.is_empty() {
                ": write `input` or `output`".into()
            } else {
                hint
            };
            cx.error(&word, format!("unknown role `{other}`{hint}"));
            None
        }
    })
}

//! `check(test, "message")` and `assert(test, "message")` of an output.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::parse::{ParseStream, Parser};
use syn::{Expr, Ident, LitStr, Path, Token};

use crate::attr::Entry;
use crate::ctxt::Ctxt;
use crate::field::Field;
use crate::krate::private_at;

/// One check and the key that gave it.
pub(crate) struct Check {
    key: Ident,
    /// A function of the field's value.
    test: Expr,
    message: LitStr,
}

/// Reads an entry whose key is `check` or `assert`.
pub(crate) fn read(cx: &Ctxt, entry: &Entry) -> Option<Check> {
    let key = &entry.key;
    let example = format!("{key}(|value| value.len() > 3, \"say more\")");
    let Some(list) = entry.arguments() else {
        cx.error(
            key,
            format!("`{key}` needs a test and a message: `{example}`"),
        );
        return None;
    };
    let parse = |input: ParseStream| {
        let test: Expr = input.parse()?;
        if input.is_empty() {
            let message = format!(
                "`{key}` needs a message, which the model is told where the test fails: `{example}`"
            );
            return Err(syn::Error::new_spanned(&test, message));
        }
        input.parse::<Token![,]>()?;
        if !input.peek(LitStr) {
            return Err(input.error(format!("expected the message as a string: `{example}`")));
        }
        let message: LitStr = input.parse()?;
        input.parse::<Option<Token![,]>>()?;
        if !input.is_empty() {
            return Err(input.error(format!("`{key}` takes a test and a message, nothing more: give each test a `{key}(...)` of its own")));
        }
        Ok((test, message))
    };
    let (test, message) = cx.ok(parse.parse2(list.clone()))?;
    if message.value().trim().is_empty() {
        cx.error(
            &message,
            "the message is empty: say what a reply must be, for the model to do better",
        );
        return None;
    }
    if let Some(what) = no_function(&test) {
        cx.error(
            &test,
            format!(
                "the test of `{key}` is a function of the field's value, not {what}: `{example}`"
            ),
        );
        return None;
    }
    Some(Check {
        key: key.clone(),
        test,
        message,
    })
}

/// What the expression is, where it can't be a function. The rest rustc tells.
fn no_function(test: &Expr) -> Option<&'static str> {
    Some(match test {
        Expr::Lit(_) => "a literal",
        Expr::Binary(_) => "a comparison or calculation",
        Expr::Unary(_) => "a calculation",
        Expr::Let(_) => "a condition",
        Expr::Closure(closure) if closure.inputs.len() != 1 => {
            "a closure of several arguments or none"
        }
        _ => return None,
    })
}

/// The check as code: a call that stands at the key, of the user's own function.
pub(crate) fn code(private: &Path, field: &Field, check: &Check) -> TokenStream {
    let (ident, ty, test) = (field.ident, field.ty, &check.test);
    let message = format!("`{}`: {}", field.shown, check.message.value().trim());
    let key = &check.key;
    let at_key = private_at(private, key.span());
    let field = quote!(|output| &output.#ident);
    let callee = quote_spanned!(key.span()=> #at_key::demand::#key::<Self::Output, #ty>);
    quote_spanned!(key.span()=> #callee(#field, #test, #message))
}

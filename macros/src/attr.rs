//! Attributes as written: lists of `key`, `key = value` and `key(...)`, read entry by entry, so that one bad
//! entry hides no other.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Expr, ExprLit, Ident, Lit, LitStr, Meta, Path, Token, token};

use crate::ctxt::Ctxt;
use crate::suggest;

/// One entry of an attribute's list.
pub(crate) struct Entry {
    pub(crate) key: Ident,
    value: EntryValue,
}

enum EntryValue {
    Flag,
    Is(Box<Expr>),
    List(TokenStream),
}

/// The entries of `#[name(...)]`.
pub(crate) fn entries(cx: &Ctxt, attr: &Attribute) -> Vec<Entry> {
    match &attr.meta {
        Meta::Path(_) => Vec::new(),
        Meta::List(list) => list_entries(cx, list.tokens.clone()),
        Meta::NameValue(pair) => {
            let name = shown(&attr.meta.path().to_token_stream());
            let value = shown(&pair.value.to_token_stream());
            cx.error(
                &attr.meta,
                format!("`#[{name}]` takes a list: `#[{name}(desc = {value})]`"),
            );
            Vec::new()
        }
    }
}

/// Entries parted by commas; what can't be read is reported and skipped to the next comma.
pub(crate) fn list_entries(cx: &Ctxt, tokens: TokenStream) -> Vec<Entry> {
    let parse = |input: ParseStream| {
        let mut entries = Vec::new();
        while !input.is_empty() {
            match input.call(entry) {
                Ok(entry) if input.is_empty() || input.peek(Token![,]) => entries.push(entry),
                Ok(entry) => {
                    cx.push(input.error(format!("expected `,` after `{}`", entry.key)));
                    entries.push(entry);
                }
                Err(error) => cx.push(error),
            }
            while !input.is_empty() && !input.peek(Token![,]) {
                input.parse::<TokenTree>()?;
            }
            input.parse::<Option<Token![,]>>()?;
        }
        Ok(entries)
    };
    cx.ok(parse.parse2(tokens)).unwrap_or_default()
}

fn entry(input: ParseStream) -> syn::Result<Entry> {
    if input.peek(LitStr) {
        return Err(input.error("expected a key: to describe a field write `desc = \"...\"`"));
    }
    let key = input.call(Ident::parse_any)?;
    let value = if input.peek(Token![=]) {
        let equals: Token![=] = input.parse()?;
        if input.is_empty() || input.peek(Token![,]) {
            return Err(syn::Error::new_spanned(
                equals,
                format!("`{key}` needs a value after `=`"),
            ));
        }
        EntryValue::Is(Box::new(input.parse()?))
    } else if input.peek(token::Paren) {
        let list;
        syn::parenthesized!(list in input);
        EntryValue::List(list.parse()?)
    } else {
        EntryValue::Flag
    };
    Ok(Entry { key, value })
}

impl Entry {
    /// The key as text.
    pub(crate) fn name(&self) -> String {
        self.key.to_string()
    }

    /// Where the value is, or the key if there is none.
    pub(crate) fn span(&self) -> Span {
        match &self.value {
            EntryValue::Is(value) => syn::spanned::Spanned::span(value),
            _ => self.key.span(),
        }
    }

    /// The value of `key = value`.
    pub(crate) fn expr(&self, cx: &Ctxt, example: &str) -> Option<&Expr> {
        match &self.value {
            EntryValue::Is(value) => Some(value),
            _ => {
                cx.error(
                    &self.key,
                    format!("`{}` needs a value: `{example}`", self.key),
                );
                None
            }
        }
    }

    /// The string of `key = "..."`.
    pub(crate) fn string(&self, cx: &Ctxt) -> Option<LitStr> {
        let example = format!("{} = \"...\"", self.key);
        match self.expr(cx, &example)? {
            Expr::Lit(ExprLit {
                lit: Lit::Str(text),
                ..
            }) => Some(text.clone()),
            other => {
                cx.error(other, format!("`{}` needs a string: `{example}`", self.key));
                None
            }
        }
    }

    /// The path of `key = a::path`; a string that holds one will do.
    pub(crate) fn path(&self, cx: &Ctxt, example: &str) -> Option<Path> {
        match self.expr(cx, example)? {
            Expr::Path(path) if path.qself.is_none() => Some(path.path.clone()),
            Expr::Lit(ExprLit {
                lit: Lit::Str(text),
                ..
            }) => cx.ok(text.parse().map_err(|_| {
                let value = text.value();
                syn::Error::new(
                    text.span(),
                    format!("`{value}` is not a path: write `{example}`"),
                )
            })),
            other => {
                cx.error(other, format!("`{}` needs a path: `{example}`", self.key));
                None
            }
        }
    }

    /// `key` alone.
    pub(crate) fn flag(&self, cx: &Ctxt) -> bool {
        match &self.value {
            EntryValue::Flag => true,
            _ => {
                cx.error_at(
                    self.span(),
                    format!("`{0}` takes no value: write `{0}` alone", self.key),
                );
                false
            }
        }
    }

    /// The value if there is one: `key` or `key = value`.
    pub(crate) fn optional(&self, cx: &Ctxt) -> Option<Option<&Expr>> {
        match &self.value {
            EntryValue::Flag => Some(None),
            EntryValue::Is(value) => Some(Some(value)),
            EntryValue::List(_) => {
                cx.error(
                    &self.key,
                    format!("`{0}` takes no list: write `{0} = ...`", self.key),
                );
                None
            }
        }
    }

    /// The tokens of `key(...)`, if that is its form.
    pub(crate) fn arguments(&self) -> Option<&TokenStream> {
        match &self.value {
            EntryValue::List(tokens) if !tokens.is_empty() => Some(tokens),
            _ => None,
        }
    }

    /// The tokens of `key(...)`.
    pub(crate) fn list(&self, cx: &Ctxt, example: &str) -> Option<TokenStream> {
        match &self.value {
            EntryValue::List(tokens) => Some(tokens.clone()),
            _ => {
                cx.error_at(
                    self.span(),
                    format!("`{}` needs a list: `{example}`", self.key),
                );
                None
            }
        }
    }
}

/// Keeps the value of a key that may be given once.
pub(crate) fn set_once<T>(cx: &Ctxt, slot: &mut Option<T>, entry: &Entry, value: Option<T>) {
    let Some(value) = value else { return };
    if slot.is_some() {
        cx.error(&entry.key, format!("`{}` is given twice", entry.key));
    } else {
        *slot = Some(value);
    }
}

/// What other libraries call a key, and what it is called here.
const SYNONYMS: [(&str, &str); 13] = [
    ("description", "desc"),
    ("doc", "desc"),
    ("help", "desc"),
    ("name", "rename"),
    ("minimum", "min"),
    ("maximum", "max"),
    ("length", "len"),
    ("pattern", "regex"),
    ("choices", "one_of"),
    ("values", "one_of"),
    ("distinct", "unique"),
    ("doc_comment", "instruction"),
    ("prompt", "instruction"),
];

/// Reports a key that `place` (such as `#[input]`) does not have.
pub(crate) fn unknown_key(cx: &Ctxt, entry: &Entry, place: &str, known: &[&str]) {
    let key = entry.name();
    let meant = SYNONYMS
        .iter()
        .find(|(word, key)| *word == entry.name() && known.contains(key));
    let near = meant.map(|(_, key)| *key);
    let message = match near.or_else(|| suggest::nearest(&key, known)) {
        Some(near) => format!("unknown key `{key}` in `{place}`; did you mean `{near}`?"),
        None => format!(
            "unknown key `{key}` in `{place}`; its keys are {}",
            suggest::one_of(known)
        ),
    };
    cx.error(&entry.key, message.replace(" or `", " and `"));
}

/// Tokens as a user would write them: without the spaces that `to_string` puts in.
pub(crate) fn shown(tokens: &impl ToTokens) -> String {
    let mut text = tokens.to_token_stream().to_string();
    for (spaced, tight) in [
        (" :: ", "::"),
        (":: ", "::"),
        (" < ", "<"),
        (" > ", ">"),
        ("< ", "<"),
        (" <", "<"),
        (" >", ">"),
        (" ,", ","),
        ("& ", "&"),
        (" ;", ";"),
        ("* const", "*const"),
        ("* mut", "*mut"),
        ("pub (", "pub("),
        ("[ ", "["),
        (" ]", "]"),
        ("( ", "("),
        (" )", ")"),
    ] {
        text = text.replace(spaced, tight);
    }
    text
}

/// Doc comments: lines trimmed and joined, a blank line kept as a break between paragraphs.
pub(crate) fn doc_text(attrs: &[Attribute]) -> String {
    let mut lines = Vec::new();
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("doc")) {
        if let Meta::NameValue(pair) = &attr.meta
            && let Expr::Lit(ExprLit {
                lit: Lit::Str(text),
                ..
            }) = &pair.value
        {
            let text = text.value();
            // A block comment is one attribute of many lines, each perhaps opened by a star.
            let block = text.contains('\n');
            // `lines` of an empty text gives none, but `///` alone is a blank line.
            lines.extend(text.split('\n').map(|line| {
                let line = line.trim();
                let line = if block {
                    line.strip_prefix("* ").unwrap_or(line)
                } else {
                    line
                };
                String::from(if block && line == "*" { "" } else { line })
            }));
        }
    }
    let mut paragraphs: Vec<String> = Vec::new();
    let mut open = false;
    for line in lines {
        if line.is_empty() {
            open = false;
            continue;
        }
        match paragraphs.last_mut().filter(|_| open) {
            Some(paragraph) => {
                paragraph.push(' ');
                paragraph.push_str(&line);
            }
            None => paragraphs.push(line),
        }
        open = true;
    }
    paragraphs.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use syn::parse_quote;

    #[test]
    fn doc_lines_join_to_paragraphs() {
        let item: syn::ItemStruct = parse_quote! {
            /// One
            /// two.
            ///
            ///   Three.
            struct S;
        };
        assert_eq!(doc_text(&item.attrs), "One two.\nThree.");
        let item: syn::ItemStruct = parse_quote! {
            #[doc(hidden)]
            #[doc = "\n * One\n *\n * Two\n "]
            struct S;
        };
        assert_eq!(doc_text(&item.attrs), "One\nTwo");
    }

    #[test]
    fn a_bad_entry_hides_no_other() {
        let cx = Ctxt::new();
        let attr: Attribute = parse_quote!(#[output(= 3, min = , desc "x", rename = "y")]);
        let keys: Vec<_> = entries(&cx, &attr).iter().map(Entry::name).collect();
        assert_eq!(keys, ["desc", "rename"]);
        assert_eq!(
            cx.check().expect_err("three are bad").into_iter().count(),
            3
        );
    }

    #[test]
    fn tokens_are_shown_as_typed() {
        let ty: syn::Type = parse_quote!(std::collections::HashMap<&'static str, [u8; 4]>);
        assert_eq!(
            shown(&ty),
            "std::collections::HashMap<&'static str, [u8; 4]>"
        );
    }
}

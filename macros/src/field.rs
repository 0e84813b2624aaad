//! One field of a signature, a struct or a variant: its attributes, description and shown name.

use proc_macro2::Span;
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{Attribute, Expr, Ident, LitStr, Path, Type};

use crate::attr::{self, Entry, set_once, unknown_key};
use crate::case::Case;
use crate::check::{self, Check};
use crate::constraint::{self, Constraint};
use crate::ctxt::Ctxt;
use crate::suggest;

/// Which half of a signature a field belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Input,
    Output,
}

impl Role {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Role::Input => "input",
            Role::Output => "output",
        }
    }
}

/// Where the attributes of a field stand, and so which keys they may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Field(Role),
    Value,
    Argument,
}

impl Place {
    fn shown(self) -> &'static str {
        match self {
            Place::Field(Role::Input) => "#[input]",
            Place::Field(Role::Output) => "#[output]",
            Place::Value => "#[value]",
            Place::Argument => "#[arg]",
        }
    }

    fn keys(self) -> Vec<&'static str> {
        let own: &[&str] = match self {
            Place::Field(Role::Input) => &["desc", "rename", "with", "format_with"],
            Place::Field(Role::Output) => &["desc", "rename", "with", "default", "check", "assert"],
            Place::Value => &["desc", "rename", "with", "default", "skip"],
            Place::Argument => &["desc", "rename", "with", "default"],
        };
        own.iter().copied().chain(constraint::KEYS).collect()
    }
}

/// A field as written, with the names and texts that follow from its attributes.
pub(crate) struct Field<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) ty: &'a Type,
    pub(crate) docs: Vec<&'a Attribute>,
    /// Description in the prompt.
    pub(crate) desc: String,
    /// Name in prompt and reply.
    pub(crate) shown: String,
    pub(crate) attrs: FieldAttrs,
}

/// The keys given.
#[derive(Default)]
pub(crate) struct FieldAttrs {
    pub(crate) desc: Option<LitStr>,
    pub(crate) rename: Option<LitStr>,
    pub(crate) with: Option<Path>,
    pub(crate) format_with: Option<Path>,
    /// `default` or `default = value`, with the span of the key.
    pub(crate) default: Option<(Span, Option<Expr>)>,
    pub(crate) skip: Option<Span>,
    pub(crate) constraints: Vec<Constraint>,
    pub(crate) checks: Vec<Check>,
}

impl<'a> Field<'a> {
    /// A named field; a tuple's fields are refused by the caller.
    pub(crate) fn read(
        cx: &Ctxt,
        original: &'a syn::Field,
        ident: &'a Ident,
        attr: Option<&Attribute>,
        place: Place,
        rename_all: Option<Case>,
    ) -> Self {
        let mut field = Field::read_argument(cx, &original.attrs, ident, &original.ty, attr, place);
        if field.attrs.rename.is_none() {
            field.shown = shown_ident(ident, rename_all);
        }
        field
    }

    /// A field of its parts: an argument of a function is no `syn::Field`.
    pub(crate) fn read_argument(
        cx: &Ctxt,
        all_attrs: &'a [Attribute],
        ident: &'a Ident,
        ty: &'a Type,
        attr: Option<&Attribute>,
        place: Place,
    ) -> Self {
        let attrs = attr.map_or_else(FieldAttrs::default, |attr| {
            FieldAttrs::read(cx, attr, place)
        });
        let desc = match &attrs.desc {
            Some(desc) => desc.value().trim().to_owned(),
            None => attr::doc_text(all_attrs),
        };
        let shown = match &attrs.rename {
            Some(name) => name.value(),
            None => shown_ident(ident, None),
        };
        Field {
            ident,
            ty,
            docs: docs(all_attrs),
            desc,
            shown,
            attrs,
        }
    }

    /// The token that gave the shown name.
    pub(crate) fn name_tokens(&self) -> &dyn ToTokens {
        match &self.attrs.rename {
            Some(name) => name,
            None => self.ident,
        }
    }

    /// Whether the field is in the spec at all.
    pub(crate) fn is_shown(&self) -> bool {
        self.attrs.skip.is_none()
    }

    /// What no type can tell: constraints against each other, keys that exclude each other, the name.
    pub(crate) fn check(&self, cx: &Ctxt, what: &str) {
        let attrs = &self.attrs;
        if attrs.with.is_none() && attrs.format_with.is_none() {
            constraint::check(cx, &attrs.constraints, self.ty);
        }
        if let (Some(with), Some(format_with)) = (&attrs.with, &attrs.format_with) {
            let with = attr::shown(with);
            cx.error(
                format_with,
                format!("`format_with` and `with` exclude each other: let `{with}::into_value` format the value"),
            );
        }
        if let Some(skip) = attrs.skip {
            let others = [
                ("rename", attrs.rename.is_some()),
                ("desc", attrs.desc.is_some()),
                ("with", attrs.with.is_some()),
            ];
            let constraint = attrs
                .constraints
                .first()
                .map(|constraint| constraint.key.to_string());
            let given = others
                .iter()
                .find(|(_, given)| *given)
                .map(|(key, _)| String::from(*key));
            if let Some(key) = given.or(constraint) {
                cx.error_at(
                    skip,
                    format!(
                        "a field with `skip` is neither shown nor read: drop `skip` or `{key}`"
                    ),
                );
            }
            return;
        }
        check_name(cx, self.name_tokens(), &self.shown, what);
    }
}

impl FieldAttrs {
    fn read(cx: &Ctxt, attr: &Attribute, place: Place) -> Self {
        let mut attrs = FieldAttrs::default();
        for entry in attr::entries(cx, attr) {
            let key = entry.name();
            if !place.keys().contains(&key.as_str()) {
                attrs.misplaced(cx, &entry, place);
                continue;
            }
            match key.as_str() {
                "desc" => set_once(cx, &mut attrs.desc, &entry, entry.string(cx)),
                "rename" => set_once(cx, &mut attrs.rename, &entry, entry.string(cx)),
                "with" => set_once(
                    cx,
                    &mut attrs.with,
                    &entry,
                    entry.path(cx, "with = my_module"),
                ),
                "format_with" => {
                    let path = entry.path(cx, "format_with = my_function");
                    set_once(cx, &mut attrs.format_with, &entry, path);
                }
                "default" => {
                    let value = entry
                        .optional(cx)
                        .map(|value| (entry.key.span(), value.cloned()));
                    set_once(cx, &mut attrs.default, &entry, value);
                }
                "skip" => {
                    let given = entry.flag(cx).then(|| entry.key.span());
                    set_once(cx, &mut attrs.skip, &entry, given);
                }
                "check" | "assert" => attrs.checks.extend(check::read(cx, &entry)),
                _ => attrs.constraints.extend(constraint::read(cx, &entry)),
            }
        }
        attrs
    }

    /// A key that exists, but not here, gets its own sentence.
    fn misplaced(&self, cx: &Ctxt, entry: &Entry, place: Place) {
        let message = match (entry.name().as_str(), place) {
            ("default", Place::Field(Role::Input)) => {
                "`default` is a key of `#[output]`: an input is always given"
            }
            ("format_with", _) => {
                "`format_with` is a key of `#[input]`: only inputs are formatted by it"
            }
            ("skip", Place::Argument) => {
                "`skip` is a key of `#[value]`: every argument of a tool is given"
            }
            ("skip", Place::Field(_)) => {
                "`skip` is a key of `#[value]`: leave the field out of the signature instead"
            }
            ("check" | "assert", _) => {
                let key = &entry.key;
                return cx.error(
                    key,
                    format!("`{key}` is a key of `#[output]`: only what a model replies can be asked for again"),
                );
            }
            ("alias", _) => "`alias` is a key of enum variants: a field has one name",
            _ => return unknown_key(cx, entry, place.shown(), &place.keys()),
        };
        cx.error(&entry.key, message);
    }
}

/// The doc comments of an item, to be carried over.
pub(crate) fn docs(attrs: &[Attribute]) -> Vec<&Attribute> {
    attrs
        .iter()
        .filter(|attr| attr.path().is_ident("doc"))
        .collect()
}

/// The name an identifier shows as: without `r#`, respelled if asked.
pub(crate) fn shown_ident(ident: &Ident, rename_all: Option<Case>) -> String {
    let name = ident.unraw().to_string();
    rename_all.map_or(name.clone(), |case| case.apply(&name))
}

/// Refuses names that no prompt can show or no reply can bring back.
pub(crate) fn check_name(cx: &Ctxt, tokens: &dyn ToTokens, name: &str, what: &str) {
    let fault = if name.trim().is_empty() {
        "is empty"
    } else if name.trim() != name {
        "begins or ends with white space"
    } else if name.chars().any(char::is_control) {
        "has a line break or control character in it"
    } else if name.contains("##") || name.contains("[[") || name.contains("]]") {
        "reads as a section marker (`[[ ## name ## ]]`)"
    } else if name.contains(['`', '{', '}']) {
        "has a backtick or brace in it, which the prompt uses to quote names"
    } else {
        return;
    };
    cx.error(
        tokens,
        format!("the name {name:?} of {what} {fault}: choose another with `rename = \"...\"`"),
    );
}

/// Refuses two things of one name: a reply could not tell them apart.
pub(crate) fn check_distinct<'f>(cx: &Ctxt, fields: impl IntoIterator<Item = &'f Field<'f>>) {
    let mut seen: Vec<&Field> = Vec::new();
    for field in fields.into_iter().filter(|field| field.is_shown()) {
        let folded = field.shown.to_lowercase();
        if let Some(other) = seen
            .iter()
            .find(|other| other.shown.to_lowercase() == folded)
        {
            let (name, first, second) = (&field.shown, other.ident.unraw(), field.ident.unraw());
            let message = if other.shown == *name {
                format!(
                    "`{first}` and `{second}` are both named `{name}` in the prompt: rename one of them"
                )
            } else {
                let other = &other.shown;
                format!(
                    "the names `{other}` and `{name}` differ in case only, which a reply may not keep: rename one of them"
                )
            };
            cx.error(field.name_tokens(), message);
        } else {
            seen.push(field);
        }
    }
}

/// `did you mean` for the word of an attribute that is no role.
pub(crate) fn meant_role(word: &str) -> Option<Role> {
    match suggest::nearest(word, &["input", "output", "inputs", "outputs"])? {
        "input" | "inputs" => Some(Role::Input),
        _ => Some(Role::Output),
    }
}

//! A field type of the user's own as written: a struct, a newtype or an enum, with its names and aliases.

use syn::{Attribute, Data, DeriveInput, Fields, GenericParam, Ident, LitStr, Path, Type};

use crate::ast::case;
use crate::attr::{self, set_once, unknown_key};
use crate::case::Case;
use crate::ctxt::Ctxt;
use crate::field::{Field, Place, check_distinct, check_name, shown_ident};
use crate::krate;
use crate::valid::field_type;

/// A type that derives `CandleValue`.
pub(crate) struct Value<'a> {
    pub(crate) original: &'a DeriveInput,
    /// Path of the crate.
    pub(crate) crate_path: Path,
    /// Name in the prompt.
    pub(crate) shown: String,
    pub(crate) desc: String,
    /// Key that names the variant where variants carry data.
    pub(crate) tag: String,
    pub(crate) body: Body<'a>,
}

pub(crate) enum Body<'a> {
    Struct(Vec<Field<'a>>),
    /// A newtype, written as its inner value.
    Newtype(&'a Type),
    /// Without variants where the type was refused already.
    Enum(Vec<Variant<'a>>),
}

pub(crate) struct Variant<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) shown: String,
    pub(crate) aliases: Vec<LitStr>,
    pub(crate) desc: String,
    pub(crate) payload: Payload<'a>,
    rename: Option<LitStr>,
}

pub(crate) enum Payload<'a> {
    Unit,
    Value(&'a Type),
    Fields(Vec<Field<'a>>),
}

#[derive(Default)]
struct ValueAttrs {
    krate: Option<Path>,
    rename: Option<LitStr>,
    rename_all: Option<Case>,
    desc: Option<LitStr>,
    tag: Option<LitStr>,
}

const KEYS: [&str; 5] = ["rename", "rename_all", "desc", "tag", "crate"];
const VARIANT_KEYS: [&str; 3] = ["rename", "alias", "desc"];

impl<'a> Value<'a> {
    /// Reads and checks in one go: what is wrong is reported.
    pub(crate) fn read(cx: &Ctxt, original: &'a DeriveInput) -> Self {
        let attrs = ValueAttrs::read(cx, &original.attrs);
        let shown = match &attrs.rename {
            Some(name) => name.value(),
            None => shown_ident(&original.ident, None),
        };
        let desc = match &attrs.desc {
            Some(desc) => desc.value().trim().to_owned(),
            None => attr::doc_text(&original.attrs),
        };
        match &attrs.rename {
            Some(name) => check_name(cx, name, &shown, "the type"),
            None => check_name(cx, &original.ident, &shown, "the type"),
        }
        generics(cx, original);
        let body = body(cx, original, attrs.rename_all);
        let value = Value {
            original,
            crate_path: attrs.krate.unwrap_or_else(krate::default),
            shown,
            desc,
            tag: attrs
                .tag
                .as_ref()
                .map_or_else(|| "type".into(), LitStr::value),
            body,
        };
        value.check_tag(cx, attrs.tag.as_ref());
        value
    }

    fn check_tag(&self, cx: &Ctxt, given: Option<&LitStr>) {
        let variants = match &self.body {
            Body::Enum(variants) if variants.is_empty() => return,
            Body::Enum(variants) => variants.as_slice(),
            _ => &[],
        };
        let carries_data = variants
            .iter()
            .any(|variant| !matches!(variant.payload, Payload::Unit));
        if let Some(tag) = given {
            if carries_data {
                check_name(cx, tag, &self.tag, "the tag");
            } else {
                cx.error(
                    tag,
                    "`tag` is for enums whose variants carry data: this type has none, drop `tag`",
                );
            }
        }
        let tag = &self.tag;
        for variant in variants {
            let (Payload::Fields(fields), name) = (&variant.payload, variant.ident) else {
                continue;
            };
            for field in fields.iter().filter(|field| field.shown == *tag) {
                cx.error(
                    field.name_tokens(),
                    format!("field `{tag}` of `{name}` collides with the tag: rename the field, or write `#[value(tag = \"...\")]` on the enum"),
                );
            }
        }
    }
}

impl ValueAttrs {
    fn read(cx: &Ctxt, attrs: &[Attribute]) -> Self {
        let mut found = ValueAttrs::default();
        for attr in attrs {
            if attr.path().is_ident("signature") {
                cx.error(attr, "`#[signature]` belongs to `#[derive(CandleSignature)]`; a field type has `#[value(...)]`");
            }
            if !attr.path().is_ident("value") {
                continue;
            }
            for entry in attr::entries(cx, attr) {
                match entry.name().as_str() {
                    "rename" => set_once(cx, &mut found.rename, &entry, entry.string(cx)),
                    "rename_all" => set_once(cx, &mut found.rename_all, &entry, case(cx, &entry)),
                    "desc" => set_once(cx, &mut found.desc, &entry, entry.string(cx)),
                    "tag" => set_once(cx, &mut found.tag, &entry, entry.string(cx)),
                    "crate" => set_once(cx, &mut found.krate, &entry, entry.path(cx, "crate = \"path\"")),
                    "alias" => cx.error(&entry.key, "`alias` is a key of a variant: put `#[value(alias = \"...\")]` on the variant it names"),
                    _ => unknown_key(cx, &entry, "#[value]", &KEYS),
                }
            }
        }
        found
    }
}

fn generics(cx: &Ctxt, original: &DeriveInput) {
    for param in &original.generics.params {
        if let GenericParam::Lifetime(lifetime) = param {
            let (lifetime, name) = (&lifetime.lifetime, &original.ident);
            cx.error(lifetime, format!("a field type owns its values: drop `{lifetime}` from `{name}` and use `String` for `&str`, `Vec<T>` for `&[T]`"));
        }
    }
}

fn body<'a>(cx: &Ctxt, original: &'a DeriveInput, rename_all: Option<Case>) -> Body<'a> {
    let name = &original.ident;
    let refuse = |why: String| {
        cx.error(name, why);
        Body::Enum(Vec::new())
    };
    match &original.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => Body::Struct(named(cx, fields, rename_all)),
            Fields::Unnamed(fields) => match fields.unnamed.iter().collect::<Vec<_>>()[..] {
                [only] => {
                    refuse_attrs(cx, only, "a newtype is written as its inner value");
                    Body::Newtype(&only.ty)
                }
                _ => refuse(format!(
                    "`{name}` is a tuple struct: name its fields, so that the prompt can name them too"
                )),
            },
            Fields::Unit => refuse(format!(
                "`{name}` is a unit struct: it has no value to ask for"
            )),
        },
        Data::Enum(data) if data.variants.is_empty() => refuse(format!(
            "`{name}` has no variants: no value could ever be right"
        )),
        Data::Enum(data) => {
            let variants: Vec<_> = data
                .variants
                .iter()
                .map(|variant| Variant::read(cx, variant, rename_all))
                .collect();
            check_variants(cx, &variants);
            Body::Enum(variants)
        }
        Data::Union(_) => refuse(format!(
            "`{name}` is a union: derive `CandleValue` for a struct or an enum"
        )),
    }
}

fn named<'a>(cx: &Ctxt, fields: &'a syn::FieldsNamed, rename_all: Option<Case>) -> Vec<Field<'a>> {
    let fields: Vec<_> = fields
        .named
        .iter()
        .filter_map(|field| {
            for attr in field.attrs.iter().filter(|a| a.path().is_ident("input") || a.path().is_ident("output")) {
                cx.error(attr, "roles belong to the fields of a signature; a field of a `CandleValue` has `#[value(...)]`");
            }
            let mut values = field.attrs.iter().filter(|attr| attr.path().is_ident("value"));
            let attr = values.next();
            for twice in values {
                cx.error(twice, "`#[value]` is given twice: put all keys into one list");
            }
            Some(Field::read(cx, field, field.ident.as_ref()?, attr, Place::Value, rename_all))
        })
        .collect();
    for field in &fields {
        field.check(cx, &format!("field `{}`", field.ident));
        field_type(cx, field);
    }
    check_distinct(cx, &fields);
    fields
}

fn refuse_attrs(cx: &Ctxt, field: &syn::Field, why: &str) {
    for attr in field
        .attrs
        .iter()
        .filter(|attr| attr.path().is_ident("value"))
    {
        cx.error(attr, format!("{why}: `#[value]` has nothing to name here"));
    }
}

impl<'a> Variant<'a> {
    fn read(cx: &Ctxt, original: &'a syn::Variant, rename_all: Option<Case>) -> Self {
        let (mut rename, mut desc, mut aliases) = (None, None, Vec::new());
        for attr in original
            .attrs
            .iter()
            .filter(|attr| attr.path().is_ident("value"))
        {
            for entry in attr::entries(cx, attr) {
                match entry.name().as_str() {
                    "rename" => set_once(cx, &mut rename, &entry, entry.string(cx)),
                    "desc" => set_once(cx, &mut desc, &entry, entry.string(cx)),
                    "alias" => aliases.extend(entry.string(cx)),
                    _ => unknown_key(cx, &entry, "#[value]", &VARIANT_KEYS),
                }
            }
        }
        let ident = &original.ident;
        let payload = match &original.fields {
            Fields::Unit => Payload::Unit,
            Fields::Named(fields) => Payload::Fields(named(cx, fields, None)),
            Fields::Unnamed(fields) => match fields.unnamed.iter().collect::<Vec<_>>()[..] {
                [only] => {
                    refuse_attrs(cx, only, "the value of a variant is written as it is");
                    Payload::Value(&only.ty)
                }
                _ => {
                    cx.error(ident, format!("variant `{ident}` is a tuple: name its fields, so that the prompt can name them too"));
                    Payload::Unit
                }
            },
        };
        Variant {
            ident,
            shown: rename
                .as_ref()
                .map_or_else(|| shown_ident(ident, rename_all), LitStr::value),
            aliases,
            desc: desc.map_or_else(
                || attr::doc_text(&original.attrs),
                |desc: LitStr| desc.value().trim().to_owned(),
            ),
            payload,
            rename,
        }
    }

    fn name_tokens(&self) -> &dyn quote::ToTokens {
        match &self.rename {
            Some(name) => name,
            None => self.ident,
        }
    }
}

/// No spelling may stand for two variants.
fn check_variants(cx: &Ctxt, variants: &[Variant]) {
    let mut seen: Vec<(String, &Ident)> = Vec::new();
    for variant in variants {
        let what = format!("variant `{}`", variant.ident);
        check_name(cx, variant.name_tokens(), &variant.shown, &what);
        let mut own: Vec<String> = Vec::new();
        let aliases = variant
            .aliases
            .iter()
            .map(|alias| (alias.value(), alias as &dyn quote::ToTokens));
        for (name, tokens) in
            std::iter::once((variant.shown.clone(), variant.name_tokens())).chain(aliases)
        {
            let folded = name.to_lowercase();
            if own.contains(&name) {
                cx.error(
                    tokens,
                    format!(
                        "`{name}` is already a name of variant `{}`: drop the alias",
                        variant.ident
                    ),
                );
            } else if let Some((_, other)) = seen.iter().find(|(known, _)| *known == folded) {
                cx.error(tokens, format!("`{name}` already stands for variant `{other}`: a reply could mean either, in any case of its letters"));
            }
            own.push(name);
        }
        for alias in &variant.aliases {
            check_name(
                cx,
                alias,
                &alias.value(),
                &format!("an alias of `{}`", variant.ident),
            );
        }
        seen.extend(own.iter().map(|name| (name.to_lowercase(), variant.ident)));
    }
}

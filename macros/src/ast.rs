//! A signature as written: the struct, its attributes and its fields with their roles.
//!
//! Reading never stops: what is wrong is reported, and the best guess goes on, for the fallback to use.

use syn::{Attribute, Data, DeriveInput, Fields, Ident, LitStr, Path, Visibility};

use crate::attr::{self, Entry, set_once, unknown_key};
use crate::case::Case;
use crate::ctxt::Ctxt;
use crate::field::{Field, Place, Role, meant_role};
use crate::krate;
use crate::suggest;

/// A signature.
pub(crate) struct Signature<'a> {
    pub(crate) original: &'a DeriveInput,
    pub(crate) attrs: SignatureAttrs,
    pub(crate) instruction: String,
    /// Fields with the half that each belongs to (guessed where it is not said).
    pub(crate) fields: Vec<(Role, Field<'a>)>,
}

/// The keys of `#[signature(...)]`.
pub(crate) struct SignatureAttrs {
    /// Path of the crate.
    pub(crate) crate_path: Path,
    pub(crate) format: Format,
    /// Visibility of the halves, and the string that gave it.
    pub(crate) vis: Option<(Visibility, LitStr)>,
    pub(crate) input: HalfAttrs,
    pub(crate) output: HalfAttrs,
    instruction: Option<LitStr>,
    rename_all: Option<Case>,
}

/// The prompt format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Chat,
    Json,
}

/// The keys of `input(...)` and `output(...)`.
#[derive(Default)]
pub(crate) struct HalfAttrs {
    /// Derives beside the usual ones.
    pub(crate) derives: Vec<Path>,
    /// Without the usual derives.
    pub(crate) bare: bool,
}

const KEYS: [&str; 7] = [
    "instruction",
    "format",
    "rename_all",
    "crate",
    "input",
    "output",
    "vis",
];

impl<'a> Signature<'a> {
    pub(crate) fn read(cx: &Ctxt, original: &'a DeriveInput) -> Self {
        let attrs = SignatureAttrs::read(cx, &original.attrs);
        let instruction = match &attrs.instruction {
            Some(text) => text.value().trim().to_owned(),
            None => attr::doc_text(&original.attrs),
        };
        let fields = read_fields(cx, original, attrs.rename_all);
        Signature {
            original,
            attrs,
            instruction,
            fields,
        }
    }

    pub(crate) fn half(&self, half: Role) -> impl Iterator<Item = &Field<'a>> {
        self.fields
            .iter()
            .filter(move |(role, _)| *role == half)
            .map(|(_, field)| field)
    }
}

impl SignatureAttrs {
    fn read(cx: &Ctxt, attrs: &[Attribute]) -> Self {
        let (mut instruction, mut format, mut rename_all) = (None, None, None);
        let (mut krate, mut vis, mut input, mut output) = (None, None, None, None);
        for attr in attrs {
            if attr.path().is_ident("value") {
                cx.error(attr, "`#[value]` belongs to `#[derive(CandleValue)]`; a signature has `#[signature(...)]`");
            }
            if !attr.path().is_ident("signature") {
                continue;
            }
            for entry in attr::entries(cx, attr) {
                match entry.name().as_str() {
                    "instruction" => set_once(cx, &mut instruction, &entry, entry.string(cx)),
                    "format" => set_once(cx, &mut format, &entry, prompt_format(cx, &entry)),
                    "rename_all" => set_once(cx, &mut rename_all, &entry, case(cx, &entry)),
                    "crate" => set_once(cx, &mut krate, &entry, entry.path(cx, "crate = \"path\"")),
                    "input" => set_once(cx, &mut input, &entry, half(cx, &entry)),
                    "output" => set_once(cx, &mut output, &entry, half(cx, &entry)),
                    "vis" => set_once(cx, &mut vis, &entry, visibility(cx, &entry)),
                    _ => unknown_key(cx, &entry, "#[signature]", &KEYS),
                }
            }
        }
        SignatureAttrs {
            crate_path: krate.unwrap_or_else(krate::default),
            format: format.unwrap_or(Format::Chat),
            vis,
            input: input.unwrap_or_default(),
            output: output.unwrap_or_default(),
            instruction,
            rename_all,
        }
    }
}

fn prompt_format(cx: &Ctxt, entry: &Entry) -> Option<Format> {
    let text = entry.string(cx)?;
    match text.value().as_str() {
        "chat" => Some(Format::Chat),
        "json" => Some(Format::Json),
        other => {
            let hint = suggest::did_you_mean(other, &["chat", "json"]);
            let hint = if hint.is_empty() {
                ": write `chat` or `json`".into()
            } else {
                hint
            };
            cx.error(&text, format!("unknown format `{other}`{hint}"));
            None
        }
    }
}

/// The case of `rename_all = "..."`.
pub(crate) fn case(cx: &Ctxt, entry: &Entry) -> Option<Case> {
    let text = entry.string(cx)?;
    Case::named(&text.value())
        .map_err(|message| cx.error(&text, message))
        .ok()
}

fn visibility(cx: &Ctxt, entry: &Entry) -> Option<(Visibility, LitStr)> {
    let text = entry.string(cx)?;
    let parsed = text.parse::<Visibility>().map_err(|_| {
        let value = text.value();
        syn::Error::new(text.span(), format!("`{value}` is not a visibility: write `vis = \"pub(crate)\"`, or `vis = \"\"` for a private one"))
    });
    Some((cx.ok(parsed)?, text))
}

fn half(cx: &Ctxt, entry: &Entry) -> Option<HalfAttrs> {
    let place = format!("{}(...)", entry.key);
    let list = entry.list(cx, &format!("{}(derive(...))", entry.key))?;
    let mut attrs = HalfAttrs::default();
    for entry in attr::list_entries(cx, list) {
        match entry.name().as_str() {
            "derive" => {
                let paths = entry.list(cx, "derive(Eq, Hash)").and_then(|tokens| {
                    let parser =
                        syn::punctuated::Punctuated::<Path, syn::Token![,]>::parse_terminated;
                    cx.ok(syn::parse::Parser::parse2(parser, tokens))
                });
                attrs.derives.extend(paths.into_iter().flatten());
            }
            "bare" => attrs.bare = entry.flag(cx),
            _ => unknown_key(cx, &entry, &place, &["derive", "bare"]),
        }
    }
    Some(attrs)
}

fn read_fields<'a>(
    cx: &Ctxt,
    original: &'a DeriveInput,
    rename_all: Option<Case>,
) -> Vec<(Role, Field<'a>)> {
    let name = &original.ident;
    let refuse = |what: &str| {
        cx.error(
            name,
            format!("a signature is a struct with named fields; `{name}` is {what}"),
        );
        Vec::new()
    };
    let named = match &original.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => &fields.named,
            Fields::Unnamed(_) => return refuse("a tuple struct"),
            Fields::Unit => return refuse("a unit struct"),
        },
        Data::Enum(_) => {
            return refuse("an enum (for an enum as a field's type derive `CandleValue`)");
        }
        Data::Union(_) => return refuse("a union"),
    };
    let with_idents = || {
        named
            .iter()
            .filter_map(|field| Some((field, field.ident.as_ref()?)))
    };
    let found: Vec<_> = with_idents()
        .map(|(field, ident)| find_role(cx, field, ident))
        .collect();
    with_idents()
        .zip(&found)
        .enumerate()
        .map(|(at, ((field, ident), (role, attr)))| {
            let role = role.unwrap_or_else(|| guess(&found, at));
            let field = Field::read(cx, field, ident, *attr, Place::Field(role), rename_all);
            (role, field)
        })
        .collect()
}

/// Between inputs an unmarked field counts as an input: only the fallback sees this.
fn guess(found: &[(Option<Role>, Option<&Attribute>)], at: usize) -> Role {
    let before_an_input = found[at..]
        .iter()
        .any(|(role, _)| *role == Some(Role::Input));
    if before_an_input {
        Role::Input
    } else {
        Role::Output
    }
}

/// The role of a field and the attribute that says so.
fn find_role<'a>(
    cx: &Ctxt,
    field: &'a syn::Field,
    ident: &Ident,
) -> (Option<Role>, Option<&'a Attribute>) {
    let mut found: Option<(Role, &Attribute)> = None;
    let mut near_miss = None;
    for attr in &field.attrs {
        let path = attr.path();
        let role = if path.is_ident("input") {
            Role::Input
        } else if path.is_ident("output") {
            Role::Output
        } else {
            near_miss = near_miss.or_else(|| misspelt(cx, attr));
            continue;
        };
        match found {
            None => found = Some((role, attr)),
            Some((first, _)) if first == role => {
                cx.error(
                    attr,
                    format!(
                        "`#[{}]` is given twice: put all keys into one list",
                        role.word()
                    ),
                );
            }
            Some(_) => cx.error(
                attr,
                format!(
                    "field `{ident}` is both `#[input]` and `#[output]`: it can be only one of them"
                ),
            ),
        }
    }
    if found.is_none() && near_miss.is_none() {
        cx.error(
            ident,
            format!("field `{ident}` has no role: mark it `#[input]` or `#[output]`"),
        );
    }
    match found {
        Some((role, attr)) => (Some(role), Some(attr)),
        None => (near_miss.flatten(), None),
    }
}

/// Reports an attribute that was meant to be a role; `Some(None)` if it is not clear which.
fn misspelt(cx: &Ctxt, attr: &Attribute) -> Option<Option<Role>> {
    let path = attr.path();
    let word = path.get_ident()?.to_string();
    const OTHERS: [&str; 9] = [
        "doc",
        "allow",
        "warn",
        "deny",
        "expect",
        "cfg",
        "deprecated",
        "serde",
        "must_use",
    ];
    if OTHERS.contains(&word.as_str()) {
        return None;
    }
    match word.as_str() {
        "value" | "signature" => {
            cx.error(
                path,
                format!(
                    "`#[{word}]` is not a field role: every field is `#[input]` or `#[output]`"
                ),
            );
            Some(None)
        }
        _ => {
            let role = meant_role(&word)?;
            let meant = role.word();
            cx.error(
                path,
                format!("`#[{word}]` is not a field role; did you mean `#[{meant}]`?"),
            );
            Some(Some(role))
        }
    }
}

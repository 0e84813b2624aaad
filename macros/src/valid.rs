//! What is refused of a signature that could be read: one sentence a mistake, at the token at fault.

use syn::visit::{self, Visit};
use syn::{GenericParam, Ident, Type, Visibility};

use crate::ast::Signature;
use crate::attr;
use crate::ctxt::Ctxt;
use crate::field::{Field, Role, check_distinct};

/// Reports every mistake of a signature.
pub(crate) fn signature(cx: &Ctxt, signature: &Signature) {
    generics(cx, signature);
    visibility(cx, signature);
    halves(cx, signature);
    for (role, field) in &signature.fields {
        field.check(cx, &format!("the {} `{}`", role.word(), field.ident));
        reserved(cx, field);
        field_type(cx, field);
    }
    check_distinct(cx, signature.fields.iter().map(|(_, field)| field));
}

fn generics(cx: &Ctxt, signature: &Signature) {
    let name = &signature.original.ident;
    for param in &signature.original.generics.params {
        if let GenericParam::Lifetime(lifetime) = param {
            let lifetime = &lifetime.lifetime;
            cx.error(
                lifetime,
                format!("a signature owns its fields: drop `{lifetime}` from `{name}` and use `String` for `&str`, `Vec<T>` for `&[T]`"),
            );
        }
    }
}

fn visibility(cx: &Ctxt, signature: &Signature) {
    let (name, own) = (&signature.original.ident, &signature.original.vis);
    let Some((given, tokens)) = &signature.attrs.vis else {
        return;
    };
    let narrower = match own {
        Visibility::Public(_) => !matches!(given, Visibility::Public(_)),
        Visibility::Restricted(_) => matches!(given, Visibility::Inherited),
        Visibility::Inherited => false,
    };
    if narrower {
        let own = attr::shown(own);
        cx.error(tokens, format!("`{name}` is `{own}`, and its halves can't be seen by fewer: they are part of its trait"));
    }
}

fn halves(cx: &Ctxt, signature: &Signature) {
    let name = &signature.original.ident;
    // A tuple struct or enum has been refused already.
    let syn::Data::Struct(syn::DataStruct {
        fields: syn::Fields::Named(named),
        ..
    }) = &signature.original.data
    else {
        return;
    };
    if named.named.is_empty() {
        cx.error(
            name,
            format!("`{name}` has no fields: a signature needs at least one `#[output]`"),
        );
    } else if signature.half(Role::Output).next().is_none() && !named.named.iter().any(says_output)
    {
        cx.error(
            name,
            format!("`{name}` has no output: mark at least one field `#[output]`"),
        );
    }
}

/// A field with both roles has its error already.
fn says_output(field: &syn::Field) -> bool {
    field
        .attrs
        .iter()
        .any(|attr| attr.path().is_ident("output"))
}

fn reserved(cx: &Ctxt, field: &Field) {
    if field.shown.eq_ignore_ascii_case("completed") {
        cx.error(
            field.name_tokens(),
            "the name `completed` is taken: `[[ ## completed ## ]]` ends every reply; rename the field or write `rename = \"...\"`",
        );
    }
}

/// Types that no trait impl could ever make right get their sentence here, wherever in the type they stand.
pub(crate) fn field_type(cx: &Ctxt, field: &Field) {
    if field.attrs.with.is_some() || !field.is_shown() {
        return;
    }
    if matches!(field.ty, Type::Path(path) if path.path.is_ident("str")) {
        cx.error(
            field.ty,
            format!("`str` has no size: use `String` for `{}`", field.ident),
        );
        return;
    }
    let mut faults = Faults {
        cx,
        ident: field.ident,
    };
    faults.visit_type(field.ty);
}

struct Faults<'c> {
    cx: &'c Ctxt,
    ident: &'c Ident,
}

impl<'a> Visit<'a> for Faults<'_> {
    fn visit_type(&mut self, ty: &'a Type) {
        let ident = self.ident;
        let shown = attr::shown(ty);
        match ty {
            Type::Reference(reference) => {
                let instead = match &*reference.elem {
                    Type::Path(path) if path.path.is_ident("str") => "`String`".into(),
                    Type::Slice(slice) => format!("`Vec<{}>`", attr::shown(&slice.elem)),
                    other => format!("`{}`", attr::shown(other)),
                };
                self.cx.error(
                    ty,
                    format!(
                        "`{ident}` borrows, and must own its value: use {instead} for `{shown}`"
                    ),
                );
            }
            Type::Path(path) if path.path.is_ident("usize") || path.path.is_ident("isize") => {
                let fixed = if path.path.is_ident("usize") {
                    "u64"
                } else {
                    "i64"
                };
                self.cx.error(
                    ty,
                    format!("`{shown}` differs in size from machine to machine, a prompt must not: use `{fixed}` for `{ident}`"),
                );
            }
            Type::Slice(slice) => {
                let item = attr::shown(&slice.elem);
                self.cx.error(
                    ty,
                    format!("`{shown}` has no size: use `Vec<{item}>` for `{ident}`"),
                );
            }
            _ if cannot_be_a_value(ty) => {
                self.cx.error(ty, format!("`{shown}` can't be the type of `{ident}`: use a type that text can spell out"));
            }
            _ => visit::visit_type(self, ty),
        }
    }
}

/// Types of which there is no value that text could spell out.
fn cannot_be_a_value(ty: &Type) -> bool {
    matches!(
        ty,
        Type::ImplTrait(_)
            | Type::TraitObject(_)
            | Type::Ptr(_)
            | Type::Never(_)
            | Type::Infer(_)
            | Type::FnPtr(_)
    )
}

/// Whether a type contains one that no impl of a fallback could stand for.
pub(crate) fn is_hopeless(ty: &Type) -> bool {
    struct Hopeless(bool);

    impl<'a> Visit<'a> for Hopeless {
        fn visit_type(&mut self, ty: &'a Type) {
            self.0 |= cannot_be_a_value(ty)
                || matches!(ty, Type::Slice(_) | Type::Macro(_) | Type::Verbatim(_));
            visit::visit_type(self, ty);
        }
    }

    let mut found = Hopeless(false);
    found.visit_type(ty);
    found.0 || matches!(ty, Type::Path(path) if path.path.is_ident("str"))
}

//! What is refused of a signature that could be read: one sentence a mistake, at the token at fault.

use syn::{GenericParam, Type};

use crate::ast::Signature;
use crate::attr;
use crate::ctxt::Ctxt;
use crate::field::{Field, Role, check_distinct};

/// Reports every mistake of a signature.
pub(crate) fn signature(cx: &Ctxt, signature: &Signature) {
    generics(cx, signature);
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
    } else if signature.half(Role::Output).next().is_none() {
        cx.error(
            name,
            format!("`{name}` has no output: mark at least one field `#[output]`"),
        );
    }
}

fn reserved(cx: &Ctxt, field: &Field) {
    if field.shown.eq_ignore_ascii_case("completed") {
        cx.error(
            field.name_tokens(),
            "the name `completed` is taken: `[[ ## completed ## ]]` ends every reply; rename the field or write `rename = \"...\"`",
        );
    }
}

/// Types that no trait impl could ever make right get their sentence here.
pub(crate) fn field_type(cx: &Ctxt, field: &Field) {
    if field.attrs.with.is_some() || !field.is_shown() {
        return;
    }
    let ident = field.ident;
    match field.ty {
        Type::Reference(reference) => {
            let instead = match &*reference.elem {
                Type::Path(path) if path.path.is_ident("str") => "`String`".into(),
                Type::Slice(slice) => format!("`Vec<{}>`", attr::shown(&slice.elem)),
                other => format!("`{}`", attr::shown(other)),
            };
            let ty = attr::shown(field.ty);
            cx.error(
                field.ty,
                format!(
                    "field `{ident}` borrows: a field owns its value; use {instead} for `{ty}`"
                ),
            );
        }
        Type::Path(path) if path.path.is_ident("usize") || path.path.is_ident("isize") => {
            let ty = attr::shown(field.ty);
            let fixed = if ty == "usize" { "u64" } else { "i64" };
            cx.error(
                field.ty,
                format!("`{ty}` differs in size from machine to machine, a prompt must not: use `{fixed}` for `{ident}`"),
            );
        }
        Type::Path(path) if path.path.is_ident("str") => {
            cx.error(
                field.ty,
                format!("field `{ident}` has no size: use `String` for `str`"),
            );
        }
        Type::Slice(slice) => {
            let item = attr::shown(&slice.elem);
            cx.error(
                field.ty,
                format!("field `{ident}` has no size: use `Vec<{item}>` for a slice"),
            );
        }
        Type::ImplTrait(_)
        | Type::TraitObject(_)
        | Type::Ptr(_)
        | Type::Never(_)
        | Type::Infer(_) => {
            let ty = attr::shown(field.ty);
            cx.error(field.ty, format!("`{ty}` can't be the type of a signature's field: use a type that a reply can spell out"));
        }
        Type::FnPtr(_) => {
            cx.error(
                field.ty,
                "a function can't be the type of a signature's field",
            );
        }
        _ => {}
    }
}

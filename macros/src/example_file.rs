//! `example_file!("demos.jsonl" as Signature)`: demos of a file, read and checked while the program compiles.

use std::path::PathBuf;

use proc_macro2::{Literal, TokenStream};
use quote::{quote, quote_spanned};
use syn::parse::{Parse, ParseStream};
use syn::{LitStr, Path, Token, Type};

use crate::json::{self, Record};
use crate::krate::private_at;
use crate::literal;

/// `"path" as Signature`, and `, ..` for demos that leave fields out.
pub(crate) struct File {
    path: LitStr,
    signature: Type,
    partial: bool,
}

impl Parse for File {
    fn parse(input: ParseStream) -> syn::Result<Self> {
        const EXAMPLE: &str = "`example_file!(\"demos.jsonl\" as Signature)`";
        if !input.peek(LitStr) {
            return Err(input.error(format!("expected the path of a file: {EXAMPLE}")));
        }
        let path = input.parse()?;
        if !input.peek(Token![as]) {
            return Err(input.error(format!("expected `as` and the signature: {EXAMPLE}")));
        }
        input.parse::<Token![as]>()?;
        let signature = input.parse()?;
        let comma: Option<Token![,]> = input.parse()?;
        let partial = comma.is_some() && input.parse::<Option<Token![..]>>()?.is_some();
        if !input.is_empty() {
            return Err(
                input.error("expected nothing more, or `, ..` for demos that leave fields out")
            );
        }
        Ok(File {
            path,
            signature,
            partial,
        })
    }
}

/// The demos, or what is wrong with the file.
pub(crate) fn expand(private: &Path, file: &File) -> TokenStream {
    let signature = &file.signature;
    match read(&file.path) {
        Ok((full_path, records)) => records_code(private, file, &full_path, &records),
        Err(error) => {
            let error = error.to_compile_error();
            quote!({ #error #private::Vec::<#private::Demo<#signature>>::new() })
        }
    }
}

/// The path that the compiler can track, and the records.
fn read(path: &LitStr) -> syn::Result<(String, Vec<Record>)> {
    let name = path.value();
    let fail = |message: String| Err(syn::Error::new(path.span(), message));
    let extension = name
        .rsplit_once('.')
        .map(|(_, extension)| extension.to_ascii_lowercase());
    if !matches!(extension.as_deref(), Some("json" | "jsonl")) {
        return fail(format!("`{name}` is neither `.json` nor `.jsonl`"));
    }
    let root = std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(PathBuf::new, PathBuf::from);
    let full = root.join(&name);
    let text = match std::fs::read_to_string(&full) {
        Ok(text) => text,
        Err(error) => {
            return fail(format!(
                "can't read `{name}`: {error}; the path starts at the folder of Cargo.toml"
            ));
        }
    };
    match json::records(&text) {
        Ok(records) if records.is_empty() => fail(format!("`{name}` holds no records")),
        Ok(records) => Ok((full.to_string_lossy().into_owned(), records)),
        Err(fault) => fail(format!("{name}:{}: {}", fault.line, fault.message)),
    }
}

fn records_code(private: &Path, file: &File, full_path: &str, records: &[Record]) -> TokenStream {
    let (signature, partial, path) = (&file.signature, file.partial, &file.path);
    let rows = records.iter().map(|record| record_code(private, record));
    let count = Literal::usize_unsuffixed(records.len());
    let at_path = private_at(private, path.span());
    let checks = (0..records.len()).map(|at| {
        let at = Literal::usize_unsuffixed(at);
        // However long the record: the check ends with it.
        quote_spanned!(path.span()=> #[allow(long_running_const_eval)] const _: () = #at_path::check::record(&<#signature as #at_path::Signature>::CHECKS, #path, &RECORDS[#at], #partial);)
    });
    quote!({
        // Read here so that the compiler knows of the file, and builds again when it changes.
        const _: &[::core::primitive::u8] = ::core::include_bytes!(#full_path);
        const RECORDS: [#private::check::Record; #count] = [#(#rows),*];
        #(#checks)*
        #private::check::demos::<#signature>(&RECORDS)
    })
}

fn record_code(private: &Path, record: &Record) -> TokenStream {
    let line = Literal::usize_unsuffixed(record.line);
    let entries = record
        .entries
        .iter()
        .map(|entry| literal::entry_of_json(private, entry));
    quote!(#private::check::Record { line: #line, entries: &[#(#entries),*] })
}

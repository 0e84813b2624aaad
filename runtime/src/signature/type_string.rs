//! Reads a type written as in Rust (`Option<Vec<i64>>`), with `enum:` and `struct:` for types without a declaration.

use std::borrow::Cow;

use super::spec_json::{Entries, SpecError, distinct, nested_field};
use super::{
    DateKind, EnumSpec, FieldType, FloatType, IntType, ListKind, ListType, Payload, Str,
    StructSpec, TypeRef, VariantSpec,
};

/// Recursion is driven by the input, so it is bounded.
const MAX_DEPTH: usize = 32;

pub(super) fn parse_type(text: &str) -> Result<FieldType, SpecError> {
    parse_nested(text, 0)
}

fn parse_nested(text: &str, depth: usize) -> Result<FieldType, SpecError> {
    let mut reader = Reader {
        rest: text.trim_start(),
        depth,
        nested: 0,
    };
    let ty = reader.ty()?;
    match reader.rest.trim() {
        "" => Ok(ty),
        rest => Err(SpecError::new(format!(
            "`{}` after the end of a type in `{}`",
            excerpt(rest),
            excerpt(text)
        ))),
    }
}

struct Reader<'t> {
    rest: &'t str,
    /// How deep this text lies in the whole type.
    depth: usize,
    /// How many brackets are open in this text: within them, `>`, `,` and the like end an enum.
    nested: usize,
}

impl Reader<'_> {
    fn ty(&mut self) -> Result<FieldType, SpecError> {
        if self.depth + self.nested > MAX_DEPTH {
            return Err(SpecError::new(format!(
                "a type is nested at most {MAX_DEPTH} deep"
            )));
        }
        if self.eat('(') {
            return self.inside(Self::tuple);
        }
        if self.eat('[') {
            return self.inside(Self::array);
        }
        let word = self.word();
        match word.as_str() {
            "enum" => self.enumeration(),
            "struct" => self.structure(),
            "Option" => self.generic(|r| Ok(FieldType::Option(r.ty()?.into()))),
            "Box" => self.generic(Self::ty),
            "Vec" => self.generic(|r| r.list(ListKind::List)),
            "HashSet" | "BTreeSet" => self.generic(|r| r.list(ListKind::Set)),
            "HashMap" | "BTreeMap" => self.generic(Self::map),
            _ => scalar(&word).ok_or_else(|| self.unknown(&word)),
        }
    }

    fn generic(
        &mut self,
        inner: impl FnOnce(&mut Self) -> Result<FieldType, SpecError>,
    ) -> Result<FieldType, SpecError> {
        self.expect('<')?;
        let ty = self.inside(inner)?;
        self.expect('>')?;
        Ok(ty)
    }

    fn inside(
        &mut self,
        inner: impl FnOnce(&mut Self) -> Result<FieldType, SpecError>,
    ) -> Result<FieldType, SpecError> {
        self.nested += 1;
        let ty = inner(self);
        self.nested -= 1;
        ty
    }

    fn list(&mut self, kind: ListKind) -> Result<FieldType, SpecError> {
        let item = self.ty()?.into();
        Ok(FieldType::List(ListType { item, kind }))
    }

    fn map(&mut self) -> Result<FieldType, SpecError> {
        let key = self.ty()?;
        if !matches!(key, FieldType::String) {
            return Err(SpecError::new("the keys of a map are `String`"));
        }
        self.expect(',')?;
        Ok(FieldType::Map(self.ty()?.into()))
    }

    fn tuple(&mut self) -> Result<FieldType, SpecError> {
        let mut items: Vec<TypeRef> = Vec::new();
        while !self.eat(')') {
            items.push(self.ty()?.into());
            if !self.eat(',') {
                self.expect(')')?;
                break;
            }
        }
        match items.is_empty() {
            true => Err(SpecError::new("a tuple has at least one item")),
            false => Ok(FieldType::Tuple(items.into())),
        }
    }

    fn array(&mut self) -> Result<FieldType, SpecError> {
        let item = self.ty()?.into();
        self.expect(';')?;
        let digits = self.word();
        let length = digits.parse().map_err(|_| {
            SpecError::new(format!("expected the length of an array, found `{digits}`"))
        })?;
        self.expect(']')?;
        let kind = ListKind::Array(length);
        Ok(FieldType::List(ListType { item, kind }))
    }

    fn enumeration(&mut self) -> Result<FieldType, SpecError> {
        let name = self.type_name("Enum")?;
        let end = match self.nested {
            0 => self.rest.len(),
            _ => (self.rest.find(['>', ',', ')', ']', ';'])).unwrap_or(self.rest.len()),
        };
        let (names, rest) = self.rest.split_at(end);
        self.rest = rest;
        let mut variants: Vec<VariantSpec> = Vec::new();
        for variant in names.split('|').map(str::trim) {
            if variant.is_empty() {
                return Err(SpecError::new(format!(
                    "the enum `{}` has a variant without a name",
                    excerpt(names)
                )));
            }
            if variants.iter().any(|known| known.name == variant) {
                return Err(SpecError::new(format!(
                    "two variants are named `{variant}`"
                )));
            }
            variants.push(VariantSpec {
                name: Cow::Owned(variant.to_owned()),
                aliases: Cow::Borrowed(&[]),
                desc: Str::Borrowed(""),
                payload: Payload::Unit,
            });
        }
        Ok(FieldType::Enum(EnumSpec {
            name,
            desc: Str::Borrowed(""),
            variants: variants.into(),
            tag: Str::Borrowed("type"),
        }))
    }

    fn structure(&mut self) -> Result<FieldType, SpecError> {
        let name = self.type_name("Object")?;
        let mut stream = serde_json::Deserializer::from_str(self.rest).into_iter::<Entries>();
        let entries = match stream.next() {
            Some(Ok(Entries(entries))) => entries,
            Some(Err(error)) => {
                return Err(SpecError::new(format!("the fields of a struct: {error}")));
            }
            None => return Err(SpecError::new("the fields of a struct are missing")),
        };
        let end = stream.byte_offset();
        self.rest = &self.rest[end..];
        let mut fields = Vec::with_capacity(entries.len());
        let depth = self.depth + self.nested + 1;
        for (name, json) in entries {
            if name.trim().is_empty() {
                return Err(SpecError::new("a field of a struct needs a name"));
            }
            let field = nested_field(name.clone(), &json, |ty| parse_nested(ty, depth));
            fields.push(field.map_err(|error| error.within(name))?);
        }
        distinct(fields.iter())?;
        Ok(FieldType::Struct(StructSpec {
            name,
            desc: Str::Borrowed(""),
            fields: fields.into(),
        }))
    }

    /// The optional name of an enum or struct, and its colon.
    fn type_name(&mut self, default: &'static str) -> Result<Str, SpecError> {
        let name = self.word();
        self.expect(':')?;
        self.rest = self.rest.trim_start();
        Ok(match name.is_empty() {
            true => Str::Borrowed(default),
            false => Str::Owned(name),
        })
    }

    /// The next word of letters, digits, `_` and `::`, the path before its last part left off.
    fn word(&mut self) -> String {
        self.rest = self.rest.trim_start();
        let mut end = 0;
        while let Some(c) = self.rest[end..].chars().next() {
            if c.is_alphanumeric() || c == '_' {
                end += c.len_utf8();
            } else if self.rest[end..].starts_with("::") {
                end += 2;
            } else {
                break;
            }
        }
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        match word {
            "serde_json::Value" => "Json".into(),
            _ => word.rsplit("::").next().unwrap_or(word).into(),
        }
    }

    fn eat(&mut self, wanted: char) -> bool {
        self.rest = self.rest.trim_start();
        match self.rest.strip_prefix(wanted) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, wanted: char) -> Result<(), SpecError> {
        if self.eat(wanted) {
            return Ok(());
        }
        Err(SpecError::new(match self.rest.is_empty() {
            true => format!("expected `{wanted}`, found the end of the type"),
            false => format!("expected `{wanted}` before `{}`", excerpt(self.rest)),
        }))
    }

    fn unknown(&self, word: &str) -> SpecError {
        if word.is_empty() {
            return SpecError::new(format!("expected a type, found `{}`", excerpt(self.rest)));
        }
        SpecError::new(format!(
            "unknown type `{}`: known are String, char, bool, i8 to u128, f32, f64, date, time, datetime, utc, Json, Option<T>, Vec<T>, HashSet<T>, \
             HashMap<String, T>, (A, B), [T; 3], enum:A|B and struct:{{\"name\": \"T\"}}",
            excerpt(word)
        ))
    }
}

fn scalar(word: &str) -> Option<FieldType> {
    let int = |signed, bits| FieldType::Int(IntType { signed, bits });
    Some(match word {
        "String" | "str" => FieldType::String,
        "char" => FieldType::Char,
        "bool" => FieldType::Bool,
        "f32" => FieldType::Float(FloatType::F32),
        "f64" | "float" => FieldType::Float(FloatType::F64),
        "date" | "NaiveDate" => FieldType::Date(DateKind::Date),
        "time" | "NaiveTime" => FieldType::Date(DateKind::Time),
        "datetime" | "NaiveDateTime" => FieldType::Date(DateKind::DateTime),
        "utc" => FieldType::Date(DateKind::Utc),
        "Json" => FieldType::Json,
        "i8" => int(true, 8),
        "i16" => int(true, 16),
        "i32" => int(true, 32),
        "i64" | "isize" | "int" => int(true, 64),
        "i128" => int(true, 128),
        "u8" => int(false, 8),
        "u16" => int(false, 16),
        "u32" => int(false, 32),
        "u64" | "usize" => int(false, 64),
        "u128" => int(false, 128),
        _ => return None,
    })
}

fn excerpt(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(40) {
        Some((end, _)) => format!("{}…", &text[..end]).into(),
        None => text.into(),
    }
}

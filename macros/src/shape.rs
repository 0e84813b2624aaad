//! What a type is, as far as its spelling tells. Traits decide in the end; this makes better messages.

use syn::visit::{self, Visit};
use syn::{GenericArgument, PathArguments, PathSegment, Type};

/// The kind of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Int {
        signed: bool,
        bits: u32,
    },
    Float {
        bits: u32,
    },
    Text,
    Char,
    Bool,
    List,
    Set,
    Array,
    Tuple,
    Map,
    Json,
    /// A type of the user's, an alias, or anything else.
    Unknown,
}

impl Shape {
    /// The shape of a type; that of the inner type for `Option<T>` and `Box<T>`.
    pub(crate) fn of(ty: &Type) -> Self {
        match ty {
            Type::Paren(inner) => Shape::of(&inner.elem),
            Type::Group(inner) => Shape::of(&inner.elem),
            Type::Array(_) => Shape::Array,
            Type::Tuple(_) => Shape::Tuple,
            Type::Path(path) if path.qself.is_none() => {
                let last = path.path.segments.last();
                last.map_or(Shape::Unknown, |last| {
                    named(&last.ident.to_string(), first_type(&last.arguments))
                })
            }
            _ => Shape::Unknown,
        }
    }

    /// With its article, for messages; `None` where the spelling does not tell.
    pub(crate) fn described(self) -> Option<&'static str> {
        Some(match self {
            Shape::Int { .. } => "an integer",
            Shape::Float { .. } => "a float",
            Shape::Text => "a string",
            Shape::Char => "a character",
            Shape::Bool => "a boolean",
            Shape::List => "a list",
            Shape::Set => "a set",
            Shape::Array => "an array",
            Shape::Tuple => "a tuple",
            Shape::Map => "a map",
            Shape::Json => "a JSON value",
            Shape::Unknown => return None,
        })
    }
}

/// Whether a type mentions one of the user's that has arguments, or `Self`: such a one may contain what mentions it.
pub(crate) fn mentions_generic(ty: &Type) -> bool {
    struct Found(bool);

    impl<'a> Visit<'a> for Found {
        fn visit_path_segment(&mut self, segment: &'a PathSegment) {
            let has_arguments = !segment.arguments.is_none();
            let is_wrapper = WRAPPERS.iter().any(|wrapper| segment.ident == wrapper);
            self.0 |= has_arguments && !is_wrapper || segment.ident == "Self";
            visit::visit_path_segment(self, segment);
        }
    }

    let mut found = Found(false);
    found.visit_type(ty);
    found.0
}

const WRAPPERS: [&str; 10] = [
    "Option", "Box", "Arc", "Cow", "Vec", "VecDeque", "HashSet", "BTreeSet", "HashMap", "BTreeMap",
];

/// Whether a type is spelled with the standard library's names alone, so that it contains no type of the user's.
pub(crate) fn is_standard(ty: &Type) -> bool {
    match ty {
        Type::Paren(inner) => is_standard(&inner.elem),
        Type::Group(inner) => is_standard(&inner.elem),
        Type::Array(array) => is_standard(&array.elem),
        Type::Tuple(tuple) => tuple.elems.iter().all(is_standard),
        Type::Path(path) => path.path.segments.last().is_some_and(is_standard_name),
        _ => false,
    }
}

fn is_standard_name(last: &PathSegment) -> bool {
    let name = last.ident.to_string();
    let PathArguments::AngleBracketed(arguments) = &last.arguments else {
        return name == "str" || named(&name, None) != Shape::Unknown;
    };
    WRAPPERS.contains(&name.as_str())
        && arguments.args.iter().all(|argument| match argument {
            GenericArgument::Type(ty) => is_standard(ty),
            GenericArgument::Lifetime(_) => true,
            _ => false,
        })
}

fn named(name: &str, argument: Option<&Type>) -> Shape {
    match name {
        "Option" | "Box" => match argument {
            Some(Type::Path(path)) if path.path.is_ident("str") => Shape::Text,
            Some(inner) => Shape::of(inner),
            None => Shape::Unknown,
        },
        "Arc" | "Cow" => match argument {
            Some(Type::Path(path)) if path.path.is_ident("str") => Shape::Text,
            _ => Shape::Unknown,
        },
        "String" => Shape::Text,
        "char" => Shape::Char,
        "bool" => Shape::Bool,
        "f32" => Shape::Float { bits: 32 },
        "f64" => Shape::Float { bits: 64 },
        "Vec" | "VecDeque" => Shape::List,
        "HashSet" | "BTreeSet" => Shape::Set,
        "HashMap" | "BTreeMap" => Shape::Map,
        "Value" => Shape::Json,
        _ => integer(name).unwrap_or(Shape::Unknown),
    }
}

fn integer(name: &str) -> Option<Shape> {
    let signed = name.starts_with('i');
    let bits = name.strip_prefix(['i', 'u'])?.parse().ok()?;
    matches!(bits, 8 | 16 | 32 | 64 | 128).then_some(Shape::Int { signed, bits })
}

fn first_type(arguments: &PathArguments) -> Option<&Type> {
    let PathArguments::AngleBracketed(arguments) = arguments else {
        return None;
    };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_of_the_users_is_not_standard() {
        for (spelled, standard) in [
            ("Option<Vec<(String, u8)>>", true),
            ("HashMap<Cow<'static, str>, serde_json::Value>", true),
            ("[Box<str>; 3]", true),
            ("Vec<Urgency>", false),
            ("Urgency", false),
            ("Page<String>", false),
            ("T", false),
            ("(u8)", true),
            ("&str", false),
            ("Box<dyn Fn(u8) -> u8>", false),
            ("Vec<{ 3 }>", false),
        ] {
            let ty = syn::parse_str(spelled).expect("a type");
            assert_eq!(is_standard(&ty), standard, "{spelled}");
        }
    }

    #[test]
    fn only_a_generic_type_of_the_users_may_hide_what_mentions_it() {
        for (spelled, generic) in [
            ("Option<Box<Tree<T>>>", true),
            ("HashMap<String, Vec<(T, Mood)>>", false),
            ("Vec<Self>", true),
            ("T", false),
        ] {
            let ty = syn::parse_str(spelled).expect("a type");
            assert_eq!(mentions_generic(&ty), generic, "{spelled}");
        }
    }

    #[test]
    fn spelling_tells_the_shape() {
        let cases = [
            (
                "u8",
                Shape::Int {
                    signed: false,
                    bits: 8,
                },
            ),
            (
                "Option<i128>",
                Shape::Int {
                    signed: true,
                    bits: 128,
                },
            ),
            ("Option<Box<f32>>", Shape::Float { bits: 32 }),
            ("std::borrow::Cow<'static, str>", Shape::Text),
            ("Box<str>", Shape::Text),
            ("(u8, u8)", Shape::Tuple),
            ("[u8; 4]", Shape::Array),
            ("u7", Shape::Unknown),
            ("usize", Shape::Unknown),
            ("Option", Shape::Unknown),
            ("Urgency", Shape::Unknown),
            ("<T as Trait>::String", Shape::Unknown),
            ("Arc<u8>", Shape::Unknown),
            ("(bool)", Shape::Bool),
        ];
        for (spelled, shape) in cases {
            let ty = syn::parse_str(spelled).expect("a type");
            assert_eq!(Shape::of(&ty), shape, "{spelled}");
        }
    }

    /// What a `macro_rules!` passes on comes in a group that nobody wrote.
    #[test]
    fn a_group_is_what_stands_in_it() {
        let inner = quote::quote!(String);
        let group = proc_macro2::Group::new(proc_macro2::Delimiter::None, inner);
        let ty = syn::parse2(quote::quote!(#group)).expect("a type");
        assert!(matches!(ty, Type::Group(_)));
        assert_eq!(Shape::of(&ty), Shape::Text);
        assert!(is_standard(&ty));
    }
}

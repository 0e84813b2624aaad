//! Whether two types are one as far as data goes. Names do not tell, two types may share one, and neither do
//! addresses: a generic type's constant has a copy in each part of the program that mentions it.

use super::{
    Constraint, EnumSpec, FieldSpec, FieldType, Payload, StructSpec, TypeRef, VariantSpec,
};

/// Whether no value, name or description tells the types apart.
pub(super) fn alike(one: &FieldType, two: &FieldType) -> bool {
    Pairs::default().alike(one, two)
}

/// Pairs under comparison: met again, they are alike unless something else tells them apart.
#[derive(Default)]
struct Pairs(Vec<(*const FieldType, *const FieldType)>);

impl Pairs {
    fn alike(&mut self, one: &FieldType, two: &FieldType) -> bool {
        if std::ptr::eq(one, two) {
            return true;
        }
        match (one, two) {
            (FieldType::Option(one), FieldType::Option(two))
            | (FieldType::Map(one), FieldType::Map(two)) => self.alike(one, two),
            (FieldType::List(one), FieldType::List(two)) => {
                one.kind == two.kind && self.alike(&one.item, &two.item)
            }
            (FieldType::Tuple(one), FieldType::Tuple(two)) => {
                self.all(one, two, |pairs, one: &TypeRef, two| pairs.alike(one, two))
            }
            (FieldType::Struct(a), FieldType::Struct(b)) => {
                self.known(one, two) || self.structs(a, b)
            }
            (FieldType::Enum(a), FieldType::Enum(b)) => self.known(one, two) || self.enums(a, b),
            // Of a scalar, its print tells all.
            (one, two) => {
                std::mem::discriminant(one) == std::mem::discriminant(two)
                    && format!("{one:?}") == format!("{two:?}")
            }
        }
    }

    /// Whether the pair is under comparison already; it is from here on.
    fn known(&mut self, one: *const FieldType, two: *const FieldType) -> bool {
        let known = self.0.contains(&(one, two));
        self.0.push((one, two));
        known
    }

    fn all<T>(
        &mut self,
        one: &[T],
        two: &[T],
        mut alike: impl FnMut(&mut Self, &T, &T) -> bool,
    ) -> bool {
        let mut pairs = one.iter().zip(two);
        one.len() == two.len() && pairs.all(|(one, two)| alike(self, one, two))
    }

    fn structs(&mut self, one: &StructSpec, two: &StructSpec) -> bool {
        (&one.name, &one.desc) == (&two.name, &two.desc)
            && self.all(&one.fields, &two.fields, Self::fields)
    }

    fn fields(&mut self, one: &FieldSpec, two: &FieldSpec) -> bool {
        let rest = |field: &FieldSpec| (field.constraints.to_vec(), field.default.is_some());
        let (one_rest, two_rest): (_, (Vec<Constraint>, bool)) = (rest(one), rest(two));
        (&one.name, &one.desc) == (&two.name, &two.desc)
            && one_rest == two_rest
            && self.alike(&one.ty, &two.ty)
    }

    fn enums(&mut self, one: &EnumSpec, two: &EnumSpec) -> bool {
        (&one.name, &one.desc, &one.tag) == (&two.name, &two.desc, &two.tag)
            && self.all(&one.variants, &two.variants, Self::variants)
    }

    fn variants(&mut self, one: &VariantSpec, two: &VariantSpec) -> bool {
        let names = |variant: &VariantSpec| {
            let (name, desc) = (variant.name.clone(), variant.desc.clone());
            (name, desc, variant.aliases.clone())
        };
        names(one) == names(two)
            && match (&one.payload, &two.payload) {
                (Payload::Unit, Payload::Unit) => true,
                (Payload::Value(one), Payload::Value(two)) => self.alike(one, two),
                (Payload::Fields(one), Payload::Fields(two)) => self.all(one, two, Self::fields),
                _ => false,
            }
    }
}

#[cfg(test)]
mod tests {
    use super::alike;
    use crate::signature::FieldType;

    #[test]
    fn only_equal_types_are_alike() {
        let types = [
            "String",
            "bool",
            "i8",
            "u8",
            "f32",
            "f64",
            "Option<u8>",
            "Vec<u8>",
            "HashSet<u8>",
            "[u8; 2]",
            "(u8, u8)",
            "(u8, bool)",
            "HashMap<String, u8>",
            "enum:A|B",
            "enum:A|C",
            "enum Mood:A|B",
            r#"struct:{"a": "u8"}"#,
            r#"struct:{"a": "Vec<u8>"}"#,
            r#"struct:{"a": {"type": "u8", "max": 3}}"#,
        ];
        let read = |text: &str| FieldType::from_type_str(text).expect(text);
        for (at, one) in types.iter().enumerate() {
            for (other_at, other) in types.iter().enumerate() {
                let same = alike(&read(one), &read(other));
                assert_eq!(same, at == other_at, "{one} and {other}");
            }
        }
    }
}

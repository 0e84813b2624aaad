//! What derived code calls to go between structs and untyped values; the table of fields drives it.

use super::{FieldSet, FieldSpec, FieldType, FieldValues, Payload, Str, Value, ValueError};

/// Takes values out by a table of fields, one after the other, and keeps what went wrong.
pub struct Reader<'t> {
    values: FieldValues,
    rows: std::slice::Iter<'t, FieldSpec>,
    errors: Vec<ValueError>,
    strict: bool,
}

impl<'t> Reader<'t> {
    /// A reader of `values` by the table `fields`.
    #[must_use]
    pub fn new(values: FieldValues, fields: &'t [FieldSpec]) -> Self {
        Reader {
            values,
            rows: fields.iter(),
            errors: Vec::new(),
            strict: false,
        }
    }

    /// A reader of the fields of `T`.
    #[must_use]
    pub fn of<T: FieldSet>(values: FieldValues) -> Self {
        Reader::new(values, T::FIELDS)
    }

    /// A reader of values that no parser has held to the constraints of their fields.
    #[must_use]
    pub fn strict(values: FieldValues, fields: &'t [FieldSpec]) -> Self {
        Reader {
            strict: true,
            ..Reader::new(values, fields)
        }
    }

    /// The value of the next field as `read` makes it; `None` after an error.
    pub fn take<T>(&mut self, read: impl FnOnce(Value) -> Result<T, ValueError>) -> Option<T> {
        let field = self.rows.next()?;
        let result = match self.values.take(&field.name) {
            Some(value) => {
                let broken = self.strict.then(|| field.broken_by(&value)).flatten();
                let read = read(value).map_err(|error| error.at(&field.name));
                read.and_then(|value| broken.map_or(Ok(value), Err))
            }
            None => match missing(field) {
                Some(value) => read(value).map_err(|error| error.at(&field.name)),
                None => Err(ValueError::new("missing").at(&field.name)),
            },
        };
        result.map_err(|error| self.errors.push(error)).ok()
    }

    /// What `build` makes of the values taken, or every error, in field order.
    ///
    /// # Errors
    /// Where a value could not be taken, so that `build` has nothing to make.
    pub fn all<T>(self, build: impl FnOnce() -> Option<T>) -> Read<T> {
        match build() {
            Some(built) if self.errors.is_empty() => Ok(built),
            _ => Err(self.errors),
        }
    }

    /// The same with the first error only.
    ///
    /// # Errors
    /// As [`Reader::all`].
    pub fn one<T>(self, build: impl FnOnce() -> Option<T>) -> Result<T, ValueError> {
        self.all(build).map_err(|errors| {
            let first = errors.into_iter().next();
            first.unwrap_or_else(|| ValueError::new("a field is missing"))
        })
    }
}

/// What a field that is left out counts as.
fn missing(field: &FieldSpec) -> Option<Value> {
    match &field.default {
        Some(default) => Some(default.get()),
        None => field.ty.is_option().then_some(Value::Null),
    }
}

/// What reading a half gives.
pub type Read<T> = Result<T, Vec<ValueError>>;

/// The values of the fields of `T`, in order.
#[must_use]
pub fn values<T: FieldSet>(values: impl IntoIterator<Item = Value>) -> FieldValues {
    named(T::FIELDS, values).collect()
}

fn named(
    fields: &[FieldSpec],
    values: impl IntoIterator<Item = Value>,
) -> impl Iterator<Item = (Str, Value)> {
    fields.iter().map(|field| field.name.clone()).zip(values)
}

/// The fields of a struct type; none for any other.
#[must_use]
pub fn struct_fields(ty: &FieldType) -> &[FieldSpec] {
    match ty {
        FieldType::Struct(spec) => &spec.fields,
        _ => &[],
    }
}

/// The entries of a map as field values.
///
/// # Errors
/// Where the value is no map.
pub fn struct_values(value: Value) -> Result<FieldValues, ValueError> {
    match value {
        Value::Map(entries) => Ok(entries.into_iter().collect()),
        other => Err(ValueError::expected("a map of fields", &other)),
    }
}

/// The map of a struct's values.
#[must_use]
pub fn struct_value<const N: usize>(ty: &FieldType, values: [Value; N]) -> Value {
    Value::Map(
        named(struct_fields(ty), values)
            .map(|(name, value)| (name.into_owned(), value))
            .collect(),
    )
}

/// The row of the variant that a value names.
///
/// # Errors
/// Where the value is no string, or names no variant.
pub fn unit_variant(ty: &FieldType, value: &Value) -> Result<usize, ValueError> {
    match value {
        Value::String(name) => named_variant(ty, name),
        other => Err(ValueError::expected("the name of a variant", other)),
    }
}

/// The value of a unit variant.
#[must_use]
pub fn unit_value(name: &str) -> Value {
    Value::String(name.to_owned())
}

/// The row of the variant that a tagged value is, and its other entries. A bare name will do as well.
///
/// # Errors
/// Where the tag is missing or names no variant.
pub fn variant(ty: &FieldType, value: Value) -> Result<(usize, FieldValues), ValueError> {
    let FieldType::Enum(spec) = ty else {
        return Err(ValueError::new("not an enum"));
    };
    let mut values: FieldValues = match value {
        Value::Map(entries) => entries.into_iter().collect(),
        Value::String(name) => return Ok((named_variant(ty, &name)?, FieldValues::new())),
        other => {
            let tag = &spec.tag;
            return Err(ValueError::expected(
                &format!("a map with the key `{tag}`"),
                &other,
            ));
        }
    };
    match values.take(&spec.tag) {
        None => Err(ValueError::new("missing").at(&spec.tag)),
        Some(Value::String(name)) => {
            let at = named_variant(ty, &name).map_err(|error| error.at(&spec.tag))?;
            Ok((at, values))
        }
        Some(other) => Err(ValueError::expected("the name of a variant", &other).at(&spec.tag)),
    }
}

fn named_variant(ty: &FieldType, name: &str) -> Result<usize, ValueError> {
    let FieldType::Enum(spec) = ty else {
        return Err(ValueError::new("not an enum"));
    };
    let exact = spec.variants.iter().position(|variant| {
        variant.name == name || variant.aliases.iter().any(|alias| alias == name)
    });
    exact.ok_or_else(|| {
        let names: Vec<_> = spec
            .variants
            .iter()
            .map(|variant| format!("`{}`", variant.name))
            .collect();
        ValueError::new(format!("{name:?} is none of {}", names.join(", ")))
    })
}

/// The fields of a variant; none if it has no named ones.
#[must_use]
pub fn variant_fields(ty: &FieldType, at: usize) -> &[FieldSpec] {
    match ty {
        FieldType::Enum(spec) => match spec.variants.get(at).map(|variant| &variant.payload) {
            Some(Payload::Fields(fields)) => fields,
            _ => &[],
        },
        _ => &[],
    }
}

/// Key of the data of a variant that carries one unnamed value.
pub(super) const PAYLOAD_KEY: &str = "value";

/// The one value that a variant carries.
///
/// # Errors
/// Where it is missing, or `read` refuses it.
pub fn payload<T>(
    mut values: FieldValues,
    read: impl FnOnce(Value) -> Result<T, ValueError>,
) -> Result<T, ValueError> {
    let value = values
        .take(PAYLOAD_KEY)
        .ok_or_else(|| ValueError::new("missing").at(PAYLOAD_KEY))?;
    read(value).map_err(|error| error.at(PAYLOAD_KEY))
}

/// The tagged value of the variant in row `at`.
#[must_use]
pub fn variant_value<const N: usize>(ty: &FieldType, at: usize, values: [Value; N]) -> Value {
    let FieldType::Enum(spec) = ty else {
        return Value::Null;
    };
    let Some(variant) = spec.variants.get(at) else {
        return Value::Null;
    };
    let tag = (
        spec.tag.clone().into_owned(),
        Value::String(variant.name.clone().into_owned()),
    );
    let data: Vec<_> = match &variant.payload {
        Payload::Fields(fields) => named(fields, values)
            .map(|(name, value)| (name.into_owned(), value))
            .collect(),
        _ => values
            .into_iter()
            .map(|value| (PAYLOAD_KEY.to_owned(), value))
            .collect(),
    };
    Value::Map(std::iter::once(tag).chain(data).collect())
}

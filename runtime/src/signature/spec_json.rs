//! Specs made at run time: a signature from JSON, a field type from a string such as `Vec<i64>`.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::{Map, Value as Json};

use super::python_type::parse_python_type;
use super::spec_constraint::{KEYS, constraints};
use super::type_string::parse_type;
use super::{FieldSpec, FieldType, PromptFormat, SignatureSpec, Str};

/// Why a spec can't be built, and where in its JSON.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{message}", self.shown_place())]
pub struct SpecError {
    place: String,
    message: String,
}

impl SpecError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        SpecError {
            place: String::new(),
            message: message.into(),
        }
    }

    /// The same error, seen from one level up.
    pub(super) fn within(mut self, place: impl fmt::Display) -> Self {
        self.place = if self.place.is_empty() {
            place.to_string()
        } else {
            format!("{place}.{}", self.place)
        };
        self
    }

    /// Where the fault is: keys and indices, outermost first, joined by points; empty for the whole.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.place
    }

    fn shown_place(&self) -> String {
        if self.place.is_empty() {
            String::new()
        } else {
            format!("`{}`: ", self.place)
        }
    }
}

impl SignatureSpec {
    /// A signature from JSON:
    /// `{"name": .., "instruction": .., "format": .., "inputs": [{"name": .., "type": .., "desc": ..}], "outputs": [..]}`.
    ///
    /// `name`, `instruction`, `format` (`chat` or `json`), `inputs` and each `desc` may be left out. Types are those of [`FieldType::from_type_str`].
    ///
    /// A field may have constraints, with the meaning that they have for a derive, and refused where a derive would:
    ///
    /// | key | value | for |
    /// |---|---|---|
    /// | `min`, `max` | a number | numbers |
    /// | `len` | `3`, `[1, 5]`, or `[2, null]` for at least 2 | strings, lists, sets, maps |
    /// | `regex` | a regular expression that matches the whole | strings |
    /// | `one_of` | a list of strings | strings |
    /// | `one_line` | `true` | strings |
    /// | `unique` | `true` | lists |
    ///
    /// ```
    /// use candle_signature::signature::SignatureSpec;
    ///
    /// let spec = SignatureSpec::from_json(&serde_json::json!({
    ///     "outputs": [
    ///         {"name": "stars", "type": "u8", "min": 1, "max": 5},
    ///         {"name": "topics", "type": "Vec<String>", "len": [0, 3], "unique": true},
    ///     ],
    /// }))?;
    /// assert_eq!(spec.outputs[1].constraints.len(), 2);
    /// # Ok::<(), candle_signature::signature::SpecError>(())
    /// ```
    ///
    /// # Errors
    /// A wrong or unknown key, a type that can't be read, a constraint that does not suit it, a field name that is empty, reserved (`completed`),
    /// used twice, or that could not stand in a section marker.
    pub fn from_json(json: &Json) -> Result<Self, SpecError> {
        let Json::Object(entries) = json else {
            return Err(SpecError::new("a signature is a JSON object"));
        };
        let mut spec = SignatureSpec {
            name: Str::Borrowed("Signature"),
            instruction: Str::Borrowed(""),
            inputs: Vec::new().into(),
            outputs: Vec::new().into(),
            format: PromptFormat::Chat,
        };
        for (key, value) in entries {
            match key.as_str() {
                "name" => spec.name = text(value).map_err(|e| e.within("name"))?.into(),
                "instruction" => {
                    spec.instruction = text(value).map_err(|e| e.within("instruction"))?.into();
                }
                "format" => spec.format = format(value).map_err(|e| e.within("format"))?,
                "inputs" => spec.inputs = fields(value).map_err(|e| e.within("inputs"))?.into(),
                "outputs" => spec.outputs = fields(value).map_err(|e| e.within("outputs"))?.into(),
                other => {
                    return Err(SpecError::new(format!(
                        "unknown key `{other}`: the keys are `name`, `instruction`, `format`, `inputs` and `outputs`"
                    )));
                }
            }
        }
        if spec.outputs.is_empty() {
            return Err(SpecError::new("a signature needs at least one output").within("outputs"));
        }
        distinct(spec.inputs.iter().chain(spec.outputs.iter()))?;
        Ok(spec)
    }
}

fn format(json: &Json) -> Result<PromptFormat, SpecError> {
    match json.as_str() {
        Some("chat") => Ok(PromptFormat::Chat),
        Some("json") => Ok(PromptFormat::Json),
        _ => Err(SpecError::new("a format is `chat` or `json`")),
    }
}

impl FieldType {
    /// The type that a string names: `String`, `char`, `bool`, `i8` … `u128`, `f32`, `f64`, `Json`, `Option<T>`, `Vec<T>`,
    /// `HashSet<T>`, `BTreeSet<T>`, `HashMap<String, T>`, `BTreeMap<String, T>`, `(A, B)`, `[T; 3]`,
    /// `enum:Low|High` or `enum Urgency:Low|High`, `struct:{"name": "String"}` or `struct Person:{..}`. A field of a struct may also
    /// be an object with `type`, `desc` and the constraints of [`SignatureSpec::from_json`]: `struct:{"age": {"type": "u8", "max": 150}}`.
    ///
    /// Python's ways are read too: `list[str]`, `dict[str, int]`, `set[int]`, `tuple[int, str]`, `Optional[int]`, `int | None`,
    /// `Literal['low', 'high']`, `Any`.
    ///
    /// # Errors
    /// Where the string is no such type, or one nested more than 32 deep.
    pub fn from_type_str(text: &str) -> Result<Self, SpecError> {
        parse_python_type(text).unwrap_or_else(|| parse_type(text))
    }
}

fn fields(json: &Json) -> Result<Vec<FieldSpec>, SpecError> {
    let Json::Array(items) = json else {
        return Err(SpecError::new("expected a list of fields"));
    };
    items
        .iter()
        .enumerate()
        .map(|(at, item)| field(item).map_err(|error| error.within(at)))
        .collect()
}

fn field(json: &Json) -> Result<FieldSpec, SpecError> {
    let Json::Object(entries) = json else {
        return Err(SpecError::new(
            "a field is an object with `name` and `type`",
        ));
    };
    let name = match entries.get("name") {
        Some(name) => text(name).map_err(|error| error.within("name"))?,
        None => return Err(SpecError::new("the key `name` is missing")),
    };
    usable_name(&name).map_err(|error| error.within("name"))?;
    let known = |key: &str| key == "name" || is_field_key(key);
    if let Some(other) = entries.keys().find(|key| !known(key)) {
        return Err(unknown_key(other, "`name`, "));
    }
    described(&name, entries, FieldType::from_type_str).map_err(|error| match error.place() {
        // Of which field nothing says yet but its number.
        "" => error.within(&name),
        _ => error,
    })
}

fn is_field_key(key: &str) -> bool {
    matches!(key, "type" | "desc") || KEYS.contains(&key)
}

fn unknown_key(key: &str, first: &str) -> SpecError {
    SpecError::new(format!(
        "unknown key `{key}`: the keys of a field are {first}`type`, `desc` and the constraints `{}`",
        KEYS.join("`, `")
    ))
}

/// A field of a struct in a type string: its type, or an object as for a field of a signature.
pub(super) fn nested_field(
    name: String,
    json: &Json,
    parse: impl Fn(&str) -> Result<FieldType, SpecError>,
) -> Result<FieldSpec, SpecError> {
    match json {
        Json::String(ty) => Ok(FieldSpec::owned(name, "", parse(ty)?)),
        Json::Object(entries) => match entries.keys().find(|key| !is_field_key(key)) {
            Some(other) => Err(unknown_key(other, "")),
            None => described(&name, entries, parse),
        },
        _ => Err(SpecError::new("expected the type as a string")),
    }
}

/// The field of this name with what its other keys say.
fn described(
    name: &str,
    entries: &Map<String, Json>,
    parse: impl Fn(&str) -> Result<FieldType, SpecError>,
) -> Result<FieldSpec, SpecError> {
    let string = |key: &str| match entries.get(key) {
        Some(value) => text(value).map(Some).map_err(|error| error.within(key)),
        None => Ok(None),
    };
    let ty = string("type")?.ok_or_else(|| SpecError::new("the key `type` is missing"))?;
    let ty = parse(&ty).map_err(|error| error.within("type"))?;
    let constraints = constraints(entries, &ty)?;
    let desc = string("desc")?.unwrap_or_default();
    Ok(FieldSpec {
        constraints: constraints.into(),
        ..FieldSpec::owned(name, desc, ty)
    })
}

fn text(json: &Json) -> Result<String, SpecError> {
    json.as_str()
        .map(str::to_owned)
        .ok_or_else(|| SpecError::new("expected a string"))
}

/// A name must survive `[[ ## name ## ]]` and be told from the end of the reply.
pub(super) fn usable_name(name: &str) -> Result<(), SpecError> {
    let fault = if name.trim().is_empty() {
        "a field needs a name"
    } else if name.trim() != name {
        "a field's name begins and ends with no white space"
    } else if name.eq_ignore_ascii_case("completed") {
        "`completed` is reserved: its marker ends a reply"
    } else if name.contains(|c: char| c.is_control() || matches!(c, '[' | ']' | '#')) {
        "a field's name holds no `[`, `]`, `#` or control character: it stands in `[[ ## name ## ]]`"
    } else {
        return Ok(());
    };
    Err(SpecError::new(fault))
}

/// Refuses two fields of one name.
pub(super) fn distinct<'a>(fields: impl Iterator<Item = &'a FieldSpec>) -> Result<(), SpecError> {
    let mut seen = std::collections::HashSet::new();
    for field in fields {
        if !seen.insert(field.name.as_ref()) {
            return Err(SpecError::new(format!(
                "two fields are named `{}`",
                field.name
            )));
        }
    }
    Ok(())
}

/// The entries of a JSON object in order, the repeated ones too, which a map would drop unseen.
pub(super) struct Entries(pub(super) Vec<(String, Json)>);

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Entries;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Entries, M::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}

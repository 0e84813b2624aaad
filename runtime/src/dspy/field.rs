//! A `MetaSignature` of dspy-rs as a [`SignatureSpec`], made at run time.
//!
//! Each of its fields is `{"type": "Vec < String >", "desc": .., "schema": ..}`: the Rust type as written, and for types that are not
//! primitive a JSON schema, or the `properties` of one.

use dspy_rs::MetaSignature;
use serde_json::{Map, Value as Json, json};

use crate::signature::{FieldSpec, FieldType, SignatureSpec, Str};

use super::DspyError;
use super::schema::{Read, read_properties, read_schema};
use super::signature::{derived_field, derived_spec};

/// The signature as this crate's prompt, grammar and parser read it.
///
/// # Errors
/// [`DspyError::Signature`] where it has no outputs, a field has a type that nothing is known of, or a name that can't stand
/// in a prompt.
pub fn spec_of(signature: &dyn MetaSignature) -> Result<SignatureSpec, DspyError> {
    let (inputs, outputs) = (signature.input_fields(), signature.output_fields());
    let inputs = object("input_fields", &inputs)?;
    let outputs = object("output_fields", &outputs)?;
    let instruction = signature.instruction();
    usable(inputs, outputs)?;
    // What the derive knows and dspy-rs can't say (the name, the format) is the derive's.
    let derived = outputs.values().find_map(derived_spec);
    let template = derived.cloned().unwrap_or(SignatureSpec {
        name: Str::Borrowed("Signature"),
        ..SignatureSpec::new("", "", &[], &[])
    });
    let is_unchanged = template.instruction == instruction;
    Ok(SignatureSpec {
        instruction: match is_unchanged {
            true => template.instruction,
            false => Str::Owned(instruction),
        },
        inputs: fields("input", inputs)?.into(),
        outputs: fields("output", outputs)?.into(),
        ..template
    })
}

fn object<'j>(place: &str, json: &'j Json) -> Result<&'j Map<String, Json>, DspyError> {
    json.as_object().ok_or_else(|| {
        DspyError::signature(
            place,
            "expected a JSON object of fields, as `#[Signature]` makes it",
        )
    })
}

/// Names that survive a prompt, each once, and an output: the rules of every spec made at run time.
fn usable(inputs: &Map<String, Json>, outputs: &Map<String, Json>) -> Result<(), DspyError> {
    let named = |fields: &Map<String, Json>| -> Json {
        fields
            .keys()
            .map(|name| json!({"name": name, "type": "String"}))
            .collect()
    };
    let spec = json!({"inputs": named(inputs), "outputs": named(outputs)});
    match SignatureSpec::from_json(&spec) {
        Ok(_) => Ok(()),
        Err(error) => Err(DspyError::signature("fields", error.to_string())),
    }
}

fn fields(role: &str, fields: &Map<String, Json>) -> Result<Vec<FieldSpec>, DspyError> {
    fields
        .iter()
        .map(|(name, json)| {
            let derived = derived_field(name, json);
            derived
                .and_then(|derived| derived.map_or_else(|| field(name, json), Ok))
                .map_err(|problem| DspyError::signature(format!("{role} `{name}`"), problem))
        })
        .collect()
}

fn field(name: &str, json: &Json) -> Result<FieldSpec, String> {
    let string = |key: &str| json.get(key).and_then(Json::as_str).unwrap_or_default();
    let written = match json.get("type") {
        None => "String",
        Some(Json::String(ty)) => ty,
        Some(other) => return Err(format!("its `type` is a string, not `{other}`")),
    };
    let Read {
        ty,
        constraints,
        is_exact,
    } = read(written, json.get("schema"))?;
    let mut desc = string("desc").to_owned();
    if !is_exact && let Some(schema) = json.get("schema") {
        let gap = if desc.is_empty() { "" } else { " " };
        desc.push_str(&format!("{gap}(JSON schema: {schema})"));
    }
    Ok(FieldSpec {
        constraints: constraints.into(),
        ..FieldSpec::owned(name, desc, ty)
    })
}

/// The type as written says more than its schema (widths, sets), so it goes first; the schema serves types of the user's own.
fn read(written: &str, schema: Option<&Json>) -> Result<Read, String> {
    let as_given = FieldType::from_type_str(written);
    // `quote!` parts tokens by blanks: `std :: collections :: HashMap < String , i32 >`.
    let dense = || FieldType::from_type_str(&written.replace(' ', ""));
    let unknown = match as_given.or_else(|_| dense()) {
        Ok(ty) => return Ok(Read::exact(ty)),
        Err(error) => error,
    };
    let name = type_name(written);
    match schema {
        Some(Json::String(text)) if !text.trim().is_empty() => {
            let schema = serde_json::from_str(text)
                .map_err(|error| format!("its `schema` is no JSON: {error}"))?;
            Ok(read_whole(&schema, &name))
        }
        Some(schema @ (Json::Object(_) | Json::Bool(true))) => Ok(read_whole(schema, &name)),
        _ => Err(format!(
            "{unknown}, and it has no `schema` that says more: derive `schemars::JsonSchema` for the type"
        )),
    }
}

/// 0.7.3 keeps of an object's schema only the `properties`. The two can't be confused: each property is a schema itself, while
/// the keywords below hold something else.
fn read_whole(schema: &Json, name: &str) -> Read {
    let Json::Object(object) = schema else {
        return read_schema(schema, name);
    };
    let is_keyword = |(key, value): (&String, &Json)| match key.as_str() {
        "$schema" | "$ref" | "title" | "format" | "pattern" => value.is_string(),
        "type" => value.is_string() || value.is_array(),
        "anyOf" | "oneOf" | "allOf" | "enum" | "prefixItems" | "required" => value.is_array(),
        _ => false,
    };
    if object.is_empty() || object.iter().any(is_keyword) {
        read_schema(schema, name)
    } else {
        read_properties(object, name)
    }
}

/// The last word of a type before its arguments: `Urgency` of `crate :: Urgency`.
fn type_name(written: &str) -> String {
    let dense = written.replace(' ', "");
    let path = dense.split('<').next().unwrap_or_default();
    path.rsplit("::").next().unwrap_or_default().to_owned()
}

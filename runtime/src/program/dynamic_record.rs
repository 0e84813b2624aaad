//! Records of signatures that exist only at run time: a JSON object to values, checked against the fields.

use serde_json::Value as Json;

use crate::signature::{FieldSpec, FieldValues, PartialDemo, SignatureSpec, Value, ValueError};

use super::demo_json::value_of;

/// The inputs of an object, all of them.
pub(super) fn read_inputs(
    fields: &[FieldSpec],
    json: &Json,
) -> Result<FieldValues, Vec<ValueError>> {
    let values = values_of(json)?;
    let faults = faults(fields, &values, false);
    match faults.is_empty() {
        true => Ok(ordered(fields, values)),
        false => Err(faults),
    }
}

/// The inputs and outputs of an object; any may be left out.
pub(super) fn read_demo(spec: &SignatureSpec, json: &Json) -> Result<PartialDemo, Vec<ValueError>> {
    let mut inputs = values_of(json)?;
    let names = spec.outputs.iter().map(|field| field.name.clone());
    let outputs = names.filter_map(|name| inputs.take(&name).map(|value| (name, value)));
    let outputs: FieldValues = outputs.collect();
    let fields: Vec<_> = spec
        .inputs
        .iter()
        .chain(spec.outputs.iter())
        .cloned()
        .collect();
    let all: FieldValues = [&inputs, &outputs]
        .into_iter()
        .flat_map(FieldValues::iter)
        .map(|(name, value)| (name.to_owned(), value.clone()))
        .collect();
    let faults = faults(&fields, &all, true);
    if !faults.is_empty() {
        return Err(faults);
    }
    let inputs = spec.inputs.iter().filter_map(|field| {
        let value = inputs.take(&field.name)?;
        Some((field.name.clone(), value))
    });
    Ok(PartialDemo {
        inputs: inputs.collect(),
        outputs,
    })
}

/// What is wrong with values: those that are no field's, then each field's own fault.
pub(super) fn faults(fields: &[FieldSpec], values: &FieldValues, partial: bool) -> Vec<ValueError> {
    let is_field = |name: &str| fields.iter().any(|field| field.name == name);
    let unknown = values.iter().filter(|(name, _)| !is_field(name));
    let mut faults: Vec<_> = unknown
        .map(|(name, _)| ValueError::new(no_such(fields)).at(name))
        .collect();
    for field in fields {
        match values.get(&field.name) {
            Some(value) => faults.extend(field.check(value).err()),
            None if partial || field.may_be_missing() => {}
            None => faults.push(ValueError::new("missing").at(&field.name)),
        }
    }
    faults
}

fn no_such(fields: &[FieldSpec]) -> String {
    let names: Vec<_> = fields
        .iter()
        .map(|field| format!("`{}`", field.name))
        .collect();
    match names.is_empty() {
        true => "there is no such field: the signature has none here".into(),
        false => format!("there is no such field; there are {}", names.join(", ")),
    }
}

/// In the order of the fields, what is missing with its default or null.
fn ordered(fields: &[FieldSpec], mut values: FieldValues) -> FieldValues {
    let value = |field: &FieldSpec| {
        let given = values.take(&field.name);
        let default = || field.default.as_ref().map(|default| default.get());
        let value = given.or_else(default).unwrap_or(Value::Null);
        (field.name.clone(), value)
    };
    fields.iter().map(value).collect()
}

fn values_of(json: &Json) -> Result<FieldValues, Vec<ValueError>> {
    match json {
        Json::Object(entries) => Ok(entries
            .iter()
            .map(|(name, json)| (name.clone(), value_of(json)))
            .collect()),
        other => Err(vec![ValueError::expected(
            "an object with the fields by name",
            &Value::from(other.clone()),
        )]),
    }
}

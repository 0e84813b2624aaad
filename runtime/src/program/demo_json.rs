//! Demos and datasets as JSON: one flat object a record, every value checked against its field.

use serde_json::{Map, Value as Json};

use crate::signature::{
    Demo, FieldSet, FieldSpec, FieldValues, PartialDemo, Signature, Value, ValueError,
};

/// Which records are accepted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Accept {
    /// Names of outputs beside the signature's own, all of them text.
    pub extra: &'static [&'static str],
    /// Keys that are no fields and left out.
    pub ignored: &'static [&'static str],
    /// Whether fields may be left out.
    pub partial: bool,
}

/// A demo of a record.
///
/// # Errors
/// One error a field that is missing, unknown, of another type, or breaks a constraint.
pub(super) fn read_demo<S: Signature>(
    record: &Map<String, Json>,
    accept: Accept,
) -> Result<Demo<S>, Vec<ValueError>> {
    let mut errors = Vec::new();
    let mut demo = PartialDemo::default();
    for (key, json) in record {
        let value = value_of(json);
        let is_extra = accept.extra.contains(&key.as_str());
        if fields::<S::Input>(key).is_some() {
            demo.inputs.insert(key.clone(), value);
        } else if fields::<S::Output>(key).is_some() || is_extra {
            if is_extra && !matches!(value, Value::String(_)) {
                errors.push(ValueError::expected("a string", &value).at(key));
            }
            demo.outputs.insert(key.clone(), value);
        } else if !accept.ignored.contains(&key.as_str()) {
            errors.push(ValueError::new(unknown::<S>(accept.extra)).at(key));
        }
    }
    errors.extend(faults::<S::Input>(&demo.inputs, accept.partial));
    errors.extend(faults::<S::Output>(&demo.outputs, accept.partial));
    if errors.is_empty() {
        Ok(Demo::from_partial(ordered::<S>(demo, accept.extra)))
    } else {
        Err(errors)
    }
}

/// The record of a demo.
pub(super) fn write_demo(demo: &PartialDemo) -> Json {
    let entries = demo.inputs.iter().chain(demo.outputs.iter());
    let json = |value: &Value| serde_json::to_value(value).unwrap_or(Json::Null);
    Json::Object(
        entries
            .map(|(name, value)| (name.to_owned(), json(value)))
            .collect(),
    )
}

fn fields<T: FieldSet>(name: &str) -> Option<&'static FieldSpec> {
    T::FIELDS.iter().find(|field| field.name == name)
}

fn unknown<S: Signature>(extra: &[&str]) -> String {
    let fields = S::Input::FIELDS.iter().chain(S::Output::FIELDS);
    let names = fields
        .map(|field| &*field.name)
        .chain(extra.iter().copied());
    let names: Vec<_> = names.map(|name| format!("`{name}`")).collect();
    format!("no field of this signature, which has {}", names.join(", "))
}

/// What is wrong with the values of one half.
fn faults<T: FieldSet>(values: &FieldValues, partial: bool) -> Vec<ValueError> {
    let own = values
        .iter()
        .filter(|(name, _)| fields::<T>(name).is_some());
    let own: FieldValues = own
        .map(|(name, value)| (name.to_owned(), value.clone()))
        .collect();
    let broken = own
        .iter()
        .filter_map(|(name, value)| fields::<T>(name)?.broken_by(value));
    let broken: Vec<_> = broken.collect();
    match T::from_values(own) {
        Ok(_) => broken,
        Err(errors) => {
            let is_there = |error: &ValueError| {
                let field = error.path().first();
                field.is_some_and(|field| values.get(field).is_some())
            };
            let counts = errors
                .into_iter()
                .filter(|error| !partial || is_there(error));
            let mut all: Vec<_> = counts.collect();
            all.extend(broken);
            all
        }
    }
}

/// The same in the order of the fields, whatever that of the record was.
fn ordered<S: Signature>(mut demo: PartialDemo, extra: &[&str]) -> PartialDemo {
    let mut sorted = PartialDemo::default();
    for field in S::Input::FIELDS {
        if let Some(value) = demo.inputs.take(&field.name) {
            sorted.inputs.insert(field.name.clone(), value);
        }
    }
    let outputs = S::Output::FIELDS.iter().map(|field| &*field.name);
    for name in extra.iter().copied().chain(outputs) {
        if let Some(value) = demo.outputs.take(name) {
            sorted.outputs.insert(name.to_owned(), value);
        }
    }
    sorted
}

/// A value of JSON, with the floats that JSON lacks as [`Value`] writes them.
pub(super) fn value_of(json: &Json) -> Value {
    match json {
        Json::Array(items) => Value::List(items.iter().map(value_of).collect()),
        Json::Object(entries) => match float(entries) {
            Some(float) => Value::Float(float),
            None => {
                let entries = entries.iter();
                Value::Map(
                    entries
                        .map(|(key, json)| (key.clone(), value_of(json)))
                        .collect(),
                )
            }
        },
        other => Value::from(other.clone()),
    }
}

fn float(entries: &Map<String, Json>) -> Option<f64> {
    let text = entries.get("$float").filter(|_| entries.len() == 1)?;
    match text.as_str()? {
        "NaN" => Some(f64::NAN),
        "inf" => Some(f64::INFINITY),
        "-inf" => Some(f64::NEG_INFINITY),
        _ => None,
    }
}

//! Saved programs read without a derived signature: into a predictor whose signature is given, or made of what was saved.

use serde_json::{Map, Value as Json};

use crate::adapter::Overrides;
use crate::prompt::type_name;
use crate::signature::{FieldSpec, FieldType, SignatureSpec};

use super::super::DynamicPredict;
use super::super::dynamic_record::read_demo;
use super::{StateError, dspy, ours};

impl DynamicPredict {
    /// The predictor of a saved program, a `Predict` or a `ChainOfThought`: in this crate's format, or DSPy 3's.
    ///
    /// Without a signature its fields are made of the saved names and types. That is enough for text, numbers, choices, lists and
    /// maps; widths of numbers, descriptions and constraints are not saved, and of a struct only its name.
    ///
    /// # Errors
    /// What does not fit, by the name of the field; a saved type that can't be read back, and a file of DSPy, which saves no types:
    /// then the signature must be given.
    pub fn from_saved(json: &Json, spec: Option<SignatureSpec>) -> Result<Self, StateError> {
        let root = ours::object(json, "")?;
        match root.contains_key(ours::VERSION_KEY) {
            true => read_ours(root, spec),
            false => read_dspy(root, spec),
        }
    }
}

fn read_ours(
    root: &Map<String, Json>,
    spec: Option<SignatureSpec>,
) -> Result<DynamicPredict, StateError> {
    ours::check_version(root)?;
    let reasons = match root.get("program").and_then(Json::as_str) {
        Some("Predict") => false,
        Some("ChainOfThought") => true,
        Some(found) => {
            return Err(StateError::Kind {
                found: found.to_owned(),
                expected: "Predict",
            });
        }
        None => {
            return Err(StateError::layout(
                "program",
                "expected the kind of program",
            ));
        }
    };
    let saved = root.get("signature").unwrap_or(&Json::Null);
    let spec = match spec {
        Some(spec) => {
            same_fields(&spec, "inputs", &spec.inputs, &saved["inputs"])?;
            same_fields(&spec, "outputs", &spec.outputs, &saved["outputs"])?;
            spec
        }
        None => SignatureSpec {
            name: saved["name"]
                .as_str()
                .unwrap_or("Signature")
                .to_owned()
                .into(),
            inputs: fields("inputs", &saved["inputs"])?.into(),
            outputs: fields("outputs", &saved["outputs"])?.into(),
            ..SignatureSpec::new("", "", &[], &[])
        },
    };
    let overrides = root.get("overrides").cloned();
    let overrides: Overrides = match overrides {
        Some(json) => serde_json::from_value(json)
            .map_err(|error| StateError::layout("overrides", error.to_string()))?,
        None => Overrides::default(),
    };
    let instruction = text(root.get("instruction"), "instruction")?;
    let predict = DynamicPredict::new(spec).with_overrides(overrides);
    finish(
        predict,
        instruction,
        reasons,
        root.get("demos"),
        "demos",
        &[],
    )
}

fn read_dspy(
    root: &Map<String, Json>,
    spec: Option<SignatureSpec>,
) -> Result<DynamicPredict, StateError> {
    let (state, at, reasons) = match (root.get("signature"), root.get("predict")) {
        (Some(_), _) => (root, "", false),
        (None, Some(state)) => (ours::object(state, "predict")?, "predict.", true),
        (None, None) => {
            return Err(StateError::layout(
                "",
                "neither a saved program of this crate (key `candle_signature`) nor a saved predictor of DSPy (key `signature` or `predict`)",
            ));
        }
    };
    let Some(spec) = spec else {
        return Err(StateError::layout(
            format!("{at}signature"),
            "a predictor saved by DSPy has no types: give the signature too",
        ));
    };
    let signature = state.get("signature").unwrap_or(&Json::Null);
    let key = format!("{at}signature.fields");
    let saved: Vec<_> = signature["fields"]
        .as_array()
        .ok_or_else(|| StateError::layout(&key, "expected a list of fields"))?
        .iter()
        .map(|field| field["prefix"].as_str().unwrap_or_default().to_owned())
        .collect();
    let extra = reasons.then(|| dspy::prefix(crate::signature::REASONING));
    let prefix = |field: &FieldSpec| dspy::prefix(&field.name);
    let outputs = extra.into_iter().chain(spec.outputs.iter().map(prefix));
    let wanted: Vec<_> = spec.inputs.iter().map(prefix).chain(outputs).collect();
    if saved != wanted {
        return Err(StateError::layout(
            key,
            format!(
                "the saved predictor has the fields {}, the signature {}",
                saved.join(" "),
                wanted.join(" ")
            ),
        ));
    }
    let key = format!("{at}signature.instructions");
    let instruction = text(Some(&signature["instructions"]), &key)?;
    let demos = format!("{at}demos");
    // Whether a demo was bootstrapped.
    let ignored = ["augmented"];
    let overrides = dspy::overrides(state.get("lm"), Overrides::default(), at)?;
    let predict = DynamicPredict::new(spec).with_overrides(overrides);
    finish(
        predict,
        instruction,
        reasons,
        state.get("demos"),
        &demos,
        &ignored,
    )
}

fn finish(
    predict: DynamicPredict,
    instruction: String,
    reasons: bool,
    demos: Option<&Json>,
    key: &str,
    ignored: &[&str],
) -> Result<DynamicPredict, StateError> {
    let mut predict = predict.with_instruction(instruction);
    if reasons {
        let reasoned = predict.with_reasoning();
        predict = reasoned.map_err(|error| StateError::layout("signature", error.to_string()))?;
    }
    let Some(Json::Array(records)) = demos else {
        return Err(StateError::layout(key, "expected a list of demos"));
    };
    let mut read = Vec::with_capacity(records.len());
    for (number, record) in (1..).zip(records) {
        let mut record = record.clone();
        if let Json::Object(entries) = &mut record {
            entries.retain(|name, _| !ignored.contains(&name.as_str()));
        }
        let demo = read_demo(predict.spec(), &record);
        read.push(demo.map_err(|errors| StateError::BadDemo { number, errors })?);
    }
    Ok(predict.with_demos(read))
}

fn text(json: Option<&Json>, key: &str) -> Result<String, StateError> {
    json.and_then(Json::as_str)
        .map(str::to_owned)
        .ok_or_else(|| StateError::layout(key, "expected a text"))
}

/// Refuses the state of a signature with other fields, by the first one that differs.
fn same_fields(
    spec: &SignatureSpec,
    half: &str,
    fields: &[FieldSpec],
    saved: &Json,
) -> Result<(), StateError> {
    let Some(saved) = saved.as_array() else {
        let key = format!("signature.{half}");
        return Err(StateError::layout(key, "expected a list of fields"));
    };
    let differs = |field: &str, problem: String| {
        Err(StateError::Signature {
            signature: spec.name.to_string(),
            field: field.to_owned(),
            problem,
        })
    };
    for field in fields {
        let ty = type_name(&field.ty);
        let found = saved.iter().find(|one| one["name"] == *field.name);
        match found.map(|one| one["type"].as_str()) {
            Some(Some(saved)) if saved == ty => {}
            Some(saved) => {
                let saved = saved.unwrap_or("of no type");
                return differs(
                    &field.name,
                    format!("it is `{ty}`, and was `{saved}` when the program was saved"),
                );
            }
            None => {
                return differs(
                    &field.name,
                    format!("the saved program has no such field among its {half}"),
                );
            }
        }
    }
    let unknown = saved.iter().filter_map(|one| one["name"].as_str());
    let mut unknown = unknown.filter(|name| !fields.iter().any(|field| field.name == *name));
    match unknown.next() {
        Some(name) => differs(
            name,
            format!("the saved program has it among its {half}, the signature has not"),
        ),
        None => Ok(()),
    }
}

/// Fields of their saved names and types.
fn fields(half: &str, saved: &Json) -> Result<Vec<FieldSpec>, StateError> {
    let key = format!("signature.{half}");
    let Some(saved) = saved.as_array() else {
        return Err(StateError::layout(key, "expected a list of fields"));
    };
    let field = |(at, saved): (usize, &Json)| {
        let key = format!("{key}.{at}");
        let (Some(name), Some(ty)) = (saved["name"].as_str(), saved["type"].as_str()) else {
            return Err(StateError::layout(key, "expected `name` and `type`"));
        };
        let ty = FieldType::from_type_str(ty).map_err(|error| {
            let problem = format!(
                "the type `{ty}` of `{name}` can't be read back ({error}): give the signature too"
            );
            StateError::layout(key, problem)
        })?;
        Ok(FieldSpec::owned(name, "", ty))
    };
    saved.iter().enumerate().map(field).collect()
}

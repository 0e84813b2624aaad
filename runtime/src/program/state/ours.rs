//! This crate's own format of saved programs, documented in `docs/programs.md`.

use serde_json::{Map, Value as Json, json};

use crate::adapter::Overrides;
use crate::prompt::type_name;
use crate::signature::{Demo, FieldSpec, Signature};

use super::super::demo_json::{Accept, read_demo, write_demo};
use super::super::{Settings, Tunable};
use super::StateError;

/// The key that tells this format from others; its value is the version.
pub(super) const VERSION_KEY: &str = "candle_signature";

const VERSION: u64 = 1;

const KEYS: [&str; 6] = [
    VERSION_KEY,
    "program",
    "signature",
    "instruction",
    "demos",
    "overrides",
];

pub(super) fn write<P: Tunable>(program: &P) -> Result<Json, StateError> {
    let settings = program.settings();
    let spec = <P::Signature as Signature>::SPEC;
    Ok(json!({
        VERSION_KEY: VERSION,
        "program": P::KIND,
        "signature": {
            "name": spec.name,
            "inputs": fields(&spec.inputs),
            "outputs": fields(&spec.outputs),
        },
        "instruction": settings.instruction,
        "demos": demos::<P>(&settings.demos)?,
        "overrides": settings.overrides,
    }))
}

/// The records of the demos, each of which reads back as the demo that it is of.
pub(super) fn demos<P: Tunable>(demos: &[Demo<P::Signature>]) -> Result<Vec<Json>, StateError> {
    let checked = (1..).zip(demos).map(|(number, demo)| {
        let json = write_demo(demo.values());
        // Through text, as a file is read.
        let read = serde_json::from_str::<Map<String, Json>>(&json.to_string());
        let read = read.map_err(|error| error.to_string()).and_then(|record| {
            let read = read_demo::<P::Signature>(&record, accept::<P>());
            read.map_err(|errors| super::super::dataset::joined(&errors))
        });
        let problem = match read {
            Ok(read) if write_demo(read.values()) == json => {
                return Ok(json);
            }
            Ok(_) => "a number has no exact form in JSON".to_owned(),
            Err(problem) => format!(
                "it would not be read back, for JSON has no integers beyond 64 bits: {problem}"
            ),
        };
        Err(StateError::Value { number, problem })
    });
    checked.collect()
}

pub(super) fn accept<P: Tunable>() -> Accept {
    Accept {
        extra: P::extra_outputs(),
        ignored: &[],
        partial: true,
    }
}

fn fields(specs: &[FieldSpec]) -> Vec<Json> {
    let field = |spec: &FieldSpec| json!({ "name": spec.name, "type": type_name(&spec.ty) });
    specs.iter().map(field).collect()
}

pub(super) fn read<P: Tunable>(json: &Json) -> Result<Settings<P::Signature>, StateError> {
    let root = object(json, "")?;
    check_version(root)?;
    match root.get("program").and_then(Json::as_str) {
        Some(kind) if kind == P::KIND => {}
        Some(kind) => {
            return Err(StateError::Kind {
                found: kind.to_owned(),
                expected: P::KIND,
            });
        }
        None => {
            return Err(StateError::layout(
                "program",
                "expected the kind of program",
            ));
        }
    }
    check_signature::<P::Signature>(root.get("signature"))?;
    let instruction = root.get("instruction").and_then(Json::as_str);
    let overrides = root.get("overrides").cloned().unwrap_or_else(|| json!({}));
    Ok(Settings {
        instruction: instruction
            .ok_or_else(|| StateError::layout("instruction", "expected a text"))?
            .to_owned(),
        demos: read_demos::<P::Signature>(root.get("demos"), "demos", accept::<P>())?,
        overrides: serde_json::from_value::<Overrides>(overrides)
            .map_err(|error| StateError::layout("overrides", error.to_string()))?,
    })
}

/// Refuses what was written by a newer version, and keys that this one does not know.
pub(super) fn check_version(root: &Map<String, Json>) -> Result<(), StateError> {
    match root.get(VERSION_KEY).and_then(Json::as_u64) {
        Some(VERSION) => {}
        Some(found) if found > VERSION => {
            return Err(StateError::Version {
                found,
                known: VERSION,
            });
        }
        _ => {
            return Err(StateError::layout(
                VERSION_KEY,
                "expected a version, from 1",
            ));
        }
    }
    if let Some(key) = root.keys().find(|key| !KEYS.contains(&key.as_str())) {
        let known = KEYS.join("`, `");
        return Err(StateError::layout(
            key,
            format!("unknown key: the keys are `{known}`"),
        ));
    }
    Ok(())
}

pub(super) fn object<'j>(json: &'j Json, key: &str) -> Result<&'j Map<String, Json>, StateError> {
    json.as_object()
        .ok_or_else(|| StateError::layout(key, "expected a JSON object"))
}

pub(super) fn read_demos<S: Signature>(
    json: Option<&Json>,
    key: &str,
    accept: Accept,
) -> Result<Vec<Demo<S>>, StateError> {
    let Some(Json::Array(records)) = json else {
        return Err(StateError::layout(key, "expected a list of demos"));
    };
    let demos = (1..).zip(records).map(|(number, record)| {
        let record = object(record, &format!("{key}.{}", number - 1))?;
        read_demo::<S>(record, accept).map_err(|errors| StateError::BadDemo { number, errors })
    });
    demos.collect()
}

/// Refuses the state of a signature with other fields, by the first one that differs.
fn check_signature<S: Signature>(json: Option<&Json>) -> Result<(), StateError> {
    let json = json.ok_or_else(|| StateError::layout("signature", "it is missing"))?;
    let halves = [("inputs", &S::SPEC.inputs), ("outputs", &S::SPEC.outputs)];
    for (half, specs) in halves {
        let Some(saved) = json[half].as_array() else {
            return Err(StateError::layout(
                format!("signature.{half}"),
                "expected a list of fields",
            ));
        };
        let named = |name: &str| saved.iter().find(|field| field["name"] == name);
        for spec in specs.iter() {
            let (name, ty) = (&*spec.name, type_name(&spec.ty));
            let problem = match named(name).map(|field| field["type"].as_str()) {
                Some(Some(saved)) if saved == ty => continue,
                Some(Some(saved)) => {
                    format!("it is `{ty}`, and was `{saved}` when the program was saved")
                }
                Some(None) => "its type is not saved".to_owned(),
                None => format!("the saved program has no such field among its {half}"),
            };
            return Err(StateError::signature::<S>(name, problem));
        }
        let unknown = saved.iter().find_map(|field| {
            let name = field["name"].as_str().unwrap_or_default();
            (!specs.iter().any(|spec| spec.name == name)).then_some(name)
        });
        if let Some(name) = unknown {
            let problem =
                format!("the saved program has it among its {half}, the signature has not");
            return Err(StateError::signature::<S>(name, problem));
        }
    }
    Ok(())
}

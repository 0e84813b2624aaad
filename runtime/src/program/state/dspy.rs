//! Saved predictors of Python DSPy 3: `predictor.save("x.json")` and `predictor.load("x.json")`.

use regex::Regex;
use serde_json::{Map, Value as Json, json};

use crate::adapter::Overrides;
use crate::prompt::instruction;
use crate::signature::{FieldSpec, Signature};

use super::super::demo_json::Accept;
use super::super::{Settings, Tunable};
use super::StateError;
use super::ours::{object, read_demos};

/// Where the predictor of a kind of program stands in the file; `None` for the root.
fn place(kind: &'static str) -> Result<Option<&'static str>, StateError> {
    match kind {
        "Predict" => Ok(None),
        "ChainOfThought" => Ok(Some("predict")),
        other => Err(StateError::NotInDspy(other)),
    }
}

pub(super) fn write<P: Tunable>(program: &P) -> Result<Json, StateError> {
    let place = place(P::KIND)?;
    let settings = program.settings();
    let spec = settings.instructed(<P::Signature as Signature>::SPEC.clone());
    let fields: Vec<_> = names::<P>()
        .into_iter()
        .map(|(name, spec)| json!({ "prefix": prefix(name), "description": description(name, spec) }))
        .collect();
    let mut predictor = json!({
        "traces": [],
        "train": [],
        "demos": super::ours::demos::<P>(&settings.demos)?,
        // DSPy has no empty instruction: it writes the default sentence out.
        "signature": { "instructions": instruction(&spec), "fields": fields },
        "lm": null,
    });
    // DSPy warns of other versions than its own; of none it does not.
    let metadata = json!({ "dependency_versions": {} });
    Ok(match place {
        None => {
            predictor["metadata"] = metadata;
            predictor
        }
        Some(place) => json!({ place: predictor, "metadata": metadata }),
    })
}

/// The fields of the program in DSPy's order.
fn names<P: Tunable>() -> Vec<(&'static str, Option<&'static FieldSpec>)> {
    let spec = <P::Signature as Signature>::SPEC;
    let named = |field: &'static FieldSpec| (&*field.name, Some(field));
    let extra = P::extra_outputs().iter().map(|name| (*name, None));
    let inputs = spec.inputs.iter().map(named);
    inputs
        .chain(extra)
        .chain(spec.outputs.iter().map(named))
        .collect()
}

fn description(name: &str, spec: Option<&FieldSpec>) -> String {
    match spec.map(|spec| &*spec.desc) {
        Some(desc) if !desc.is_empty() => desc.to_owned(),
        _ => format!("${{{name}}}"),
    }
}

pub(super) fn read<P: Tunable>(
    program: &P,
    json: &Json,
) -> Result<Settings<P::Signature>, StateError> {
    let root = object(json, "")?;
    let (state, at) = match place(P::KIND)? {
        None => (root, String::new()),
        Some(place) => {
            let state = root.get(place).ok_or_else(|| other_kind(root, P::KIND))?;
            (object(state, place)?, format!("{place}."))
        }
    };
    let Some(signature) = state.get("signature") else {
        return Err(other_kind(root, P::KIND));
    };
    check_fields::<P>(&signature["fields"], &at)?;
    let instructions = signature["instructions"].as_str().ok_or_else(|| {
        StateError::layout(format!("{at}signature.instructions"), "expected a text")
    })?;
    let accept = Accept {
        extra: P::extra_outputs(),
        // Whether a demo was bootstrapped.
        ignored: &["augmented"],
        partial: true,
    };
    Ok(Settings {
        instruction: instructions.to_owned(),
        demos: read_demos::<P::Signature>(state.get("demos"), &format!("{at}demos"), accept)?,
        overrides: overrides(state.get("lm"), program.settings().overrides, &at)?,
    })
}

/// A file that holds no predictor where this kind of program has it.
fn other_kind(root: &Map<String, Json>, expected: &'static str) -> StateError {
    let has = |key: &str| {
        root.get(key)
            .is_some_and(|state| state["signature"].is_object())
    };
    let found = if root.contains_key("react") {
        "ReAct"
    } else if has("predict") {
        "ChainOfThought"
    } else if root.contains_key("signature") {
        "Predict"
    } else {
        return StateError::layout(
            "",
            "neither a saved program of this crate (key `candle_signature`) nor a saved predictor of DSPy (key `signature` or `predict`)",
        );
    };
    StateError::Kind {
        found: found.into(),
        expected,
    }
}

/// DSPy saves no names, but the prefixes that it makes of them.
fn check_fields<P: Tunable>(fields: &Json, at: &str) -> Result<(), StateError> {
    let key = format!("{at}signature.fields");
    let Some(fields) = fields.as_array() else {
        return Err(StateError::layout(key, "expected a list of fields"));
    };
    let names = names::<P>();
    for (at, (name, _)) in names.iter().enumerate() {
        let wanted = prefix(name);
        let found = fields
            .get(at)
            .map(|field| field["prefix"].as_str().unwrap_or_default());
        let problem = match found {
            Some(found) if found == wanted => continue,
            Some(found) => format!(
                "DSPy's prefix of field {} is `{found}`, and would be `{wanted}`",
                at + 1
            ),
            None => format!("the saved predictor has only {} fields", fields.len()),
        };
        return Err(StateError::signature::<P::Signature>(name, problem));
    }
    match fields.get(names.len()) {
        Some(field) => {
            let prefix = field["prefix"].as_str().unwrap_or_default();
            let name = prefix.trim_end_matches(':');
            Err(StateError::signature::<P::Signature>(
                name,
                "the saved predictor has it, the signature has not",
            ))
        }
        None => Ok(()),
    }
}

/// What DSPy's language model was set to, of what can be overridden here.
pub(super) fn overrides(
    lm: Option<&Json>,
    own: Overrides,
    at: &str,
) -> Result<Overrides, StateError> {
    let Some(Json::Object(lm)) = lm else {
        return Ok(own);
    };
    let key = |name: &str| format!("{at}lm.{name}");
    let mut overrides = own;
    if let Some(temperature) = lm.get("temperature").filter(|value| !value.is_null()) {
        let number = temperature.as_f64().map(|number| number as f32);
        let number = number.filter(|number| number.is_finite());
        let number =
            number.ok_or_else(|| StateError::layout(key("temperature"), "expected a number"))?;
        overrides.temperature = Some(number);
    }
    if let Some(max_tokens) = lm.get("max_tokens").filter(|value| !value.is_null()) {
        let number = max_tokens
            .as_u64()
            .and_then(|number| usize::try_from(number).ok());
        let number =
            number.ok_or_else(|| StateError::layout(key("max_tokens"), "expected a count"))?;
        overrides.max_tokens = Some(number);
    }
    Ok(overrides)
}

/// The prefix that DSPy makes of a field's name: `infer_prefix` in its `signatures/signature.py`, and a colon.
pub(super) fn prefix(name: &str) -> String {
    let steps = [
        r"(.)([A-Z][a-z]+)",
        r"([a-z0-9])([A-Z])",
        r"([a-zA-Z])(\d)",
        r"(\d)([a-zA-Z])",
    ];
    let parted = steps
        .iter()
        .fold(name.to_owned(), |name, step| match Regex::new(step) {
            Ok(step) => step.replace_all(&name, "${1}_${2}").into_owned(),
            // Constants of this function, which a test compiles.
            Err(_) => name,
        });
    let titled = parted.split('_').map(|word| {
        let has_case = word.chars().any(char::is_uppercase);
        if has_case && !word.chars().any(char::is_lowercase) {
            return word.to_owned();
        }
        let mut rest = word.chars();
        let first = rest.next().into_iter().flat_map(char::to_uppercase);
        first.chain(rest.flat_map(char::to_lowercase)).collect()
    });
    format!("{}:", titled.collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_are_dspys() {
        // Printed by `infer_prefix` of DSPy 3.4.1.
        for (name, expected) in [
            ("question", "Question:"),
            ("next_tool_name", "Next Tool Name:"),
            ("someAttributeName", "Some Attribute Name:"),
            ("URLAddress", "URL Address:"),
            ("x1", "X 1:"),
            ("item2count", "Item 2 Count:"),
            ("HTML_body", "HTML Body:"),
            ("getHTTPResponseCode", "Get HTTP Response Code:"),
            ("v2X", "V 2 X:"),
            ("__x_", "  X :"),
            ("aB1c", "A B 1 C:"),
        ] {
            assert_eq!(prefix(name), expected, "{name}");
        }
    }
}

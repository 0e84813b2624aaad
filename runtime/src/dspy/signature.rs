//! A derived signature as dspy-rs's `MetaSignature`.

use std::any::{TypeId, type_name};
use std::collections::HashMap;
use std::fmt;
use std::marker::PhantomData;
use std::sync::{LazyLock, PoisonError, RwLock};

use dspy_rs::MetaSignature;
use serde_json::{Map, Value as Json, json};

use crate::prompt;
use crate::signature::{Demo, FieldSpec, FieldType, Signature, SignatureSpec};

/// The key by which a field is known to be of a derived signature. dspy-rs passes it on unread.
const DERIVED: &str = "candle_signature";

/// The signatures behind those keys: dspy-rs hands adapters a `&dyn MetaSignature` that says nothing of its Rust type, and its
/// JSON can't hold what a derive knows (widths, aliases, defaults).
static SPECS: LazyLock<RwLock<HashMap<String, &'static SignatureSpec>>> =
    LazyLock::new(RwLock::default);

/// A derived signature as dspy-rs's `MetaSignature`, for its `Predict` and optimizers.
///
/// To our adapter its fields are those of the derive, constraints, aliases and defaults included. To dspy-rs's own
/// `ChatAdapter`, which optimizers use, each field is a `String` without schema, as that adapter panics at a reply
/// that is not JSON where it expects some; the description then names the type.
pub struct DspySignature<S> {
    instruction: String,
    inputs: Map<String, Json>,
    outputs: Map<String, Json>,
    demos: Vec<dspy_rs::Example>,
    signature: PhantomData<fn() -> S>,
}

impl<S: Signature> DspySignature<S> {
    /// The signature with its own instruction and no demos.
    #[must_use]
    pub fn new() -> Self {
        let key = format!("{} {:?}", type_name::<S>(), TypeId::of::<S>());
        let mut specs = SPECS.write().unwrap_or_else(PoisonError::into_inner);
        specs.insert(key.clone(), S::SPEC);
        drop(specs);
        DspySignature {
            instruction: S::SPEC.instruction.to_string(),
            inputs: fields(&S::SPEC.inputs, "input", &key),
            outputs: fields(&S::SPEC.outputs, "output", &key),
            demos: Vec::new(),
            signature: PhantomData,
        }
    }

    /// Adds demos.
    #[must_use]
    pub fn with_demos(mut self, demos: impl IntoIterator<Item = Demo<S>>) -> Self {
        self.demos
            .extend(demos.into_iter().map(dspy_rs::Example::from));
        self
    }
}

/// The spec of the derive that a field comes from.
pub(super) fn derived_spec(field: &Json) -> Option<&'static SignatureSpec> {
    let key = field.get(DERIVED)?.as_str()?;
    let specs = SPECS.read().unwrap_or_else(PoisonError::into_inner);
    specs.get(key).copied()
}

/// The derive's own field, if the field of this name says that it is one.
///
/// # Errors
/// If no derive of this process has it: as text, which it calls itself to dspy-rs, it would be read wrongly.
pub(super) fn derived_field(name: &str, field: &Json) -> Result<Option<FieldSpec>, String> {
    if field.get(DERIVED).is_none() {
        return Ok(None);
    }
    let Some(spec) = derived_spec(field) else {
        return Err(
            "its signature was derived in another process: make it anew with `DspySignature::new()`"
                .into(),
        );
    };
    let mut known = spec.inputs.iter().chain(spec.outputs.iter());
    match known.find(|field| field.name == name) {
        Some(field) => Ok(Some(field.clone())),
        None => Err(format!(
            "the signature `{}` that it names has no such field",
            spec.name
        )),
    }
}

fn fields(fields: &[FieldSpec], role: &str, key: &str) -> Map<String, Json> {
    let json = |field: &FieldSpec| {
        json!({
            "type": "String",
            "desc": described(field),
            "schema": "",
            "__dsrs_field_type": role,
            DERIVED: key,
        })
    };
    fields
        .iter()
        .map(|field| (field.name.to_string(), json(field)))
        .collect()
}

/// The description with the type, where it is not plain text.
fn described(field: &FieldSpec) -> String {
    match (&*field.ty, field.desc.as_ref()) {
        (FieldType::String, desc) => desc.to_owned(),
        (ty, "") => format!("a value of type {}", prompt::type_name(ty)),
        (ty, desc) => format!("{desc} (a value of type {})", prompt::type_name(ty)),
    }
}

impl<S: Signature> MetaSignature for DspySignature<S> {
    fn demos(&self) -> Vec<dspy_rs::Example> {
        self.demos.clone()
    }

    fn set_demos(&mut self, demos: Vec<dspy_rs::Example>) -> anyhow::Result<()> {
        self.demos = demos;
        Ok(())
    }

    fn instruction(&self) -> String {
        self.instruction.clone()
    }

    fn input_fields(&self) -> Json {
        self.inputs.clone().into()
    }

    fn output_fields(&self) -> Json {
        self.outputs.clone().into()
    }

    fn update_instruction(&mut self, instruction: String) -> anyhow::Result<()> {
        self.instruction = instruction;
        Ok(())
    }

    fn append(&mut self, name: &str, value: Json) -> anyhow::Result<()> {
        let role = value.get("__dsrs_field_type").and_then(Json::as_str);
        let fields = match role {
            Some("input") => &mut self.inputs,
            Some("output") => &mut self.outputs,
            _ => anyhow::bail!(
                "field `{name}`: its `__dsrs_field_type` is `input` or `output`, not {}",
                role.map_or("missing".into(), |role| format!("`{role}`"))
            ),
        };
        fields.insert(name.to_owned(), value);
        Ok(())
    }
}

impl<S: Signature> Default for DspySignature<S> {
    fn default() -> Self {
        DspySignature::new()
    }
}

impl<S> Clone for DspySignature<S> {
    fn clone(&self) -> Self {
        DspySignature {
            instruction: self.instruction.clone(),
            inputs: self.inputs.clone(),
            outputs: self.outputs.clone(),
            demos: self.demos.clone(),
            signature: PhantomData,
        }
    }
}

impl<S> fmt::Debug for DspySignature<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DspySignature")
            .field("signature", &type_name::<S>())
            .field("instruction", &self.instruction)
            .field("demos", &self.demos)
            .finish()
    }
}

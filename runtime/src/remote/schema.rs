//! What a reply is held to, in terms that servers know: a JSON schema, a regular expression or a grammar.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use serde_json::{Map, Value as Json, json};

use crate::adapter::Constraint;
use crate::signature::{
    FieldSpec, FieldType, PromptFormat, SignatureSpec, Str, StructSpec, json_schema,
};

/// What a server is asked to hold a reply to.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Hold {
    /// JSON of a schema, under a name.
    Json { name: String, schema: Json },
    /// A regular expression.
    Regex(String),
    /// A grammar in llguidance's dialect of Lark.
    Lark(String),
}

impl Hold {
    /// None for a signature in sections, which no server knows: its replies are held by the prompt alone.
    pub fn of(constraint: &Constraint) -> Option<Self> {
        let (spec, schema) = match constraint {
            Constraint::Signature(spec) => (spec, object(&spec.name, spec.outputs.to_vec())),
            Constraint::SplitSections(_) => return None,
            Constraint::ToolStep { spec, tools } => (spec, tool_step(spec, tools)),
            Constraint::Lark(grammar) => return Some(Hold::Lark(grammar.clone())),
            Constraint::Regex(regex) => return Some(Hold::Regex(regex.clone())),
            Constraint::JsonSchema(schema) => {
                return Some(Hold::Json {
                    name: "reply".into(),
                    schema: schema.clone(),
                });
            }
        };
        (spec.format == PromptFormat::Json).then(|| Hold::Json {
            name: plain_name(&spec.name),
            schema: closed(schema),
        })
    }

    /// A number by which a server's refusal is remembered.
    pub fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        match self {
            Hold::Json { schema, .. } => schema.to_string().hash(&mut hasher),
            Hold::Regex(text) | Hold::Lark(text) => text.hash(&mut hasher),
        }
        hasher.finish()
    }
}

/// The name as OpenAI admits it: at most 64 letters, digits, `_` and `-`.
fn plain_name(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    let name: String = name.chars().map(plain).take(64).collect();
    if name.is_empty() {
        "reply".into()
    } else {
        name
    }
}

fn object(name: &Str, fields: Vec<FieldSpec>) -> Json {
    json_schema(&FieldType::Struct(StructSpec {
        name: name.clone(),
        desc: "".into(),
        fields: fields.into(),
    }))
}

/// One object a tool: its name with its own arguments.
fn tool_step(spec: &SignatureSpec, tools: &[(String, Vec<FieldSpec>)]) -> Json {
    let whole = object(&spec.name, spec.outputs.to_vec());
    let [.., name, arguments] = &*spec.outputs else {
        return whole;
    };
    let mut definitions = Map::new();
    let steps: Vec<Json> = tools
        .iter()
        .map(|(tool, fields)| {
            let mut step = whole.clone();
            step["properties"][&*name.name] = json!({"type": "string", "enum": [tool]});
            let mut object = object(&"Arguments".into(), fields.clone());
            let own = object
                .as_object_mut()
                .and_then(|object| object.remove("$defs"));
            let own = own
                .and_then(|own| own.as_object().cloned())
                .unwrap_or_default();
            // Two tools whose recursive types share a name and differ: the arguments of the later one are free.
            let clash = |(name, schema): (&String, &Json)| {
                definitions.get(name).is_some_and(|known| known != schema)
            };
            if own.iter().any(clash) {
                object = json!({"type": "object"});
            } else {
                definitions.extend(own);
            }
            step["properties"][&*arguments.name] = object;
            step
        })
        .collect();
    let mut schema = json!({"anyOf": steps});
    if !definitions.is_empty() {
        schema["$defs"] = definitions.into();
    }
    schema
}

/// The schema with nothing left to chance: an object has all of its properties and no others, as OpenAI's strict mode demands and a
/// small model needs. A field that may be missing is either nullable or just given.
fn closed(mut schema: Json) -> Json {
    close(&mut schema);
    schema
}

fn close(schema: &mut Json) {
    match schema {
        Json::Object(object) => {
            if let Some(Json::Object(properties)) = object.get("properties") {
                let all: Vec<Json> = properties.keys().map(|key| key.as_str().into()).collect();
                object.insert("required".into(), all.into());
                object.insert("additionalProperties".into(), false.into());
            }
            object.values_mut().for_each(close);
        }
        Json::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signature::FieldType;

    fn spec(format: PromptFormat) -> SignatureSpec {
        let outputs = vec![
            FieldSpec::owned("thought", "", FieldType::String),
            FieldSpec::owned("tool", "", FieldType::String),
            FieldSpec::owned("args", "", FieldType::Map(FieldType::Json.into())),
        ];
        SignatureSpec {
            name: "A b!".into(),
            outputs: outputs.into(),
            ..SignatureSpec::new("", "", &[], &[])
        }
        .with_format(format)
    }

    #[test]
    fn sections_are_held_by_no_server() {
        let chat = Constraint::Signature(spec(PromptFormat::Chat));
        assert_eq!(Hold::of(&chat), None);
    }

    #[test]
    fn objects_are_closed_and_named_plainly() {
        let json = Constraint::Signature(spec(PromptFormat::Json));
        let Some(Hold::Json { name, schema }) = Hold::of(&json) else {
            panic!("held");
        };
        assert_eq!(name, "A_b_");
        assert_eq!(schema["required"], json!(["thought", "tool", "args"]));
        assert_eq!(schema["additionalProperties"], false);
        let args = &schema["properties"]["args"];
        assert_eq!(args["additionalProperties"], json!({}), "a map stays open");
    }

    #[test]
    fn a_tool_step_ties_arguments_to_their_tool() {
        let city = FieldSpec::owned("city", "", FieldType::String);
        let tools = vec![("weather".into(), vec![city]), ("finish".into(), vec![])];
        let step = Constraint::ToolStep {
            spec: spec(PromptFormat::Json),
            tools,
        };
        let Some(Hold::Json { schema, .. }) = Hold::of(&step) else {
            panic!("held");
        };
        let weather = &schema["anyOf"][0];
        assert_eq!(weather["properties"]["tool"]["enum"], json!(["weather"]));
        assert_eq!(weather["properties"]["args"]["required"], json!(["city"]));
        assert_eq!(
            schema["anyOf"][1]["properties"]["args"]["properties"],
            json!({})
        );
    }
}

//! The messages of a chat request, and the JSON that chat templates take.

use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

use super::api_error::ApiError;

/// A message as clients send it. What only other endpoints have a use for (`refusal`, `audio`, `annotations`) is not read.
#[derive(Debug, Deserialize)]
pub(super) struct ChatMessage {
    role: Role,
    content: Option<Content>,
    tool_calls: Option<Vec<PastCall>>,
    tool_call_id: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Role {
    System,
    /// What newer clients call the system.
    Developer,
    User,
    Assistant,
    Tool,
}

#[derive(Debug, Deserialize)]
#[serde(
    untagged,
    expecting = "expected a string or a list of parts of the type `text`"
)]
enum Content {
    Text(String),
    Parts(Vec<Part>),
}

#[derive(Debug, Deserialize)]
struct Part {
    #[serde(rename = "type")]
    kind: String,
    text: Option<String>,
}

/// A call that the assistant made before.
#[derive(Debug, Deserialize)]
struct PastCall {
    function: PastFunction,
}

#[derive(Debug, Deserialize)]
struct PastFunction {
    name: String,
    /// JSON as text.
    arguments: String,
}

impl ChatMessage {
    /// The text of a system message: of one that instructs.
    pub fn system_text(&self) -> Option<String> {
        match self.role {
            Role::System | Role::Developer => self.text("").ok(),
            _ => None,
        }
    }

    fn text(&self, place: &str) -> Result<String, ApiError> {
        let parts = match &self.content {
            None => return Ok(String::new()),
            Some(Content::Text(text)) => return Ok(text.clone()),
            Some(Content::Parts(parts)) => parts,
        };
        let text = |part: &Part| match (part.kind.as_str(), &part.text) {
            ("text", Some(text)) => Ok(text.clone()),
            (kind, _) => Err(ApiError::param(
                format!("{place}.content"),
                format!(
                    "`{place}.content` has a part of the type `{kind}`: this model reads parts of the type `text` alone"
                ),
            )),
        };
        parts.iter().map(text).collect()
    }
}

/// The messages as a chat template takes them. Where it does not know tools, calls and their results are written as text, in Qwen's way.
pub(super) fn template_messages(
    messages: &[ChatMessage],
    knows_tools: bool,
) -> Result<Vec<Json>, ApiError> {
    if messages.is_empty() {
        return Err(ApiError::param(
            "messages",
            "messages is empty: send at least one message",
        ));
    }
    let mut made: Vec<Json> = Vec::with_capacity(messages.len());
    for (index, message) in messages.iter().enumerate() {
        let place = format!("messages[{index}]");
        let text = message.text(&place)?;
        let calls = message.tool_calls.as_deref().unwrap_or_default();
        let wrong = |problem: &str| {
            let message = format!("`{place}`: {problem}");
            Err(ApiError::param(place.clone(), message))
        };
        if message.role != Role::Assistant && !calls.is_empty() {
            return wrong("only a message of the assistant has tool_calls");
        }
        if message.content.is_none() && calls.is_empty() {
            return wrong("it has no content");
        }
        match message.role {
            Role::System | Role::Developer => made.push(spoken("system", text)),
            Role::User => made.push(spoken("user", text)),
            Role::Assistant if calls.is_empty() => made.push(spoken("assistant", text)),
            Role::Assistant if knows_tools => {
                let mut message = spoken("assistant", text);
                message["tool_calls"] = calls.iter().map(PastCall::for_template).collect();
                made.push(message);
            }
            Role::Assistant => {
                let calls = calls.iter().map(PastCall::as_text);
                let lines = (!text.is_empty()).then_some(text).into_iter().chain(calls);
                made.push(spoken("assistant", lines.collect::<Vec<_>>().join("\n")));
            }
            Role::Tool if message.tool_call_id.is_none() => {
                return wrong("a message of a tool needs a tool_call_id");
            }
            Role::Tool if knows_tools => made.push(spoken("tool", text)),
            Role::Tool => {
                let text = format!("<tool_response>\n{text}\n</tool_response>");
                made.push(spoken("user", text));
            }
        }
    }
    Ok(made)
}

fn spoken(role: &str, content: String) -> Json {
    json!({"role": role, "content": content})
}

impl PastCall {
    /// Arguments that are JSON are given as such: templates write them by `tojson`.
    fn arguments(&self) -> Json {
        let text = &self.function.arguments;
        serde_json::from_str(text).unwrap_or_else(|_| Json::String(text.clone()))
    }

    fn for_template(&self) -> Json {
        json!({
            "type": "function",
            "function": {"name": self.function.name, "arguments": self.arguments()},
        })
    }

    fn as_text(&self) -> String {
        let mut call = Map::new();
        call.insert("name".into(), Json::String(self.function.name.clone()));
        call.insert("arguments".into(), self.arguments());
        format!("<tool_call>\n{}\n</tool_call>", Json::Object(call))
    }
}

/// Adds to the system message, or makes one.
pub(super) fn instruct(messages: &mut Vec<Json>, text: &str) {
    let first = messages
        .first_mut()
        .filter(|message| message["role"] == "system");
    match first {
        Some(system) => {
            let known = system["content"].as_str().unwrap_or_default();
            system["content"] = Json::String(format!("{known}\n\n{text}"));
        }
        None => messages.insert(0, spoken("system", text.to_owned())),
    }
}

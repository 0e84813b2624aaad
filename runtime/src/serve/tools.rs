//! Tools that a reply may call: what the model is told of them, and the grammar by which every call parses.

use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

use super::api_error::ApiError;
use super::free_text::{self, quoted};
use super::response_format::compact;

/// What opens and ends a call in a reply, in Qwen's way.
pub(super) const OPEN: &str = "<tool_call>";
pub(super) const CLOSE: &str = "</tool_call>";

/// As many calls one reply may hold.
const MOST_CALLS: usize = 8;

/// As many tools a request may offer.
const MOST_TOOLS: usize = 128;

#[derive(Debug, Deserialize)]
pub(super) struct Tool {
    #[serde(rename = "type")]
    kind: String,
    function: Option<Function>,
}

#[derive(Debug, Deserialize)]
struct Function {
    name: String,
    description: Option<String>,
    parameters: Option<Map<String, Json>>,
    /// Arguments are always held to the schema.
    #[serde(rename = "strict")]
    _strict: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(
    untagged,
    expecting = "expected \"none\", \"auto\", \"required\" or {\"type\": \"function\", \"function\": {\"name\": ..}}"
)]
pub(super) enum ToolChoice {
    Mode(Mode),
    Named { function: Named },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Mode {
    None,
    Auto,
    Required,
}

#[derive(Debug, Deserialize)]
pub(super) struct Named {
    name: String,
}

/// The tools that a reply may call, and whether it must.
#[derive(Debug)]
pub(super) struct Offer {
    tools: Vec<Function>,
    must_call: bool,
    most_calls: usize,
}

impl Offer {
    /// What a request offers; `None` if the reply is not to call anything.
    pub fn of(
        tools: Option<Vec<Tool>>,
        choice: Option<ToolChoice>,
        parallel: Option<bool>,
    ) -> Result<Option<Self>, ApiError> {
        let tools = functions(tools.unwrap_or_default())?;
        let choice = choice.unwrap_or(ToolChoice::Mode(match tools.is_empty() {
            true => Mode::None,
            false => Mode::Auto,
        }));
        let most_calls = match parallel {
            Some(false) => 1,
            _ => MOST_CALLS,
        };
        match choice {
            ToolChoice::Mode(Mode::None) => Ok(None),
            ToolChoice::Mode(_) if tools.is_empty() => Err(ApiError::param(
                "tool_choice",
                "tool_choice has no effect without tools: send tools, or leave it out",
            )),
            ToolChoice::Mode(mode) => Ok(Some(Offer {
                tools,
                must_call: mode == Mode::Required,
                most_calls,
            })),
            ToolChoice::Named { function } => {
                let names: Vec<_> = tools
                    .iter()
                    .map(|tool| format!("`{}`", tool.name))
                    .collect();
                let chosen = tools.into_iter().filter(|tool| tool.name == function.name);
                let tools: Vec<_> = chosen.collect();
                if tools.is_empty() {
                    return Err(ApiError::param(
                        "tool_choice",
                        format!(
                            "tool_choice names `{}`, the tools are {}",
                            function.name,
                            names.join(", ")
                        ),
                    ));
                }
                Ok(Some(Offer {
                    tools,
                    must_call: true,
                    most_calls: 1,
                }))
            }
        }
    }

    /// The tools as chat templates take them.
    pub fn for_template(&self) -> Json {
        self.tools.iter().map(Function::described).collect()
    }

    /// What a model is told whose template does not know tools: the words of Qwen's.
    pub fn as_text(&self) -> String {
        let tools: Vec<_> = self
            .tools
            .iter()
            .map(|tool| tool.described().to_string())
            .collect();
        format!(
            "# Tools\n\nYou may call one or more functions to assist with the user query.\n\n\
             You are provided with function signatures within <tools></tools> XML tags:\n<tools>\n{}\n</tools>\n\n\
             For each function call, return a json object with function name and arguments within {OPEN}{CLOSE} XML tags:\n\
             {OPEN}\n{{\"name\": <function-name>, \"arguments\": <args-json-object>}}\n{CLOSE}",
            tools.join("\n")
        )
    }

    /// The grammar of a reply: free text or JSON of a schema, unless it must call, and calls. `is_control` says which of the two
    /// marks are control tokens of the model.
    pub fn grammar(&self, content: Option<&Json>, is_control: impl Fn(&str) -> bool) -> String {
        let mark = |text: &'static str| match is_control(text) {
            true => text.to_owned(),
            false => quoted(text),
        };
        let start = match (self.must_call, content) {
            (true, _) => "start: calls".to_owned(),
            (false, None) => "start: text calls?".to_owned(),
            (false, Some(_)) => "start: json | calls".to_owned(),
        };
        let more = match self.most_calls {
            1 => String::new(),
            most => format!(" (\"\\n\" call){{0,{}}}", most - 1),
        };
        let names: Vec<_> = (0..self.tools.len())
            .map(|tool| format!("call_{tool}"))
            .collect();
        let mut grammar = format!(
            "{start}\ncalls: call{more}\ncall: {} \"\\n\" ({}) \"\\n\" {}\n",
            mark(OPEN),
            names.join(" | "),
            mark(CLOSE)
        );
        for (index, tool) in self.tools.iter().enumerate() {
            let head = quoted(&format!("{{\"name\": \"{}\", \"arguments\": ", tool.name));
            let schema = compact(&tool.schema());
            grammar += &format!(
                "call_{index}: {head} args_{index} \"}}\"\nargs_{index}: %json {schema}\n"
            );
        }
        match (self.must_call, content) {
            (true, _) => {}
            (false, Some(schema)) => grammar += &format!("json: %json {}\n", compact(schema)),
            (false, None) => grammar += &free_text::rules(OPEN),
        }
        grammar
    }

    /// Bytes of all schemas.
    pub fn schema_bytes(&self) -> usize {
        self.tools
            .iter()
            .map(|tool| tool.schema().to_string().len())
            .sum()
    }
}

fn functions(tools: Vec<Tool>) -> Result<Vec<Function>, ApiError> {
    if tools.len() > MOST_TOOLS {
        return Err(ApiError::param(
            "tools",
            format!("{} tools were sent, {MOST_TOOLS} are the most", tools.len()),
        ));
    }
    let mut functions: Vec<Function> = Vec::with_capacity(tools.len());
    for (index, tool) in tools.into_iter().enumerate() {
        let wrong = |problem: String| {
            let place = format!("tools[{index}]");
            let message = format!("`{place}`: {problem}");
            Err(ApiError::param(place, message))
        };
        let function = match (tool.kind.as_str(), tool.function) {
            ("function", Some(function)) => function,
            (kind, _) => {
                return wrong(format!(
                    "a tool of the type `{kind}`: tools are {{\"type\": \"function\", \"function\": {{\"name\": ..}}}}"
                ));
            }
        };
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        if function.name.is_empty()
            || function.name.len() > 64
            || !function.name.chars().all(is_plain)
        {
            return wrong(format!(
                "`{}` is no name of a function: use up to 64 of a-z, A-Z, 0-9, `_` and `-`",
                function.name.chars().take(64).collect::<String>()
            ));
        }
        if functions.iter().any(|known| known.name == function.name) {
            return wrong(format!("two tools are named `{}`", function.name));
        }
        let kind = function
            .parameters
            .as_ref()
            .and_then(|schema| schema.get("type"));
        if kind.is_some_and(|kind| kind != "object") {
            return wrong("the parameters of a function are an object: {\"type\": \"object\", \"properties\": ..}".into());
        }
        functions.push(function);
    }
    Ok(functions)
}

impl Function {
    fn described(&self) -> Json {
        json!({
            "type": "function",
            "function": {
                "name": self.name,
                "description": self.description.as_deref().unwrap_or_default(),
                "parameters": self.schema(),
            },
        })
    }

    /// The schema of the arguments: an object that holds, unless it is said otherwise, what is declared and nothing else.
    fn schema(&self) -> Json {
        let mut schema = self.parameters.clone().unwrap_or_default();
        schema.entry("type").or_insert_with(|| "object".into());
        let composed = ["$ref", "allOf", "anyOf", "oneOf", "patternProperties"];
        if !composed.iter().any(|key| schema.contains_key(*key)) {
            schema.entry("properties").or_insert_with(|| json!({}));
            schema
                .entry("additionalProperties")
                .or_insert(Json::Bool(false));
        }
        Json::Object(schema)
    }
}

#[cfg(test)]
mod tests {
    use crate::adapter::{Constraint, ModelPool};

    use super::*;

    fn offer(choice: Option<ToolChoice>) -> Offer {
        let tools = json!([
            {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {"at": {"type": "string"}}, "required": ["at"]}}},
            {"type": "function", "function": {"name": "end"}},
        ]);
        let tools = serde_json::from_value(tools).expect("tools");
        Offer::of(Some(tools), choice, None)
            .expect("sound")
            .expect("an offer")
    }

    #[tokio::test]
    async fn a_reply_is_text_or_calls_of_what_was_offered() {
        let pool = ModelPool::embedded();
        let model = pool.load_model(ModelPool::EMBEDDED).await.expect("loads");
        let compiler = model.grammars();
        let accepts = |offer: &Offer, content: Option<&Json>, reply: &str| {
            let grammar = offer.grammar(content, |_| false);
            compiler
                .compile(&Constraint::Lark(grammar))
                .expect("compiles")
                .accepts(reply)
        };
        let call = |name: &str, arguments: &str| {
            format!("{OPEN}\n{{\"name\": \"{name}\", \"arguments\": {arguments}}}\n{CLOSE}")
        };
        let look = call("look", "{\"at\": \"a < b\"}");
        let free = offer(None);
        for reply in [
            "".to_owned(),
            "a <tool of < text <tool_cal".to_owned(),
            look.clone(),
            format!("I look.\n{look}"),
            format!("{look}\n{}", call("end", "{}")),
        ] {
            assert!(accepts(&free, None, &reply), "{reply}");
        }
        for reply in [
            OPEN.to_owned(),
            format!("{look} and text"),
            call("look", "{}"),
            call("end", "{\"x\": 1}"),
            call("other", "{}"),
        ] {
            assert!(!accepts(&free, None, &reply), "{reply}");
        }
        let schema = json!({"type": "object", "properties": {}, "additionalProperties": false});
        assert!(accepts(&free, Some(&schema), "{}"));
        assert!(accepts(&free, Some(&schema), &look));
        assert!(!accepts(&free, Some(&schema), "text"));
        let must = offer(Some(ToolChoice::Mode(Mode::Required)));
        assert!(accepts(&must, None, &look) && !accepts(&must, None, "text"));
        let named = offer(Some(ToolChoice::Named {
            function: Named { name: "end".into() },
        }));
        assert!(!accepts(&named, None, &look) && accepts(&named, None, &call("end", "{}")));
    }
}

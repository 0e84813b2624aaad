//! `/v1/chat/completions`: a request read, a prompt made, the replies written.

use std::time::Instant;

use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

use crate::adapter::{
    CandleAdapter, Constraint, ReplyOptions, ReplyPiece, ReplyToken, TokenId, Usage,
};

use super::answer::{id, json_response, now, usage_json};
use super::api_error::ApiError;
use super::body::{demand_known, typed};
use super::chat_message::{ChatMessage, instruct, template_messages};
use super::dspy_prompt;
use super::events::{self, EventWriter};
use super::generation::{Choices, Job, Whole, finish_reason};
use super::params::{KNOWN, Params, WITHOUT_EFFECT};
use super::response_format::{ResponseFormat, compact, schema_of};
use super::state::{Served, State};
use super::tool_calls::{CallReader, Part};
use super::tools::{Offer, Tool, ToolChoice};

/// What only a chat has.
#[derive(Debug, Deserialize)]
struct ChatRequest {
    messages: Vec<ChatMessage>,
    tools: Option<Vec<Tool>>,
    tool_choice: Option<ToolChoice>,
    parallel_tool_calls: Option<bool>,
    response_format: Option<ResponseFormat>,
    logprobs: Option<bool>,
    top_logprobs: Option<usize>,
}

/// The keys of [`ChatRequest`].
const CHAT_KEYS: &[&str] = &[
    "messages",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "response_format",
    "logprobs",
    "top_logprobs",
];

/// As many likely tokens as can be told in each place.
const MOST_TOP_LOGPROBS: usize = 20;

/// Answers a chat request.
pub(super) async fn answer(
    state: &State,
    object: &Map<String, Json>,
    started: Instant,
) -> Result<Response, ApiError> {
    demand_known(object, &[CHAT_KEYS, KNOWN, WITHOUT_EFFECT])?;
    let params: Params = typed(object)?;
    let served = state.model(params.model.as_deref())?;
    let request: ChatRequest = typed(object)?;
    let includes_usage = params.includes_usage()?;
    let adapters = params.adapters(&served.adapter, params.choices(&state.limits)?)?;
    let stop = params.stops()?;
    let plan = Plan::of(request, state, served, stop)?;
    let place = state.place(started)?;
    let job = Job {
        prompts: vec![plan.prompt().await?],
        adapters,
        options: plan.options,
    };
    let mut choices = Choices::start(job, place).await?;
    let head = Head {
        id: id("chatcmpl-"),
        created: now(),
        model: served.name.clone(),
    };
    if params.streams() {
        let writer = ChatEvents {
            head,
            includes_usage,
            offers_tools: plan.offers_tools,
            logprobs: plan.logprobs,
            readers: Vec::new(),
        };
        return Ok(events::response(choices, writer));
    }
    let replies = choices.whole().await?;
    let written = replies.iter().enumerate().map(|(index, reply)| {
        let (message, finish) = message(reply, plan.offers_tools);
        json!({
            "index": index,
            "message": message,
            "logprobs": plan.logprobs.then(|| logprobs_json(&reply.tokens)),
            "finish_reason": finish,
        })
    });
    let mut body = head.json("chat.completion", written.collect());
    body["usage"] = usage_json(choices.usage());
    Ok(json_response(StatusCode::OK, &body))
}

/// What a request comes to.
struct Plan {
    adapter: CandleAdapter,
    messages: Json,
    /// The tools, for a template that knows them.
    tools: Option<Json>,
    options: ReplyOptions,
    offers_tools: bool,
    logprobs: bool,
}

impl Plan {
    fn of(
        request: ChatRequest,
        state: &State,
        served: &Served,
        stop: Vec<String>,
    ) -> Result<Self, ApiError> {
        let limits = &state.limits;
        let schema = schema_of(request.response_format, limits)?;
        let offer = Offer::of(
            request.tools,
            request.tool_choice,
            request.parallel_tool_calls,
        )?;
        if offer.is_some() && !stop.is_empty() {
            return Err(ApiError::param(
                "stop",
                "stop could cut a call in two: leave it out, or set tool_choice to \"none\"",
            ));
        }
        let mut messages = template_messages(&request.messages, served.knows_tools)?;
        if let Some(offer) = offer.as_ref().filter(|_| !served.knows_tools) {
            instruct(&mut messages, &offer.as_text());
        }
        let constraint = match (&offer, &schema) {
            (Some(offer), schema) => {
                let bytes = offer.schema_bytes();
                if bytes > limits.schema_bytes {
                    let most = limits.schema_bytes;
                    let message =
                        format!("the schemas of the tools have {bytes} bytes, {most} are the most");
                    return Err(ApiError::param("tools", message));
                }
                let is_control = |text: &str| served.adapter.has_control_token(text);
                Some(Constraint::Lark(offer.grammar(schema.as_ref(), is_control)))
            }
            (None, Some(schema)) => Some(Constraint::JsonSchema(compact(schema))),
            (None, None) if state.hold_dspy_replies => {
                let system = request.messages.iter().find_map(ChatMessage::system_text);
                system.and_then(|text| dspy_prompt::constraint(&text))
            }
            (None, None) => None,
        };
        let logprobs = request.logprobs == Some(true);
        let top = request.top_logprobs.unwrap_or(0);
        if top > 0 && !logprobs {
            return Err(ApiError::param(
                "top_logprobs",
                "top_logprobs has no effect without \"logprobs\": true",
            ));
        }
        if top > MOST_TOP_LOGPROBS {
            let message = format!("top_logprobs ({top}) must be at most {MOST_TOP_LOGPROBS}");
            return Err(ApiError::param("top_logprobs", message));
        }
        let options = ReplyOptions {
            constraint,
            stop,
            logprobs: logprobs.then_some(top),
            deadline: None,
        };
        Ok(Plan {
            adapter: served.adapter.clone(),
            messages: Json::Array(messages),
            tools: offer
                .as_ref()
                .filter(|_| served.knows_tools)
                .map(Offer::for_template),
            options,
            offers_tools: offer.is_some(),
            logprobs,
        })
    }

    /// Long prompts take long to encode: not on the thread that serves others.
    async fn prompt(&self) -> Result<Vec<TokenId>, ApiError> {
        let adapter = self.adapter.clone();
        let (messages, tools) = (self.messages.clone(), self.tools.clone());
        let encode = move || adapter.chat_tokens(&messages, tools.as_ref());
        let encoded = tokio::task::spawn_blocking(encode).await;
        Ok(encoded.map_err(|error| ApiError::internal(error.to_string()))??)
    }
}

/// What is the same in all events of a response.
struct Head {
    id: String,
    created: u64,
    model: String,
}

impl Head {
    fn json(&self, object: &str, choices: Vec<Json>) -> Json {
        json!({
            "id": self.id,
            "object": object,
            "created": self.created,
            "model": self.model,
            "system_fingerprint": null,
            "choices": choices,
        })
    }
}

/// A whole reply as a message, and why it ended.
fn message(reply: &Whole, offers_tools: bool) -> (Json, &'static str) {
    let (mut content, mut calls) = (reply.text(), Vec::new());
    if offers_tools {
        let mut reader = CallReader::default();
        let mut parts = reader.push(&content);
        parts.extend(reader.finish());
        content.clear();
        for part in parts {
            match part {
                Part::Text(text) => content += &text,
                Part::Call { name, .. } => calls.push((name, String::new())),
                Part::Arguments { index, text } => calls[index].1 += &text,
            }
        }
    }
    let mut message = json!({"role": "assistant", "content": content, "refusal": null});
    if calls.is_empty() {
        return (message, reply.finish_reason());
    }
    if message["content"] == "" {
        message["content"] = Json::Null;
    }
    let calls = calls.into_iter().map(|(name, arguments)| {
        json!({
            "id": id("call_"),
            "type": "function",
            "function": {"name": name, "arguments": arguments},
        })
    });
    message["tool_calls"] = calls.collect();
    (message, called(reply.finish_reason()))
}

/// Why a reply with calls ended.
fn called(reason: &'static str) -> &'static str {
    match reason {
        "stop" => "tool_calls",
        other => other,
    }
}

/// The log-probabilities of tokens. A token that the grammar forced is certain.
fn logprobs_json(tokens: &[ReplyToken]) -> Json {
    let shown = |bytes: &[u8], logprob: f32| {
        json!({
            "token": String::from_utf8_lossy(bytes),
            "logprob": logprob,
            "bytes": bytes,
        })
    };
    let content = tokens.iter().map(|token| {
        let mut one = shown(&token.bytes, token.logprob.unwrap_or(0.0));
        let top = token.top.iter().map(|top| shown(&top.bytes, top.logprob));
        one["top_logprobs"] = top.collect();
        one
    });
    json!({"content": content.collect::<Json>(), "refusal": null})
}

/// The events of a chat.
struct ChatEvents {
    head: Head,
    includes_usage: bool,
    offers_tools: bool,
    logprobs: bool,
    /// What is called in each choice.
    readers: Vec<CallReader>,
}

impl ChatEvents {
    fn event(&self, choice: usize, delta: Json, logprobs: Json, finish: Json) -> Json {
        let choice = json!({
            "index": choice,
            "delta": delta,
            "logprobs": logprobs,
            "finish_reason": finish,
        });
        let mut event = self.head.json("chat.completion.chunk", vec![choice]);
        if self.includes_usage {
            event["usage"] = Json::Null;
        }
        event
    }

    fn parts(&mut self, choice: usize, parts: Vec<Part>, logprobs: Json) -> Vec<Json> {
        let deltas = parts.into_iter().map(|part| match part {
            Part::Text(text) => json!({"content": text}),
            Part::Call { index, name } => json!({"tool_calls": [{
                "index": index,
                "id": id("call_"),
                "type": "function",
                "function": {"name": name, "arguments": ""},
            }]}),
            Part::Arguments { index, text } => json!({"tool_calls": [{
                "index": index,
                "function": {"arguments": text},
            }]}),
        });
        let mut deltas: Vec<_> = deltas.collect();
        // A token whose text is not certain yet has its log-probability all the same.
        if deltas.is_empty() && !logprobs.is_null() {
            deltas.push(json!({"content": ""}));
        }
        let mut logprobs = Some(logprobs);
        deltas
            .into_iter()
            .map(|delta| {
                self.event(
                    choice,
                    delta,
                    logprobs.take().unwrap_or_default(),
                    Json::Null,
                )
            })
            .collect()
    }
}

impl EventWriter for ChatEvents {
    fn begin(&mut self, choices: usize) -> Vec<Json> {
        self.readers = (0..choices).map(|_| CallReader::default()).collect();
        let delta = json!({"role": "assistant", "content": ""});
        (0..choices)
            .map(|choice| self.event(choice, delta.clone(), Json::Null, Json::Null))
            .collect()
    }

    fn piece(&mut self, choice: usize, piece: ReplyPiece) -> Vec<Json> {
        match piece {
            ReplyPiece::Token(token) => {
                let logprobs = match self.logprobs {
                    true => logprobs_json(std::slice::from_ref(&token)),
                    false => Json::Null,
                };
                let parts = match self.offers_tools {
                    true => self.readers[choice].push(&token.text),
                    false if token.text.is_empty() => Vec::new(),
                    false => vec![Part::Text(token.text)],
                };
                self.parts(choice, parts, logprobs)
            }
            ReplyPiece::End(end) => {
                let reader = std::mem::take(&mut self.readers[choice]);
                let reason = match reader.calls() {
                    0 => finish_reason(&end),
                    _ => called(finish_reason(&end)),
                };
                let mut events = self.parts(choice, reader.finish(), Json::Null);
                events.push(self.event(choice, json!({}), Json::Null, reason.into()));
                events
            }
        }
    }

    fn end(&mut self, usage: Usage) -> Vec<Json> {
        if !self.includes_usage {
            return Vec::new();
        }
        let mut event = self.head.json("chat.completion.chunk", Vec::new());
        event["usage"] = usage_json(usage);
        vec![event]
    }
}

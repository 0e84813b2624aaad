//! `/v1/completions`: plain texts continued, without a chat template.

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
use super::events::{self, EventWriter};
use super::generation::{Choices, Job, finish_reason};
use super::limits::Limits;
use super::params::{KNOWN, Params, WITHOUT_EFFECT};
use super::response_format::{ResponseFormat, compact, schema_of};
use super::state::State;

/// What only a plain completion has.
#[derive(Debug, Deserialize)]
struct TextRequest {
    prompt: Prompt,
    echo: Option<bool>,
    logprobs: Option<usize>,
    best_of: Option<usize>,
    suffix: Option<String>,
    response_format: Option<ResponseFormat>,
}

/// The keys of [`TextRequest`].
const TEXT_KEYS: &[&str] = &[
    "prompt",
    "echo",
    "logprobs",
    "best_of",
    "suffix",
    "response_format",
];

/// As many likely tokens as can be told in each place: OpenAI's own bound here.
const MOST_LOGPROBS: usize = 5;

#[derive(Debug, Deserialize)]
#[serde(
    untagged,
    expecting = "expected a string, a list of strings, a list of token ids, or a list of such lists"
)]
enum Prompt {
    Text(String),
    Texts(Vec<String>),
    Tokens(Vec<u32>),
    TokenLists(Vec<Vec<u32>>),
}

/// Answers a request to continue texts.
pub(super) async fn answer(
    state: &State,
    object: &Map<String, Json>,
    started: Instant,
) -> Result<Response, ApiError> {
    demand_known(object, &[TEXT_KEYS, KNOWN, WITHOUT_EFFECT])?;
    let params: Params = typed(object)?;
    let served = state.model(params.model.as_deref())?;
    let request: TextRequest = typed(object)?;
    let n = params.choices(&state.limits)?;
    refuse_impossible(&request, n)?;
    let includes_usage = params.includes_usage()?;
    let adapters = params.adapters(&served.adapter, n)?;
    let schema = schema_of(request.response_format, &state.limits)?;
    let options = ReplyOptions {
        constraint: schema.map(|schema| Constraint::JsonSchema(compact(&schema))),
        stop: params.stops()?,
        logprobs: request.logprobs,
        deadline: None,
    };
    let prompts = prompts(request.prompt, &served.adapter, &state.limits).await?;
    let echoed = request.echo == Some(true);
    let echo = echoed.then(|| prompts.iter().map(|(_, text)| text.clone()).collect());
    let place = state.place(started)?;
    let job = Job {
        prompts: prompts.into_iter().map(|(tokens, _)| tokens).collect(),
        adapters,
        options,
    };
    let mut choices = Choices::start(job, place).await?;
    let mut writer = TextEvents {
        id: id("cmpl-"),
        created: now(),
        model: served.name.clone(),
        includes_usage,
        logprobs: request.logprobs.is_some(),
        echo: echo.unwrap_or_default(),
        per_prompt: n,
        offsets: Vec::new(),
    };
    if params.streams() {
        return Ok(events::response(choices, writer));
    }
    let replies = choices.whole().await?;
    writer.offsets = vec![0; replies.len()];
    let written: Vec<Json> = replies
        .iter()
        .enumerate()
        .map(|(choice, reply)| {
            let prompt = writer.echo_of(choice).unwrap_or_default().to_owned();
            let text = prompt + &reply.text();
            let logprobs = writer.logprobs_json(choice, &reply.tokens);
            let finish = reply.finish_reason();
            json!({"index": choice, "text": text, "logprobs": logprobs, "finish_reason": finish})
        })
        .collect();
    let mut body = writer.json(written);
    body["usage"] = usage_json(choices.usage());
    Ok(json_response(StatusCode::OK, &body))
}

fn refuse_impossible(request: &TextRequest, n: usize) -> Result<(), ApiError> {
    if request
        .suffix
        .as_ref()
        .is_some_and(|suffix| !suffix.is_empty())
    {
        return Err(ApiError::param(
            "suffix",
            "suffix: texts are continued here, not filled in",
        ));
    }
    if let Some(best_of) = request.best_of
        && best_of != n
    {
        let message = format!(
            "best_of ({best_of}): all replies are returned here, leave it out or at n ({n})"
        );
        return Err(ApiError::param("best_of", message));
    }
    match request.logprobs {
        Some(logprobs) if logprobs > MOST_LOGPROBS => {
            let message = format!("logprobs ({logprobs}) must be at most {MOST_LOGPROBS}");
            Err(ApiError::param("logprobs", message))
        }
        Some(_) if request.echo == Some(true) => Err(ApiError::param(
            "echo",
            "echo with logprobs: tokens of the prompt have no log-probabilities here",
        )),
        _ => Ok(()),
    }
}

/// The tokens and the text of each prompt. Text makes no control tokens; token ids are what they are.
async fn prompts(
    prompt: Prompt,
    adapter: &CandleAdapter,
    limits: &Limits,
) -> Result<Vec<(Vec<TokenId>, String)>, ApiError> {
    let adapter = adapter.clone();
    let ids = |ids: Vec<u32>| ids.into_iter().map(TokenId).collect::<Vec<_>>();
    let (texts, tokens) = match prompt {
        Prompt::Text(text) => (vec![text], Vec::new()),
        // An empty list is of either kind.
        Prompt::Texts(texts) => (texts, Vec::new()),
        Prompt::Tokens(tokens) => (Vec::new(), vec![ids(tokens)]),
        Prompt::TokenLists(lists) => (Vec::new(), lists.into_iter().map(ids).collect()),
    };
    let (count, most) = (texts.len() + tokens.len(), limits.prompts);
    if !(1..=most).contains(&count) {
        let message = format!("{count} prompts were sent: send from 1 to {most}");
        return Err(ApiError::param("prompt", message));
    }
    let encode = move || {
        let encoded = texts
            .into_iter()
            .map(|text| Ok((adapter.text_tokens(&text)?, text)));
        let given = tokens.into_iter().map(|tokens| {
            let text = adapter.text_of(&tokens);
            Ok((tokens, text))
        });
        encoded.chain(given).collect::<Result<Vec<_>, ApiError>>()
    };
    let encoded = tokio::task::spawn_blocking(encode).await;
    encoded.map_err(|error| ApiError::internal(error.to_string()))?
}

/// The events of continued texts.
struct TextEvents {
    id: String,
    created: u64,
    model: String,
    includes_usage: bool,
    logprobs: bool,
    /// The prompts, where they are to be told again.
    echo: Vec<String>,
    per_prompt: usize,
    /// Characters of each text so far.
    offsets: Vec<usize>,
}

impl TextEvents {
    fn json(&self, choices: Vec<Json>) -> Json {
        json!({
            "id": self.id,
            "object": "text_completion",
            "created": self.created,
            "model": self.model,
            "system_fingerprint": null,
            "choices": choices,
        })
    }

    fn event(&self, choice: usize, text: &str, logprobs: Json, finish: Json) -> Json {
        let mut event = self.json(vec![json!({
            "index": choice,
            "text": text,
            "logprobs": logprobs,
            "finish_reason": finish,
        })]);
        if self.includes_usage {
            event["usage"] = Json::Null;
        }
        event
    }

    fn echo_of(&self, choice: usize) -> Option<&str> {
        self.echo.get(choice / self.per_prompt).map(String::as_str)
    }

    /// Log-probabilities in the form of this endpoint, which is older than the chat's.
    fn logprobs_json(&mut self, choice: usize, tokens: &[ReplyToken]) -> Json {
        if !self.logprobs {
            return Json::Null;
        }
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let mut offsets = Vec::with_capacity(tokens.len());
        for token in tokens {
            offsets.push(self.offsets[choice]);
            self.offsets[choice] += token.text.chars().count();
        }
        let top = |token: &ReplyToken| {
            let top = token
                .top
                .iter()
                .map(|top| (text(&top.bytes), top.logprob.into()));
            Json::Object(top.collect())
        };
        json!({
            "tokens": tokens.iter().map(|token| text(&token.bytes)).collect::<Vec<_>>(),
            "token_logprobs": tokens.iter().map(|token| token.logprob.unwrap_or(0.0)).collect::<Vec<_>>(),
            "top_logprobs": tokens.iter().map(top).collect::<Vec<_>>(),
            "text_offset": offsets,
        })
    }
}

impl EventWriter for TextEvents {
    fn begin(&mut self, choices: usize) -> Vec<Json> {
        self.offsets = vec![0; choices];
        (0..choices)
            .filter_map(|choice| {
                let echo = self.echo_of(choice)?;
                Some(self.event(choice, echo, Json::Null, Json::Null))
            })
            .collect()
    }

    fn piece(&mut self, choice: usize, piece: ReplyPiece) -> Vec<Json> {
        match piece {
            ReplyPiece::Token(token) if token.text.is_empty() && !self.logprobs => Vec::new(),
            ReplyPiece::Token(token) => {
                let logprobs = self.logprobs_json(choice, std::slice::from_ref(&token));
                vec![self.event(choice, &token.text, logprobs, Json::Null)]
            }
            ReplyPiece::End(end) => {
                vec![self.event(choice, "", Json::Null, finish_reason(&end).into())]
            }
        }
    }

    fn end(&mut self, usage: Usage) -> Vec<Json> {
        if !self.includes_usage {
            return Vec::new();
        }
        let mut event = self.json(Vec::new());
        event["usage"] = usage_json(usage);
        vec![event]
    }
}

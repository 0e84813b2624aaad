//! A server's JSON to a completion. Nothing in it is believed but what has the right form.

use serde_json::Value as Json;

use crate::adapter::{Completion, CompletionToken, Finish, TopToken, Usage};

use super::RemoteError;
use super::endpoint::Endpoint;
use super::refusal::{excerpt, refusal_within};

/// The completion of an answer that is not streamed.
pub(super) fn completion(endpoint: &Endpoint, body: &[u8]) -> Result<Completion, RemoteError> {
    let bad = |problem: String| RemoteError::Reply {
        endpoint: endpoint.base_url().to_owned(),
        problem,
    };
    let json: Json = serde_json::from_slice(body).map_err(|error| {
        let shown = excerpt(&String::from_utf8_lossy(body), 80);
        bad(format!("its body is no JSON ({error}): {shown:?}"))
    })?;
    if let Some(error) = refusal_within(endpoint, &json) {
        return Err(error);
    }
    let choice = json["choices"].get(0);
    let choice = choice.ok_or_else(|| bad("it has no `choices`".into()))?;
    let message = &choice["message"];
    let text = match &message["content"] {
        Json::String(text) => text.clone(),
        // A model that says nothing, or a server that leaves the key out.
        Json::Null if message.is_object() && message["tool_calls"].get(0).is_none() => {
            String::new()
        }
        Json::Null if message.is_object() => {
            return Err(bad("it calls a tool that was not offered".into()));
        }
        _ => return Err(bad("its message has no text as `content`".into())),
    };
    let finish = finish(endpoint, &choice["finish_reason"])?.unwrap_or(Finish::Stop);
    let mut completion = Completion::new(text, usage(&json["usage"]).unwrap_or_default(), finish);
    completion.tokens = whole(tokens(&choice["logprobs"]), &completion.text);
    Ok(completion)
}

/// Why a reply ended; none where it has not yet.
pub(super) fn finish(endpoint: &Endpoint, reason: &Json) -> Result<Option<Finish>, RemoteError> {
    match reason.as_str() {
        None => Ok(None),
        Some("length") => Ok(Some(Finish::Length)),
        Some("content_filter") => Err(RemoteError::Filtered {
            endpoint: endpoint.base_url().to_owned(),
        }),
        // `stop`, `eos`, `end_turn` and what else servers call it.
        Some(_) => Ok(Some(Finish::Stop)),
    }
}

/// The usage, if there is one.
pub(super) fn usage(json: &Json) -> Option<Usage> {
    let count = |json: &Json| json.as_u64().and_then(|count| usize::try_from(count).ok());
    let object = json.as_object()?;
    let get = |key: &str| object.get(key).and_then(count).unwrap_or(0);
    let prompt_tokens = get("prompt_tokens");
    let cached = object
        .get("prompt_tokens_details")
        .and_then(|details| count(&details["cached_tokens"]));
    Some(Usage {
        prompt_tokens,
        // No more can be cached than there are.
        cached_tokens: cached.unwrap_or(0).min(prompt_tokens),
        completion_tokens: get("completion_tokens"),
    })
}

/// The tokens of a choice or an event.
pub(super) fn tokens(logprobs: &Json) -> Vec<CompletionToken> {
    let listed = logprobs["content"].as_array();
    let tokens = listed.into_iter().flatten().map(|token| {
        let top = token["top_logprobs"].as_array();
        let top = top.into_iter().flatten().filter_map(|other| {
            Some(TopToken {
                bytes: bytes(other),
                logprob: logprob(other)?,
            })
        });
        let mut told = CompletionToken::new(bytes(token).len(), logprob(token));
        told.top = top.collect();
        told
    });
    tokens.collect()
}

/// The tokens, if they are those of the text: else the server does not tell.
pub(super) fn whole(tokens: Vec<CompletionToken>, text: &str) -> Vec<CompletionToken> {
    let sum = tokens
        .iter()
        .fold(0usize, |sum, token| sum.saturating_add(token.bytes));
    if sum == text.len() {
        tokens
    } else {
        Vec::new()
    }
}

fn logprob(token: &Json) -> Option<f32> {
    let logprob = token["logprob"].as_f64()? as f32;
    (logprob.is_finite() && logprob <= 0.0).then_some(logprob)
}

fn bytes(token: &Json) -> Vec<u8> {
    let listed = token["bytes"].as_array().map(|bytes| {
        let bytes = bytes.iter().map(|byte| u8::try_from(byte.as_u64()?).ok());
        bytes.collect::<Option<Vec<u8>>>()
    });
    match listed {
        Some(Some(bytes)) => bytes,
        _ => token["token"].as_str().unwrap_or_default().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(json: &Json) -> Result<Completion, RemoteError> {
        let endpoint = Endpoint::new("http://x.org", "m").expect("an endpoint");
        completion(&endpoint, json.to_string().as_bytes())
    }

    #[test]
    fn text_usage_and_tokens_are_read() {
        let reply = read(&json!({
            "choices": [{
                "message": {"role": "assistant", "content": "né"},
                "finish_reason": "length",
                "logprobs": {"content": [
                    {"token": "n", "logprob": -0.5, "top_logprobs": [{"token": "m", "logprob": -1.0}]},
                    {"token": "\u{fffd}", "logprob": -9999.0, "bytes": [195]},
                    {"token": "?", "logprob": 7.0, "bytes": [169]}
                ]}
            }],
            "usage": {"prompt_tokens": 5, "completion_tokens": 3, "prompt_tokens_details": {"cached_tokens": 99}}
        }))
        .expect("a reply");
        assert_eq!((reply.text.as_str(), reply.finish), ("né", Finish::Length));
        assert_eq!(
            (reply.usage.cached_tokens, reply.usage.completion_tokens),
            (5, 3)
        );
        let bytes: Vec<_> = reply.tokens.iter().map(|token| token.bytes).collect();
        assert_eq!(bytes, [1, 1, 1]);
        assert_eq!(reply.tokens[0].top[0].bytes, b"m");
        assert_eq!(reply.tokens[2].logprob, None, "no probability is above 1");
    }

    #[test]
    fn tokens_of_another_text_are_left_out() {
        let reply = read(&json!({"choices": [{
            "message": {"content": "abc"},
            "logprobs": {"content": [{"token": "x", "logprob": -1.0}]}
        }]}));
        assert_eq!(reply.expect("a reply").tokens, []);
    }

    #[test]
    fn what_is_no_reply_says_why() {
        for (json, says) in [
            (json!({}), "choices"),
            (json!({"choices": []}), "choices"),
            (json!({"choices": [{}]}), "content"),
            (
                json!({"choices": [{"message": {"content": [1]}}]}),
                "content",
            ),
            (
                json!({"choices": [{"message": {"content": null, "tool_calls": [{}]}}]}),
                "tool",
            ),
            (
                json!({"choices": [{"message": {"content": "a"}, "finish_reason": "content_filter"}]}),
                "filter",
            ),
            (json!("hi"), "choices"),
            (json!({"error": {"message": "broken"}}), "broken"),
        ] {
            let error = read(&json).expect_err("no reply").to_string();
            assert!(error.contains(says), "{json}: {error}");
        }
        let endpoint = Endpoint::new("http://x.org", "m").expect("an endpoint");
        let error = completion(&endpoint, b"<html>\xff").expect_err("no JSON");
        assert!(error.to_string().contains("<html>"), "{error}");
    }
}

//! An answer that is an error: its status, headers and body to what is told.

use std::time::SystemTime;

use reqwest::StatusCode;
use reqwest::header::{HeaderMap, LOCATION, RETRY_AFTER};
use serde_json::Value as Json;

use super::RemoteError;
use super::endpoint::Endpoint;
use super::retry_after::retry_after;

/// Most characters of a server's message that are told.
const MOST_MESSAGE: usize = 1000;

/// The error of a status that is none of success.
pub(super) fn refusal(
    endpoint: &Endpoint,
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
    max_tokens: Option<usize>,
) -> RemoteError {
    let text = String::from_utf8_lossy(body);
    let json = serde_json::from_str::<Json>(&text).unwrap_or(Json::Null);
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let message = match (message(&json), header(LOCATION)) {
        (_, Some(to)) if status.is_redirection() => format!("redirect to {to}"),
        (Some(message), _) => message,
        (None, _) if text.trim().is_empty() => "no message".into(),
        (None, _) => text.trim().to_owned(),
    };
    error_of(
        endpoint,
        status.as_u16(),
        &json,
        message,
        header(RETRY_AFTER).and_then(|text| retry_after(text, SystemTime::now())),
        max_tokens,
    )
}

/// The error that stands in the place of an event or a reply, if one does.
pub(super) fn refusal_within(endpoint: &Endpoint, json: &Json) -> Option<RemoteError> {
    let error = json.get("error").filter(|error| !error.is_null())?;
    let message = message(json).unwrap_or_else(|| error.to_string());
    let status = error["code"]
        .as_u64()
        .and_then(|code| u16::try_from(code).ok());
    let status = status
        .filter(|status| (400..600).contains(status))
        .unwrap_or(0);
    Some(error_of(endpoint, status, json, message, None, None))
}

fn error_of(
    endpoint: &Endpoint,
    status: u16,
    json: &Json,
    message: String,
    retry_after: Option<std::time::Duration>,
    max_tokens: Option<usize>,
) -> RemoteError {
    if let Some((actual, max)) = too_long(json, &message, max_tokens) {
        let endpoint = endpoint.base_url().to_owned();
        return RemoteError::ContextTooLong {
            endpoint,
            actual,
            max,
        };
    }
    RemoteError::Status {
        endpoint: endpoint.base_url().to_owned(),
        status,
        message: endpoint.without_key(excerpt(&message, MOST_MESSAGE)),
        retry_after,
    }
}

/// OpenAI's `{"error": {"message"}}`, and what vLLM's, FastAPI's and others' errors look like.
fn message(json: &Json) -> Option<String> {
    let error = &json["error"];
    let places = [&error["message"], error, &json["message"], &json["detail"]];
    let told = places.into_iter().find(|place| !place.is_null())?;
    let text = told
        .as_str()
        .map_or_else(|| told.to_string(), str::to_owned);
    // OpenAI names the parameter apart.
    match error["param"].as_str() {
        Some(param) if !text.contains(param) => Some(format!("{text} ({param})")),
        _ => Some(text),
    }
}

/// Tokens of the prompt and tokens that fit, if that is what is wrong.
fn too_long(json: &Json, message: &str, max_tokens: Option<usize>) -> Option<(usize, usize)> {
    let error = &json["error"];
    // llama-server tells the numbers apart.
    if let (Some(actual), Some(max)) = (error["n_prompt_tokens"].as_u64(), error["n_ctx"].as_u64())
    {
        return Some((usize::try_from(actual).ok()?, usize::try_from(max).ok()?));
    }
    let lower = message.to_lowercase();
    let is_about_length = error["code"] == "context_length_exceeded"
        || lower.contains("maximum context length")
        || lower.contains("exceeds the available context");
    if !is_about_length {
        return None;
    }
    let numbers = numbers(&lower);
    let phrases = ["context length is ", "context size (", "only "];
    let after = |phrase: &str| {
        let at = lower.find(phrase)? + phrase.len();
        let (_, number) = numbers.iter().find(|(place, _)| *place >= at)?;
        Some(*number)
    };
    let max = phrases.iter().find_map(|phrase| after(phrase))?;
    let actual = numbers.iter().map(|(_, number)| *number).max()?;
    if actual > max {
        return Some((actual, max));
    }
    // It is prompt and reply together that do not fit.
    let (_, actual) = numbers
        .iter()
        .rev()
        .find(|(_, number)| *number != max && Some(*number) != max_tokens)?;
    Some((*actual, max.saturating_sub(max_tokens.unwrap_or(0))))
}

/// The integers of a text, with the places where they begin.
fn numbers(text: &str) -> Vec<(usize, usize)> {
    let mut numbers = Vec::new();
    let mut rest = 0;
    while let Some(at) = text[rest..].find(|c: char| c.is_ascii_digit()) {
        let begin = rest + at;
        let digits = text[begin..].bytes().take_while(u8::is_ascii_digit).count();
        rest = begin + digits;
        if let Ok(number) = text[begin..rest].parse() {
            numbers.push((begin, number));
        }
    }
    numbers
}

/// The beginning of a text, on one line.
pub(super) fn excerpt(text: &str, most: usize) -> String {
    let line: String = text
        .chars()
        .take(most)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    match text.chars().nth(most) {
        Some(_) => format!("{line}…"),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn told(status: u16, body: &Json) -> RemoteError {
        let endpoint = Endpoint::new("http://x.org", "m").expect("an endpoint");
        let status = StatusCode::from_u16(status).expect("a status");
        let body = body.to_string();
        refusal(
            &endpoint,
            status,
            &HeaderMap::new(),
            body.as_bytes(),
            Some(512),
        )
    }

    #[test]
    fn every_servers_words_for_a_prompt_that_is_too_long_are_known() {
        for (body, actual, max) in [
            (
                json!({"error": {"message": "This model's maximum context length is 4096 tokens. However, you requested 5121 tokens (5109 in the messages, 12 in the completion).", "code": 400}}),
                5121,
                4096,
            ),
            (
                json!({"object": "error", "message": "'max_tokens' or 'max_completion_tokens' is too large: 512. This model's maximum context length is 2048 tokens and your request has 2000 input tokens"}),
                2000,
                1536,
            ),
            (
                json!({"error": {"message": "the request exceeds the available context size", "n_prompt_tokens": 900, "n_ctx": 512}}),
                900,
                512,
            ),
            (
                json!({"error": {"message": "the prompt has 900 tokens, but only 512 fit: shorten the inputs", "code": "context_length_exceeded"}}),
                900,
                512,
            ),
        ] {
            let RemoteError::ContextTooLong {
                actual: a, max: m, ..
            } = told(400, &body)
            else {
                panic!("{body}");
            };
            assert_eq!((a, m), (actual, max), "{body}");
        }
    }

    #[test]
    fn a_message_is_found_wherever_servers_put_it() {
        for (body, says) in [
            (
                json!({"error": {"message": "no", "param": "top_k"}}),
                "no (top_k)",
            ),
            (json!({"error": "plain"}), "plain"),
            (json!({"message": "flat"}), "flat"),
            (json!({"detail": [{"loc": ["body", "x"]}]}), "body"),
            (json!([1]), "[1]"),
        ] {
            let error = told(400, &body).to_string();
            assert!(error.contains(says), "{error}");
        }
    }

    #[test]
    fn an_error_in_an_event_is_one() {
        let endpoint = Endpoint::new("http://x.org", "m").expect("an endpoint");
        let error = refusal_within(
            &endpoint,
            &json!({"error": {"message": "oom", "code": 503}}),
        );
        assert!(error.is_some_and(|error| error.is_transient()));
        assert_eq!(refusal_within(&endpoint, &json!({"error": null})), None);
        assert_eq!(refusal_within(&endpoint, &json!({"choices": []})), None);
    }
}

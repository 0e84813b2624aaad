//! The JSON of a request, as one server wants it.

use serde_json::{Map, Value as Json, json};

use crate::adapter::Constraint;

use super::call::Call;
use super::endpoint::{Endpoint, Guidance};
use super::learned::{Asked, Learned};
use super::schema::Hold;

/// The body, and what of it a server may refuse.
pub(super) fn body(
    call: &Call,
    endpoint: &Endpoint,
    learned: &Learned,
    streaming: bool,
) -> (Json, Asked) {
    let mut body = Map::new();
    let mut set = |key: &str, value: Option<Json>| {
        if let Some(value) = value {
            body.insert(key.into(), value);
        }
    };
    set("model", Some(endpoint.model().into()));
    set("messages", Some(call.messages.clone()));
    let sampling = &call.sampling;
    let max_tokens = match learned.new_name_of_max_tokens {
        true => "max_completion_tokens",
        false => "max_tokens",
    };
    set(max_tokens, sampling.max_tokens.map(Json::from));
    set("temperature", sampling.temperature.map(number));
    set("top_p", sampling.top_p.map(number));
    set("top_k", sampling.top_k.map(Json::from));
    set("min_p", sampling.min_p.map(number));
    set("seed", sampling.seed.map(Json::from));
    // vLLM's name for it, and llama.cpp's: both pass over the other's.
    let penalty = sampling.repetition_penalty.map(number);
    let repeat_penalty = penalty.clone().filter(|_| !learned.no_repeat_penalty);
    let asks_repeat_penalty = repeat_penalty.is_some();
    set("repetition_penalty", penalty);
    set("repeat_penalty", repeat_penalty);
    set("presence_penalty", sampling.presence_penalty.map(number));
    set("frequency_penalty", sampling.frequency_penalty.map(number));
    let logprobs = call.logprobs.filter(|_| !learned.no_logprobs);
    if let Some(top) = logprobs {
        set("logprobs", Some(true.into()));
        set("top_logprobs", (top > 0).then(|| top.into()));
    }
    let stream_options = streaming && !learned.no_stream_options;
    set("stream", streaming.then(|| true.into()));
    set(
        "stream_options",
        stream_options.then(|| json!({"include_usage": true})),
    );
    let held = call.hold.as_ref().and_then(|(hold, fingerprint)| {
        let way = learned.way(endpoint.guidance, *fingerprint);
        let (key, value) = guidance(way, hold)?;
        set(key, Some(value));
        Some((way, *fingerprint))
    });
    let asked = Asked {
        held,
        max_tokens: sampling.max_tokens.is_some() && !learned.new_name_of_max_tokens,
        repeat_penalty: asks_repeat_penalty,
        stream_options,
        logprobs: logprobs.is_some(),
    };
    (body.into(), asked)
}

/// The field that holds a reply, if the server has one for it.
fn guidance(way: Guidance, hold: &Hold) -> Option<(&'static str, Json)> {
    Some(match (way, hold) {
        (Guidance::Auto | Guidance::JsonSchema, Hold::Json { name, schema }) => (
            "response_format",
            json!({"type": "json_schema", "json_schema": {"name": name, "strict": true, "schema": schema}}),
        ),
        (Guidance::JsonObject, Hold::Json { schema, .. }) => (
            "response_format",
            json!({"type": "json_object", "schema": schema}),
        ),
        (Guidance::Vllm, Hold::Json { schema, .. }) => {
            ("structured_outputs", json!({"json": schema}))
        }
        (Guidance::Vllm, Hold::Regex(regex)) => ("structured_outputs", json!({"regex": regex})),
        (Guidance::Vllm, Hold::Lark(lark)) => ("structured_outputs", json!({"grammar": lark})),
        (Guidance::LlamaServer, Hold::Json { schema, .. }) => ("json_schema", schema.clone()),
        (Guidance::LlamaServer, Hold::Lark(lark)) => ("grammar", llguidance(lark)),
        (Guidance::LlamaServer, Hold::Regex(regex)) => (
            "grammar",
            llguidance(&format!("start: {}", Constraint::slashed(regex))),
        ),
        _ => return None,
    })
}

/// A grammar as llama.cpp hands it on to llguidance.
fn llguidance(lark: &str) -> Json {
    format!("%llguidance {{}}\n{lark}").into()
}

/// The number as it was written: 0.7, not what `f32` makes of it in 64 bits.
fn number(value: f32) -> Json {
    let text = value.to_string();
    text.parse::<f64>()
        .map_or_else(|_| json!(value), |value| json!(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_sent_as_written() {
        assert_eq!(number(0.7).to_string(), "0.7");
        assert_eq!(number(0.0).to_string(), "0.0");
    }

    #[test]
    fn each_kind_of_guidance_has_its_field() {
        let schema = json!({"type": "object"});
        let hold = Hold::Json {
            name: "QA".into(),
            schema: schema.clone(),
        };
        let field = |way| guidance(way, &hold);
        let (key, value) = field(Guidance::JsonSchema).expect("held");
        assert_eq!(key, "response_format");
        assert_eq!(value["json_schema"]["schema"], schema);
        assert_eq!(
            field(Guidance::Vllm),
            Some(("structured_outputs", json!({"json": schema})))
        );
        assert_eq!(field(Guidance::LlamaServer), Some(("json_schema", schema)));
        assert_eq!(field(Guidance::None), None);
        let regex = Hold::Regex("a+".into());
        assert_eq!(guidance(Guidance::JsonSchema, &regex), None);
        let vllm = guidance(Guidance::Vllm, &regex).expect("held");
        assert_eq!(vllm.1, json!({"regex": "a+"}));
        let path = Hold::Regex(r"a/b\/\\/".into());
        let llama = guidance(Guidance::LlamaServer, &path).expect("held");
        assert_eq!(llama.1, json!("%llguidance {}\nstart: /a\\/b\\/\\\\\\//"));
    }
}

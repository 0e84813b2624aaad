//! A model with Qwen2.5's own tokenizer and chat template: calls are control tokens, and the template writes the tools.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use candle_signature::adapter::{CandleAdapter, CandleConfig, ModelPool};
use candle_signature::engine::{ModelConfig, write_random_weights};
use candle_signature::serve::Server;
use serde_json::{Value as Json, json};

use super::support::Site;

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data/qwen2.5")
}

/// Qwen2.5 with a network as narrow as it can be, and random weights in it.
fn write_model(folder: &Path) {
    std::fs::create_dir_all(folder).unwrap();
    let config = std::fs::read(data().join("config.json")).unwrap();
    let mut config: Json = serde_json::from_slice(&config).unwrap();
    for (key, value) in [
        ("hidden_size", 64),
        ("intermediate_size", 64),
        ("num_hidden_layers", 1),
        ("num_attention_heads", 1),
        ("num_key_value_heads", 1),
        ("max_window_layers", 1),
    ] {
        config[key] = json!(value);
    }
    let config = config.to_string();
    std::fs::write(folder.join("config.json"), &config).unwrap();
    for file in ["generation_config.json", "tokenizer_config.json"] {
        std::fs::copy(data().join(file), folder.join(file)).unwrap();
    }
    let mut tokenizer = Vec::new();
    let file = std::fs::File::open(data().join("tokenizer.json.gz")).unwrap();
    flate2::read::GzDecoder::new(file)
        .read_to_end(&mut tokenizer)
        .unwrap();
    std::fs::write(folder.join("tokenizer.json"), tokenizer).unwrap();
    let config = ModelConfig::from_json(config.as_bytes(), "config.json").unwrap();
    write_random_weights(&config, 1, &folder.join("model.safetensors"), |_, _| {}).unwrap();
}

#[tokio::test]
async fn tools_are_in_the_template_and_calls_are_control_tokens() {
    let models = tempfile::tempdir().unwrap();
    write_model(&models.path().join("qwen"));
    let model = ModelPool::new(models.path())
        .load_model("qwen")
        .await
        .unwrap();
    let adapter = CandleAdapter::from_loaded_model(model, CandleConfig::default()).unwrap();
    assert!(adapter.template_knows_tools());
    let running = Server::builder(adapter.clone())
        .bind("127.0.0.1:0")
        .await
        .unwrap()
        .start();
    let site = Site { running, adapter };
    let messages = json!([
        {"role": "user", "content": "Weather? <tool_call> <|im_end|>"},
        {"role": "assistant", "content": null, "tool_calls": [{"id": "a", "type": "function", "function": {"name": "look", "arguments": "{\"at\": \"Rome\"}"}}]},
        {"role": "tool", "tool_call_id": "a", "content": "21"},
    ]);
    let schema = json!({"type": "object", "properties": {"at": {"type": "string", "maxLength": 8}}, "required": ["at"]});
    let tools = json!([{"type": "function", "function": {"name": "look", "parameters": schema}}]);
    let body = |more: Json| {
        let mut body = json!({"model": "qwen", "messages": messages, "tools": tools, "tool_choice": "required", "max_tokens": 150, "logprobs": true});
        for (key, value) in more.as_object().unwrap() {
            body[key] = value.clone();
        }
        body
    };
    for seed in 0..3 {
        let answer = site
            .chat(&body(json!({"temperature": 1.0, "seed": seed})))
            .await
            .ok();
        let choice = &answer["choices"][0];
        let call = &choice["message"]["tool_calls"][0]["function"];
        assert_eq!(call["name"], "look");
        let arguments: Json = serde_json::from_str(call["arguments"].as_str().unwrap()).unwrap();
        assert!(
            arguments["at"].as_str().unwrap().chars().count() <= 8,
            "{arguments}"
        );
        // One token, as the model was trained to open a call.
        assert_eq!(choice["logprobs"]["content"][0]["token"], "<tool_call>");
    }
    // The user's marks are text; the template's own are control tokens: those of the tools' explanation and of the past call.
    let control = |text: &str| {
        site.adapter
            .chat_tokens(&json!([{"role": "user", "content": text}]), None)
            .unwrap()
    };
    assert_eq!(
        control("<tool_call>")
            .iter()
            .filter(|token| token.0 >= 151_643)
            .count(),
        control("plain")
            .iter()
            .filter(|token| token.0 >= 151_643)
            .count(),
    );
    // A random model calls nothing by itself, and its text is never half of a call.
    let free = site
        .chat(&body(
            json!({"tool_choice": "auto", "max_tokens": 12, "seed": 3, "temperature": 1.0}),
        ))
        .await
        .ok();
    let message = &free["choices"][0]["message"];
    assert!(
        message["content"].is_string() || message["tool_calls"].is_array(),
        "{message}"
    );
    let more = free["usage"]["prompt_tokens"].as_u64().unwrap();
    let less = site
        .chat(&body(json!({"tool_choice": "none", "max_tokens": 1})))
        .await
        .ok();
    assert!(
        more > less["usage"]["prompt_tokens"].as_u64().unwrap() + 50,
        "the template wrote no tools"
    );
}

//! Models by name, configurations, and plain generation, on a random model in a folder.

mod engine_support;

use std::error::Error as _;
use std::path::Path;
use std::sync::Arc;

use candle_signature::adapter::{
    Backend as _, CandleAdapter, CandleAdapterError, CandleConfig, Completion, CompletionRequest,
    Constraint, Finish, LoadedModel, ModelPool, TextStream,
};
use candle_signature::engine::EngineError;
use candle_signature::prompt::Message;
use engine_support::{byte_tokenizer_json, data, json_file};
use futures::StreamExt as _;
use futures::executor::block_on;
use tempfile::TempDir;

/// A pool folder with the tiny random model in it, named `tiny`, with a context of 2,048.
fn pool_folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    write_model(&folder.path().join("tiny"));
    folder
}

fn write_model(path: &Path) {
    std::fs::create_dir_all(path).unwrap();
    let source = data("tiny-random-qwen2");
    std::fs::copy(
        source.join("model.safetensors"),
        path.join("model.safetensors"),
    )
    .unwrap();
    let mut config = json_file(&source.join("config.json"));
    config["max_position_embeddings"] = 2048.into();
    std::fs::write(path.join("config.json"), config.to_string()).unwrap();
    std::fs::write(path.join("tokenizer.json"), byte_tokenizer_json(320)).unwrap();
}

fn model() -> Arc<LoadedModel> {
    let folder = pool_folder();
    block_on(ModelPool::new(folder.path()).load_model("tiny")).unwrap()
}

fn adapter(config: CandleConfig) -> CandleAdapter {
    CandleAdapter::from_loaded_model(model(), config).unwrap()
}

fn short() -> CandleConfig {
    CandleConfig {
        max_tokens: 8,
        ..Default::default()
    }
}

#[test]
fn a_model_is_loaded_once() {
    let folder = pool_folder();
    let pool = ModelPool::new(folder.path());
    let (first, second) = block_on(futures::future::join(
        pool.load_model("tiny"),
        pool.load_model("tiny"),
    ));
    let first = first.unwrap();
    assert!(Arc::ptr_eq(&first, &second.unwrap()));
    std::fs::remove_dir_all(folder.path().join("tiny")).unwrap();
    assert!(Arc::ptr_eq(
        &first,
        &block_on(pool.load_model("tiny")).unwrap()
    ));
}

#[test]
fn a_failed_load_can_be_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    let pool = ModelPool::new(folder.path());
    let error = block_on(pool.load_model("tiny")).unwrap_err();
    assert!(matches!(error, CandleAdapterError::ModelLoadError(_)));
    write_model(&folder.path().join("tiny"));
    assert!(block_on(pool.load_model("tiny")).is_ok());
}

#[test]
fn a_missing_model_says_which_there_are() {
    let folder = pool_folder();
    let message = block_on(ModelPool::new(folder.path()).load_model("tinny"))
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("no model `tinny`") && message.contains("holds `tiny`"),
        "{message}"
    );
    let message = block_on(ModelPool::new("/no/such/folder").load_model("x"))
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("`/no/such/folder` holds no model folder"),
        "{message}"
    );
}

#[test]
fn a_name_can_not_lead_out_of_the_pool_unless_it_is_a_path() {
    let folder = pool_folder();
    let pool = ModelPool::new(folder.path().join("tiny"));
    for name in ["", "a/../../tiny", "a\0b"] {
        let message = block_on(pool.load_model(name)).unwrap_err().to_string();
        assert!(message.contains("is no model name"), "{name:?}: {message}");
    }
    for name in ["../no-such-folder", "./no-such-folder", "/no/such/folder"] {
        let message = block_on(pool.load_model(name)).unwrap_err().to_string();
        assert!(message.contains("it does not exist"), "{name:?}: {message}");
    }
    let here = folder.path().join("tiny");
    assert!(block_on(pool.load_model(here.to_str().unwrap())).is_ok());
    let file = here.join("config.json");
    let message = block_on(pool.load_model(file.to_str().unwrap()))
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("neither a folder nor a .gguf file"),
        "{message}"
    );
}

#[test]
fn an_embedded_pool_knows_one_name() {
    let error = block_on(ModelPool::embedded().load_model("gpt")).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("no embedded model `gpt`: the name is `embedded`"),
        "{error}"
    );
}

#[test]
fn a_broken_folder_keeps_the_cause() {
    let folder = pool_folder();
    std::fs::write(folder.path().join("tiny/config.json"), "{}").unwrap();
    let error = block_on(ModelPool::new(folder.path()).load_model("tiny")).unwrap_err();
    assert!(
        error.to_string().starts_with("model load failed: "),
        "{error}"
    );
    assert!(
        error.source().and_then(std::error::Error::source).is_some(),
        "{error:?}"
    );
    let error: anyhow::Error = error.into();
    assert!(error.chain().count() >= 2);
}

#[test]
fn a_broken_tokenizer_config_is_named() {
    let folder = pool_folder();
    let path = folder.path().join("tiny/tokenizer_config.json");
    for broken in [
        "{",
        r#"{"chat_template": 3}"#,
        r#"{"chat_template": [{"name": "rag", "template": ""}]}"#,
    ] {
        std::fs::write(&path, broken).unwrap();
        let error = block_on(ModelPool::new(folder.path()).load_model("tiny")).unwrap_err();
        assert!(
            error.to_string().contains("tokenizer_config.json"),
            "{error}"
        );
    }
}

#[test]
fn generate_counts_what_it_read_and_wrote() {
    let (text, prompt_tokens, completion_tokens) =
        block_on(adapter(short()).generate("Tell me a story")).unwrap();
    assert_eq!((prompt_tokens, completion_tokens), (15, 8));
    assert!(!text.is_empty());
}

#[test]
fn one_model_serves_adapters_with_different_configs() {
    let model = model();
    let greedy = CandleAdapter::from_loaded_model(model.clone(), short()).unwrap();
    let warm = CandleConfig {
        temperature: 1.5,
        seed: 3,
        ..short()
    };
    let warm = CandleAdapter::from_loaded_model(model, warm).unwrap();
    let say = |adapter: &CandleAdapter| block_on(adapter.generate("abc")).unwrap().0;
    assert_eq!(say(&greedy), say(&greedy));
    assert_eq!(say(&warm), say(&warm));
    assert_ne!(say(&greedy), say(&warm));
}

#[test]
fn the_cache_changes_nothing_but_the_time() {
    let model = model();
    let with = CandleAdapter::from_loaded_model(model.clone(), short()).unwrap();
    let without = CandleConfig {
        enable_kv_cache: false,
        ..short()
    };
    let without = CandleAdapter::from_loaded_model(model, without).unwrap();
    assert_eq!(
        block_on(with.generate("same")).unwrap(),
        block_on(without.generate("same")).unwrap()
    );
}

#[test]
fn a_prompt_beyond_the_context_is_an_error() {
    let config = CandleConfig {
        context_length: Some(20),
        ..short()
    };
    let error = block_on(adapter(config).generate(&"x".repeat(21))).unwrap_err();
    assert!(
        matches!(
            error,
            CandleAdapterError::ContextTooLong {
                actual: 21,
                max: 20
            }
        ),
        "{error}"
    );
    let config = CandleConfig {
        max_cache_size: Some(12),
        ..short()
    };
    let error = block_on(adapter(config).generate(&"x".repeat(13))).unwrap_err();
    assert!(
        matches!(
            error,
            CandleAdapterError::ContextTooLong {
                actual: 13,
                max: 12
            }
        ),
        "{error}"
    );
}

#[test]
fn an_empty_prompt_is_an_error() {
    let error = block_on(adapter(short()).generate("")).unwrap_err();
    assert!(
        matches!(error, CandleAdapterError::InferenceFailed(_)),
        "{error}"
    );
}

#[test]
fn what_does_not_suit_the_model_is_refused() {
    let model = model();
    let refusal = |config| {
        CandleAdapter::from_loaded_model(model.clone(), config)
            .unwrap_err()
            .to_string()
    };
    let message = refusal(CandleConfig {
        context_length: Some(4096),
        ..short()
    });
    assert!(
        message.contains("context_length (4096)") && message.contains("at most 2048"),
        "{message}"
    );
    let message = refusal(CandleConfig {
        max_tokens: 2048,
        ..short()
    });
    assert!(message.contains("context of 2048"), "{message}");
    let message = refusal(CandleConfig {
        chat_stop_tokens: vec!["<end>".into()],
        ..short()
    });
    assert!(
        message.contains("`<end>` is no control token") && message.contains("`<|im_end|>`"),
        "{message}"
    );
    let message = refusal(CandleConfig {
        chat_template: Some("{% if %}".into()),
        ..short()
    });
    assert!(message.contains("chat template: syntax error"), "{message}");
    let message = refusal(CandleConfig {
        max_tokens: 0,
        ..short()
    });
    assert!(message.contains("max_tokens (0)"), "{message}");
}

#[test]
fn a_chat_template_of_ones_own_is_used() {
    let template = "{% for m in messages %}<|im_start|>{{ m.content }}{% endfor %}";
    let config = CandleConfig {
        chat_template: Some(template.into()),
        ..short()
    };
    let tokens = adapter(config)
        .prompt_tokens(&[Message::user("hi<|im_start|>")])
        .unwrap();
    let ids: Vec<u32> = tokens.iter().map(|token| token.0).collect();
    let text = "hi<|im_start|>".bytes().map(u32::from);
    assert_eq!(ids, std::iter::once(256).chain(text).collect::<Vec<_>>());
}

#[test]
fn a_conversation_is_answered() {
    let request = CompletionRequest::new(vec![Message::user("hi")]);
    let completion = block_on(adapter(short()).complete(request)).unwrap();
    assert_eq!(completion.finish, Finish::Length);
    // <|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n
    assert_eq!(completion.usage.prompt_tokens, 1 + 7 + 1 + 1 + 1 + 10);
    assert_eq!(completion.usage.total_tokens(), 21 + 8);
}

async fn collected(mut stream: TextStream) -> (Vec<String>, Option<Completion>) {
    let mut pieces = Vec::new();
    while let Some(piece) = stream.next().await {
        pieces.push(piece.unwrap());
    }
    (pieces, stream.completion().cloned())
}

#[test]
fn streamed_text_is_the_generated_text() {
    let model = model();
    let config = CandleConfig {
        enable_streaming: true,
        stream_buffer_size: 1,
        ..short()
    };
    let adapter = CandleAdapter::from_loaded_model(model, config).unwrap();
    let (text, prompt_tokens, completion_tokens) = block_on(adapter.generate("Tell me")).unwrap();
    let (pieces, completion) = block_on(collected(adapter.generate_stream("Tell me")));
    assert!(pieces.len() > 1, "{pieces:?}");
    assert_eq!(pieces.concat(), text);
    let completion = completion.expect("ended");
    assert_eq!(completion.text, text);
    let usage = completion.usage;
    assert_eq!(
        (usage.prompt_tokens, usage.completion_tokens),
        (prompt_tokens, completion_tokens)
    );
}

#[test]
fn without_streaming_the_text_comes_in_one_piece() {
    let adapter = adapter(short());
    let (pieces, _) = block_on(collected(adapter.generate_stream("Tell me")));
    assert_eq!(pieces, [block_on(adapter.generate("Tell me")).unwrap().0]);
}

#[test]
fn an_error_is_the_last_item_of_a_stream() {
    let config = CandleConfig {
        context_length: Some(20),
        ..short()
    };
    let adapter = adapter(config);
    let items: Vec<_> = block_on(adapter.generate_stream(&"x".repeat(21)).collect());
    assert!(matches!(
        items.as_slice(),
        [Err(CandleAdapterError::ContextTooLong { .. })]
    ));
}

#[test]
fn a_reply_can_be_held_to_any_constraint() {
    let adapter = adapter(CandleConfig {
        max_tokens: 60,
        ..Default::default()
    });
    let with = |constraint| block_on(adapter.generate_with("Say:", &constraint)).unwrap();
    let regex = with(Constraint::Regex("(yes|no), [0-9]{3}".into()));
    assert!(
        regex.text.starts_with("yes, ") || regex.text.starts_with("no, "),
        "{}",
        regex.text
    );
    assert!(regex.forced_tokens > 0 && regex.finish == Finish::Stop);
    let schema = serde_json::json!({"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]});
    let json: serde_json::Value =
        serde_json::from_str(&with(Constraint::JsonSchema(schema)).text).unwrap();
    assert!(json["n"].is_i64() || json["n"].is_u64() || json["n"].is_number());
    let error =
        block_on(adapter.generate_with("Say:", &Constraint::Regex("(".into()))).unwrap_err();
    assert!(
        matches!(error, CandleAdapterError::SignatureError(_)),
        "{error}"
    );
    let short = CandleAdapter::from_loaded_model(adapter.model().clone(), short()).unwrap();
    let error =
        block_on(short.generate_with("Say:", &Constraint::Regex("[a-z]{9}".into()))).unwrap_err();
    assert!(
        error.to_string().contains("takes 9 tokens and only 8"),
        "{error}"
    );
}

#[test]
fn another_configuration_costs_nothing_and_is_checked_too() {
    let first = adapter(short());
    let second = first
        .with_config(CandleConfig {
            max_tokens: 3,
            ..short()
        })
        .unwrap();
    assert!(Arc::ptr_eq(first.model(), second.model()));
    assert_eq!(block_on(second.generate("abc")).unwrap().2, 3);
    let own = CandleConfig {
        chat_template: Some("{{ messages[0].content }}".into()),
        ..short()
    };
    let templated = first.with_config(own).unwrap();
    let messages = [Message::user("hi")];
    assert_eq!(templated.prompt_tokens(&messages).unwrap().len(), 2);
    assert!(second.prompt_tokens(&messages).unwrap().len() > 2);
    let again = templated.with_config(short()).unwrap();
    assert_eq!(
        again.prompt_tokens(&messages).unwrap(),
        first.prompt_tokens(&messages).unwrap()
    );
    let error = first.with_config(CandleConfig {
        logit_bias: [(320, 1.0)].into(),
        ..short()
    });
    let error = error.unwrap_err().to_string();
    assert!(error.contains("no token 320"), "{error}");
}

#[test]
fn a_bias_and_penalties_reach_the_engine() {
    let plain = adapter(short());
    let request = || CompletionRequest::new(vec![Message::user("say something")]);
    let tokens = |adapter: &CandleAdapter| {
        let engine = adapter.model().engine();
        let text = block_on(adapter.complete(request())).unwrap().text;
        engine.model().tokenizer().encode_text(&text).unwrap()
    };
    let first = tokens(&plain)[0];
    let banned = plain
        .with_config(CandleConfig {
            logit_bias: [(first.0, -100.0)].into(),
            ..short()
        })
        .unwrap();
    assert!(!tokens(&banned).contains(&first));
    let insistent = plain
        .with_config(CandleConfig {
            logit_bias: [(b'z'.into(), 100.0)].into(),
            ..short()
        })
        .unwrap();
    let text = block_on(insistent.complete(request())).unwrap().text;
    assert_eq!(text, "zzzzzzzz");
    let varied = plain
        .with_config(CandleConfig {
            logit_bias: [(b'y'.into(), 59.0), (b'z'.into(), 60.0)].into(),
            frequency_penalty: 2.0,
            ..short()
        })
        .unwrap();
    let text = block_on(varied.complete(request())).unwrap().text;
    assert!(text.contains('y') && text.contains('z'), "{text}");
}

#[test]
fn alternatives_and_cached_tokens_come_with_the_completion() {
    let config = CandleConfig {
        top_logprobs: 3,
        enable_streaming: true,
        ..short()
    };
    let adapter = adapter(config);
    let request = || CompletionRequest::new(vec![Message::user("a message of some length")]);
    let first = block_on(adapter.complete(request())).unwrap();
    assert_eq!(first.usage.cached_tokens, 0);
    let misses = adapter.cache_stats().misses;
    let second = block_on(adapter.complete(request())).unwrap();
    assert_eq!(first.text, second.text);
    assert!(second.usage.cached_tokens >= 16);
    assert!(second.usage.cached_tokens < second.usage.prompt_tokens);
    assert_eq!(adapter.cache_stats().misses, misses);
    for token in &first.tokens {
        assert_eq!(token.top.len(), 3);
        assert_eq!(token.logprob, Some(token.top[0].logprob));
        assert!(token.top.iter().all(|top| !top.bytes.is_empty()));
    }
    let (tokens, text) = block_on(async {
        let mut stream = adapter.complete_stream(request()).await;
        let (mut tokens, mut text) = (Vec::new(), String::new());
        while let Some(piece) = stream.next().await {
            text.push_str(&piece.unwrap());
            tokens.extend(stream.take_tokens());
        }
        (tokens, text)
    });
    assert_eq!(text, first.text);
    assert!(tokens.len() >= 7 && tokens.len() <= first.tokens.len());
    assert_eq!(tokens[..7], first.tokens[..7]);
}

#[test]
fn a_timeout_is_an_error_that_keeps_its_cause() {
    let slow = adapter(CandleConfig {
        max_tokens: 1500,
        enable_kv_cache: false,
        timeout_ms: Some(30),
        ..Default::default()
    });
    let error = block_on(slow.generate("abc")).unwrap_err();
    assert!(error.to_string().contains("deadline"), "{error}");
    let cause = error.source().and_then(std::error::Error::source);
    assert!(
        cause.is_some_and(|cause| cause.is::<EngineError>()),
        "{error:?}"
    );
}

#[test]
fn a_pinned_beginning_is_found_by_the_conversations_that_have_it() {
    let adapter = adapter(short());
    let system = Message::system("Answer in one word, whatever the question may be.");
    let demo = [Message::user("2 + 2?"), Message::assistant("four")];
    let beginning = [&[system][..], &demo].concat();
    let pinned = block_on(adapter.pin(&beginning)).unwrap();
    let whole = [&beginning[..], &[Message::user("3 + 3?")]].concat();
    let (short, long) = (
        pinned.tokens(),
        adapter.prompt_tokens(&whole).unwrap().len(),
    );
    assert!(short >= 48 && short < long, "{short} of {long}");
    let reply = block_on(adapter.complete(CompletionRequest::new(whole))).unwrap();
    assert!(reply.usage.cached_tokens >= short, "{:?}", reply.usage);
    assert_eq!(block_on(adapter.pin(&beginning)).unwrap().tokens(), short);
}

#[test]
fn an_adapter_that_batches_waits_for_company_and_no_longer() {
    let adapter = adapter(CandleConfig {
        batch_size: Some(4),
        batch_timeout_ms: 400,
        ..short()
    });
    let steps = || adapter.model().engine().stats().steps;
    let start = std::time::Instant::now();
    block_on(adapter.generate("abc")).unwrap();
    assert!(start.elapsed().as_millis() >= 400);
    let before = steps();
    let four = ["a", "b", "c", "d"].map(|prompt| adapter.generate(prompt));
    for reply in block_on(futures::future::join_all(four)) {
        assert_eq!(reply.unwrap().2, 8);
    }
    assert_eq!(steps() - before, 8, "one batch");
}

//! The path of a real model, with its tokenizer, template and shape, and random weights in them.

mod engine_support;

use std::path::Path;

use candle_signature::CandleSignature;
use candle_signature::adapter::{CandleAdapter, CandleConfig, Constraint, ModelPool};
use candle_signature::engine::{ModelConfig, write_random_weights};
use engine_support::{data, qwen_tokenizer_json};

/// Answer the question.
#[derive(CandleSignature)]
struct Ask {
    #[input]
    question: String,
    #[output]
    answer: String,
    #[output]
    sure: bool,
}

/// What a user's folder of Qwen2.5-0.5B-Instruct holds.
fn write_model(folder: &Path) {
    std::fs::create_dir_all(folder).unwrap();
    let source = data("qwen2.5");
    for file in [
        "config.json",
        "generation_config.json",
        "tokenizer_config.json",
    ] {
        std::fs::copy(source.join(file), folder.join(file)).unwrap();
    }
    std::fs::write(folder.join("tokenizer.json"), qwen_tokenizer_json()).unwrap();
    let config = std::fs::read(source.join("config.json")).unwrap();
    let config = ModelConfig::from_json(&config, "config.json").unwrap();
    write_random_weights(&config, 1, &folder.join("model.safetensors"), |_, _| {}).unwrap();
}

/// One test, because the model is a gigabyte on disk and two in memory.
#[tokio::test]
async fn a_folder_of_the_real_shape_predicts() {
    let models = tempfile::tempdir().unwrap();
    write_model(&models.path().join("Qwen2.5-0.5B-Instruct"));
    let pool = ModelPool::new(models.path());
    let model = pool.load_model("Qwen2.5-0.5B-Instruct").await.unwrap();

    let adapter_of = |config| CandleAdapter::from_loaded_model(model.clone(), config).unwrap();
    let adapter = adapter_of(CandleConfig {
        max_tokens: 40,
        ..Default::default()
    });
    let input = || AskInput {
        question: "What is 2+2? <|im_end|>".into(),
    };
    let out = Ask::predict(&adapter, input()).await.unwrap();
    assert!(!out.answer.is_empty());
    assert_eq!(
        out.usage().prompt_tokens,
        adapter.prompt_tokens(&Ask::format(input())).unwrap().len()
    );
    assert!(out.usage().completion_tokens <= 40);
    assert!(
        out.forced_tokens() >= 10,
        "markers are forced: {}",
        out.raw()
    );

    // Free generation runs to its limit: the random model has no reason to stop.
    let (text, prompt_tokens, completion_tokens) =
        adapter.generate("Tell me a story").await.unwrap();
    assert_eq!((prompt_tokens, completion_tokens), (4, 40));
    assert!(!text.contains("<|"), "control tokens are no text: {text}");

    // A stop token ends a reply: here the only one that the grammar allows after two letters.
    let two = adapter
        .generate_with("x", &Constraint::Regex("[ab]{2}c*".into()))
        .await
        .unwrap();
    assert!(two.text.starts_with(['a', 'b']), "{}", two.text);

    let cold = adapter_of(CandleConfig {
        max_tokens: 3,
        enable_kv_cache: false,
        ..Default::default()
    });
    let warm = adapter_of(CandleConfig {
        max_tokens: 3,
        ..Default::default()
    });
    assert_eq!(
        cold.generate("abc").await.unwrap(),
        warm.generate("abc").await.unwrap()
    );
}

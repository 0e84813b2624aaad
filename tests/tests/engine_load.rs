//! Loading a model folder: every way it can be laid out, and every way it can be broken.

mod engine_support;

use candle_core::{DType, Device, Tensor};
use candle_signature::engine::{EngineError, Model, ModelConfig, TokenId, write_random_weights};
use engine_support::*;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use tempfile::TempDir;

type Weights = HashMap<String, Tensor>;

fn load(folder: &Path) -> Result<Model, EngineError> {
    Model::load_dir(folder, &Device::Cpu)
}

/// A folder with a sound random model.
fn sound() -> (TempDir, Value, Weights) {
    let (config, folder) = (random_config(), tempfile::tempdir().unwrap());
    let weights = random_weights(&config);
    write_model(folder.path(), &config, &weights);
    (folder, config, weights)
}

/// The message of what loading a folder fails with.
fn refusal(folder: &Path) -> String {
    load(folder)
        .expect_err("this model must be refused")
        .to_string()
}

fn assert_says(message: &str, parts: &[&str]) {
    for part in parts {
        assert!(message.contains(part), "`{part}` is not in: {message}");
    }
}

fn logits(model: &Model) -> Vec<f32> {
    let tokens: Vec<TokenId> = (0..9).map(|i| TokenId(i * 31)).collect();
    last_logits(model.network(), &tokens, &mut cache(model.network(), 9))
}

#[test]
fn a_sound_folder_loads_with_its_end_tokens() {
    let (folder, _, _) = sound();
    let model = load(folder.path()).unwrap();
    assert_eq!(model.config().vocab_size, 300);
    assert_eq!(model.end_tokens(), [TokenId(257)]);
    std::fs::write(
        folder.path().join("generation_config.json"),
        r#"{"eos_token_id": [270, 0]}"#,
    )
    .unwrap();
    let model = load(folder.path()).unwrap();
    assert_eq!(model.end_tokens(), [TokenId(0), TokenId(257), TokenId(270)]);
}

#[test]
fn shards_give_the_logits_of_a_single_file() {
    let (single, config, weights) = sound();
    let sharded = tempfile::tempdir().unwrap();
    write_model(sharded.path(), &config, &weights);
    std::fs::remove_file(sharded.path().join("model.safetensors")).unwrap();
    let mut shards = [Weights::new(), Weights::new(), Weights::new()];
    let mut map = BTreeMap::new();
    for (index, (name, tensor)) in weights.into_iter().enumerate() {
        map.insert(name.clone(), format!("part-{}.safetensors", index % 3));
        shards[index % 3].insert(name, tensor);
    }
    for (index, shard) in shards.iter().enumerate() {
        candle_core::safetensors::save(
            shard,
            sharded.path().join(format!("part-{index}.safetensors")),
        )
        .unwrap();
    }
    let index_path = sharded.path().join("model.safetensors.index.json");
    std::fs::write(&index_path, json!({ "weight_map": map }).to_string()).unwrap();
    assert_eq!(
        logits(&load(sharded.path()).unwrap()),
        logits(&load(single.path()).unwrap())
    );

    let broken = |name: &str, file: &str| {
        let mut map = map.clone();
        map.insert(name.to_owned(), file.to_owned());
        std::fs::write(&index_path, json!({ "weight_map": map }).to_string()).unwrap();
        refusal(sharded.path())
    };
    assert_says(
        &broken("extra", "part-0.safetensors"),
        &["index.json", "`extra` is not in shard `part-0.safetensors`"],
    );
    assert_says(
        &broken("extra", "../x.safetensors"),
        &["`../x.safetensors`", "not a plain file name"],
    );
    assert_says(
        &broken("extra", "part-9.safetensors"),
        &["has no part-9.safetensors", "fetch the missing shard"],
    );
    std::fs::write(&index_path, "{\"weight_map\": 3}").unwrap();
    assert_says(&refusal(sharded.path()), &["index.json", "not valid"]);
}

#[test]
fn half_precision_weights_load_as_the_values_they_hold() {
    let (folder, config, weights) = sound();
    for dtype in [DType::F16, DType::BF16] {
        let cast = |to| {
            weights
                .iter()
                .map(move |(n, t)| (n.clone(), t.to_dtype(dtype).unwrap().to_dtype(to).unwrap()))
        };
        write_model(folder.path(), &config, &cast(dtype).collect());
        let half = logits(&load(folder.path()).unwrap());
        write_model(folder.path(), &config, &cast(DType::F32).collect());
        assert_eq!(half, logits(&load(folder.path()).unwrap()), "{dtype:?}");
    }
}

#[test]
fn missing_files_are_named_with_what_to_do() {
    let message = refusal(Path::new("/nonexistent/model"));
    assert_says(&message, &["no model folder", "/nonexistent/model"]);
    let empty = tempfile::tempdir().unwrap();
    assert_says(
        &refusal(empty.path()),
        &["has no model.safetensors", ".gguf", "copy"],
    );
    for file in ["config.json", "tokenizer.json", "model.safetensors"] {
        let (folder, _, _) = sound();
        std::fs::remove_file(folder.path().join(file)).unwrap();
        assert_says(
            &refusal(folder.path()),
            &[&format!("has no {file}"), "copy"],
        );
    }
}

#[test]
fn wrong_configurations_are_refused_by_their_key() {
    let with = |key: &str, value: Value| {
        let mut config = random_config();
        config[key] = value;
        ModelConfig::from_json(config.to_string().as_bytes(), "config.json")
    };
    let cases: &[(&str, Value, &str)] = &[
        (
            "hidden_size",
            json!(0),
            "is 0; it must be an integer from 1",
        ),
        ("hidden_size", json!(null), "is missing"),
        ("hidden_size", json!("48"), "is \"48\""),
        (
            "hidden_size",
            json!(1u64 << 40),
            "it must be an integer from 1 to",
        ),
        ("num_hidden_layers", json!(-1), "is -1"),
        ("vocab_size", json!(2.5), "is 2.5"),
        (
            "num_attention_heads",
            json!(5),
            "do not make the hidden size of 48",
        ),
        (
            "num_attention_heads",
            json!(16),
            "rotary positions need an even width",
        ),
        (
            "num_key_value_heads",
            json!(4),
            "does not divide the 6 attention heads",
        ),
        ("rms_norm_eps", json!(0), "must be a positive number"),
        ("rope_theta", json!(-1e4), "must be a positive number"),
        (
            "rope_scaling",
            json!({"type": "yarn"}),
            "asks for \"yarn\" rotary positions; only \"default\" is supported",
        ),
        ("hidden_act", json!("gelu"), "only \"silu\""),
        ("tie_word_embeddings", json!("yes"), "must be true or false"),
        ("eos_token_id", json!(300), "outside the vocabulary of 300"),
        ("eos_token_id", json!("end"), "must be a token id"),
    ];
    for (key, value, problem) in cases {
        let error = with(key, value.clone()).unwrap_err();
        assert!(matches!(error, EngineError::Config { .. }), "{error}");
        assert_says(&error.to_string(), &["config.json: key `", key, problem]);
    }
    for text in ["", "{", "[]", "3"] {
        assert!(ModelConfig::from_json(text.as_bytes(), "config.json").is_err());
    }
}

#[test]
fn other_architectures_are_refused_by_name() {
    for (kind, class) in [
        ("llama", "LlamaForCausalLM"),
        ("mistral", "MistralForCausalLM"),
        ("qwen2_moe", "Qwen2MoeForCausalLM"),
        ("qwen3_moe", "Qwen3MoeForCausalLM"),
        ("qwen2_vl", "Qwen2VLForConditionalGeneration"),
        ("gemma3", "Gemma3ForConditionalGeneration"),
    ] {
        let mut config = random_config();
        config["model_type"] = json!(kind);
        config["architectures"] = json!([class]);
        let error =
            ModelConfig::from_json(config.to_string().as_bytes(), "config.json").unwrap_err();
        assert_says(
            &error.to_string(),
            &[&format!("`{kind}` model"), "`qwen2`", "`qwen3`"],
        );
    }
    // A class that does not fit the type is named itself.
    for (kind, class) in [
        (Some("qwen2"), "Qwen2ForRewardModel"),
        (Some("qwen2"), "Qwen3ForCausalLM"),
        (None, "PhiForCausalLM"),
    ] {
        let mut config = random_config();
        config["model_type"] = json!(kind);
        config["architectures"] = json!([class]);
        let error =
            ModelConfig::from_json(config.to_string().as_bytes(), "config.json").unwrap_err();
        assert_says(&error.to_string(), &[&format!("`{class}` model")]);
    }
}

#[test]
fn a_sliding_window_in_use_bounds_the_context() {
    let positions = |changes: Value| {
        let mut config = random_config();
        let changes = changes.as_object().unwrap().clone();
        config.as_object_mut().unwrap().extend(changes);
        let config = ModelConfig::from_json(config.to_string().as_bytes(), "config.json");
        config.unwrap().max_positions
    };
    let on = json!({"use_sliding_window": true, "sliding_window": 64, "max_window_layers": 0});
    assert_eq!(positions(on.clone()), 64);
    let with = |key: &str, value: Value| {
        let mut changes = on.clone();
        changes[key] = value;
        positions(changes)
    };
    assert_eq!(with("use_sliding_window", json!(false)), 128);
    assert_eq!(with("sliding_window", Value::Null), 128);
    assert_eq!(with("sliding_window", json!(4096)), 128);
    assert_eq!(with("max_window_layers", json!(1)), 64);
    assert_eq!(with("max_window_layers", json!(2)), 128);
}

#[test]
fn published_shapes_of_both_families_are_understood() {
    // hidden, mlp, layers, heads, kv heads, head width, tied: from the models' config.json on the hub.
    for (kind, shape, tied) in [
        ("qwen2", [1536, 8960, 28, 12, 2, 128], true),
        ("qwen2", [2048, 11008, 36, 16, 2, 128], true),
        ("qwen2", [3584, 18944, 28, 28, 4, 128], false),
        ("qwen3", [1024, 3072, 28, 16, 8, 128], true),
        ("qwen3", [4096, 12288, 36, 32, 8, 128], false),
    ] {
        let class = if kind == "qwen2" {
            "Qwen2ForCausalLM"
        } else {
            "Qwen3ForCausalLM"
        };
        let mut config = json!({
            "architectures": [class], "model_type": kind, "hidden_act": "silu", "hidden_size": shape[0],
            "intermediate_size": shape[1], "num_hidden_layers": shape[2], "num_attention_heads": shape[3],
            "num_key_value_heads": shape[4], "vocab_size": 151936, "max_position_embeddings": 32768,
            "rope_theta": 1e6, "rms_norm_eps": 1e-6, "tie_word_embeddings": tied, "rope_scaling": null,
            "use_sliding_window": false, "sliding_window": null, "max_window_layers": 28,
        });
        if kind == "qwen3" {
            config["head_dim"] = json!(shape[5]);
            config["attention_bias"] = json!(false);
        }
        let read =
            |config: &Value| ModelConfig::from_json(config.to_string().as_bytes(), "config.json");
        let parsed = read(&config).unwrap();
        assert_eq!(
            (parsed.head_dim, parsed.group()),
            (shape[5], shape[3] / shape[4])
        );
        assert_eq!(parsed.architecture.norms_heads(), kind == "qwen3");
        assert_eq!(parsed.architecture.has_biases(), kind == "qwen2");
        if kind == "qwen3" {
            config["attention_bias"] = json!(true);
            assert_says(&read(&config).unwrap_err().to_string(), &["attention_bias"]);
        }
    }
}

#[test]
fn the_published_configuration_is_understood() {
    let json = std::fs::read(data("qwen2.5/config.json")).unwrap();
    let config = ModelConfig::from_json(&json, "config.json").unwrap();
    assert_eq!(
        (config.hidden_size, config.layers, config.vocab_size),
        (896, 24, 151_936)
    );
    assert_eq!(
        (config.heads, config.kv_heads, config.head_dim),
        (14, 2, 64)
    );
    assert!(config.tie_word_embeddings);
    assert_eq!(config.rope_theta, 1e6);
}

#[test]
fn the_rotary_base_is_also_read_where_newer_configurations_put_it() {
    let mut config = random_config();
    config.as_object_mut().unwrap().remove("rope_theta");
    config["rope_parameters"] = json!({"rope_type": "default", "rope_theta": 123.0});
    let parsed = ModelConfig::from_json(config.to_string().as_bytes(), "config.json").unwrap();
    assert_eq!(parsed.rope_theta, 123.0);
    config["rope_parameters"]["rope_type"] = json!("yarn");
    let error = ModelConfig::from_json(config.to_string().as_bytes(), "config.json").unwrap_err();
    assert_says(&error.to_string(), &["rope_parameters", "yarn"]);
}

#[test]
fn truncated_and_corrupt_safetensors_are_refused() {
    let (folder, _, _) = sound();
    let path = folder.path().join("model.safetensors");
    let whole = std::fs::read(&path).unwrap();
    for length in [0, 1, 7, 8, 9, 100, whole.len() / 2, whole.len() - 1] {
        std::fs::write(&path, &whole[..length]).unwrap();
        let error = load(folder.path()).unwrap_err();
        assert!(
            matches!(error, EngineError::Safetensors { .. }),
            "{length}: {error}"
        );
        assert_says(&error.to_string(), &["model.safetensors", "truncated"]);
    }
    for (at, byte) in [(0, 0xFF), (7, 0xFF), (8, b'['), (9, b'x'), (30, 0xC0)] {
        let mut corrupt = whole.clone();
        corrupt[at] = byte;
        std::fs::write(&path, corrupt).unwrap();
        assert!(load(folder.path()).is_err(), "byte {at}");
    }
}

#[test]
fn no_flipped_byte_in_a_header_is_a_panic() {
    let (folder, _, _) = sound();
    let path = folder.path().join("model.safetensors");
    let whole = std::fs::read(&path).unwrap();
    let header = 8 + u64::from_le_bytes(whole[..8].try_into().unwrap()) as usize;
    for at in (0..header).step_by(3) {
        let mut corrupt = whole.clone();
        corrupt[at] ^= 1 << (at % 8);
        std::fs::write(&path, corrupt).unwrap();
        // Either refused or harmless, such as a changed metadata string.
        drop(load(folder.path()));
    }
}

#[test]
fn a_weight_that_is_missing_misshapen_of_wrong_type_or_not_finite_is_named() {
    let (folder, config, weights) = sound();
    const NAME: &str = "model.layers.1.self_attn.k_proj.weight";
    let tensor = |shape: (usize, usize), dtype| Tensor::ones(shape, dtype, &Device::Cpu).unwrap();
    let poisoned = |value: f32| {
        let mut values = vec![0.5f32; 16 * 48];
        values[77] = value;
        Tensor::from_vec(values, (16, 48), &Device::Cpu).unwrap()
    };
    let cases: [(Option<Tensor>, &[&str]); 6] = [
        (None, &["is missing"]),
        (
            Some(tensor((48, 16), DType::F32)),
            &["has shape [48, 16]", "calls for [16, 48]"],
        ),
        (
            Some(tensor((16, 48), DType::F64)),
            &["is stored as F64", "BF16"],
        ),
        (Some(tensor((16, 48), DType::U8)), &["is stored as U8"]),
        (Some(poisoned(f32::NAN)), &["holds NaN at index 77"]),
        (Some(poisoned(f32::INFINITY)), &["holds inf at index 77"]),
    ];
    for (replacement, parts) in cases {
        let mut weights = weights.clone();
        weights.remove(NAME);
        weights.extend(replacement.map(|tensor| (NAME.to_owned(), tensor)));
        write_model(folder.path(), &config, &weights);
        let message = refusal(folder.path());
        assert_says(&message, &["model.safetensors", NAME]);
        assert_says(&message, parts);
    }
}

#[test]
fn a_configuration_of_another_size_is_a_shape_error_and_no_huge_allocation() {
    let (folder, mut config, weights) = sound();
    config["vocab_size"] = json!(1 << 20);
    config["intermediate_size"] = json!(1 << 20);
    write_model(folder.path(), &config, &weights);
    assert_says(
        &refusal(folder.path()),
        &["model.embed_tokens.weight", "has shape [300, 48]"],
    );
}

#[test]
fn a_tokenizer_of_another_model_is_refused() {
    let (folder, _, _) = sound();
    std::fs::write(
        folder.path().join("tokenizer.json"),
        byte_tokenizer_json(301),
    )
    .unwrap();
    let error = load(folder.path()).unwrap_err();
    assert!(
        matches!(
            error,
            EngineError::VocabularyMismatch {
                largest: 300,
                vocab_size: 300
            }
        ),
        "{error}"
    );
    std::fs::write(folder.path().join("tokenizer.json"), "{}").unwrap();
    assert_says(
        &refusal(folder.path()),
        &["tokenizer.json", "not a tokenizer.json"],
    );
}

#[test]
fn broken_json_beside_the_weights_is_named() {
    for file in ["config.json", "generation_config.json"] {
        let (folder, _, _) = sound();
        std::fs::write(folder.path().join(file), "{\"eos_token_id\": ").unwrap();
        assert_says(&refusal(folder.path()), &[file, "not valid"]);
    }
    let (folder, _, _) = sound();
    std::fs::write(
        folder.path().join("generation_config.json"),
        r#"{"eos_token_id": 4000}"#,
    )
    .unwrap();
    assert_says(
        &refusal(folder.path()),
        &["generation_config.json", "eos_token_id", "4000"],
    );
}

#[test]
fn random_weights_fill_a_configuration_and_come_back_by_their_seed() {
    for tied in [true, false] {
        let (folder, mut config, _) = sound();
        config["tie_word_embeddings"] = json!(tied);
        std::fs::write(folder.path().join("config.json"), config.to_string()).unwrap();
        let config = ModelConfig::from_json(config.to_string().as_bytes(), "config.json").unwrap();
        let path = folder.path().join("model.safetensors");
        let mut heard = (0, 0);
        let mut write = |seed| {
            write_random_weights(&config, seed, &path, |done, all| heard = (done, all)).unwrap();
            std::fs::read(&path).unwrap()
        };
        let first = write(1);
        assert_eq!(first, write(1));
        assert_ne!(first, write(2));
        assert!(heard.0 == heard.1 && heard.1 > 0);
        let logits = logits(&load(folder.path()).unwrap());
        assert!(logits.iter().all(|logit| logit.is_finite()));
        assert!(logits.iter().any(|logit| logit.abs() > 1e-3));
    }
}

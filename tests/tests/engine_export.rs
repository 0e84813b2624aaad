//! Exported GGUF files: the model that went in comes out, read by this engine and by candle's own reader.

mod engine_support;

use candle_core::Device;
use candle_core::quantized::gguf_file;
use candle_signature::adapter::{CandleAdapter, CandleConfig, ModelPool};
use candle_signature::engine::{
    EngineError, ExportFormat, LoadOptions, Model, Quantization, TokenId, export_gguf,
};
use engine_support::*;
use proptest::prelude::*;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use tempfile::TempDir;

const FIXTURES: [&str; 4] = [
    "tiny-random-qwen2",
    "tiny-random-qwen2-untied",
    "tiny-random-qwen3",
    "tiny-random-qwen3-untied",
];

/// A fixture as a whole model folder.
fn folder(name: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in ["config.json", "model.safetensors"] {
        std::fs::copy(data(name).join(file), folder.path().join(file)).unwrap();
    }
    let tokenizer = byte_tokenizer_json(320);
    std::fs::write(folder.path().join("tokenizer.json"), tokenizer).unwrap();
    folder
}

fn load(path: &Path, quantization: Quantization) -> Model {
    let options = LoadOptions {
        quantization,
        ..LoadOptions::default()
    };
    Model::load_with(path, &Device::Cpu, &options).unwrap()
}

fn logits(model: &Model) -> Vec<f32> {
    let tokens: Vec<TokenId> = (0..9).map(|i| TokenId(i * 31)).collect();
    last_logits(model.network(), &tokens, &mut cache(model.network(), 9))
}

/// An exported file alone in a folder: nothing beside it helps to load it.
fn exported(source: &Path, format: ExportFormat) -> (TempDir, PathBuf) {
    let out = tempfile::tempdir().unwrap();
    let path = out.path().join("model.gguf");
    let report = export_gguf(source, &path, format).unwrap();
    assert_eq!(report.bytes, path.metadata().unwrap().len());
    assert_eq!(
        std::fs::read_dir(&out).unwrap().count(),
        1,
        "nothing is left beside it"
    );
    (out, path)
}

#[test]
fn an_f32_export_gives_the_same_logits_to_the_bit() {
    for name in FIXTURES {
        let folder = folder(name);
        let (_out, path) = exported(folder.path(), ExportFormat::F32);
        let (before, after) = (
            load(folder.path(), Quantization::None),
            load(&path, Quantization::None),
        );
        assert_eq!(logits(&before), logits(&after), "{name}");
        assert_eq!(before.config().head_dim, after.config().head_dim);
        assert_eq!(before.config().max_positions, after.config().max_positions);
        assert_eq!(before.end_tokens(), after.end_tokens());
        let text = "<|im_start|>Grüße, 東京! 12\n";
        let encode = |model: &Model| model.tokenizer().encode_with_control(text).unwrap();
        assert_eq!(encode(&before), encode(&after), "{name}");
    }
}

#[test]
fn a_quantized_export_is_what_loading_would_have_made() {
    for name in ["tiny-random-qwen2", "tiny-random-qwen3"] {
        for (format, quantization) in [
            (ExportFormat::Q8, Quantization::Q8),
            (ExportFormat::Q4, Quantization::Q4),
        ] {
            let folder = folder(name);
            let (_out, path) = exported(folder.path(), format);
            let in_memory = logits(&load(folder.path(), quantization));
            assert_eq!(
                logits(&load(&path, Quantization::AsStored)),
                in_memory,
                "{name}, {format:?}"
            );
        }
    }
}

#[test]
fn rows_that_do_not_fit_blocks_stay_at_16_bits_and_the_report_says_so() {
    let folder = folder("tiny-random-qwen2-untied");
    let out = folder.path().join("out.gguf");
    let report = export_gguf(folder.path(), &out, Quantization::Q8).unwrap();
    assert!(
        report.notes.iter().any(|note| note.contains("are F16")),
        "{report:?}"
    );
    let exact = logits(&load(folder.path(), Quantization::None));
    let scale = exact.iter().fold(0f32, |most, logit| most.max(logit.abs()));
    let alone = tempfile::tempdir().unwrap();
    let moved = alone.path().join("m.gguf");
    std::fs::rename(&out, &moved).unwrap();
    let difference = max_difference(&logits(&load(&moved, Quantization::None)), &exact);
    assert!(difference / scale < 0.05, "{difference}");
}

#[test]
fn an_export_of_an_export_is_the_same_file() {
    let folder = folder("tiny-random-qwen3");
    for format in [ExportFormat::F32, ExportFormat::Q8, ExportFormat::Q4] {
        let (_out, first) = exported(folder.path(), format);
        let (_out, second) = exported(&first, format);
        assert!(
            std::fs::read(first).unwrap() == std::fs::read(second).unwrap(),
            "{format:?}"
        );
    }
    let (_out, stored) = exported(folder.path(), ExportFormat::AsStored);
    let bytes = |path: &Path| path.metadata().unwrap().len();
    let weights = bytes(&folder.path().join("model.safetensors"));
    assert!(bytes(&stored) < weights + 60_000, "bf16 stays bf16");
}

#[test]
fn candles_reader_finds_llama_cpps_keys_and_every_tensor() {
    let folder = folder("tiny-random-qwen3");
    let config = json!({"chat_template": "{{ messages }}"});
    std::fs::write(
        folder.path().join("tokenizer_config.json"),
        config.to_string(),
    )
    .unwrap();
    let (_out, path) = exported(folder.path(), ExportFormat::Q8);
    let mut file = std::fs::File::open(&path).unwrap();
    let content = gguf_file::Content::read(&mut file).unwrap();
    for (key, value) in [
        ("qwen3.embedding_length", 64),
        ("qwen3.attention.key_length", 32),
        ("tokenizer.ggml.eos_token_id", 257),
    ] {
        assert_eq!(content.metadata[key].to_u32().unwrap(), value, "{key}");
    }
    for (key, value) in [
        ("general.architecture", "qwen3"),
        ("tokenizer.ggml.pre", "qwen2"),
        ("tokenizer.chat_template", "{{ messages }}"),
    ] {
        assert_eq!(content.metadata[key].to_string().unwrap(), value, "{key}");
    }
    assert_eq!(
        content.metadata["tokenizer.ggml.tokens"]
            .to_vec()
            .unwrap()
            .len(),
        320
    );
    // 2 layers of 7 matrices and 4 norms, and the embedding and a norm around them.
    assert_eq!(content.tensor_infos.len(), 2 * 11 + 2);
    for name in content.tensor_infos.keys() {
        let tensor = content.tensor(&mut file, name, &Device::Cpu).unwrap();
        tensor.dequantize(&Device::Cpu).unwrap();
    }
    assert_eq!(
        load(&path, Quantization::None).chat_template(),
        Some("{{ messages }}")
    );
}

#[test]
fn qwens_tokenizer_comes_back_out_of_the_metadata() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = random_config();
    for (key, value) in [
        ("vocab_size", 151_936),
        ("hidden_size", 32),
        ("intermediate_size", 32),
        ("num_attention_heads", 2),
        ("num_hidden_layers", 1),
        ("eos_token_id", 151_645),
    ] {
        config[key] = json!(value);
    }
    write_model(folder.path(), &config, &random_weights(&config));
    std::fs::write(folder.path().join("tokenizer.json"), qwen_tokenizer_json()).unwrap();
    let (_out, path) = exported(folder.path(), ExportFormat::Q8);
    let report = export_gguf(folder.path(), &path, ExportFormat::Q8).unwrap();
    assert!(
        !report.notes.iter().any(|note| note.contains("splits")),
        "{report:?}"
    );
    let model = load(&path, Quantization::Q8);
    for case in json_lines(&data("goldens/tokenizer.jsonl")) {
        let text = case["text"].as_str().unwrap();
        assert_eq!(
            model.tokenizer().encode_text(text).unwrap(),
            ids(&case["ids"]),
            "{text:?}"
        );
    }
    for case in json_lines(&data("goldens/tokenizer_special.jsonl")) {
        let text = case["text"].as_str().unwrap();
        let encoded = model.tokenizer().encode_with_control(text).unwrap();
        assert_eq!(encoded, ids(&case["ids_special"]), "{text:?}");
    }
    let largest = model.tokenizer().largest_id();
    assert_eq!(largest, Some(TokenId(151_664)), "padding is no token");
}

#[tokio::test]
async fn the_embedded_model_predicts_the_same_from_its_export() {
    let out = tempfile::tempdir().unwrap();
    let path = out.path().join("embedded.gguf");
    let report = ModelPool::export_embedded(&path, ExportFormat::AsStored).unwrap();
    assert!(
        report
            .notes
            .iter()
            .any(|note| note.contains("way of its own")),
        "{report:?}"
    );
    let prompt = "Ana lives in Rome.";
    let mut replies = Vec::new();
    for (pool, name) in [
        (ModelPool::embedded(), ModelPool::EMBEDDED),
        (ModelPool::new(out.path()), "embedded.gguf"),
        (ModelPool::new("/no/such/folder"), path.to_str().unwrap()),
    ] {
        let config = CandleConfig {
            max_tokens: 12,
            ..Default::default()
        };
        let model = pool.load_model(name).await.unwrap();
        let adapter = CandleAdapter::from_loaded_model(model, config).unwrap();
        replies.push(adapter.generate(prompt).await.unwrap());
    }
    assert!(!replies[0].0.is_empty());
    assert_eq!(replies[0], replies[1]);
    assert_eq!(replies[0], replies[2]);
}

#[test]
fn what_cannot_be_exported_leaves_no_file() {
    let folder = folder("tiny-random-qwen2");
    let out = tempfile::tempdir().unwrap();
    let path = out.path().join("model.gguf");
    let refused = |source: &Path| {
        let error = export_gguf(source, &path, ExportFormat::Q8).unwrap_err();
        assert_eq!(std::fs::read_dir(&out).unwrap().count(), 0, "{error}");
        error
    };
    let error = refused(Path::new("/no/such/model"));
    assert!(
        matches!(error, EngineError::NoModelFolder { .. }),
        "{error}"
    );
    // A value that is no number shows only when the tensor is read, long after the file was begun.
    let weights = folder.path().join("model.safetensors");
    let mut bytes = std::fs::read(&weights).unwrap();
    let end = bytes.len();
    bytes[end - 2..].copy_from_slice(&[0xC0, 0x7F]);
    std::fs::write(&weights, bytes).unwrap();
    let error = refused(folder.path());
    assert!(
        matches!(error, EngineError::WeightNotFinite { .. }),
        "{error}"
    );
    std::fs::remove_file(folder.path().join("tokenizer.json")).unwrap();
    assert!(
        refused(folder.path())
            .to_string()
            .contains("tokenizer.json")
    );
    let nowhere = Path::new("/no/such/folder/model.gguf");
    let source = self::folder("tiny-random-qwen2");
    let error = export_gguf(source.path(), nowhere, ExportFormat::Q8).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("cannot write `/no/such/folder/model.gguf`"),
        "{error}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// The tokenizer is in the header too: its lists are as hostile as its counts.
    #[test]
    fn no_change_to_a_header_is_a_panic(changes in prop::collection::vec((0usize..24_000, any::<u8>()), 1..6)) {
        static SOUND: LazyLock<Vec<u8>> = LazyLock::new(|| {
            let folder = folder("tiny-random-qwen3");
            let (_out, path) = exported(folder.path(), ExportFormat::Q8);
            std::fs::read(path).unwrap()
        });
        let mut bytes = SOUND.clone();
        for (at, byte) in changes {
            bytes[at] = byte;
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.gguf");
        std::fs::write(&path, bytes).unwrap();
        drop(Model::load_with(&path, &Device::Cpu, &LoadOptions::default()));
    }
}

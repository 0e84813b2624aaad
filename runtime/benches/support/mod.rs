//! A model of random weights in the Qwen2.5-0.5B shape, with the real tokenizer, as a folder.
#![allow(
    dead_code,
    reason = "each bench compiles its own copy and uses a part of it"
)]

use std::error::Error;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use candle_signature::engine::{ModelConfig, write_random_weights};
use flate2::read::GzDecoder;

/// Writes `config.json`, `tokenizer.json` and `model.safetensors` (f32, about 2 GB).
pub fn write_model(folder: &Path) -> Result<(), Box<dyn Error>> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data/qwen2.5");
    std::fs::create_dir_all(folder)?;
    let config = std::fs::read(source.join("config.json"))?;
    std::fs::write(folder.join("config.json"), &config)?;
    write_tokenizer(folder)?;
    let config = ModelConfig::from_json(&config, "config.json")?;
    write_random_weights(&config, 1, &folder.join("model.safetensors"), |_, _| {})?;
    Ok(())
}

/// Writes Qwen2.5's `tokenizer.json`.
pub fn write_tokenizer(folder: &Path) -> Result<(), Box<dyn Error>> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data/qwen2.5");
    let mut tokenizer = Vec::new();
    GzDecoder::new(File::open(source.join("tokenizer.json.gz"))?).read_to_end(&mut tokenizer)?;
    Ok(std::fs::write(folder.join("tokenizer.json"), tokenizer)?)
}

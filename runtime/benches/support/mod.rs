//! A model of random weights in the Qwen2.5-0.5B shape, with the real tokenizer, as a folder; and figures with their
//! spread.
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

/// The median of figures, with the least and the most of them.
pub fn spread(figures: &[f64], digits: usize) -> String {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    match (sorted.first(), sorted.last()) {
        (Some(least), Some(most)) => format!(
            "{:.digits$} ({least:.digits$} to {most:.digits$})",
            median(figures)
        ),
        _ => "no figures".to_owned(),
    }
}

/// The middle one; 0 of none.
pub fn median(figures: &[f64]) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

/// The processor's name, as the system has it.
pub fn cpu() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = info
        .lines()
        .find_map(|line| line.strip_prefix("model name"));
    name.map_or("unknown processor".to_owned(), |name| {
        name.trim_start_matches(['\t', ':', ' ']).to_owned()
    })
}

/// Writes Qwen2.5's `tokenizer.json`.
pub fn write_tokenizer(folder: &Path) -> Result<(), Box<dyn Error>> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data/qwen2.5");
    let mut tokenizer = Vec::new();
    GzDecoder::new(File::open(source.join("tokenizer.json.gz"))?).read_to_end(&mut tokenizer)?;
    Ok(std::fs::write(folder.join("tokenizer.json"), tokenizer)?)
}

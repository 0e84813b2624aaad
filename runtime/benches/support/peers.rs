//! Others that run the same GGUF file: llama.cpp through its llama-bench, and candle-transformers in a process of its
//! own, because the number of candle's threads is fixed when a process starts.

use candle_core::quantized::gguf_file::Content;
use candle_core::{Device, Tensor};
use candle_transformers::models::quantized_qwen2::ModelWeights;
use std::error::Error;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

/// The word that makes the bench's binary run candle-transformers.
pub const CANDLE: &str = "candle-peer";
/// Tokens of candle's prompt and reply: it is slow, and the figures are rates.
const PROMPT: usize = 256;
const DECODE: usize = 16;

/// llama-bench, where it is built.
pub struct LlamaBench(PathBuf);

impl LlamaBench {
    /// `$LLAMA_BENCH`, or where the script puts it.
    pub fn find() -> Option<Self> {
        let built =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/llama.cpp/bin/llama-bench");
        let path = std::env::var_os("LLAMA_BENCH").map_or(built, PathBuf::from);
        path.is_file().then_some(Self(path))
    }

    /// Tokens a second of each of `rounds` rounds: prefill of `prompt` tokens, or decode of `decode` after `depth`.
    pub fn rates(
        &self,
        gguf: &Path,
        threads: usize,
        (prompt, decode, depth): (usize, usize, usize),
        rounds: usize,
    ) -> Result<Vec<f64>, Box<dyn Error>> {
        let output = Command::new(&self.0)
            .arg("-m")
            .arg(gguf)
            .args([
                "-o",
                "json",
                "-t",
                &threads.to_string(),
                "-r",
                &rounds.to_string(),
            ])
            .args([
                "-p",
                &prompt.to_string(),
                "-n",
                &decode.to_string(),
                "-d",
                &depth.to_string(),
            ])
            .output()?;
        let runs: serde_json::Value = serde_json::from_slice(&output.stdout).map_err(|error| {
            let said = String::from_utf8_lossy(&output.stderr);
            format!("`{}` failed ({error}): {said}", self.0.display())
        })?;
        let rates = runs[0]["samples_ts"]
            .as_array()
            .ok_or("llama-bench prints no rates")?;
        Ok(rates.iter().filter_map(serde_json::Value::as_f64).collect())
    }
}

/// Candle's prefill and decode rates by a process with so many threads.
pub fn candle_rates(gguf: &Path, threads: usize) -> Result<(f64, f64), Box<dyn Error>> {
    let output = Command::new(std::env::current_exe()?)
        .arg(CANDLE)
        .arg(gguf)
        .env("RAYON_NUM_THREADS", threads.to_string())
        .output()?;
    let text = String::from_utf8(output.stdout)?;
    let mut rates = text.split_whitespace().map(str::parse);
    match (rates.next(), rates.next()) {
        (Some(prefill), Some(decode)) => Ok((prefill?, decode?)),
        _ => Err(format!("candle failed: {}", String::from_utf8_lossy(&output.stderr)).into()),
    }
}

/// What the process of [`candle_rates`] does.
pub fn run_candle(gguf: &Path) -> Result<(), Box<dyn Error>> {
    let mut file = File::open(gguf)?;
    let content = Content::read(&mut file)?;
    let mut model = ModelWeights::from_gguf(content, &mut file, &Device::Cpu)?;
    let tokens: Vec<u32> = (0..PROMPT as u32).map(|i| i * 7919 % 151_643).collect();
    // The second round counts: the first one touches everything for the first time.
    let mut rates = (0.0, 0.0);
    for _ in 0..2 {
        model.clear_kv_cache();
        let start = Instant::now();
        model.forward(&Tensor::new(&tokens[..], &Device::Cpu)?.unsqueeze(0)?, 0)?;
        rates.0 = PROMPT as f64 / start.elapsed().as_secs_f64();
        let start = Instant::now();
        for step in 0..DECODE {
            model.forward(&Tensor::new(&[[step as u32]], &Device::Cpu)?, PROMPT + step)?;
        }
        rates.1 = DECODE as f64 / start.elapsed().as_secs_f64();
    }
    println!("{} {}", rates.0, rates.1);
    Ok(())
}

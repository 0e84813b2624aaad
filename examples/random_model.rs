//! Writes a model folder with random weights in a real model's shape: for benches, load tests and trying the
//! folder path without a download. It loads and runs like the real one and says nothing sensible.
//!
//! `cargo run --release --example random_model -- [--like tests/data/qwen2.5] [--out models/random-0.5b] [--seed 1]`
//!
//! The folder given by `--like` holds config.json and tokenizer.json (or tokenizer.json.gz).

use anyhow::{Context, Result, bail};
use candle_signature::engine::{ModelConfig, write_random_weights};
use flate2::read::GzDecoder;
use indicatif::{ProgressBar, ProgressStyle};
use std::fs::{self, File};
use std::path::{Path, PathBuf};

struct Args {
    like: PathBuf,
    out: PathBuf,
    seed: u64,
}

fn main() -> Result<()> {
    let args = parse_args(std::env::args().skip(1))?;
    let config_path = args.like.join("config.json");
    let json =
        fs::read(&config_path).with_context(|| format!("reading {}", config_path.display()))?;
    let config = ModelConfig::from_json(&json, &config_path.display().to_string())?;
    fs::create_dir_all(&args.out).with_context(|| format!("creating {}", args.out.display()))?;
    fs::write(args.out.join("config.json"), json)?;
    for file in ["generation_config.json", "tokenizer_config.json"] {
        if args.like.join(file).is_file() {
            fs::copy(args.like.join(file), args.out.join(file))?;
        }
    }
    copy_tokenizer(&args.like, &args.out)?;
    let bar = ProgressBar::new(0).with_style(ProgressStyle::with_template(
        "{wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}",
    )?);
    write_random_weights(
        &config,
        args.seed,
        &args.out.join("model.safetensors"),
        |written, total| {
            bar.set_length(total);
            bar.set_position(written);
        },
    )?;
    bar.finish();
    println!("wrote {}", args.out.display());
    Ok(())
}

fn copy_tokenizer(from: &Path, to: &Path) -> Result<()> {
    let (plain, packed) = (from.join("tokenizer.json"), from.join("tokenizer.json.gz"));
    let target = to.join("tokenizer.json");
    if plain.is_file() {
        fs::copy(plain, target)?;
    } else if packed.is_file() {
        let mut packed = GzDecoder::new(File::open(packed)?);
        std::io::copy(&mut packed, &mut File::create(target)?)?;
    } else {
        bail!(
            "{} has neither tokenizer.json nor tokenizer.json.gz",
            from.display()
        );
    }
    Ok(())
}

fn parse_args(mut args: impl Iterator<Item = String>) -> Result<Args> {
    let mut parsed = Args {
        like: "tests/data/qwen2.5".into(),
        out: "models/random-0.5b".into(),
        seed: 1,
    };
    while let Some(name) = args.next() {
        let value = args
            .next()
            .with_context(|| format!("{name} needs a value"))?;
        match name.as_str() {
            "--like" => parsed.like = value.into(),
            "--out" => parsed.out = value.into(),
            "--seed" => parsed.seed = value.parse().context("--seed needs a number")?,
            _ => bail!("unknown argument {name}; known are --like, --out, --seed"),
        }
    }
    Ok(parsed)
}

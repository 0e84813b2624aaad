//! Draws `docs/data/*.json`, the figures of runs that the book quotes, as bars into `docs/images/*.svg`.
//!
//! `cargo run -p candle-signature-plots`

mod bars;
mod figures;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use figures::Figures;

fn main() -> anyhow::Result<()> {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let data = docs.join("data");
    let mut files: Vec<PathBuf> = fs::read_dir(&data)
        .with_context(|| format!("reading {}", data.display()))?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    files.retain(|file| {
        file.extension()
            .is_some_and(|extension| extension == "json")
    });
    files.sort();
    if files.is_empty() {
        bail!("{} holds no .json file of figures", data.display());
    }
    for file in files {
        let figures = Figures::read(&file)?;
        let name = file.file_stem().unwrap_or_default().to_string_lossy();
        let image = docs.join("images").join(format!("{name}.svg"));
        // Whole or not at all: who looks at the book meanwhile sees the old one.
        let half = image.with_extension("svg.part");
        fs::write(&half, bars::draw(&figures)?).with_context(|| half.display().to_string())?;
        fs::rename(&half, &image).with_context(|| image.display().to_string())?;
        println!(
            "{}: {}, from `{}`",
            image.display(),
            figures.title,
            figures.command
        );
    }
    Ok(())
}

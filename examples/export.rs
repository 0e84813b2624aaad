//! Writes a model as a GGUF file, for llama.cpp or to load it quicker: a model folder, a GGUF file, or the embedded model.
//!
//! `cargo run --release --example export -- embedded embedded-f16.gguf f16`

use anyhow::{Context as _, bail};
use candle_signature::adapter::ModelPool;
use candle_signature::engine::{ExportFormat, export_gguf};

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [source, out, format] = arguments.as_slice() else {
        bail!(
            "usage: export SOURCE OUT.gguf f32|f16|q8|q4|stored, where SOURCE is a folder, a .gguf file, or `embedded`"
        );
    };
    let format = match format.as_str() {
        "f32" => ExportFormat::F32,
        "f16" => ExportFormat::F16,
        "q8" => ExportFormat::Q8,
        "q4" => ExportFormat::Q4,
        "stored" => ExportFormat::AsStored,
        other => bail!("no format `{other}`: f32, f16, q8, q4 or stored"),
    };
    let report = match source.as_str() {
        "embedded" => ModelPool::export_embedded(out, format),
        path => export_gguf(path.as_ref(), out.as_ref(), format),
    };
    let report = report.context("exporting the model")?;
    println!(
        "{}: {} tensors, {} weights, {} bytes",
        report.path.display(),
        report.tensors,
        report.parameters,
        report.bytes
    );
    for note in &report.notes {
        println!("note: {note}");
    }
    Ok(())
}

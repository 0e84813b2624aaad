//! `models quantize`: a model as a GGUF file, in fewer bits.

use std::path::{Path, PathBuf};

use candle_signature::adapter::ModelPool;
use candle_signature::engine::{ExportFormat, ExportReport, export_gguf};
use clap::Args;
use serde_json::json;

use crate::error::CliError;
use crate::model::ModelsFolder;
use crate::out::{Out, spinner};
use crate::style::{self, paint};
use crate::units::{bytes, count};

use super::place::{Place, find};

const EXAMPLES: &str = "\
Examples:
  candle-signature models quantize ./models/Qwen2.5-0.5B-Instruct qwen-q8.gguf
  candle-signature models quantize Qwen2.5-0.5B-Instruct qwen-q4.gguf --to q4
  candle-signature models quantize embedded embedded.gguf --to as-stored

The file holds shape, tokenizer and chat template too: run it with --model qwen-q8.gguf.";

#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct QuantizeArgs {
    /// `embedded`, a folder, a .gguf file, the name of one in --models, or a model of the hub's cache
    model: String,
    /// The file to write; it is there whole or not at all
    output: PathBuf,
    /// The form of the matrices
    #[arg(long, value_enum, default_value = "q8", value_name = "FORM")]
    to: Target,
    /// Write over a file that is there
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    folder: ModelsFolder,
}

/// The form of the matrices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Target {
    /// 4 bytes a weight, exact
    F32,
    /// 2 bytes a weight
    F16,
    /// Q8_0: 1.06 bytes a weight
    Q8,
    /// Q4_0: 0.56 bytes a weight, embedding and head Q8_0
    Q4,
    /// As the source has it
    AsStored,
}

impl From<Target> for ExportFormat {
    fn from(target: Target) -> Self {
        match target {
            Target::F32 => ExportFormat::F32,
            Target::F16 => ExportFormat::F16,
            Target::Q8 => ExportFormat::Q8,
            Target::Q4 => ExportFormat::Q4,
            Target::AsStored => ExportFormat::AsStored,
        }
    }
}

pub async fn execute(args: QuantizeArgs, out: &mut Out) -> Result<(), CliError> {
    let source = find(&args.model, &args.folder.models)?;
    let (output, format) = (args.output, ExportFormat::from(args.to));
    if output.exists() && !args.force {
        let shown = output.display();
        return Err(CliError::Usage(format!(
            "`{shown}` is there already: --force writes over it"
        )));
    }
    let working = spinner(out, format!("writing {}", output.display()));
    let start = std::time::Instant::now();
    // Ctrl-C drops this folder, and what was written with it; the writer's thread goes with the process.
    let folder = output
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = tempfile::Builder::new()
        .prefix(".candle-signature-")
        .tempdir_in(folder.unwrap_or(Path::new(".")))
        .map_err(|error| CliError::writing(&output, &error))?;
    let draft = folder.path().join("model.gguf");
    let written = tokio::task::spawn_blocking(move || write(source, &draft, format)).await;
    let report = written.map_err(|error| CliError::System(std::io::Error::other(error)))??;
    std::fs::rename(&report.path, &output).map_err(|error| CliError::writing(&output, &error))?;
    working.finish_and_clear();
    tell(&report, &output, start.elapsed().as_secs_f64(), out)
}

fn write(source: Place, draft: &Path, format: ExportFormat) -> Result<ExportReport, CliError> {
    Ok(match source {
        Place::Embedded => ModelPool::export_embedded(draft, format)?,
        Place::Here(path) => export_gguf(&path, draft, format)?,
    })
}

fn tell(report: &ExportReport, output: &Path, seconds: f64, out: &mut Out) -> Result<(), CliError> {
    if out.is_json() {
        return out.json(&json!({
            "ok": true,
            "path": output,
            "bytes": report.bytes,
            "tensors": report.tensors,
            "parameters": report.parameters,
            "notes": report.notes,
            "seconds": (seconds * 1e3).round() / 1e3,
        }));
    }
    out.line(format!(
        "{}  {}, {} tensors, {} weights, in {seconds:.1} s",
        paint(style::NAME, output.display()),
        bytes(report.bytes),
        report.tensors,
        count(report.parameters),
    ))?;
    for note in &report.notes {
        out.remark(paint(style::WARN, note));
    }
    Ok(())
}

//! Writes a model as a GGUF file that this engine and llama.cpp read: shape and tokenizer in the metadata, matrices
//! in the format that was asked for. A tensor at a time, in pieces, so that a model larger than memory can be written.

mod encode;
mod header;
mod metadata;
mod near;
mod vocabulary;

use super::load::{RawTensor, Stored};
use super::model::source::Source;
use super::model::tensors::{TensorSpec, tensors};
use super::{EngineError, Quantization};
use crate::file::NewFile;
use encode::encode;
use header::{ALIGNMENT, Header};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// Values that are converted at a time: a multiple of every format's block.
const PIECE: usize = 1 << 20;

/// The number format of an exported model's matrices. Norms and biases are always f32.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExportFormat {
    /// 4 bytes a weight, exact.
    F32,
    /// 2 bytes a weight.
    F16,
    /// Q8_0: 1.06 bytes a weight; as [`Quantization::Q8`] would have it in memory, to the bit.
    Q8,
    /// Q4_0: 0.56 bytes a weight, the embedding and the head at Q8_0; as [`Quantization::Q4`] would have it in memory.
    Q4,
    /// As the source has it.
    AsStored,
}

impl From<Quantization> for ExportFormat {
    fn from(quantization: Quantization) -> Self {
        match quantization {
            Quantization::None => ExportFormat::F32,
            Quantization::Q8 => ExportFormat::Q8,
            Quantization::Q4 => ExportFormat::Q4,
            Quantization::AsStored => ExportFormat::AsStored,
        }
    }
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExportReport {
    /// The file.
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// Tensors in it.
    pub tensors: usize,
    /// Weights in it.
    pub parameters: u64,
    /// What a user of the file should know, a sentence each.
    pub notes: Vec<String>,
}

/// Writes the model of a folder or a GGUF file as a GGUF file. The file appears whole or not at all.
///
/// ```no_run
/// use candle_signature::engine::{ExportFormat, export_gguf};
///
/// let report = export_gguf("./models/Qwen2.5-0.5B-Instruct".as_ref(), "qwen-q8.gguf".as_ref(), ExportFormat::Q8)?;
/// println!("{} bytes", report.bytes);
/// # Ok::<(), candle_signature::engine::EngineError>(())
/// ```
///
/// # Errors
/// What is wrong with the source, or what the file system refused; then there is no new file.
pub fn export_gguf(
    source: &Path,
    out: &Path,
    format: impl Into<ExportFormat>,
) -> Result<ExportReport, EngineError> {
    let name = match source.is_dir() {
        true => source.file_name(),
        false => source.file_stem(),
    };
    let name = name.map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    export(Source::open(source)?, &name, out, format.into())
}

/// The same for a GGUF file and its tokenizer.json that are already in memory. `chat_template` and `name` serve
/// if the file has none.
///
/// # Errors
/// As [`export_gguf`].
pub fn export_gguf_bytes(
    gguf: &[u8],
    tokenizer_json: &[u8],
    chat_template: Option<&str>,
    name: &str,
    out: &Path,
    format: impl Into<ExportFormat>,
) -> Result<ExportReport, EngineError> {
    let mut source = Source::of_bytes(gguf, tokenizer_json)?;
    if source.chat_template.is_none() {
        source.chat_template = chat_template.map(str::to_owned);
    }
    export(source, name, out, format.into())
}

/// A tensor of the source, and what it becomes.
struct Planned<'w> {
    spec: TensorSpec,
    raw: RawTensor<'w>,
    target: Stored,
}

fn export(
    source: Source<'_>,
    name: &str,
    out: &Path,
    format: ExportFormat,
) -> Result<ExportReport, EngineError> {
    let failed = |source| EngineError::Write {
        path: out.to_owned(),
        source,
    };
    let planned = plan(&source, format)?;
    let mut notes = Vec::new();
    let kept = planned
        .iter()
        .filter(|tensor| {
            tensor.spec.shape.len() == 2
                && tensor.target != wanted(&tensor.spec, tensor.raw.stored, format)
        })
        .count();
    if kept > 0 {
        notes.push(format!(
            "{kept} matrices have rows that are no multiple of 32 values, which blocks of 8 and 4 bits need: they are F16"
        ));
    }
    let name = source.name.as_deref().unwrap_or(name);
    let metadata = metadata::metadata(&source, name, format, &mut notes)?;
    let mut header = Header::new(metadata);
    for tensor in &planned {
        header.add(&tensor.spec, tensor.target);
    }
    let mut new = NewFile::create(out).map_err(failed)?;
    let bytes = {
        let mut writer = BufWriter::with_capacity(1 << 20, &mut new.file);
        let mut bytes = header.write(&mut writer).map_err(failed)?;
        for tensor in &planned {
            bytes += write_tensor(&mut writer, &source, tensor, out)?;
            source.weights.done_with(&tensor.spec.name);
        }
        writer.flush().map_err(failed)?;
        bytes
    };
    new.finish().map_err(failed)?;
    Ok(ExportReport {
        path: out.to_owned(),
        bytes,
        tensors: planned.len(),
        parameters: planned.iter().map(|tensor| tensor.spec.len() as u64).sum(),
        notes,
    })
}

/// All tensors with their stored bytes, checked: a missing one is known before the first byte is written.
fn plan<'w>(source: &'w Source<'_>, format: ExportFormat) -> Result<Vec<Planned<'w>>, EngineError> {
    tensors(&source.config)
        .into_iter()
        .map(|spec| {
            let raw = source.weights.raw(&spec.name, &spec.shape)?;
            let mut target = wanted(&spec, raw.stored, format);
            let columns = spec.shape.last().copied().unwrap_or_default();
            if !columns.is_multiple_of(target.block().0) {
                target = Stored::F16;
            }
            Ok(Planned { spec, raw, target })
        })
        .collect()
}

/// The format that a tensor should have.
fn wanted(spec: &TensorSpec, stored: Stored, format: ExportFormat) -> Stored {
    let is_outer = matches!(
        spec.name.as_str(),
        "model.embed_tokens.weight" | "lm_head.weight"
    );
    match format {
        // llama.cpp takes norms and biases in f32 only.
        _ if spec.shape.len() == 1 => Stored::F32,
        ExportFormat::F32 => Stored::F32,
        ExportFormat::F16 => Stored::F16,
        ExportFormat::Q8 => Stored::Q8_0,
        ExportFormat::Q4 if is_outer => Stored::Q8_0,
        ExportFormat::Q4 => Stored::Q4_0,
        ExportFormat::AsStored => stored,
    }
}

/// Writes a tensor and what aligns the next one; the bytes written.
fn write_tensor(
    writer: &mut impl Write,
    source: &Source<'_>,
    tensor: &Planned<'_>,
    out: &Path,
) -> Result<u64, EngineError> {
    let failed = |source| EngineError::Write {
        path: out.to_owned(),
        source,
    };
    let (values, size) = tensor.raw.stored.block();
    let mut written = 0;
    let (mut floats, mut bytes) = (Vec::new(), Vec::new());
    for (index, piece) in tensor.raw.bytes.chunks(PIECE / values * size).enumerate() {
        floats.clear();
        tensor.raw.stored.append_f32(piece, &mut floats);
        if let Some(at) = floats.iter().position(|value| !value.is_finite()) {
            return Err(source.weights.not_finite_at(
                &tensor.spec.name,
                floats[at],
                index * PIECE + at,
            ));
        }
        let piece = match tensor.raw.stored == tensor.target {
            true => piece,
            false => {
                bytes.clear();
                encode(&floats, tensor.target, &mut bytes).map_err(|value| {
                    EngineError::Export {
                        path: out.to_owned(),
                        problem: format!(
                            "tensor `{}` holds {value}, which f16 cannot; export as F32",
                            tensor.spec.name
                        ),
                    }
                })?;
                &bytes
            }
        };
        writer.write_all(piece).map_err(failed)?;
        written += piece.len() as u64;
    }
    let padding = written.next_multiple_of(ALIGNMENT) - written;
    writer
        .write_all(&[0; ALIGNMENT as usize][..padding as usize])
        .map_err(failed)?;
    Ok(written + padding)
}

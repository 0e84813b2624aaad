//! Where weights come from: safetensors (one file or shards) or GGUF, mapped or borrowed, every header checked.
//! Yields named tensors as raw bytes with a checked shape, or as f32; `model/` decides which ones it wants.

pub(crate) mod chat_template;
mod dequantize;
pub(crate) mod gguf;
pub(crate) mod gguf_tokenizer;
mod safetensors;

use super::EngineError;
use super::kernels::Cpu;
use super::kernels::packed::{NotFinite, Packed, Packing};
use super::model::linear::Matrix;
use candle_core::{Device, Tensor};
use memmap2::Mmap;
use std::collections::HashMap;
use std::fs::File;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

pub(crate) use dequantize::Stored;
pub(crate) use safetensors::present as has_safetensors;

/// The weights of one model, by Hugging Face tensor name.
///
/// Files are memory-mapped while this value lives: do not truncate them meanwhile.
pub struct Weights<'a> {
    /// What to call the source in errors.
    place: String,
    files: Vec<Bytes<'a>>,
    index: HashMap<String, Entry>,
}

/// What a matrix becomes in memory.
#[derive(Clone, Copy)]
pub(crate) enum Form<'a> {
    Dense(&'a Device),
    Packed(Packing, &'a Cpu),
}

/// One weight as it is stored.
#[derive(Clone, Copy)]
pub(crate) struct RawTensor<'w> {
    pub stored: Stored,
    pub bytes: &'w [u8],
}

enum Bytes<'a> {
    Mapped(Mmap),
    Borrowed(&'a [u8]),
}

impl std::ops::Deref for Bytes<'_> {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        match self {
            Self::Mapped(map) => map,
            Self::Borrowed(bytes) => bytes,
        }
    }
}

/// Where a tensor lies. The range is inside its file; its length fits shape and format.
struct Entry {
    file: usize,
    /// The format, or the name of one that is not read here.
    stored: Result<Stored, String>,
    shape: Vec<usize>,
    range: Range<usize>,
}

impl Weights<'static> {
    /// Opens `model.safetensors`, or the shards that `model.safetensors.index.json` lists.
    pub fn open_safetensors(folder: &Path) -> Result<Self, EngineError> {
        safetensors::open(folder)
    }
}

impl Weights<'_> {
    /// Whether there is a tensor of this name.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.index.contains_key(name)
    }

    /// The shape of a tensor, if it exists.
    pub(crate) fn shape(&self, name: &str) -> Option<&[usize]> {
        self.index.get(name).map(|entry| entry.shape.as_slice())
    }

    /// Values and bytes of all tensors, and how many are stored in which format, the one with the most bytes first.
    pub(crate) fn totals(&self) -> (u64, u64, Vec<(String, usize)>) {
        let (mut values, mut bytes) = (0, 0);
        let mut formats: HashMap<String, (u64, usize)> = HashMap::new();
        for entry in self.index.values() {
            let name = match &entry.stored {
                Ok(stored) => format!("{stored:?}").to_uppercase().replace('K', "_K"),
                Err(other) => other.clone(),
            };
            let size = entry.range.len() as u64;
            values += entry.shape.iter().map(|size| *size as u64).product::<u64>();
            bytes += size;
            let format = formats.entry(name).or_default();
            *format = (format.0 + size, format.1 + 1);
        }
        let mut formats: Vec<_> = formats.into_iter().collect();
        formats.sort_by(|(a, x), (b, y)| (y.0, a).cmp(&(x.0, b)));
        let formats = formats.into_iter().map(|(name, (_, count))| (name, count));
        (values, bytes, formats.collect())
    }

    /// The format a tensor is stored in, if it exists and is one that is read here.
    pub(crate) fn stored(&self, name: &str) -> Option<Stored> {
        self.index
            .get(name)
            .and_then(|entry| entry.stored.as_ref().ok().copied())
    }

    /// The stored bytes of a tensor that must have this shape.
    pub(crate) fn raw(&self, name: &str, shape: &[usize]) -> Result<RawTensor<'_>, EngineError> {
        let entry = self
            .index
            .get(name)
            .ok_or_else(|| EngineError::MissingTensor {
                place: self.place.clone(),
                name: name.to_owned(),
            })?;
        if entry.shape != shape {
            return Err(EngineError::TensorShape {
                place: self.place.clone(),
                name: name.to_owned(),
                expected: shape.to_vec(),
                found: entry.shape.clone(),
            });
        }
        match &entry.stored {
            Ok(stored) => Ok(RawTensor {
                stored: *stored,
                bytes: &self.files[entry.file][entry.range.clone()],
            }),
            Err(found) => Err(EngineError::TensorDtype {
                place: self.place.clone(),
                name: name.to_owned(),
                found: found.clone(),
                supported: Stored::SUPPORTED,
            }),
        }
    }

    /// A tensor as f32 values. NaN and infinities are errors: one of them would spread to every logit.
    pub fn tensor(
        &self,
        name: &str,
        shape: &[usize],
        device: &Device,
    ) -> Result<Tensor, EngineError> {
        let mut values = Vec::new();
        self.append(name, shape, &mut values)?;
        Ok(Tensor::from_vec(values, shape, device)?)
    }

    /// Matrices of `columns` columns, one below the other, as one.
    pub(crate) fn matrix(
        &self,
        parts: &[(String, usize)],
        columns: usize,
        form: Form<'_>,
    ) -> Result<Matrix, EngineError> {
        // Shapes first: a size out of a wrong configuration must not be allocated.
        let raw = parts
            .iter()
            .map(|(name, rows)| Ok((self.raw(name, &[*rows, columns])?, *rows)))
            .collect::<Result<Vec<_>, EngineError>>()?;
        let rows: usize = parts.iter().map(|(_, rows)| rows).sum();
        let matrix = match form {
            Form::Dense(device) => {
                let mut values = Vec::with_capacity(rows * columns);
                for (name, rows) in parts {
                    self.append(name, &[*rows, columns], &mut values)?;
                }
                Matrix::Dense(Tensor::from_vec(values, (rows, columns), device)?)
            }
            Form::Packed(packing, cpu) => {
                let places = (&cpu.team, &cpu.memory);
                let packed = Packed::pack(packing, &raw, columns, places, |done| {
                    self.let_go(parts, done);
                });
                let packed = packed.map_err(|found| self.not_finite(parts, columns, found))?;
                Matrix::Packed(Arc::new(packed))
            }
        };
        self.let_go(parts, 0..rows);
        Ok(matrix)
    }

    /// Tells the system that a tensor is done with.
    pub(crate) fn done_with(&self, name: &str) {
        self.let_go(&[(name.to_owned(), 1)], 0..1);
    }

    /// Tells the system that these rows of the parts' part of the file are not needed in memory any more: otherwise a
    /// model takes the size of its file beside its own while it loads.
    #[cfg(not(unix))]
    fn let_go(&self, _parts: &[(String, usize)], _rows: Range<usize>) {}

    #[cfg(unix)]
    fn let_go(&self, parts: &[(String, usize)], rows: Range<usize>) {
        let mut first = 0;
        for (name, count) in parts {
            let from = rows.start.saturating_sub(first).min(*count);
            let to = rows.end.saturating_sub(first).min(*count);
            first += count;
            let entry = self.index.get(name).filter(|_| from < to);
            let Some((entry, Bytes::Mapped(map))) =
                entry.map(|entry| (entry, &self.files[entry.file]))
            else {
                continue;
            };
            let row = entry.range.len() / count;
            // SAFETY: the map is a read-only view of a file: what is dropped from memory is read from there again.
            let advised = unsafe {
                map.unchecked_advise_range(
                    memmap2::UncheckedAdvice::DontNeed,
                    entry.range.start + from * row,
                    (to - from) * row,
                )
            };
            // Advice only.
            drop(advised);
        }
    }

    fn not_finite(
        &self,
        parts: &[(String, usize)],
        columns: usize,
        found: NotFinite,
    ) -> EngineError {
        let mut row = found.row;
        let mut name = "";
        for (part, rows) in parts {
            name = part;
            if row < *rows {
                break;
            }
            row -= rows;
        }
        self.not_finite_at(name, found.value, row * columns + found.column)
    }

    pub(crate) fn not_finite_at(&self, name: &str, value: f32, index: usize) -> EngineError {
        EngineError::WeightNotFinite {
            place: self.place.clone(),
            name: name.to_owned(),
            value,
            index,
        }
    }

    /// Vectors, one after the other, as one.
    pub(crate) fn vector(&self, parts: &[(String, usize)]) -> Result<Vec<f32>, EngineError> {
        let mut values = Vec::new();
        for (name, length) in parts {
            self.append(name, &[*length], &mut values)?;
        }
        Ok(values)
    }

    fn append(
        &self,
        name: &str,
        shape: &[usize],
        values: &mut Vec<f32>,
    ) -> Result<(), EngineError> {
        let raw = self.raw(name, shape)?;
        let start = values.len();
        values.reserve_exact(shape.iter().product());
        raw.stored.append_f32(raw.bytes, values);
        match values[start..].iter().position(|value| !value.is_finite()) {
            None => Ok(()),
            Some(index) => Err(self.not_finite_at(name, values[start + index], index)),
        }
    }
}

impl std::fmt::Debug for Weights<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Weights")
            .field("place", &self.place)
            .field("tensors", &self.index.len())
            .finish_non_exhaustive()
    }
}

/// Reads a whole small file.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, EngineError> {
    std::fs::read(path).map_err(|source| EngineError::Io {
        path: path.to_owned(),
        source,
    })
}

/// Maps a weights file.
fn map(path: &Path) -> Result<Mmap, EngineError> {
    let io = |source| EngineError::Io {
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(io)?;
    // SAFETY: the map is read-only and lives only while weights are copied out of it. Another process that
    // truncates the file meanwhile ends this one; that is documented on `Weights`, and no reader of model
    // files avoids it short of copying gigabytes.
    unsafe { Mmap::map(&file) }.map_err(io)
}

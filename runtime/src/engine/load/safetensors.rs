//! safetensors files: a single one, or shards by their index. The format's own parser checks lengths and offsets.

use super::{Bytes, Entry, Stored, Weights, map, read};
use crate::engine::EngineError;
use safetensors::{Dtype, SafeTensors};
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

const SINGLE: &str = "model.safetensors";
const INDEX: &str = "model.safetensors.index.json";

#[derive(Deserialize)]
struct Index {
    weight_map: BTreeMap<String, String>,
}

pub(super) fn open(folder: &Path) -> Result<Weights<'static>, EngineError> {
    let index = folder.join(INDEX);
    if folder.join(SINGLE).is_file() || !index.is_file() {
        open_single(&folder.join(SINGLE))
    } else {
        open_shards(folder, &index)
    }
}

/// Whether a folder holds weights in this format.
pub(crate) fn present(folder: &Path) -> bool {
    folder.join(SINGLE).is_file() || folder.join(INDEX).is_file()
}

fn open_single(path: &Path) -> Result<Weights<'static>, EngineError> {
    let (bytes, index) = open_file(path, 0)?;
    Ok(Weights {
        place: format!("`{}`", path.display()),
        files: vec![bytes],
        index: index.into_iter().collect(),
    })
}

fn open_shards(folder: &Path, index_path: &Path) -> Result<Weights<'static>, EngineError> {
    let bad = |problem: String| EngineError::ShardIndex {
        path: index_path.to_owned(),
        problem,
    };
    let index: Index =
        serde_json::from_slice(&read(index_path)?).map_err(|source| EngineError::Json {
            place: format!("`{}`", index_path.display()),
            source,
        })?;
    let mut shards: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (tensor, file) in &index.weight_map {
        // A name with a folder in it could point anywhere on the machine.
        if Path::new(file).file_name() != Some(file.as_ref()) {
            return Err(bad(format!(
                "shard `{file}` of tensor `{tensor}` is not a plain file name"
            )));
        }
        shards.entry(file).or_default().push(tensor);
    }
    let mut files = Vec::new();
    let mut tensors = HashMap::new();
    for (file, names) in shards {
        let path = folder.join(file);
        if !path.is_file() {
            return Err(EngineError::MissingFile {
                folder: folder.to_owned(),
                file: file.to_owned(),
                help: format!("{INDEX} lists it; fetch the missing shard"),
            });
        }
        let (bytes, mut entries) = open_file(&path, files.len())?;
        files.push(bytes);
        for name in names {
            let entry = entries
                .remove(name)
                .ok_or_else(|| bad(format!("tensor `{name}` is not in shard `{file}`")))?;
            tensors.insert(name.to_owned(), entry);
        }
    }
    Ok(Weights {
        place: format!("`{}`", index_path.display()),
        files,
        index: tensors,
    })
}

fn open_file(
    path: &Path,
    file: usize,
) -> Result<(Bytes<'static>, HashMap<String, Entry>), EngineError> {
    let bytes = Bytes::Mapped(map(path)?);
    let (header, metadata) =
        SafeTensors::read_metadata(&bytes).map_err(|source| EngineError::Safetensors {
            path: path.to_owned(),
            source,
        })?;
    // The eight bytes before the header hold its length.
    let data = header + 8;
    let entries = metadata
        .tensors()
        .into_iter()
        .map(|(name, info)| {
            let (start, end) = info.data_offsets;
            let entry = Entry {
                file,
                stored: stored(info.dtype),
                shape: info.shape.clone(),
                range: data + start..data + end,
            };
            (name, entry)
        })
        .collect();
    Ok((bytes, entries))
}

fn stored(dtype: Dtype) -> Result<Stored, String> {
    match dtype {
        Dtype::F32 => Ok(Stored::F32),
        Dtype::F16 => Ok(Stored::F16),
        Dtype::BF16 => Ok(Stored::Bf16),
        other => Err(format!("{other:?}")),
    }
}

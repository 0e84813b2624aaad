//! The files that a model is made of: shape, weights, tokenizer and chat template, from a folder or a GGUF file.
//! Found and read here; loading and exporting start from what comes out.

use crate::engine::load::{self, gguf, gguf_tokenizer};
use crate::engine::{EngineError, ModelConfig, Weights};
use std::path::{Path, PathBuf};

/// Everything that a model is made of.
pub(crate) struct Source<'a> {
    pub config: ModelConfig,
    pub weights: Weights<'a>,
    /// The contents of a tokenizer.json.
    pub tokenizer: Vec<u8>,
    /// Names it in errors.
    pub tokenizer_place: String,
    /// That of the files beside the weights, else of the GGUF file itself.
    pub chat_template: Option<String>,
    /// What a GGUF file calls the model.
    pub name: Option<String>,
}

impl Source<'static> {
    /// A folder or a GGUF file.
    pub(crate) fn open(path: &Path) -> Result<Self, EngineError> {
        if path.is_file() {
            return Self::of_gguf(path);
        }
        if !path.is_dir() {
            return Err(EngineError::NoModelFolder {
                path: path.to_owned(),
            });
        }
        match find_weights(path)? {
            Found::Gguf(file) => Self::of_gguf(&file),
            Found::Safetensors => Self::of_folder(path),
        }
    }

    /// A folder with `config.json`, `tokenizer.json` and safetensors.
    pub(crate) fn of_folder(folder: &Path) -> Result<Self, EngineError> {
        let config = read_required(folder, "config.json", CONFIG_HELP)?;
        let config = ModelConfig::from_json(&config, &place(folder, "config.json"))?;
        Ok(Self {
            config: with_end_tokens(config, folder)?,
            weights: Weights::open_safetensors(folder)?,
            tokenizer: read_required(folder, TOKENIZER, TOKENIZER_HELP)?,
            tokenizer_place: place(folder, TOKENIZER),
            chat_template: load::chat_template::of_folder(folder)?,
            name: None,
        })
    }

    /// A GGUF file, and the files beside it.
    pub(crate) fn of_gguf(path: &Path) -> Result<Self, EngineError> {
        let here = format!("`{}`", path.display());
        let gguf = gguf::open(path)?;
        let config = ModelConfig::from_gguf(&gguf, &here)?;
        let folder = path.parent().unwrap_or(path);
        let (tokenizer, tokenizer_place) = match folder.join(TOKENIZER) {
            beside if beside.is_file() => (load::read(&beside)?, place(folder, TOKENIZER)),
            _ => (gguf_tokenizer::tokenizer_json(&gguf, &here)?, here),
        };
        Ok(Self {
            config: with_end_tokens(config, folder)?,
            tokenizer,
            tokenizer_place,
            chat_template: match load::chat_template::of_folder(folder)? {
                None => text(&gguf, CHAT_TEMPLATE),
                found => found,
            },
            name: text(&gguf, NAME),
            weights: gguf.weights,
        })
    }
}

impl<'a> Source<'a> {
    /// A GGUF file and a tokenizer.json that are already in memory.
    pub(crate) fn of_bytes(gguf: &'a [u8], tokenizer_json: &[u8]) -> Result<Self, EngineError> {
        const PLACE: &str = "the GGUF bytes in memory";
        let gguf = gguf::from_bytes(gguf, PLACE)?;
        Ok(Self {
            config: ModelConfig::from_gguf(&gguf, PLACE)?,
            tokenizer: tokenizer_json.to_owned(),
            tokenizer_place: "the tokenizer.json in memory".to_owned(),
            chat_template: text(&gguf, CHAT_TEMPLATE),
            name: text(&gguf, NAME),
            weights: gguf.weights,
        })
    }
}

const CHAT_TEMPLATE: &str = "tokenizer.chat_template";
const NAME: &str = "general.name";

/// A text in a GGUF file's metadata.
fn text(gguf: &gguf::Gguf<'_>, key: &str) -> Option<String> {
    gguf.metadata.get(key)?.as_str().map(str::to_owned)
}

/// The end tokens that a `generation_config.json` names, where there is one.
fn with_end_tokens(config: ModelConfig, folder: &Path) -> Result<ModelConfig, EngineError> {
    let path = folder.join("generation_config.json");
    match path.is_file() {
        true => {
            config.with_generation_config(&load::read(&path)?, &format!("`{}`", path.display()))
        }
        false => Ok(config),
    }
}

const TOKENIZER: &str = "tokenizer.json";
const CONFIG_HELP: &str = "copy it from the model's repository, it describes the weights' shapes";
const TOKENIZER_HELP: &str =
    "copy it from the model's repository; vocab.json and merges.txt are not enough";
const WEIGHTS_HELP: &str = "copy the model's weights there";

enum Found {
    Safetensors,
    Gguf(PathBuf),
}

/// Safetensors win over GGUF: they are the more exact of the two.
fn find_weights(folder: &Path) -> Result<Found, EngineError> {
    if load::has_safetensors(folder) {
        return Ok(Found::Safetensors);
    }
    let io = |source| EngineError::Io {
        path: folder.to_owned(),
        source,
    };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(io)? {
        let path = entry.map_err(io)?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "gguf")
        {
            files.push(path);
        }
    }
    files.sort();
    match files.as_slice() {
        [file] => Ok(Found::Gguf(file.clone())),
        [] => Err(EngineError::MissingFile {
            folder: folder.to_owned(),
            file: "model.safetensors, model.safetensors.index.json or .gguf file".to_owned(),
            help: WEIGHTS_HELP.to_owned(),
        }),
        [first, second, ..] => Err(EngineError::AmbiguousWeights {
            folder: folder.to_owned(),
            first: first.clone(),
            second: second.clone(),
        }),
    }
}

fn place(folder: &Path, file: &str) -> String {
    format!("`{}`", folder.join(file).display())
}

fn read_required(folder: &Path, file: &str, help: &str) -> Result<Vec<u8>, EngineError> {
    let path = folder.join(file);
    if path.is_file() {
        return load::read(&path);
    }
    Err(EngineError::MissingFile {
        folder: folder.to_owned(),
        file: file.to_owned(),
        help: help.to_owned(),
    })
}

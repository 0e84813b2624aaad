//! A loaded model: network, tokenizer and end tokens that were checked to belong together. Immutable and shared.

#[cfg(feature = "cuda")]
mod cuda;
pub(crate) mod linear;
pub(crate) mod options;
pub(crate) mod qwen2;
pub(crate) mod row;

use super::load::{self, gguf};
use super::{EngineError, LoadOptions, ModelConfig, Qwen2, TokenId, Tokenizer, Weights};
use candle_core::Device;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A model that is ready to run. One value serves any number of engines through an `Arc`.
#[derive(Debug)]
pub struct Model {
    network: Qwen2,
    tokenizer: Arc<Tokenizer>,
    end_tokens: Vec<TokenId>,
    /// Ids up to the tokenizer's largest that stand for no token.
    gaps: Vec<TokenId>,
}

impl Model {
    /// Loads a folder that holds `tokenizer.json` and either `config.json` with safetensors weights
    /// (`model.safetensors`, or shards with their index), or one `.gguf` file.
    /// `generation_config.json`, where there is one, names the end tokens.
    pub fn load_dir(folder: &Path, device: &Device) -> Result<Self, EngineError> {
        Self::load_dir_with(folder, device, &LoadOptions::default())
    }

    /// Like [`Self::load_dir`], with the weights in the form the options ask for.
    pub fn load_dir_with(
        folder: &Path,
        device: &Device,
        options: &LoadOptions,
    ) -> Result<Self, EngineError> {
        if !folder.is_dir() {
            return Err(EngineError::NoModelFolder {
                path: folder.to_owned(),
            });
        }
        let (mut config, weights) = match find_weights(folder)? {
            Found::Safetensors => {
                let config = read_required(folder, "config.json", CONFIG_HELP)?;
                let config = ModelConfig::from_json(&config, &place(folder, "config.json"))?;
                (config, Weights::open_safetensors(folder)?)
            }
            Found::Gguf(path) => {
                let gguf = gguf::open(&path)?;
                let config = ModelConfig::from_gguf(&gguf, &format!("`{}`", path.display()))?;
                (config, gguf.weights)
            }
        };
        let generation = folder.join("generation_config.json");
        if generation.is_file() {
            let json = load::read(&generation)?;
            config =
                config.with_generation_config(&json, &format!("`{}`", generation.display()))?;
        }
        let tokenizer = read_required(folder, "tokenizer.json", TOKENIZER_HELP)?;
        let tokenizer = Tokenizer::from_bytes(&tokenizer, &place(folder, "tokenizer.json"))?;
        check_vocabulary(&config, &tokenizer)?;
        Self::new(
            Qwen2::load_with(config, &weights, device, options)?,
            tokenizer,
        )
    }

    /// Loads a GGUF file and a tokenizer.json that are already in memory.
    pub fn from_gguf_bytes(
        gguf: &[u8],
        tokenizer_json: &[u8],
        device: &Device,
    ) -> Result<Self, EngineError> {
        Self::from_gguf_bytes_with(gguf, tokenizer_json, device, &LoadOptions::default())
    }

    /// Like [`Self::from_gguf_bytes`], with the weights in the form the options ask for.
    pub fn from_gguf_bytes_with(
        gguf: &[u8],
        tokenizer_json: &[u8],
        device: &Device,
        options: &LoadOptions,
    ) -> Result<Self, EngineError> {
        const PLACE: &str = "the GGUF bytes in memory";
        let gguf = gguf::from_bytes(gguf, PLACE)?;
        let config = ModelConfig::from_gguf(&gguf, PLACE)?;
        let tokenizer = Tokenizer::from_bytes(tokenizer_json, "the tokenizer.json in memory")?;
        check_vocabulary(&config, &tokenizer)?;
        Self::new(
            Qwen2::load_with(config, &gguf.weights, device, options)?,
            tokenizer,
        )
    }

    /// Joins a network and the tokenizer it was trained with.
    pub fn new(network: Qwen2, tokenizer: Tokenizer) -> Result<Self, EngineError> {
        check_vocabulary(network.config(), &tokenizer)?;
        let mut end_tokens: Vec<TokenId> = network
            .config()
            .eos_token_ids
            .iter()
            .copied()
            .map(TokenId)
            .collect();
        // GGUF metadata and many a config.json name one end token; a chat model ends its turn with either of these.
        for name in ["<|im_end|>", "<|endoftext|>"] {
            end_tokens.extend(tokenizer.control_token(name));
        }
        end_tokens.sort_unstable();
        end_tokens.dedup();
        let known = tokenizer.known_ids();
        let gaps = (0..)
            .zip(known)
            .filter(|(_, known)| !known)
            .map(|(id, _)| TokenId(id))
            .collect();
        Ok(Self {
            network,
            tokenizer: Arc::new(tokenizer),
            end_tokens,
            gaps,
        })
    }

    /// The model's shape.
    #[must_use]
    pub fn config(&self) -> &ModelConfig {
        self.network.config()
    }

    /// The network.
    #[must_use]
    pub fn network(&self) -> &Qwen2 {
        &self.network
    }

    /// The tokenizer.
    #[must_use]
    pub fn tokenizer(&self) -> &Arc<Tokenizer> {
        &self.tokenizer
    }

    /// Rules out ids that stand for no token: a vocabulary is padded, and padding has logits too.
    pub(crate) fn mask_unknown(&self, logits: &mut Vec<f32>) {
        logits.truncate(
            self.tokenizer
                .largest_id()
                .map_or(0, |id| id.0 as usize + 1),
        );
        for id in &self.gaps {
            logits[id.0 as usize] = f32::NEG_INFINITY;
        }
    }

    /// Tokens that end a reply: those the model's files name, and ChatML's.
    #[must_use]
    pub fn end_tokens(&self) -> &[TokenId] {
        &self.end_tokens
    }
}

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

/// Checked before the weights are read: it is quick, and they are large.
fn check_vocabulary(config: &ModelConfig, tokenizer: &Tokenizer) -> Result<(), EngineError> {
    match tokenizer.largest_id() {
        Some(largest) if largest.0 as usize >= config.vocab_size => {
            Err(EngineError::VocabularyMismatch {
                largest: largest.0,
                vocab_size: config.vocab_size,
            })
        }
        _ => Ok(()),
    }
}

//! A loaded model: network, tokenizer and end tokens that were checked to belong together. Immutable and shared.

#[cfg(feature = "cuda")]
mod cuda;
pub(crate) mod linear;
pub(crate) mod logits;
pub(crate) mod options;
pub(crate) mod qwen2;
pub(crate) mod row;
pub(crate) mod source;
pub(crate) mod tensors;

use super::{EngineError, LoadOptions, ModelConfig, Qwen2, TokenId, Tokenizer};
use candle_core::Device;
use source::Source;
use std::path::Path;
use std::sync::Arc;

/// A model that is ready to run. One value serves any number of engines through an `Arc`.
#[derive(Debug)]
pub struct Model {
    network: Qwen2,
    tokenizer: Arc<Tokenizer>,
    end_tokens: Vec<TokenId>,
    /// Ids up to the tokenizer's largest that stand for no token.
    gaps: Vec<TokenId>,
    /// As the model's files have it.
    chat_template: Option<String>,
}

impl Model {
    /// Loads a folder (see [`Self::load_dir`]) or a `.gguf` file. Beside the file may lie `tokenizer.json` and
    /// `generation_config.json`; without the former the tokenizer in the file itself serves.
    pub fn load_with(
        path: &Path,
        device: &Device,
        options: &LoadOptions,
    ) -> Result<Self, EngineError> {
        Self::of_source(Source::open(path)?, device, options)
    }

    /// Loads a folder that holds either `config.json`, `tokenizer.json` and safetensors weights
    /// (`model.safetensors`, or shards with their index), or one `.gguf` file, whose own tokenizer serves where there is
    /// no `tokenizer.json`. `generation_config.json`, where there is one, names the end tokens. The weights are kept in f32.
    pub fn load_dir(folder: &Path, device: &Device) -> Result<Self, EngineError> {
        Self::load_dir_with(folder, device, &LoadOptions::exact())
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
        Self::of_source(Source::open(folder)?, device, options)
    }

    fn of_source(
        source: Source<'_>,
        device: &Device,
        options: &LoadOptions,
    ) -> Result<Self, EngineError> {
        let tokenizer = Tokenizer::from_bytes(&source.tokenizer, &source.tokenizer_place)?;
        check_vocabulary(&source.config, &tokenizer)?;
        let network = Qwen2::load_with(source.config, &source.weights, device, options)?;
        let mut model = Self::new(network, tokenizer)?;
        model.chat_template = source.chat_template;
        Ok(model)
    }

    /// Loads a GGUF file and a tokenizer.json that are already in memory. The weights are kept in f32.
    pub fn from_gguf_bytes(
        gguf: &[u8],
        tokenizer_json: &[u8],
        device: &Device,
    ) -> Result<Self, EngineError> {
        Self::from_gguf_bytes_with(gguf, tokenizer_json, device, &LoadOptions::exact())
    }

    /// Like [`Self::from_gguf_bytes`], with the weights in the form the options ask for.
    pub fn from_gguf_bytes_with(
        gguf: &[u8],
        tokenizer_json: &[u8],
        device: &Device,
        options: &LoadOptions,
    ) -> Result<Self, EngineError> {
        Self::of_source(Source::of_bytes(gguf, tokenizer_json)?, device, options)
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
        #[cfg(feature = "cuda")]
        if let Some(cuda) = network.cuda() {
            cuda.know(&cuda::bits(&known, network.config().vocab_size))?;
        }
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
            chat_template: None,
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

    /// The logits of ids that may stand for tokens, without those that don't: a vocabulary is padded, and padding has
    /// logits too.
    pub(crate) fn known<'l>(&self, logits: &'l mut [f32]) -> &'l mut [f32] {
        let largest = self.tokenizer.largest_id();
        let count = largest.map_or(0, |id| id.0 as usize + 1);
        let logits = &mut logits[..count];
        for id in &self.gaps {
            logits[id.0 as usize] = f32::NEG_INFINITY;
        }
        logits
    }

    /// The chat template that the model's files bring, if they do.
    #[must_use]
    pub fn chat_template(&self) -> Option<&str> {
        self.chat_template.as_deref()
    }

    /// Tokens that end a reply: those the model's files name, and ChatML's.
    #[must_use]
    pub fn end_tokens(&self) -> &[TokenId] {
        &self.end_tokens
    }
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

//! What a model's files say about it, without loading a weight: shape, size, formats, vocabulary.

use super::model::source::Source;
use super::{EngineError, ModelConfig, Tokenizer};
use std::path::Path;

/// What a model's files say about it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ModelInfo {
    /// The network's shape.
    pub config: ModelConfig,
    /// Numbers that were learned; an embedding that is also the head counts once.
    pub parameters: u64,
    /// Bytes of the tensors in the files.
    pub tensor_bytes: u64,
    /// How many tensors are stored in which format, the one with the most bytes first.
    pub formats: Vec<(String, usize)>,
    /// Tokens of the tokenizer; the network may have more ids, as padding.
    pub tokens: usize,
    /// Names of the control tokens.
    pub control_tokens: Vec<String>,
    /// The chat template that the files bring; none where it is taken to be ChatML.
    pub chat_template: Option<String>,
}

impl ModelInfo {
    /// Of a model folder, or a GGUF file. Headers are read, weights are not.
    ///
    /// # Errors
    /// As loading has them, for what is missing or unsound in what is read here.
    pub fn of_path(path: &Path) -> Result<Self, EngineError> {
        Self::of_source(Source::open(path)?)
    }

    /// Of a GGUF file and a tokenizer.json that are in memory.
    pub(crate) fn of_gguf_bytes(gguf: &[u8], tokenizer: &[u8]) -> Result<Self, EngineError> {
        Self::of_source(Source::of_bytes(gguf, tokenizer)?)
    }

    fn of_source(source: Source<'_>) -> Result<Self, EngineError> {
        let tokenizer = Tokenizer::from_bytes(&source.tokenizer, &source.tokenizer_place)?;
        let (parameters, tensor_bytes, formats) = source.weights.totals();
        Ok(Self {
            parameters,
            tensor_bytes,
            formats,
            tokens: tokenizer
                .known_ids()
                .into_iter()
                .filter(|known| *known)
                .count(),
            control_tokens: tokenizer
                .control_tokens()
                .map(|(text, _)| text.to_owned())
                .collect(),
            chat_template: source.chat_template,
            config: source.config,
        })
    }
}

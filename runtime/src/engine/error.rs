//! Everything that can go wrong between a model folder and a token, one variant a cause.
//! Each message says what is wrong, where, and what to do about it.

use std::path::PathBuf;

/// Why a model could not be loaded or a generation could not run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The folder that should hold the model does not exist or is not a folder.
    #[error("no model folder at `{}`: create it and put config.json, tokenizer.json and the weights there", path.display())]
    NoModelFolder {
        /// The path that was looked at.
        path: PathBuf,
    },

    /// The folder exists, a file that every model needs does not.
    #[error("`{}` has no {file}: {help}", folder.display())]
    MissingFile {
        /// The model folder.
        folder: PathBuf,
        /// The file, or the alternatives, that was looked for.
        file: String,
        /// How to get it.
        help: String,
    },

    /// Several weight files lie in one folder and nothing says which is meant.
    #[error("`{}` holds both `{}` and `{}`: keep one .gguf file a folder, or load one by its own path", folder.display(), first.display(), second.display())]
    AmbiguousWeights {
        /// The model folder.
        folder: PathBuf,
        /// A candidate.
        first: PathBuf,
        /// Another candidate.
        second: PathBuf,
    },

    /// The operating system refused to read a file.
    #[error("cannot read `{}`: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },

    /// A JSON file of the model folder is not JSON, or not the expected object.
    #[error("{place} is not valid: {source}; fetch the file again")]
    Json {
        /// The file or metadata block.
        place: String,
        /// Line, column and reason.
        source: serde_json::Error,
    },

    /// One key of the model configuration is missing, of the wrong type, or impossible.
    #[error("{place}: key `{key}` {problem}")]
    Config {
        /// The file or metadata block.
        place: String,
        /// The key as it is spelled there.
        key: String,
        /// What is wrong with it and what would be right.
        problem: String,
    },

    /// The model is of a family that does not run here.
    #[error(
        "{place}: this is a `{found}` model, and only `qwen2` models (Qwen2, Qwen2.5) and `qwen3` models (Qwen3, the dense ones) run here; choose another model"
    )]
    UnsupportedArchitecture {
        /// The file or metadata block.
        place: String,
        /// The family that was named.
        found: String,
    },

    /// A safetensors file is truncated or its header contradicts itself.
    #[error("`{}` is not a sound safetensors file: {source}; it may be truncated, fetch it again", path.display())]
    Safetensors {
        /// The file.
        path: PathBuf,
        /// What the format's parser objected to.
        source: safetensors::SafeTensorError,
    },

    /// A shard index contradicts the files beside it.
    #[error("`{}`: {problem}", path.display())]
    ShardIndex {
        /// The index file.
        path: PathBuf,
        /// What does not fit.
        problem: String,
    },

    /// A GGUF file is truncated, malformed, or uses a feature that is not supported.
    #[error("{place} is not a sound GGUF file: {problem} (at byte {offset})")]
    Gguf {
        /// The file, or `the embedded model`.
        place: String,
        /// What does not fit.
        problem: String,
        /// Where in the file.
        offset: usize,
    },

    /// A model of a family that runs on the CPU only.
    #[error(
        "a `{found}` model runs on the CPU only in this version, the GPU runs `qwen2` models: load it without CUDA"
    )]
    NotOnGpu {
        /// The family.
        found: &'static str,
    },

    /// A device that no network here runs on.
    #[error(
        "models run on the CPU, or on an NVIDIA GPU with the feature `cuda`, not on {found}: pass Device::Cpu"
    )]
    NoSuchDevice {
        /// The device.
        found: String,
    },

    /// The operating system refused to write a file.
    #[error("cannot write `{}`: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },

    /// A model can't be written in the format that was asked for.
    #[error("cannot export to `{}`: {problem}", path.display())]
    Export {
        /// The file that was to be written.
        path: PathBuf,
        /// What stands in the way, and what to do.
        problem: String,
    },

    /// A weight the configuration calls for is not in the files.
    #[error(
        "{place}: tensor `{name}` is missing; config and weights must come from the same model"
    )]
    MissingTensor {
        /// The file or files.
        place: String,
        /// The tensor.
        name: String,
    },

    /// A weight's shape is not the one the configuration calls for.
    #[error(
        "{place}: tensor `{name}` has shape {found:?}, the configuration calls for {expected:?}; config and weights must come from the same model"
    )]
    TensorShape {
        /// The file or files.
        place: String,
        /// The tensor.
        name: String,
        /// What the configuration calls for.
        expected: Vec<usize>,
        /// What the file holds.
        found: Vec<usize>,
    },

    /// A weight is stored in a number format that is not read here.
    #[error(
        "{place}: tensor `{name}` is stored as {found}; convert the model to one of {supported}"
    )]
    TensorDtype {
        /// The file or files.
        place: String,
        /// The tensor.
        name: String,
        /// The format in the file.
        found: String,
        /// The formats that are read.
        supported: &'static str,
    },

    /// A weight holds NaN or an infinity.
    #[error(
        "{place}: tensor `{name}` holds {value} at index {index}; the file is damaged or was converted badly, fetch it again"
    )]
    WeightNotFinite {
        /// The file or files.
        place: String,
        /// The tensor.
        name: String,
        /// The value found.
        value: f32,
        /// Its flat index.
        index: usize,
    },

    /// tokenizer.json cannot be used.
    #[error("{place}: {problem}")]
    Tokenizer {
        /// The file, or where the bytes came from.
        place: String,
        /// What is wrong with it.
        problem: String,
    },

    /// The tokenizer can yield ids that the model has no embedding for.
    #[error(
        "the tokenizer has ids up to {largest}, the model's vocab_size is {vocab_size}; tokenizer.json and weights must come from the same model"
    )]
    VocabularyMismatch {
        /// The tokenizer's largest id.
        largest: u32,
        /// The number of embeddings.
        vocab_size: usize,
    },

    /// A token id has no embedding.
    #[error(
        "token id {id} is outside the model's vocabulary of {vocab_size}; encode the text with this model's tokenizer"
    )]
    TokenOutOfRange {
        /// The id.
        id: u32,
        /// The number of embeddings.
        vocab_size: usize,
    },

    /// Text could not be encoded.
    #[error("cannot tokenize the text: {problem}")]
    Encode {
        /// The tokenizer's reason.
        problem: String,
    },

    /// A generation was asked for without a single token to continue.
    #[error("the prompt is empty: give at least one token")]
    EmptyPrompt,

    /// The prompt alone is longer than the context.
    #[error(
        "the prompt has {actual} tokens, the context holds {max}: shorten the prompt or raise the context length"
    )]
    ContextTooLong {
        /// Tokens in the prompt.
        actual: usize,
        /// Tokens that fit.
        max: usize,
    },

    /// The prompt alone is longer than what the KV cache may hold.
    #[error(
        "the prompt has {actual} tokens, the KV cache may hold {max}: raise max_cache_size or shorten the prompt"
    )]
    CacheTooSmall {
        /// Tokens in the prompt.
        actual: usize,
        /// Tokens that the cache may hold.
        max: usize,
    },

    /// The grammar that the reply is held to can't be kept.
    #[error(transparent)]
    Mask(#[from] super::MaskError),

    /// A sampling parameter is impossible.
    #[error("sampling parameter `{parameter}`: {problem}")]
    Sampling {
        /// The parameter's name.
        parameter: &'static str,
        /// What is wrong with it and what would be right.
        problem: String,
    },

    /// The model produced NaN or an infinity: nothing can be sampled from it.
    #[error(
        "the model's logits hold {value} after {position} tokens; the weights are damaged or the numbers overflowed"
    )]
    LogitsNotFinite {
        /// The value found.
        value: f32,
        /// Tokens in the sequence at that point.
        position: usize,
    },

    /// Every token was ruled out.
    #[error("no token is left to sample after {position} tokens: every one is masked")]
    NothingToSample {
        /// Tokens in the sequence at that point.
        position: usize,
    },

    /// Too many requests wait already.
    #[error(
        "{max} requests wait for the engine already: send fewer at a time, or raise max_waiting"
    )]
    QueueFull {
        /// Requests that may wait.
        max: usize,
    },

    /// The deadline of a request has passed before it was done.
    #[error(
        "the deadline passed {waited:.1?} after the request, with {} tokens generated: allow more time, lower max_tokens, or send fewer requests at a time",
        tokens.len()
    )]
    DeadlinePassed {
        /// How long ago the request was sent.
        waited: std::time::Duration,
        /// What was generated until then.
        tokens: Vec<super::TokenId>,
    },

    /// A step of the engine panicked; the request is lost, the engine goes on.
    #[error(
        "the engine panicked while running this request: {message}; other requests are not affected, please report it"
    )]
    Panicked {
        /// The panic's message.
        message: String,
    },

    /// The engine was shut down before the request was done.
    #[error("the engine has stopped: load the model again")]
    Stopped,

    /// The engine's thread could not be started.
    #[error("cannot start the engine's thread: {source}")]
    Thread {
        /// The system's reason.
        source: std::io::Error,
    },

    /// A GPU, its driver or one of its libraries refused.
    #[error("the GPU failed while {doing}: {problem}")]
    Gpu {
        /// What was being done.
        doing: &'static str,
        /// What was answered.
        problem: String,
    },

    /// A GPU has no room left.
    #[error(
        "the GPU has no {bytes} bytes left: lower the KV cache or the prefill chunk, or free memory that other programs hold"
    )]
    GpuMemory {
        /// What was asked for.
        bytes: usize,
    },

    /// A tensor operation failed.
    #[error("tensor operation failed: {0}")]
    Tensor(#[from] candle_core::Error),
}

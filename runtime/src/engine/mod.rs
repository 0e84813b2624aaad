//! Token ids in, token ids out: a Qwen2 or Qwen3 model on candle tensors, its tokenizer, its sampler and the thread that runs them.
//! Knows nothing of signatures, prompts or parsing; `adapter` is its only caller.

mod config;
#[cfg(feature = "cuda")]
mod cuda;
mod error;
mod export;
mod inspect;
// Counting lines forbids vectors: with it, kernels are a hundred times slower and every test of a model takes minutes.
#[cfg_attr(coverage_nightly, coverage(off))]
mod kernels;
mod kv;
mod load;
mod machine;
mod mask;
mod model;
mod random;
mod recycled;
mod sampler;
mod scheduler;
mod tokenizer;

pub use config::{Architecture, ModelConfig};
#[cfg(feature = "cuda")]
pub use cuda::{CudaQwen2, Sample};
pub use error::EngineError;
pub use export::{ExportFormat, ExportReport, export_gguf, export_gguf_bytes};
pub use inspect::ModelInfo;
pub use kv::KvCache;
pub use load::Weights;
pub use machine::Machine;
pub use mask::{LogitsMask, MaskEnd, MaskError, MaskStep};
pub use model::Model;
pub use model::logits::Logits;
pub use model::options::{KvFormat, LoadOptions, Quantization};
pub use model::qwen2::Qwen2;
pub use model::row::Row;
pub use random::write_random_weights;
pub use sampler::{Sampler, SamplingParams, log_sum_exp};
pub use scheduler::{
    CacheStats, Engine, EngineOptions, EngineStats, FinishReason, GenerateRequest, Generation,
    PinnedPrefix, Shutdown, StreamedToken, Timings,
};
pub use tokenizer::{DecodeStream, Segment, Tokenizer};

/// A token by its number in the model's vocabulary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TokenId(pub u32);

impl std::fmt::Display for TokenId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)
    }
}

//! The model that comes with the crate.

use candle_core::Device;

use crate::engine::{EngineError, LoadOptions, Model};

const WEIGHTS: &[u8] = include_bytes!("../../models/embedded/model.gguf");
const TOKENIZER: &[u8] = include_bytes!("../../models/embedded/tokenizer.json");

pub(super) fn load(options: &LoadOptions) -> Result<Model, EngineError> {
    Model::from_gguf_bytes_with(WEIGHTS, TOKENIZER, &Device::Cpu, options)
}

//! The model that comes with the crate.

use candle_core::Device;

use crate::engine::{EngineError, Model};

const WEIGHTS: &[u8] = include_bytes!("../../models/embedded/model.gguf");
const TOKENIZER: &[u8] = include_bytes!("../../models/embedded/tokenizer.json");

pub(super) fn load() -> Result<Model, EngineError> {
    Model::from_gguf_bytes(WEIGHTS, TOKENIZER, &Device::Cpu)
}

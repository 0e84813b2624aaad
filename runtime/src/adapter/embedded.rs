//! The model that comes with the crate.

use std::path::Path;

use crate::engine::{
    EngineError, ExportFormat, ExportReport, LoadOptions, Model, ModelInfo, export_gguf_bytes,
};

use super::{CHATML, ModelPool};

const WEIGHTS: &[u8] = include_bytes!("../../models/embedded/model.gguf");
const TOKENIZER: &[u8] = include_bytes!("../../models/embedded/tokenizer.json");

pub(super) fn load(options: &LoadOptions) -> Result<Model, EngineError> {
    Model::from_gguf_bytes_with(WEIGHTS, TOKENIZER, &options.device()?, options)
}

impl ModelPool {
    /// Writes the embedded model as a GGUF file, for another engine to run.
    ///
    /// # Errors
    /// What the file system refused; then there is no new file.
    pub fn export_embedded(
        out: impl AsRef<Path>,
        format: impl Into<ExportFormat>,
    ) -> Result<ExportReport, EngineError> {
        let name = "candle-signature-embedded";
        export_gguf_bytes(WEIGHTS, TOKENIZER, Some(CHATML), name, out.as_ref(), format)
    }
    /// What the embedded model's files say.
    ///
    /// # Errors
    /// None in a crate that was built whole.
    pub fn inspect_embedded() -> Result<ModelInfo, EngineError> {
        ModelInfo::of_gguf_bytes(WEIGHTS, TOKENIZER)
    }
}

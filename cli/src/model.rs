//! Which model a command runs on, and how it is loaded.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use candle_signature::adapter::{LoadOptions, LoadedModel, ModelPool, Quantization};
use candle_signature::engine::EngineOptions;
use candle_signature::hub::Silent;
use clap::Args;
use indicatif::ProgressBar;

use crate::error::CliError;
use crate::out::Out;

#[derive(Debug, Args)]
#[command(next_help_heading = "Model")]
pub struct ModelArgs {
    /// `embedded`, a folder, a .gguf file, the name of one in --models, or a model of the hub (`models pull` knows how they are written)
    #[arg(short, long, default_value = ModelPool::EMBEDDED, env = "CANDLE_SIGNATURE_MODEL", value_name = "MODEL")]
    pub model: String,
    #[command(flatten)]
    pub loading: LoadingArgs,
}

/// Where models lie that are given by name.
#[derive(Debug, Clone, Args)]
pub struct ModelsFolder {
    /// The folder of models that names are looked up in
    #[arg(
        long,
        default_value = "models",
        env = "CANDLE_SIGNATURE_MODELS",
        value_name = "FOLDER"
    )]
    pub models: PathBuf,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Model")]
pub struct LoadingArgs {
    #[command(flatten)]
    pub folder: ModelsFolder,
    /// How weights are kept in memory; `as-stored` is 4 bits where the file is Q4_0, else 8
    #[arg(long, value_enum, default_value = "as-stored", value_name = "FORM")]
    pub quantization: Form,
    /// Threads; by default one a physical core
    #[arg(long, value_name = "N")]
    pub threads: Option<NonZeroUsize>,
    /// Most requests in one forward pass
    #[arg(long, default_value = "8", value_name = "N")]
    pub parallel: NonZeroUsize,
}

/// How weights are kept in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Form {
    /// f32, the reference
    None,
    /// 8 bits
    Q8,
    /// 4 bits, embedding and head 8
    Q4,
    /// As the file has it
    AsStored,
}

impl From<Form> for Quantization {
    fn from(form: Form) -> Self {
        match form {
            Form::None => Quantization::None,
            Form::Q8 => Quantization::Q8,
            Form::Q4 => Quantization::Q4,
            Form::AsStored => Quantization::AsStored,
        }
    }
}

impl ModelArgs {
    /// Loads the model, with a word on standard error while it takes long.
    pub async fn load(&self, out: &Out) -> Result<Arc<LoadedModel>, CliError> {
        self.loading.load(&self.model, out).await
    }
}

impl LoadingArgs {
    /// Loads the model of this name.
    pub async fn load(&self, name: &str, out: &Out) -> Result<Arc<LoadedModel>, CliError> {
        let (pool, name) = pool_of(name, &self.folder.models);
        let mut pool = self.pool(pool);
        if !out.shows_progress() {
            pool = pool.with_progress(Silent);
        }
        // A model that comes from the hub has bars of its own.
        let is_here = name == ModelPool::EMBEDDED
            || Path::new(&name).exists()
            || self.folder.models.join(&name).exists();
        let spinner = match is_here {
            true => crate::out::spinner(out, format!("loading {name}")),
            false => ProgressBar::hidden(),
        };
        let loaded = pool.load_model(&name).await;
        spinner.finish_and_clear();
        Ok(loaded?)
    }

    /// A pool that loads as these options say.
    pub fn pool(&self, pool: ModelPool) -> ModelPool {
        pool.with_options(LoadOptions {
            quantization: self.quantization.into(),
            threads: self.threads,
            ..LoadOptions::default()
        })
        .with_engine(EngineOptions {
            max_rows: self.parallel.get(),
            ..EngineOptions::default()
        })
    }
}

/// The pool that has a model, and its name there.
fn pool_of(model: &str, models: &Path) -> (ModelPool, String) {
    let path = Path::new(model);
    if model == ModelPool::EMBEDDED {
        return (ModelPool::embedded(), model.to_owned());
    }
    let pool = ModelPool::new(models);
    // A path as it is typed; a pool wants to be told that it is one.
    match path.is_relative() && path.exists() && !models.join(path).exists() {
        true => (
            pool,
            Path::new(".").join(path).to_string_lossy().into_owned(),
        ),
        false => (pool, model.to_owned()),
    }
}

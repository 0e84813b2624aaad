//! Loaded models, each held once however often it is asked for.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use candle_core::Device;
use tokio::sync::OnceCell;

use crate::engine::{Engine, EngineOptions, LoadOptions, Model, TokenId};
use crate::grammar::GrammarCompiler;

use super::embedded;
use super::error::ErrorText;
use super::thread::on_a_thread;
use super::{CHATML, CandleAdapterError};

/// So many requests to one model run side by side in each forward pass, unless they or the pool's options say
/// otherwise; more wait for a place.
const ROWS: usize = 8;

/// A folder of models, and those of them that were loaded.
///
/// ```no_run
/// # async fn example() -> Result<(), candle_signature::adapter::CandleAdapterError> {
/// use candle_signature::adapter::ModelPool;
///
/// let pool = ModelPool::new("./models");
/// let model = pool.load_model("Qwen2.5-0.5B-Instruct").await?; // reads ./models/Qwen2.5-0.5B-Instruct
/// let again = pool.load_model("Qwen2.5-0.5B-Instruct").await?; // the same Arc, at once
/// assert!(std::sync::Arc::ptr_eq(&model, &again));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct ModelPool {
    source: Source,
    options: LoadOptions,
    engine: EngineOptions,
    loaded: Mutex<HashMap<String, Arc<OnceCell<Arc<LoadedModel>>>>>,
}

#[derive(Debug)]
enum Source {
    Folder(PathBuf),
    Embedded,
}

/// A model in memory with the engine that runs it, ready for any number of adapters.
pub struct LoadedModel {
    name: String,
    engine: Engine,
    grammars: Arc<GrammarCompiler>,
    chat_template: String,
}

impl ModelPool {
    /// A pool of the models in a folder, one sub-folder each. Nothing is read yet.
    pub fn new(folder: impl AsRef<Path>) -> Self {
        Self::of(Source::Folder(folder.as_ref().to_owned()))
    }

    /// A pool of the one model that comes with this crate: small, offline, and right only in the families of task that
    /// its card names. Its name is [`ModelPool::EMBEDDED`].
    #[must_use]
    pub fn embedded() -> Self {
        Self::of(Source::Embedded)
    }

    /// The name of the embedded model.
    pub const EMBEDDED: &'static str = "embedded";

    /// Loads models in this form and with so many threads. The default is f32, the reference; 8 bits take a
    /// quarter of the memory and of the time of a decode step.
    ///
    /// ```
    /// use candle_signature::adapter::{LoadOptions, ModelPool, Quantization};
    ///
    /// let options = LoadOptions { quantization: Quantization::Q8, ..Default::default() };
    /// let pool = ModelPool::new("./models").with_options(options);
    /// ```
    #[must_use]
    pub fn with_options(mut self, options: LoadOptions) -> Self {
        self.options = options;
        self
    }

    /// Runs models with these options: rows of a pass, room in the KV cache, requests that may wait. The default is
    /// [`EngineOptions::default`] with 8 rows.
    ///
    /// ```
    /// use candle_signature::adapter::ModelPool;
    /// use candle_signature::engine::EngineOptions;
    ///
    /// let options = EngineOptions { max_rows: 16, cache_tokens: Some(32_768), ..Default::default() };
    /// let pool = ModelPool::embedded().with_engine(options);
    /// ```
    #[must_use]
    pub fn with_engine(mut self, options: EngineOptions) -> Self {
        self.engine = options;
        self
    }

    fn of(source: Source) -> Self {
        ModelPool {
            source,
            options: LoadOptions::default(),
            engine: EngineOptions {
                max_rows: ROWS,
                ..EngineOptions::default()
            },
            loaded: Mutex::default(),
        }
    }

    /// Loads a model, or returns it if it is loaded. Several callers at once load it once.
    ///
    /// A failed load is forgotten: the next call tries again.
    ///
    /// # Errors
    /// [`CandleAdapterError::ModelLoadError`] if there is no such model or its files are not sound.
    pub async fn load_model(&self, name: &str) -> Result<Arc<LoadedModel>, CandleAdapterError> {
        let cell = {
            // A panic elsewhere leaves the map sound: it is only ever inserted into.
            let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(loaded.entry(name.to_owned()).or_default())
        };
        let model = cell.get_or_try_init(|| self.read(name)).await?;
        Ok(Arc::clone(model))
    }

    /// Reads a model on a thread of its own: it takes seconds, and no executor should wait for it.
    async fn read(&self, name: &str) -> Result<Arc<LoadedModel>, CandleAdapterError> {
        let (options, engine) = (self.options.clone(), self.engine.clone());
        let load: Box<dyn FnOnce() -> Result<LoadedModel, ErrorText> + Send> = match &self.source {
            Source::Embedded if name == Self::EMBEDDED => {
                Box::new(move || LoadedModel::embedded(&options, engine))
            }
            Source::Embedded => {
                return Err(CandleAdapterError::ModelLoadError(
                    format!(
                        "there is no embedded model `{name}`: the name is `{}`; \
                         for models of your own use ModelPool::new(folder)",
                        Self::EMBEDDED
                    )
                    .into(),
                ));
            }
            Source::Folder(folder) => {
                let path =
                    model_folder(folder, name).map_err(CandleAdapterError::ModelLoadError)?;
                let name = name.to_owned();
                Box::new(move || LoadedModel::from_folder(name, &path, &options, engine))
            }
        };
        let model = on_a_thread("candle-signature-load", load).await?;
        model
            .map(Arc::new)
            .map_err(CandleAdapterError::ModelLoadError)
    }
}

/// The folder of a model. A name is a path below the pool's folder, never one out of it.
fn model_folder(pool: &Path, name: &str) -> Result<PathBuf, ErrorText> {
    use std::path::Component;
    let inside = Path::new(name)
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    if name.is_empty() || !inside {
        return Err(format!(
            "`{name}` is no model name: give the name of a folder in `{}`",
            pool.display()
        )
        .into());
    }
    let path = pool.join(name);
    if path.is_dir() {
        return Ok(path);
    }
    let mut known: Vec<String> = std::fs::read_dir(pool)
        .map(|entries| {
            entries
                .flatten()
                .filter(|entry| entry.path().is_dir())
                .map(|entry| format!("`{}`", entry.file_name().to_string_lossy()))
                .collect()
        })
        .unwrap_or_default();
    known.sort();
    let there = match known.as_slice() {
        [] => format!("`{}` holds no model folder", pool.display()),
        names => format!("`{}` holds {}", pool.display(), names.join(", ")),
    };
    Err(format!(
        "no model `{name}`: {there}; put config.json, tokenizer.json and the weights into `{}`",
        path.display()
    )
    .into())
}

impl LoadedModel {
    fn from_folder(
        name: String,
        path: &Path,
        options: &LoadOptions,
        engine: EngineOptions,
    ) -> Result<Self, ErrorText> {
        let chat_template = template_of(path)?;
        let model =
            Model::load_dir_with(path, &Device::Cpu, options).map_err(ErrorText::caused_by)?;
        Self::start(name, model, chat_template, engine)
    }

    fn embedded(options: &LoadOptions, engine: EngineOptions) -> Result<Self, ErrorText> {
        let model = embedded::load(options).map_err(ErrorText::caused_by)?;
        Self::start(
            ModelPool::EMBEDDED.to_owned(),
            model,
            CHATML.to_owned(),
            engine,
        )
    }

    fn start(
        name: String,
        model: Model,
        chat_template: String,
        options: EngineOptions,
    ) -> Result<Self, ErrorText> {
        let grammars = Arc::new(grammars_of(&model)?);
        let engine = Engine::start(Arc::new(model), options).map_err(ErrorText::caused_by)?;
        Ok(LoadedModel {
            name,
            engine,
            grammars,
            chat_template,
        })
    }

    /// The name it was loaded by.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The engine that runs it.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The compiler of grammars for its vocabulary.
    #[must_use]
    pub fn grammars(&self) -> &Arc<GrammarCompiler> {
        &self.grammars
    }

    /// Its chat template, or ChatML if it brings none.
    #[must_use]
    pub fn chat_template(&self) -> &str {
        &self.chat_template
    }
}

impl fmt::Debug for LoadedModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoadedModel")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// A compiler for the ids that the engine samples from: all up to the tokenizer's largest.
fn grammars_of(model: &Model) -> Result<GrammarCompiler, ErrorText> {
    let tokenizer = model.tokenizer();
    let size = tokenizer.largest_id().map_or(0, |id| id.0 as usize + 1);
    let end = tokenizer
        .control_token("<|im_end|>")
        .or_else(|| model.end_tokens().first().copied());
    // A model without an end token never chooses to end: an id that no token has stands for it.
    let (size, end) = match end {
        Some(end) => (size, end),
        None => (size + 1, TokenId(size as u32)),
    };
    GrammarCompiler::new(Arc::clone(tokenizer), size, end).map_err(ErrorText::caused_by)
}

/// The chat template that a model folder brings, as transformers stores it.
fn template_of(folder: &Path) -> Result<String, ErrorText> {
    let jinja = folder.join("chat_template.jinja");
    if jinja.is_file() {
        return std::fs::read_to_string(&jinja)
            .map_err(|error| format!("cannot read `{}`: {error}", jinja.display()).into());
    }
    let path = folder.join("tokenizer_config.json");
    if !path.is_file() {
        return Ok(CHATML.to_owned());
    }
    let config: serde_json::Value = std::fs::read(&path)
        .map_err(|error| error.to_string())
        .and_then(|bytes| serde_json::from_slice(&bytes).map_err(|error| error.to_string()))
        .map_err(|error| format!("`{}`: {error}; fetch the file again", path.display()))?;
    match &config["chat_template"] {
        serde_json::Value::Null => Ok(CHATML.to_owned()),
        serde_json::Value::String(template) => Ok(template.clone()),
        // Several named ones: the one without a special purpose is called `default`.
        serde_json::Value::Array(named) => named
            .iter()
            .find(|entry| entry["name"] == "default")
            .and_then(|entry| entry["template"].as_str())
            .map(str::to_owned)
            .ok_or_else(|| {
                format!(
                    "`{}`: chat_template lists none that is named `default`",
                    path.display()
                )
                .into()
            }),
        _ => Err(format!("`{}`: chat_template must be a string", path.display()).into()),
    }
}

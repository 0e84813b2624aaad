//! Loaded models, each held once however often it is asked for.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

use crate::engine::{Engine, EngineOptions, LoadOptions, Model, TokenId};
use crate::grammar::GrammarCompiler;

use super::embedded;
use super::error::ErrorText;
use super::place::Place;
use super::thread::on_a_thread;
use super::{CHATML, CandleAdapterError};
#[cfg(feature = "hub")]
use crate::hub::{Bars, Hub, Progress};

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
/// // Reads ./models/Qwen2.5-0.5B-Instruct, or if there is no such folder, the model of this name on the hub.
/// let model = pool.load_model("Qwen2.5-0.5B-Instruct").await?;
/// let again = pool.load_model("Qwen2.5-0.5B-Instruct").await?; // the same Arc, at once
/// assert!(std::sync::Arc::ptr_eq(&model, &again));
/// # Ok(())
/// # }
/// ```
pub struct ModelPool {
    source: Source,
    #[cfg(feature = "hub")]
    hub: Hub,
    #[cfg(feature = "hub")]
    progress: Option<Arc<dyn Progress>>,
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

    /// Loads models in this form and with so many threads. The default is 8 bits, or 4 where the file has them; 4 bits
    /// take half of the memory and of the time of a decode step, [`LoadOptions::exact`] four times as much.
    ///
    /// ```
    /// use candle_signature::adapter::{LoadOptions, ModelPool, Quantization};
    ///
    /// let options = LoadOptions { quantization: Quantization::Q4, ..Default::default() };
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

    /// Takes models that are not in the folder from this hub. The default is [`Hub::from_env`].
    #[cfg(feature = "hub")]
    #[must_use]
    pub fn with_hub(mut self, hub: Hub) -> Self {
        self.hub = hub;
        self
    }

    /// Tells this listener of models that come from the hub. The default is [`Bars::stderr`].
    ///
    /// ```
    /// use candle_signature::adapter::ModelPool;
    /// use candle_signature::hub::Silent;
    ///
    /// let pool = ModelPool::new("./models").with_progress(Silent);
    /// ```
    #[cfg(feature = "hub")]
    #[must_use]
    pub fn with_progress(mut self, progress: impl Progress + 'static) -> Self {
        self.progress = Some(Arc::new(progress));
        self
    }

    fn of(source: Source) -> Self {
        ModelPool {
            source,
            #[cfg(feature = "hub")]
            hub: Hub::from_env(),
            #[cfg(feature = "hub")]
            progress: None,
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
    /// A name is looked for in this order:
    /// 1. a folder or a `.gguf` file of that name in the pool's folder;
    /// 2. a path to either, if it is absolute or begins with `./` or `../`;
    /// 3. with the feature `hub`, a model of the hub: `owner/name`, with `@revision` or `:file.gguf` if need be, or a short
    ///    name such as `Qwen2.5-0.5B`. What the hub's cache has is taken without asking; the rest is fetched, with a bar on
    ///    stderr for each file (see [`with_progress`](Self::with_progress)).
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
                let place = Place::of(folder, name).map_err(CandleAdapterError::ModelLoadError)?;
                let (name, get) = (name.to_owned(), self.getter());
                Box::new(move || {
                    let path = get(place)?;
                    LoadedModel::from_path(name, &path, &options, engine)
                })
            }
        };
        let model = on_a_thread("candle-signature-load", load).await?;
        model
            .map(Arc::new)
            .map_err(CandleAdapterError::ModelLoadError)
    }

    /// Makes a place a path on this machine; on the thread that may wait for it.
    fn getter(&self) -> impl FnOnce(Place) -> Result<PathBuf, ErrorText> + Send + 'static {
        #[cfg(feature = "hub")]
        let (hub, progress) = (self.hub.clone(), self.progress.clone());
        move |place| match place {
            Place::Here(path) => Ok(path),
            #[cfg(feature = "hub")]
            Place::Hub(id) => {
                if let Some(path) = hub.find(&id) {
                    return Ok(path);
                }
                let progress = progress.unwrap_or_else(|| Arc::new(Bars::stderr()));
                hub.pull(&id, &*progress).map_err(ErrorText::caused_by)
            }
        }
    }
}

impl fmt::Debug for ModelPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ModelPool")
            .field("source", &self.source)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl LoadedModel {
    /// `path` is a model's folder, or a GGUF file, beside which the other files may lie.
    fn from_path(
        name: String,
        path: &Path,
        options: &LoadOptions,
        engine: EngineOptions,
    ) -> Result<Self, ErrorText> {
        let device = options.device().map_err(ErrorText::caused_by)?;
        let model = Model::load_with(path, &device, options).map_err(ErrorText::caused_by)?;
        let chat_template = model.chat_template().unwrap_or(CHATML).to_owned();
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

//! A model from the hub, or from its cache.

use super::cache::RepositoryFolder;
use super::choose::{INDEX, Kind, choose, in_snapshot, shards};
use super::client::Client;
use super::download::Transfer;
use super::env::{Settings, clean_token};
use super::{CachedModel, HubError, ModelId, Progress, list};
use std::path::{Path, PathBuf};

/// The Hugging Face hub, and its cache on this machine.
///
/// ```no_run
/// use candle_signature::hub::{Bars, Hub};
///
/// let hub = Hub::from_env();
/// let path = hub.pull(&"Qwen2.5-0.5B-Instruct".parse()?, &Bars::stderr())?;
/// println!("{}", path.display());
/// # Ok::<(), candle_signature::hub::HubError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Hub {
    settings: Settings,
}

impl Hub {
    /// As the environment says: `HF_HOME`, `HF_HUB_CACHE`, `HF_ENDPOINT`, `HF_TOKEN` (else the file `token` of
    /// `HF_HOME`), `HF_HUB_OFFLINE`, with Python's defaults.
    #[must_use]
    pub fn from_env() -> Self {
        Hub {
            settings: Settings::from_env(),
        }
    }

    /// Keeps its cache in this folder, whatever the environment says.
    #[must_use]
    pub fn with_cache(mut self, folder: impl Into<PathBuf>) -> Self {
        self.settings.cache = Some(folder.into());
        self
    }

    /// Asks this hub: a mirror, or one of your own.
    #[must_use]
    pub fn with_endpoint(mut self, url: impl Into<String>) -> Self {
        self.settings.endpoint = url.into();
        self
    }

    /// Sends this token. One that can't be a token counts as none.
    #[must_use]
    pub fn with_token(mut self, token: Option<&str>) -> Self {
        self.settings.token = token.and_then(clean_token);
        self
    }

    /// Asks nobody, and takes only what is in the cache.
    #[must_use]
    pub fn offline(mut self, offline: bool) -> Self {
        self.settings.offline = offline;
        self
    }

    /// Whether it asks nobody.
    #[must_use]
    pub fn is_offline(&self) -> bool {
        self.settings.offline
    }

    /// The cache's folder, if there is one to be had; it may not exist yet.
    #[must_use]
    pub fn cache_folder(&self) -> Option<&Path> {
        self.settings.cache.as_deref()
    }

    /// A model that is in the cache with all its files, without asking the hub: the snapshot's folder, or the GGUF file.
    #[must_use]
    pub fn find(&self, id: &ModelId) -> Option<PathBuf> {
        self.look(self.settings.cache.as_deref()?, id).ok()
    }

    /// Fetches what is missing of the revision's newest state, and returns the snapshot's folder or the GGUF file.
    ///
    /// Blocks until everything is there, which takes minutes: call it from a thread that may. Several processes may pull
    /// one model at once: one fetches each file and the others wait. What an interrupted pull has fetched is kept, and the next
    /// one goes on from there. A file has its name only when its size, and the SHA-256 of a large one, are the hub's.
    ///
    /// Offline, or when the hub can't be reached and the model is there, it is what the cache has.
    ///
    /// # Errors
    /// [`HubError`], whose message says what to do.
    pub fn pull(&self, id: &ModelId, progress: &dyn Progress) -> Result<PathBuf, HubError> {
        let cache = self.cache()?;
        let cached = self.look(cache, id);
        if self.settings.offline {
            return cached.map_err(|missing| HubError::Offline {
                id: id.to_string(),
                cache: cache.to_owned(),
                missing,
            });
        }
        if id.is_pinned()
            && let Ok(path) = cached
        {
            return Ok(path);
        }
        match (self.fetch(cache, id, progress), cached) {
            (Err(error @ HubError::NoNetwork { .. }), Ok(path)) => {
                tracing::warn!("{error}; {id} is taken from the cache as it was last pulled");
                Ok(path)
            }
            (fetched, _) => fetched,
        }
    }

    /// The models in the cache, by name. An empty list if there is no cache yet.
    ///
    /// # Errors
    /// [`HubError`] if the cache can't be read.
    pub fn cached(&self) -> Result<Vec<CachedModel>, HubError> {
        list::models(self.cache()?)
    }

    fn cache(&self) -> Result<&Path, HubError> {
        self.settings
            .cache
            .as_deref()
            .ok_or(HubError::NoCacheFolder)
    }

    /// What the cache has of a model, or the first file that it lacks.
    fn look(&self, cache: &Path, id: &ModelId) -> Result<PathBuf, String> {
        let folder = RepositoryFolder::new(cache, id);
        let commit = folder.commit(id).ok_or("files")?;
        let snapshot = folder.snapshot(&commit);
        Ok(in_snapshot(&snapshot, id.file())?.path(&snapshot))
    }

    fn fetch(
        &self,
        cache: &Path,
        id: &ModelId,
        progress: &dyn Progress,
    ) -> Result<PathBuf, HubError> {
        let client = Client::new(&self.settings)?;
        let listing = client.list(id)?;
        let choice = choose(&id.to_string(), &listing.files, id.file())?;
        let folder = RepositoryFolder::new(cache, id);
        let transfer = Transfer {
            client: &client,
            folder: &folder,
            id,
            commit: &listing.commit,
            progress,
        };
        for file in &choice.files {
            transfer.fetch(file)?;
        }
        let snapshot = folder.snapshot(&listing.commit);
        if choice.model == Kind::Shards {
            let path = snapshot.join(INDEX);
            let index = std::fs::read(&path).map_err(HubError::io("read", &path))?;
            let no_model = |problem| HubError::NoModel {
                id: id.to_string(),
                problem: format!("{INDEX}: {problem}; the repository is damaged, choose another"),
            };
            for shard in shards(&index).map_err(no_model)? {
                transfer.fetch(&shard)?;
            }
        }
        folder.write_ref(id, &listing.commit)?;
        Ok(choice.model.path(&snapshot))
    }
}

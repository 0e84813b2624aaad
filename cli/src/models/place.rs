//! Where the model of a name is on this machine, by the rules of `ModelPool::load_model`.

use std::path::{Path, PathBuf};

use candle_signature::adapter::ModelPool;
use candle_signature::hub::{Hub, ModelId};

use crate::error::CliError;

/// Where a model is.
pub enum Place {
    Embedded,
    /// A folder or a GGUF file.
    Here(PathBuf),
}

/// The place of a model that need not be fetched.
pub fn find(name: &str, models: &Path) -> Result<Place, CliError> {
    if name == ModelPool::EMBEDDED {
        return Ok(Place::Embedded);
    }
    let inside = models.join(name);
    for path in [Path::new(name), &inside] {
        if path.exists() {
            return Ok(Place::Here(path.to_owned()));
        }
    }
    let id: ModelId = name.parse().map_err(|error| {
        CliError::Model(format!(
            "no model `{name}`: there is neither such a path nor `{}`; and {error}",
            inside.display()
        ))
    })?;
    Hub::from_env().find(&id).map(Place::Here).ok_or_else(|| {
        CliError::Model(format!(
            "{id} is not on this machine: run `candle-signature models pull {name}` first"
        ))
    })
}

//! Models from the Hugging Face hub, into the cache that Python's `huggingface_hub` uses too: the same folders, the
//! same locks. Knows files, not what is in them; `adapter` loads what comes out of here.
//!
//! The protocol and the layout are spoken here and not by the `hf-hub` crate, which knows no offline switch and no
//! checksums, waits 5 s for another process that pulls the same file, has no read timeout, and panics on some replies.

mod alias;
mod cache;
mod choose;
mod client;
mod download;
mod env;
mod error;
mod id;
mod list;
mod progress;
mod pull;

pub use alias::aliases;
pub use error::HubError;
pub use id::ModelId;
pub use list::CachedModel;
pub use progress::{Bars, Progress, PullEvent, Silent};
pub use pull::Hub;

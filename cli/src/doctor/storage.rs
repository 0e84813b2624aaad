//! Where models lie: the hub's cache and its settings, the folder of models, the room on the disk.

use std::path::Path;

use candle_signature::hub::Hub;

use super::{Check, State};
use crate::units::bytes;

/// Less than a 0.5B model's safetensors, twice.
const LITTLE: u64 = 2_000_000_000;

pub fn checks(models: &Path) -> Vec<Check> {
    let hub = Hub::from_env();
    let mut checks = vec![folder(models), cache(&hub), environment()];
    checks.extend(hub.cache_folder().and_then(room));
    checks
}

fn folder(models: &Path) -> Check {
    let shown = models.display();
    match std::fs::read_dir(models) {
        Ok(entries) => {
            let count = entries.flatten().count();
            Check::new("models folder", State::Ok, format!("`{shown}`: {count} entries"))
        }
        Err(_) => Check::new("models folder", State::Info, format!("`{shown}` is not there"))
            .advise("names of models are then looked up on the hub; --models or CANDLE_SIGNATURE_MODELS names another folder"),
    }
}

fn cache(hub: &Hub) -> Check {
    let Some(folder) = hub.cache_folder() else {
        return Check::new("hub cache", State::Bad, "there is no home folder")
            .advise("set HF_HOME or HF_HUB_CACHE to a folder");
    };
    match hub.cached() {
        Ok(models) => {
            let size = models.iter().map(|model| model.bytes).sum();
            let broken = models.iter().filter(|model| !model.complete).count();
            let count = models.len();
            let found = format!("`{}`: {count} models, {}", folder.display(), bytes(size));
            match broken {
                0 => Check::new("hub cache", State::Ok, found),
                broken => Check::new("hub cache", State::Info, found).advise(format!(
                    "{broken} of them are incomplete (models list): pull them again to use them"
                )),
            }
        }
        Err(error) => Check::new("hub cache", State::Bad, error.to_string())
            .advise("set HF_HUB_CACHE to a folder that can be read"),
    }
}

/// What is set; of secrets only that they are.
fn environment() -> Check {
    const SHOWN: [&str; 4] = ["HF_HOME", "HF_HUB_CACHE", "HF_ENDPOINT", "HF_HUB_OFFLINE"];
    const SECRET: [&str; 2] = ["HF_TOKEN", "CANDLE_SIGNATURE_API_KEY"];
    let value = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let shown = SHOWN.iter().filter_map(|name| {
        let value = value(name)?;
        Some(format!("{name}={}", value.to_string_lossy()))
    });
    let secret = SECRET.iter().filter(|name| value(name).is_some());
    let secret = secret.map(|name| format!("{name} is set"));
    let set: Vec<_> = shown.chain(secret).collect();
    match set.is_empty() {
        true => Check::new(
            "environment",
            State::Ok,
            "no setting of the hub's: its defaults hold",
        ),
        false => Check::new("environment", State::Info, set.join(", ")),
    }
}

/// Room on the disk of a folder, or of the nearest one above it that is there.
fn room(folder: &Path) -> Option<Check> {
    let there = folder.ancestors().find(|path| path.exists())?;
    let free = free(there)?;
    let found = format!("{} free for the hub's cache", bytes(free));
    Some(match free < LITTLE {
        true => Check::new("disk", State::Slow, found).advise(
            "Qwen2.5-0.5B takes 1 GB: free space, or set HF_HUB_CACHE to a folder on a larger disk",
        ),
        false => Check::new("disk", State::Ok, found),
    })
}

#[cfg(unix)]
fn free(path: &Path) -> Option<u64> {
    let stat = rustix::fs::statvfs(path).ok()?;
    stat.f_bavail.checked_mul(stat.f_frsize)
}

#[cfg(not(unix))]
fn free(_: &Path) -> Option<u64> {
    None
}

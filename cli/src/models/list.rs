//! `models list`.

use std::path::{Path, PathBuf};

use candle_signature::adapter::ModelPool;
use candle_signature::hub::{Hub, aliases};
use clap::Args;
use serde_json::{Value as Json, json};

use crate::error::CliError;
use crate::model::ModelsFolder;
use crate::out::Out;
use crate::style::{self, paint};
use crate::units::bytes;

#[derive(Debug, Args)]
pub struct ListArgs {
    #[command(flatten)]
    folder: ModelsFolder,
    /// The short names of models on the hub, instead
    #[arg(long)]
    aliases: bool,
}

struct Found {
    name: String,
    place: &'static str,
    bytes: u64,
    path: Option<PathBuf>,
    complete: bool,
}

pub fn execute(args: &ListArgs, out: &mut Out) -> Result<(), CliError> {
    if args.aliases {
        return short_names(out);
    }
    let mut found = vec![Found {
        name: ModelPool::EMBEDDED.to_owned(),
        place: "embedded",
        bytes: ModelPool::inspect_embedded()?.tensor_bytes,
        path: None,
        complete: true,
    }];
    found.extend(of_folder(&args.folder.models));
    let cached = Hub::from_env().cached();
    let cached = cached.map_err(|error| CliError::System(std::io::Error::other(error)))?;
    found.extend(cached.into_iter().map(|model| Found {
        name: model.id.to_string(),
        place: "hub",
        bytes: model.bytes,
        path: Some(model.path),
        complete: model.complete,
    }));
    if out.is_json() {
        let models: Json = found.iter().map(json_of).collect();
        return out.json(&json!({"models": models}));
    }
    let width = found.iter().map(|one| one.name.chars().count()).max();
    let width = width.unwrap_or_default();
    for one in &found {
        let name = paint(style::NAME, format_args!("{:width$}", one.name));
        let mut line = format!("{name}  {:8}  {:>10}", one.place, bytes(one.bytes));
        if let Some(path) = &one.path {
            line.push_str(&paint(style::DIM, format_args!("  {}", path.display())));
        }
        if !one.complete {
            line.push_str(&paint(style::WARN, "  incomplete: pull it again"));
        }
        out.line(line)?;
    }
    Ok(())
}

fn json_of(one: &Found) -> Json {
    json!({
        "name": one.name,
        "where": one.place,
        "bytes": one.bytes,
        "path": one.path,
        "complete": one.complete,
    })
}

fn short_names(out: &mut Out) -> Result<(), CliError> {
    if out.is_json() {
        let aliases: serde_json::Map<_, _> =
            aliases().map(|(name, id)| (name, id.into())).collect();
        return out.json(&json!({"aliases": aliases}));
    }
    for (name, id) in aliases() {
        out.line(format!(
            "{}  {id}",
            paint(style::NAME, format_args!("{name:32}"))
        ))?;
    }
    Ok(())
}

/// Folders with weights, and GGUF files.
fn of_folder(folder: &Path) -> Vec<Found> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<_> = entries
        .filter_map(|entry| of_entry(&entry.path()))
        .collect();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}

fn of_entry(path: &Path) -> Option<Found> {
    let name = path.file_name()?.to_string_lossy().into_owned();
    let weights = |path: &Path| {
        let extension = path.extension().and_then(|extension| extension.to_str());
        matches!(extension, Some("gguf" | "safetensors"))
    };
    let size = |path: &Path| {
        std::fs::metadata(path)
            .map(|data| data.len())
            .unwrap_or_default()
    };
    let is_file = path.is_file();
    let (bytes, has_weights) = match is_file {
        true => (size(path), weights(path)),
        false => {
            let inside = std::fs::read_dir(path)
                .ok()?
                .flatten()
                .map(|entry| entry.path());
            inside.fold((0, false), |(sum, any), path| {
                (sum + size(&path), any || weights(&path))
            })
        }
    };
    let is_model = has_weights && (!is_file || path.extension()? == "gguf");
    is_model.then(|| Found {
        name,
        place: "folder",
        bytes,
        complete: is_file
            || path.join("tokenizer.json").is_file()
            || !path.join("config.json").is_file(),
        path: Some(path.to_owned()),
    })
}

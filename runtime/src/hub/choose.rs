//! Which files of a repository make a model, and whether a snapshot has them all.

use super::HubError;
use super::id::is_plain_path;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

pub(super) const INDEX: &str = "model.safetensors.index.json";
const SINGLE: &str = "model.safetensors";
const CONFIG: &str = "config.json";
const TOKENIZER: &str = "tokenizer.json";
/// Taken where they are.
const OPTIONAL: [&str; 3] = [
    "generation_config.json",
    "tokenizer_config.json",
    "chat_template.jinja",
];

/// What is to be fetched, small files first.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Choice {
    pub files: Vec<String>,
    pub model: Kind,
}

/// What a model is on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// The snapshot's folder, with one file of weights.
    Folder,
    /// The snapshot's folder, with the shards that the index names.
    Shards,
    /// This file of it.
    Gguf(String),
}

impl Kind {
    /// The path that a loader takes.
    pub(super) fn path(&self, snapshot: &Path) -> PathBuf {
        match self {
            Kind::Folder | Kind::Shards => snapshot.to_owned(),
            Kind::Gguf(file) => snapshot.join(file),
        }
    }
}

/// Chooses among the files of a repository; `wanted` is the GGUF file that was asked for.
pub(super) fn choose(id: &str, files: &[String], wanted: Option<&str>) -> Result<Choice, HubError> {
    let has = |name: &str| files.iter().any(|file| file == name);
    let no_model = |problem: String| HubError::NoModel {
        id: id.to_owned(),
        problem,
    };
    let gguf = |file: &str| {
        let mut chosen: Vec<String> = OPTIONAL
            .iter()
            .filter(|f| has(f))
            .map(ToString::to_string)
            .collect();
        // Else the tokenizer in the GGUF file itself serves.
        chosen.extend(has(TOKENIZER).then(|| TOKENIZER.to_owned()));
        chosen.push(file.to_owned());
        Choice {
            files: chosen,
            model: Kind::Gguf(file.to_owned()),
        }
    };
    if let Some(file) = wanted {
        return match has(file) {
            true => Ok(gguf(file)),
            false => Err(HubError::NotFound {
                what: format!("file `{file}` in {id}"),
                hint: match list_of_gguf(files) {
                    Some(list) => format!("; it has {list}"),
                    None => "; it has no .gguf file at all".to_owned(),
                },
            }),
        };
    }
    let weights = match () {
        () if has(SINGLE) => Some((SINGLE, Kind::Folder)),
        () if has(INDEX) => Some((INDEX, Kind::Shards)),
        () => None,
    };
    if let Some((weights, model)) = weights {
        if let Some(missing) = [CONFIG, TOKENIZER].into_iter().find(|file| !has(file)) {
            return Err(no_model(format!(
                "it has weights, but no {missing}; look for the repository of the whole model, not of an adapter or a part"
            )));
        }
        let small = [CONFIG, TOKENIZER].into_iter().chain(OPTIONAL);
        let mut chosen: Vec<String> = small.filter(|f| has(f)).map(str::to_owned).collect();
        chosen.push(weights.to_owned());
        return Ok(Choice {
            files: chosen,
            model,
        });
    }
    let ggufs: Vec<&String> = files.iter().filter(|file| is_gguf(file)).collect();
    match (ggufs.as_slice(), list_of_gguf(files)) {
        ([file], _) => Ok(gguf(file)),
        (_, Some(list)) => Err(no_model(format!(
            "it holds several GGUF files: say which, as in `{id}:{}`; there are {list}",
            ggufs[0]
        ))),
        _ if has("pytorch_model.bin") => Err(no_model(
            "its weights are PyTorch pickles, which are not read here; look for a conversion to safetensors or GGUF".to_owned(),
        )),
        _ => Err(no_model(format!(
            "it has neither {SINGLE} nor {INDEX} nor a .gguf file; check that this is the repository of a language model"
        ))),
    }
}

fn is_gguf(file: &str) -> bool {
    file.ends_with(".gguf") && is_plain_path(file)
}

fn list_of_gguf(files: &[String]) -> Option<String> {
    let names: Vec<&str> = files
        .iter()
        .filter(|f| is_gguf(f))
        .map(String::as_str)
        .collect();
    match names.as_slice() {
        [] => None,
        names if names.len() > 12 => Some(format!(
            "{} and {} more",
            names[..12].join(", "),
            names.len() - 12
        )),
        names => Some(names.join(", ")),
    }
}

/// The shards that an index names. Empty for an index that can't be read: the loader says what is wrong with it.
pub(super) fn shards(index: &[u8]) -> Result<BTreeSet<String>, String> {
    #[derive(Deserialize)]
    struct Index {
        weight_map: BTreeMap<String, String>,
    }
    let index: Index = serde_json::from_slice(index).map_err(|error| error.to_string())?;
    let files: BTreeSet<String> = index.weight_map.into_values().collect();
    // One in another folder could be anything on the machine.
    match files
        .iter()
        .find(|file| !is_plain_path(file) || file.contains('/'))
    {
        Some(bad) => Err(format!("shard `{bad}` is not a plain file name")),
        None => Ok(files),
    }
}

/// What a snapshot in the cache is, or the first file that it lacks.
pub(super) fn in_snapshot(snapshot: &Path, wanted: Option<&str>) -> Result<Kind, String> {
    // Links to blobs that are gone do not exist.
    let has = |name: &str| snapshot.join(name).exists();
    if let Some(file) = wanted {
        return match has(file) {
            true => Ok(Kind::Gguf(file.to_owned())),
            false => Err(file.to_owned()),
        };
    }
    let kind = match () {
        () if has(SINGLE) => Kind::Folder,
        () if has(INDEX) => {
            let index = std::fs::read(snapshot.join(INDEX)).map_err(|_| INDEX.to_owned())?;
            let shards = shards(&index).map_err(|_| INDEX.to_owned())?;
            match shards.into_iter().find(|shard| !has(shard)) {
                Some(missing) => return Err(missing),
                None => Kind::Shards,
            }
        }
        () => {
            let entries = std::fs::read_dir(snapshot).map_err(|_| "files".to_owned())?;
            let names = entries
                .flatten()
                .map(|e| e.file_name().to_string_lossy().into_owned());
            let mut ggufs: Vec<String> = names.filter(|name| is_gguf(name) && has(name)).collect();
            return match (ggufs.pop(), ggufs.is_empty()) {
                (Some(file), true) => Ok(Kind::Gguf(file)),
                _ => Err(SINGLE.to_owned()),
            };
        }
    };
    match [CONFIG, TOKENIZER].into_iter().find(|file| !has(file)) {
        Some(missing) => Err(missing.to_owned()),
        None => Ok(kind),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(names: &[&str]) -> Vec<String> {
        names.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn safetensors_come_with_what_describes_them() {
        let all = files(&[
            ".gitattributes",
            "README.md",
            CONFIG,
            TOKENIZER,
            "vocab.json",
            "generation_config.json",
            SINGLE,
            "model.gguf",
        ]);
        let choice = choose("a/b", &all, None).unwrap();
        assert_eq!(choice.model, Kind::Folder);
        assert_eq!(
            choice.files,
            [CONFIG, TOKENIZER, "generation_config.json", SINGLE]
        );
        let one = choose("a/b", &all, Some("model.gguf")).unwrap();
        assert_eq!(one.model, Kind::Gguf("model.gguf".to_owned()));
        assert!(!one.files.contains(&SINGLE.to_owned()));
    }

    #[test]
    fn what_is_no_model_is_said_with_a_way_out() {
        let problem = |names: &[&str], wanted| {
            choose("a/b", &files(names), wanted)
                .unwrap_err()
                .to_string()
        };
        assert!(problem(&[], None).contains("neither model.safetensors nor"));
        assert!(problem(&[SINGLE, CONFIG], None).contains("no tokenizer.json"));
        assert!(problem(&["pytorch_model.bin"], None).contains("pickles"));
        assert!(
            problem(&["a-q4.gguf", "a-q8.gguf"], None)
                .contains("`a/b:a-q4.gguf`; there are a-q4.gguf, a-q8.gguf")
        );
        assert!(problem(&["a.gguf"], Some("b.gguf")).contains("it has a.gguf"));
    }

    #[test]
    fn a_shard_out_of_the_folder_is_refused() {
        let index = |name: &str| format!(r#"{{"weight_map": {{"x": "{name}"}}}}"#);
        assert_eq!(
            shards(index("m-1.safetensors").as_bytes()).unwrap().len(),
            1
        );
        for bad in ["../x", "/etc/passwd", "a/b", "", ".."] {
            assert!(shards(index(bad).as_bytes()).is_err(), "{bad}");
        }
    }
}

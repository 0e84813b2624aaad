//! A model on the hub: repository, revision, and which file where it holds several models.

use super::{HubError, alias};
use std::fmt;
use std::path::{Component, Path};
use std::str::FromStr;

/// A model on the hub: `owner/name`, `owner/name@revision`, either with `:file.gguf` behind it, or a short name such as
/// `Qwen2.5-0.5B` (see [`aliases`](super::aliases)).
///
/// ```
/// use candle_signature::hub::ModelId;
///
/// let id: ModelId = "Qwen2.5-0.5B-Instruct".parse()?;
/// assert_eq!(id.to_string(), "Qwen/Qwen2.5-0.5B-Instruct");
/// let id: ModelId = "Qwen/Qwen3-0.6B-GGUF@main:Qwen3-0.6B-Q8_0.gguf".parse()?;
/// assert_eq!((id.repository(), id.revision()), ("Qwen/Qwen3-0.6B-GGUF", "main"));
/// # Ok::<(), candle_signature::hub::HubError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ModelId {
    repository: String,
    revision: String,
    file: Option<String>,
}

const MAIN: &str = "main";

impl ModelId {
    /// `owner/name`.
    #[must_use]
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// Branch, tag or commit; `main` if none was given.
    #[must_use]
    pub fn revision(&self) -> &str {
        &self.revision
    }

    /// The file of the repository that is meant, if one was named.
    #[must_use]
    pub fn file(&self) -> Option<&str> {
        self.file.as_deref()
    }

    /// The same model at another revision: a branch, a tag or a commit.
    ///
    /// # Errors
    /// [`HubError::Name`] if it can't be a revision.
    pub fn at_revision(mut self, revision: &str) -> Result<Self, HubError> {
        check_revision(revision).map_err(|problem| HubError::Name {
            name: format!("{}@{revision}", self.repository),
            problem,
        })?;
        revision.clone_into(&mut self.revision);
        Ok(self)
    }

    /// Whether the revision is a commit, which never changes.
    pub(super) fn is_pinned(&self) -> bool {
        self.revision.len() == 40 && self.revision.bytes().all(|b| b.is_ascii_hexdigit())
    }

    /// The model of a repository in the cache.
    pub(super) fn of_cache(repository: String, revision: String) -> Self {
        ModelId {
            repository,
            revision,
            file: None,
        }
    }
}

impl FromStr for ModelId {
    type Err = HubError;

    fn from_str(text: &str) -> Result<Self, HubError> {
        let bad = |problem: String| HubError::Name {
            name: text.to_owned(),
            problem,
        };
        let (rest, file) = match text.split_once(':') {
            Some((rest, file)) => (rest, Some(file)),
            None => (text, None),
        };
        let (name, revision) = match rest.split_once('@') {
            Some((name, revision)) => (name, revision),
            None => (rest, MAIN),
        };
        check_revision(revision).map_err(bad)?;
        if let Some(file) = file {
            check_file(file).map_err(bad)?;
        }
        let mut file = file.map(str::to_owned);
        let repository = match name.split_once('/') {
            Some((owner, model)) => {
                for (part, what) in [(owner, "owner"), (model, "name")] {
                    check_part(part, what).map_err(bad)?;
                }
                name.to_owned()
            }
            None => {
                let alias = alias::find(name).ok_or_else(|| bad(unknown(name)))?;
                file = file.or(alias.file.map(str::to_owned));
                alias.repository
            }
        };
        Ok(ModelId {
            repository,
            revision: revision.to_owned(),
            file,
        })
    }
}

/// As it is parsed, without the revision where that is `main`.
impl fmt::Display for ModelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.repository)?;
        if self.revision != MAIN {
            write!(f, "@{}", self.revision)?;
        }
        match &self.file {
            Some(file) => write!(f, ":{file}"),
            None => Ok(()),
        }
    }
}

fn unknown(name: &str) -> String {
    match alias::nearest(name) {
        Some(near) => format!("did you mean `{near}`? Other models are written `owner/name`"),
        None => "write `owner/name` as on the model's page, or a short name such as `Qwen2.5-0.5B`"
            .to_owned(),
    }
}

/// The hub's own rule: letters, digits, `-`, `_`, `.`; none of `-` and `.` at an end, none of `--` and `..` inside.
fn check_part(part: &str, what: &str) -> Result<(), String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let at_end = |c: char| matches!(c, '-' | '.');
    let good = !part.is_empty()
        && part.len() <= 96
        && part.chars().all(allowed)
        && !part.starts_with(at_end)
        && !part.ends_with(at_end)
        && !part.contains("--")
        && !part.contains("..");
    match good {
        true => Ok(()),
        false => Err(format!(
            "the {what} `{part}` must be of letters, digits, `-`, `_` and `.`, as in `Qwen/Qwen2.5-0.5B`"
        )),
    }
}

/// It becomes a path below `refs/` and a part of a URL.
fn check_revision(revision: &str) -> Result<(), String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
    let good = !revision.is_empty()
        && revision.len() <= 200
        && revision.chars().all(allowed)
        && revision
            .split('/')
            .all(|part| !matches!(part, "" | "." | ".."));
    match good {
        true => Ok(()),
        false => Err(format!(
            "the revision `{revision}` must be a branch, a tag or a commit, as in `Qwen/Qwen2.5-0.5B@main`"
        )),
    }
}

fn check_file(file: &str) -> Result<(), String> {
    match is_plain_path(file) && file.ends_with(".gguf") {
        true => Ok(()),
        false => Err(format!(
            "behind `:` stands the name of a .gguf file of the repository, not `{file}`"
        )),
    }
}

/// Whether a path of a repository stays where it is put.
pub(super) fn is_plain_path(path: &str) -> bool {
    !path.is_empty()
        && path.len() <= 200
        && !path.contains(['\\', '\0', ':'])
        && path.split('/').all(|part| !matches!(part, "" | "." | ".."))
        && Path::new(path)
            .components()
            .all(|part| matches!(part, Component::Normal(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> String {
        text.parse::<ModelId>().unwrap_err().to_string()
    }

    #[test]
    fn ids_are_read_and_written_alike() {
        for (text, shown) in [
            ("Qwen/Qwen2.5-0.5B", "Qwen/Qwen2.5-0.5B"),
            ("Qwen/Qwen2.5-0.5B@main", "Qwen/Qwen2.5-0.5B"),
            ("a/b@refs/pr/1", "a/b@refs/pr/1"),
            ("a/b@v1.0:x.gguf", "a/b@v1.0:x.gguf"),
            ("a/b:folder/x.gguf", "a/b:folder/x.gguf"),
            ("qwen3-0.6b", "Qwen/Qwen3-0.6B"),
            ("Qwen2.5-7B-Instruct@v2", "Qwen/Qwen2.5-7B-Instruct@v2"),
            (
                "Qwen2.5-0.5B-Instruct-GGUF",
                "Qwen/Qwen2.5-0.5B-Instruct-GGUF:qwen2.5-0.5b-instruct-q8_0.gguf",
            ),
            (
                "Qwen2.5-0.5B-Instruct-GGUF:other.gguf",
                "Qwen/Qwen2.5-0.5B-Instruct-GGUF:other.gguf",
            ),
        ] {
            let id: ModelId = text.parse().unwrap();
            assert_eq!(id.to_string(), shown);
            assert_eq!(shown.parse::<ModelId>().unwrap(), id);
        }
    }

    #[test]
    fn what_can_be_no_id_is_refused_with_a_way_out() {
        for bad in [
            "",
            "/",
            "a/",
            "/b",
            "a/b/c",
            "a/..",
            "../b",
            "a/b@",
            "a/b@../x",
            "a/b@x//y",
            "a/b:",
            "a/b:x.bin",
            "a/b:../x.gguf",
            "a/b:/x.gguf",
            "a b/c",
            "a/b\n",
            "ä/b",
            "a--b/c",
            "a/-b",
        ] {
            assert!(problem(bad).contains("is no model of the hub: "), "{bad}");
        }
        assert!(problem("Qwen2.5-0.5").contains("did you mean `Qwen2.5-0.5B`?"));
        assert!(problem("gpt2").contains("write `owner/name`"));
        assert!(problem(&"x".repeat(100_000)).contains("write `owner/name`"));
    }

    #[test]
    fn every_alias_is_an_id() {
        for (name, id) in super::super::aliases() {
            let by_name: ModelId = name.parse().unwrap();
            assert_eq!(by_name, id.parse().unwrap());
        }
    }
}
